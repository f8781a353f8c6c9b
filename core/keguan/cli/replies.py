"""``keguan replies``: what customers answered to messages."""

from __future__ import annotations

from collections.abc import Sequence

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import IDS, unmask_option

__all__ = ["replies_command"]

_COLUMNS = ("id", "at", "adapter", "phone", "customer", "text", "meaning", "read_by")


@click.group("replies")
def replies_command() -> None:
    """What customers answered: opt-outs, and what somebody has to read."""


@replies_command.command("list")
@click.option("--unread", is_flag=True, help="Only what a person has to read and nobody has.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the newest so many.")
@unmask_option
@pass_app
def list_(app: App, limit: int | None, *, unread: bool, unmask: bool) -> None:
    """List the replies, the newest first."""
    from keguan.access import logged_rows
    from keguan.queries.replies import list_replies

    rows = list_replies(app.reader, unread=unread, limit=limit, unmask=unmask)
    if unmask:
        rows = logged_rows(app.store, rows, what="replies list", now=app.reader.now)
    app.answer_rows(rows, _COLUMNS, "replies")


@replies_command.command("read")
@click.argument("ids", type=IDS, nargs=-1, required=True, metavar="ID...")
@click.option("--by", help="Who read them; you without.")
@pass_app
def read(app: App, ids: Sequence[int], by: str | None) -> None:
    """Note that somebody has read and answered them."""
    from keguan.access import person_at_keyboard
    from keguan.queries.replies import note_read

    note_read(app.store, ids, app.clock.now(), by or person_at_keyboard())
    app.answer({"read": list(ids)})
    app.say("replies.noted", count=len(ids))
