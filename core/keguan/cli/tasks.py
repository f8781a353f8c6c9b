"""``keguan tasks``: the work of people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import DAY, IDS, WHEN, list_options, unmask_option
from keguan.cli.task_forms import evidence_command, fill_command, form_command
from keguan.cli.task_sheets import sheet_command, sheet_in_command
from keguan.cli.task_story import show_command, stats_command

if TYPE_CHECKING:
    from keguan.queries.reader import Filters

__all__ = ["tasks_command"]

_STATUSES = ("open", "done", "skipped", "cancelled")
_COLUMNS = ("id", "due_at", "status", "overdue", "title", "project", "department", "assignee", "postponed", "clause")
_ids = click.argument("ids", type=IDS, nargs=-1, required=True, metavar="ID...")


@click.group("tasks")
def tasks_command() -> None:
    """The tasks: what staff have to do, by when, and what proves it."""


@tasks_command.command("list")
@list_options(_STATUSES)
@click.option("--department", help="Only of this department.")
@click.option("--assignee", metavar="STAFF", help="Only of this person, and of those whose deputy this is today.")
@click.option("--overdue", is_flag=True, help="Only what is open and late.")
@click.option("--new-since", type=WHEN, help="Only what came up after this instant, or from this day on.")
@unmask_option
@pass_app
def list_(
    app: App,
    filters: Filters,
    department: str | None,
    assignee: str | None,
    new_since: date | datetime | None,
    *,
    overdue: bool,
    unmask: bool,
) -> None:
    """List tasks in the order of their deadlines."""
    from keguan.access import logged_rows
    from keguan.queries.tasks import list_tasks

    rows = list_tasks(
        app.reader,
        filters,
        department=department,
        assignees=None if assignee is None else _looks_after(app, assignee),
        overdue=overdue,
        created_after=None if new_since is None else _instant(app, new_since),
        unmask=unmask,
    )
    if unmask:
        rows = logged_rows(app.store, rows, what="tasks list", now=app.reader.now)
    app.answer_rows(rows, _COLUMNS, "tasks")


def _instant(app: App, when: date | datetime) -> datetime:
    """Return an instant, or when a day begins on the clocks of cities that are not configured."""
    return when if isinstance(when, datetime) else datetime.combine(when, time(), app.reader.zone(None))


def _looks_after(app: App, given: str) -> set[int]:
    """Return whose tasks a member of staff looks after today."""
    from keguan.staff.roster import load_roster

    with app.store.read() as connection:
        roster = load_roster(connection, app.settings.departments)
    return roster.acts_for(roster.find(given, app.today, where="--assignee").id, app.today)


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
    from keguan.tasks.attaching import kept_files
    from keguan.tasks.desk import finish

    if without_evidence != (reason is not None):
        raise click.UsageError("--without-evidence and --reason go together")
    folder, limits = app.settings.path("var/evidence"), app.settings.evidence
    with kept_files(app.store, folder, files, limits) as kept:
        finish(
            app.store,
            ids,
            now=app.clock.now(),
            by=by or person_at_keyboard(),
            result=result,
            files=kept,
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
    from keguan.access import person_at_keyboard
    from keguan.tasks.desk import assign as give

    if to is None and department is None:
        raise click.UsageError("give --to STAFF, --department NAME, or both")
    give(
        app.store,
        ids,
        to=to,
        department=department,
        today=app.today,
        now=app.clock.now(),
        by=person_at_keyboard(),
    )
    _report(app, ids)


@tasks_command.command("postpone")
@_ids
@click.option("--to", "day", type=DAY, required=True, help="The new day; the time of day stays.")
@click.option("--reason", required=True, help="Why it is postponed.")
@pass_app
def postpone(app: App, ids: Sequence[int], day: date, reason: str) -> None:
    """Move the deadline of tasks to a later day. How often is counted."""
    from keguan.access import person_at_keyboard
    from keguan.tasks.desk import postpone as move

    move(app.store, ids, to=day, reason=reason, now=app.clock.now(), by=person_at_keyboard(), zone=app.reader.zone)
    _report(app, ids)


for _command in (
    form_command,
    fill_command,
    evidence_command,
    sheet_command,
    sheet_in_command,
    show_command,
    stats_command,
):
    tasks_command.add_command(_command)


def _report(app: App, ids: Sequence[int]) -> None:
    """Show the tasks as they are now."""
    from keguan.queries.reader import Filters
    from keguan.queries.tasks import list_tasks

    app.answer_rows(list_tasks(app.reader, Filters(), ids=ids), _COLUMNS, "tasks")
