"""``keguan import`` and ``keguan emit``: how facts come in by hand."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keguan.cli.app import App, pass_app

if TYPE_CHECKING:
    from keguan.intake.process import Progress

__all__ = ["emit_command", "import_command"]


@click.command("import")
@click.argument("kind")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Compare and report; write nothing.")
@click.option("--project", help="The project of rows that name none.")
@click.option("--city", help="The city of projects that are new and name none.")
@pass_app
def import_command(app: App, kind: str, file: Path, *, dry_run: bool, project: str | None, city: str | None) -> None:
    """Take in FILE as a KIND of file: projects, contracts, handovers, customers, staff, events."""
    from keguan.intake.importing import import_file
    from keguan.intake.report_text import report_lines

    with _progress(app) as progress:
        report = import_file(
            app.store,
            app.settings,
            app.clock,
            kind,
            file,
            dry_run=dry_run,
            project=project,
            city=city,
            progress=progress,
        )
    app.answer(report.to_json(app.language))
    if not app.as_json:
        for line in report_lines(report, app.language):
            click.echo(line)
    if not report.ok:
        raise click.exceptions.Exit(1)


@click.command("emit")
@click.argument("type_", metavar="TYPE", required=False)
@click.argument("fields", metavar="KEY=VALUE…", nargs=-1)
@click.option("--id", "event_id", help="The event's id: the same again changes nothing. Random without.")
@click.option("--time", "time", help="When it happened, ISO 8601; now without.")
@click.option("--subject", help="A contract number, or TYPE:ID such as home:PROJECT/3-1-1201.")
@click.option("--cloudevent", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A CloudEvents JSON.")
@pass_app
def emit_command(
    app: App,
    type_: str | None,
    fields: tuple[str, ...],
    event_id: str | None,
    time: str | None,
    subject: str | None,
    cloudevent: Path | None,
) -> None:
    """Record one event of TYPE, described by fields as in import files."""
    from keguan.errors import UsageError
    from keguan.events.types import CORE_EVENT_TYPES
    from keguan.intake.emitting import emit, emit_cloudevent

    if cloudevent is not None:
        if type_ or fields or event_id or time or subject:
            raise UsageError("commands.emit.cloudevent_alone")
        types = app.installation.plugins.event_types
        answer = emit_cloudevent(app.store, app.settings, app.clock, cloudevent.read_bytes(), event_types=types)
    else:
        if type_ is None:
            raise UsageError("commands.emit.type_missing", known=", ".join(sorted(CORE_EVENT_TYPES)))
        # the core's own types need no plugin; others may be a plugin's
        types = CORE_EVENT_TYPES if type_ in CORE_EVENT_TYPES else app.installation.plugins.event_types
        answer = emit(
            app.store,
            app.settings,
            app.clock,
            type_,
            dict(_pair(field) for field in fields),
            id=event_id,
            time=time,
            subject=subject,
            event_types=types,
        )
    app.answer(answer)
    app.say("commands.emit.known" if answer["repeated"] else "commands.emit.done", id=answer["id"], type=answer["type"])


def _pair(field: str) -> tuple[str, str]:
    """Split KEY=VALUE."""
    from keguan.errors import UsageError

    key, equals, value = field.partition("=")
    if not equals or not key:
        raise UsageError("commands.emit.not_a_pair", field=field)
    return key, value


@contextmanager
def _progress(app: App) -> Iterator[Progress | None]:
    """Show a bar on a terminal; say nothing elsewhere."""
    if app.as_json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn

    with Progress(
        SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True)
    ) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
