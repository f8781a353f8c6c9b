"""``keguan codes``: the short codes by which customers open a survey or a status page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from keguan.cli.app import App, pass_app

if TYPE_CHECKING:
    from keguan.people.codes import Code

__all__ = ["codes_command"]

_COLUMNS = ("code", "purpose", "subject", "customer", "created_at", "expires_at", "used_at")


@click.group("codes")
def codes_command() -> None:
    """Short codes that customers were sent."""


@codes_command.command("list")
@click.option("--purpose", type=click.Choice(("survey", "status")), help="Only codes that open this.")
@click.option("--ended", is_flag=True, help="Those that open nothing any more.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many; all without.")
@pass_app
def list_(app: App, purpose: str | None, limit: int | None, *, ended: bool) -> None:
    """List codes, newest first. A code opens what it stands for, so only its beginning is shown."""
    from keguan.people.codes import list_codes

    with app.store.read() as connection:
        found = list_codes(connection, app.clock.now(), purpose=purpose, ended=ended, limit=limit)
    rows = (_row(app, each) | {"code": f"{each.code[:2]}****"} for each in found)
    app.answer_rows(rows, _COLUMNS, "codes")


@codes_command.command("show")
@click.argument("code")
@pass_app
def show(app: App, code: str) -> None:
    """Show what CODE opens, for whom, and until when. Looking one up is recorded in the access log."""
    from keguan.access import logged_rows
    from keguan.people.codes import look_up

    with app.store.read() as connection:
        found = look_up(connection, code)
    if found is None:
        raise _unknown()
    now = app.clock.now()
    (row,) = logged_rows(app.store, [_row(app, found)], what=f"codes show {found.code[:2]}****", now=now)
    row["valid"] = found.expires_at > now
    app.answer(row)
    app.details(row, (*_COLUMNS, "key", "valid"), "codes")


@codes_command.command("expire")
@click.argument("code")
@pass_app
def expire(app: App, code: str) -> None:
    """End CODE now: it was read by somebody else, or sent by mistake."""
    from keguan.people.codes import expire_code

    with app.store.write() as connection:
        found = expire_code(connection, code, app.clock.now())
    if found is None:
        raise _unknown()
    app.answer({"code": found.code, "key": found.key, "expired": True})
    app.say("codes.expired", code=found.code)


def _unknown() -> Exception:
    from keguan.errors import InputError

    return InputError("codes.unknown")


def _row(app: App, code: Code) -> dict[str, Any]:
    """Return a code as it is listed; ``customer`` is the person's number, which says nothing by itself."""
    from keguan.queries.subjects import natural_ids

    with app.store.read() as connection:
        subject = natural_ids(connection, {code.subject}, app.settings).get(code.subject)
    zone = app.reader.zone(None)
    return {
        "code": code.code,
        "purpose": code.purpose,
        "key": code.key,
        "subject": subject,
        "customer": code.person_id,
        "created_at": code.created_at.astimezone(zone),
        "expires_at": code.expires_at.astimezone(zone),
        "used_at": None if code.used_at is None else code.used_at.astimezone(zone),
    }
