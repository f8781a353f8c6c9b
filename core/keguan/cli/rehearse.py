"""``keguan preview`` and ``keguan rehearsal``: looking ahead without touching what is real."""

from __future__ import annotations

from datetime import date

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import DAY

__all__ = ["preview_command", "rehearsal_command"]

_PREVIEW = ("time", "channel", "action", "subject", "to", "text", "status", "why", "clause")


@click.command("preview")
@click.option("--date", "day", type=DAY, help="The day; today without, with what is overdue.")
@pass_app
def preview_command(app: App, day: date | None) -> None:
    """Show what would go out on a day. Changes nothing."""
    from keguan.building import build_installation
    from keguan.plans.preview import preview_day

    installation = build_installation(app.settings, app.store, app.clock, record=False)
    rows = preview_day(installation, app.reader, day)
    if not app.as_json:
        rows = (row | {"channel": _channel(app, row["channel"])} for row in rows)
    app.answer_rows(rows, _PREVIEW, "rehearse")


def _channel(app: App, channel: str | None) -> str | None:
    return app.text("words.kind.task") if channel == "task" else channel


@click.group("rehearsal")
def rehearsal_command() -> None:
    """The copy of the database that ``--at`` works on."""


@rehearsal_command.command("reset")
@pass_app
def reset(app: App) -> None:
    """Delete the rehearsal's database; the next --at starts from a new copy of the live one."""
    from keguan.building import rehearsal_file

    file = rehearsal_file(app.settings)
    existed = file.exists()
    for suffix in ("", "-wal", "-shm", ".planning"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    app.answer({"file": str(file), "deleted": existed})
    app.say("rehearse.reset" if existed else "rehearse.nothing_to_reset", file=file)
