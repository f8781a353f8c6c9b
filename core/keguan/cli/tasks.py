"""``keguan tasks``: the work of people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import DAY, IDS, list_options, unmask_option

if TYPE_CHECKING:
    from keguan.queries.reader import Filters

__all__ = ["tasks_command"]

_STATUSES = ("open", "done", "skipped", "cancelled")
_COLUMNS = ("id", "due_at", "status", "overdue", "title", "project", "department", "assignee", "clause")
_ids = click.argument("ids", type=IDS, nargs=-1, required=True, metavar="ID...")


@click.group("tasks")
def tasks_command() -> None:
    """The tasks: what staff have to do, by when, and what proves it."""


@tasks_command.command("list")
@list_options(_STATUSES)
@click.option("--department", help="Only of this department.")
@click.option("--overdue", is_flag=True, help="Only what is open and late.")
@unmask_option
@pass_app
def list_(app: App, filters: Filters, department: str | None, *, overdue: bool, unmask: bool) -> None:
    """List tasks in the order of their deadlines."""
    from keguan.access import logged_rows
    from keguan.queries.tasks import list_tasks

    rows = list_tasks(app.reader, filters, department=department, overdue=overdue, unmask=unmask)
    if unmask:
        rows = logged_rows(app.store, rows, what="tasks list", now=app.reader.now)
    app.answer_rows(rows, _COLUMNS, "tasks")


@tasks_command.command("done")
@_ids
@click.option(
    "--evidence",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A file that proves it; repeat for more.",
)
@click.option("--result", help="What came of it, in a sentence.")
@click.option("--by", help="Who did it; you without.")
@click.option("--without-evidence", is_flag=True, help="Close it although evidence is missing; needs --reason.")
@click.option("--reason", help="Why evidence is missing.")
@pass_app
def done(
    app: App,
    ids: Sequence[int],
    files: Sequence[Path],
    result: str | None,
    by: str | None,
    reason: str | None,
    *,
    without_evidence: bool,
) -> None:
    """Close tasks as done. Each required piece of evidence must be covered by a file."""
    from keguan.access import person_at_keyboard
    from keguan.tasks.desk import finish
    from keguan.tasks.evidence import keep_evidence

    if without_evidence != (reason is not None):
        raise click.UsageError("--without-evidence and --reason go together")
    folder = app.settings.path("var/evidence")
    finish(
        app.store,
        ids,
        now=app.clock.now(),
        by=by or person_at_keyboard(),
        result=result,
        files=[keep_evidence(folder, file) for file in files],
        without_evidence=reason,
    )
    _report(app, ids)


@tasks_command.command("skip")
@_ids
@click.option("--reason", required=True, help="Why it need not be done; shown in the journey.")
@pass_app
def skip(app: App, ids: Sequence[int], reason: str) -> None:
    """Close tasks that need not be done."""
    from keguan.access import person_at_keyboard
    from keguan.tasks.desk import skip as close

    close(app.store, ids, reason=reason, now=app.clock.now(), by=person_at_keyboard())
    _report(app, ids)


@tasks_command.command("assign")
@_ids
@click.option("--to", metavar="STAFF", help="A member of staff: number or name.")
@click.option("--department", help="The department that answers for it.")
@pass_app
def assign(app: App, ids: Sequence[int], to: str | None, department: str | None) -> None:
    """Give tasks to somebody, or to a department."""
    from keguan.tasks.desk import assign as give

    if to is None and department is None:
        raise click.UsageError("give --to STAFF, --department NAME, or both")
    give(app.store, ids, to=to, department=department, today=app.clock.now().astimezone(app.reader.zone(None)).date())
    _report(app, ids)


@tasks_command.command("postpone")
@_ids
@click.option("--to", "day", type=DAY, required=True, help="The new day; the time of day stays.")
@click.option("--reason", required=True, help="Why it is postponed.")
@pass_app
def postpone(app: App, ids: Sequence[int], day: date, reason: str) -> None:
    """Move the deadline of tasks to a later day. How often is counted."""
    from keguan.tasks.desk import postpone as move

    move(app.store, ids, to=day, reason=reason, now=app.clock.now(), zone=app.reader.zone)
    _report(app, ids)


def _report(app: App, ids: Sequence[int]) -> None:
    """Show the tasks as they are now."""
    from keguan.queries.reader import Filters
    from keguan.queries.tasks import list_tasks

    app.answer_rows(list_tasks(app.reader, Filters(), ids=ids), _COLUMNS, "tasks")
