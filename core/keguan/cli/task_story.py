"""``keguan tasks show`` and ``keguan tasks stats``: what became of one task, and of all."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import IDS, WHEN, unmask_option

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["show_command", "stats_command"]

_FIELDS = (
    "id",
    "title",
    "status",
    "due_at",
    "overdue",
    "project",
    "subject",
    "customers",
    "department",
    "assignee",
    "deputy",
    "clause",
    "postponed",
    "escalated",
    "evidence_required",
    "evidence",
    "form",
    "form_state",
    "created_at",
    "closed_at",
    "closed_by",
    "result",
    "reason",
)
_LOG = ("at", "what", "who", "reason", "detail")
_STATS = ("department", "assignee", "open", "overdue", "done_on_time", "done_late", "skipped", "postponed")


@click.command("show")
@click.argument("task", type=IDS, metavar="ID")
@unmask_option
@pass_app
def show_command(app: App, task: int, *, unmask: bool) -> None:
    """Show one task with its whole story: what was done with it, its evidence, its form."""
    from keguan.access import logged_rows
    from keguan.queries.task_story import task_story

    rows = [task_story(app.reader, task, unmask=unmask)]
    shown = logged_rows(app.store, rows, what=f"tasks show {task}", now=app.reader.now) if unmask else rows
    for story in shown:
        app.answer(story)
        app.details(_plain(app, story), _FIELDS, "tasks")
        if not app.as_json and story["log"]:
            log = [entry | {"what": app.text(f"tasks.what.{entry['what']}")} for entry in story["log"]]
            app.answer_rows(log, _LOG, "tasks")


def _plain(app: App, story: dict[str, Any]) -> dict[str, Any]:
    """Return the story with names of files instead of all that is known of them."""
    state = story["form_state"]
    if state is not None:
        state = app.text("tasks.form_complete" if state["complete"] else "tasks.form_begun", by=state["filled_by"])
    return story | {"evidence": [file["filename"] for file in story["evidence"]], "form_state": state}


@click.command("stats")
@click.option("--department", help="Only of this department.")
@click.option("--project", help="Only of the project of this name.")
@click.option("--city", help="Only of this city: key, name or alias.")
@click.option("--from", "since", type=WHEN, help="Due from this day, in the city's time, or this instant on.")
@click.option("--to", "until", type=WHEN, help="Due up to and including this day, or up to this instant.")
@unmask_option
@pass_app
def stats_command(
    app: App,
    department: str | None,
    project: str | None,
    city: str | None,
    since: date | datetime | None,
    until: date | datetime | None,
    *,
    unmask: bool,
) -> None:
    """Count per department and person: open, overdue, done on time and late, skipped, postponed."""
    from keguan.access import logged_rows
    from keguan.queries.reader import Filters
    from keguan.queries.task_stats import task_stats

    filters = Filters(project=project, city=city, since=since, until=until)
    rows = task_stats(app.reader, filters, department=department, unmask=unmask)
    if unmask:
        rows = logged_rows(app.store, rows, what="tasks stats", now=app.reader.now)
    if not app.as_json:
        rows = (row | {"assignee": _who(app, row)} for row in rows)
    app.answer_rows(rows, _STATS, "tasks")


def _who(app: App, row: dict[str, Any]) -> str:
    if row["kind"] == "department":
        return app.text("tasks.whole_department")
    return row["assignee"] or app.text("staff.nobody")
