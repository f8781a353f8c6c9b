"""``keguan outbox``: messages on their way, and what a person decides about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import IDS, list_options, unmask_option

if TYPE_CHECKING:
    from keguan.queries.reader import Filters

__all__ = ["outbox_command"]

_STATUSES = (
    "queued",
    "sending",
    "sent",
    "delivered",
    "undelivered",
    "held",
    "suppressed",
    "in_doubt",
    "dead",
    "dropped",
    "expired",
)
_COLUMNS = ("id", "due_at", "status", "channel", "to", "plugin", "action", "attempts", "sent_at", "held_until", "error")
_DETAILS = (
    "id",
    "key",
    "status",
    "error",
    "rule",
    "held_until",
    "channel",
    "to",
    "message_class",
    "urgent",
    "plugin",
    "action",
    "clause",
    "due_at",
    "expires_at",
    "adapter",
    "attempts",
    "sent_at",
    "delivered_at",
    "note",
)
_ids = click.argument("ids", type=IDS, nargs=-1, metavar="ID...")


@click.group("outbox")
def outbox_command() -> None:
    """The messages: queued, sent, held, dead."""


@outbox_command.command("list")
@list_options(_STATUSES)
@unmask_option
@pass_app
def list_(app: App, filters: Filters, *, unmask: bool) -> None:
    """List messages in the order they fall due."""
    from keguan.access import logged_rows
    from keguan.queries.messages import list_messages

    rows = list_messages(app.reader, filters, unmask=unmask)
    if unmask:
        rows = logged_rows(app.store, rows, what="outbox list", now=app.reader.now)
    app.answer_rows(rows, _COLUMNS, "outbox")


@outbox_command.command("show")
@click.argument("message", type=IDS, metavar="ID")
@unmask_option
@pass_app
def show(app: App, message: int, *, unmask: bool) -> None:
    """Show one message with its title and body, the rule that keeps it back and until when."""
    from keguan.access import logged_rows
    from keguan.errors import InputError
    from keguan.queries.messages import list_messages
    from keguan.queries.reader import Filters

    rows = list_messages(app.reader, Filters(), ids=[message], unmask=unmask)
    if unmask:
        rows = logged_rows(app.store, rows, what="outbox show", now=app.reader.now)
    found = list(rows)
    if not found:
        raise InputError("outbox.unknown", message=message)
    app.answer(found[0])
    note = found[0]["note"]
    app.details({**found[0], "note": app.text(note) if note else None}, _DETAILS, "outbox")
    if not app.as_json:
        click.echo()
        for part in (found[0]["title"], found[0]["body"]):
            if part:
                click.echo(part)


@outbox_command.command("retry")
@_ids
@click.option("--status", type=click.Choice(("dead", "in_doubt", "undelivered")), help="All of this status.")
@pass_app
def retry(app: App, ids: Sequence[int], status: str | None) -> None:
    """Queue failed messages again, due now. What has expired stays as it is."""
    from keguan.outbox.by_hand import retry as again
    from keguan.outbox.by_hand import retry_all

    if bool(ids) == (status is not None):
        raise click.UsageError("give numbers of messages, or --status")
    done = again(app.store, ids, app.clock.now()) if status is None else retry_all(app.store, status, app.clock.now())
    app.answer({"queued": done.queued, "expired": done.expired})
    app.say("outbox.retried", queued=done.queued, expired=done.expired)
    if done.expired:
        raise click.exceptions.Exit(1)


@outbox_command.command("release")
@_ids
@click.option("--all", "everything", is_flag=True, help="All that are held; with --status all in doubt.")
@click.option("--status", type=click.Choice(("held", "in_doubt")), help="With --all: which.")
@pass_app
def release(app: App, ids: Sequence[int], status: str | None, *, everything: bool) -> None:
    """Queue held messages now, to be judged again; send messages in doubt again, on your word."""
    from keguan.outbox.by_hand import release as give_back
    from keguan.outbox.by_hand import release_all

    if bool(ids) == everything or (status is not None and not everything):
        raise click.UsageError("give numbers of messages, or --all [--status held|in_doubt]")
    now = app.clock.now()
    count = release_all(app.store, status or "held", now) if everything else give_back(app.store, ids, now)
    app.answer({"queued": count})
    app.say("outbox.released", queued=count)


@outbox_command.command("drop")
@_ids
@click.option("--reason", required=True, help="Why it shall not leave; shown in the journey.")
@pass_app
def drop(app: App, ids: Sequence[int], reason: str) -> None:
    """Take messages out of the outbox for good."""
    from keguan.outbox.by_hand import drop as take_out

    if not ids:
        raise click.UsageError("give numbers of messages")
    count = take_out(app.store, ids, reason)
    app.answer({"dropped": count})
    app.say("outbox.dropped", dropped=count)


@outbox_command.command("receipts")
@click.argument("message", type=click.IntRange(min=1), required=False)
@click.option("--limit", type=click.IntRange(min=1), help="Only the newest so many.")
@pass_app
def receipts(app: App, message: int | None, limit: int | None) -> None:
    """List what gateways told after messages had left; with MESSAGE only of that one."""
    from keguan.queries.replies import list_receipts

    columns = ("at", "received_at", "adapter", "provider_id", "status", "code", "message")
    app.answer_rows(list_receipts(app.reader, message, limit), columns, "replies")
