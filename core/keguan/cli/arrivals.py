"""``keguan intake``: files that come by the drop folder and by mail."""

from __future__ import annotations

import click

from keguan.cli.app import App, pass_app

__all__ = ["intake_command"]

_COLUMNS = ("started_at", "source", "kind", "filename", "accepted", "unchanged", "rejected", "finished_at")


@click.group("intake")
def intake_command() -> None:
    """Files that come in by the drop folder and by mail."""


@intake_command.command("run")
@pass_app
def run(app: App) -> None:
    """Take in what has come, once; the daemon does the same all the time. Exit status 1 when a file failed."""
    from keguan.errors import UsageError
    from keguan.runner.intake import open_intake

    if app.rehearsing_at is not None:
        raise UsageError("drop.no_rehearsal")
    places = open_intake(app.installation)
    if not places:
        raise UsageError("drop.nothing_watched")
    taken = [one for look in places for one in look()]
    app.answer(
        [
            {
                "kind": one.kind,
                "name": one.name,
                "accepted": one.accepted,
                "unchanged": one.unchanged,
                "rejected": one.rejected,
                "error": one.error,
                "file": one.file,
            }
            for one in taken
        ]
    )
    for one in taken:
        key = "drop.failed" if one.error else "drop.taken"
        app.say(
            key,
            name=one.name,
            kind=one.kind,
            accepted=one.accepted,
            unchanged=one.unchanged,
            rejected=one.rejected,
            error=one.error,
            file=one.file or "–",
        )
    if not taken:
        app.say("drop.nothing_new")
    if not all(one.ok for one in taken):
        raise click.exceptions.Exit(1)


@intake_command.command("mails")
@click.option("--limit", type=click.IntRange(min=1), help="Only the newest so many.")
@pass_app
def mails(app: App, limit: int | None) -> None:
    """List the mails that were looked at, and what became of each."""
    from keguan.queries.imports import list_mails

    app.answer_rows(list_mails(app.reader, limit), ("at", "mailbox", "uid", "outcome", "detail"), "mail")


@intake_command.command("list")
@click.option("--limit", type=click.IntRange(min=1), help="Only the newest so many.")
@pass_app
def list_(app: App, limit: int | None) -> None:
    """List what was imported, the newest first: by command, folder and mail."""
    from keguan.queries.imports import list_imports

    app.answer_rows(list_imports(app.reader, limit), _COLUMNS, "drop")
