"""``keguan tasks sheet|sheet-in``: forms as a workbook, out and in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import IDS
from keguan.cli.task_forms import today_of

__all__ = ["sheet_command", "sheet_in_command"]


@click.command("sheet")
@click.argument("ids", type=IDS, nargs=-1, metavar="[TASK]...")
@click.option("--form", help="All open tasks with this form, PLUGIN.NAME.")
@click.option("--department", help="All open tasks of this department that have a form.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The workbook to write, .xlsx.")
@pass_app
def sheet_command(app: App, ids: Sequence[int], form: str | None, department: str | None, out: Path) -> None:
    """Write the forms of TASKs into a workbook to be filled in. It holds personal values in full; recorded."""
    from keguan.access import logged_rows
    from keguan.forms.sheet_writing import write_sheets
    from keguan.tasks.sheets import open_tasks_with, sheet_rows, write_privately

    if not ids and form is None and department is None:
        raise click.UsageError("name tasks, or give --form or --department")
    if out.suffix.lower() != ".xlsx":
        raise click.UsageError("--out must end with .xlsx")
    forms = app.installation.plugins.forms
    wanted = ids or open_tasks_with(app.store, form, department)
    zones = {key: city.zone for key, city in app.installation.cities.items()}
    rows = list(
        logged_rows(app.store, sheet_rows(app.store, forms, wanted, zones), what="tasks sheet", now=app.clock.now())
    )
    if rows:
        write_privately(out, write_sheets(rows, forms, app.language))
    app.answer({"file": str(out) if rows else None, "tasks": [row.task for row in rows]})
    app.say("sheets.written" if rows else "cli.nothing", file=out.name, tasks=len(rows))


@click.command("sheet-in")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--by", help="Who filled it in; you without.")
@click.option("--done", is_flag=True, help="Close the tasks whose forms are complete.")
@pass_app
def sheet_in_command(app: App, file: Path, by: str | None, *, done: bool) -> None:
    """Take a filled-in workbook in. What is right is saved; the rest is named by its cell and can follow."""
    from keguan.access import person_at_keyboard
    from keguan.tasks.sheets import read_in

    report = read_in(
        app.store,
        app.installation.plugins.forms,
        file,
        now=app.clock.now(),
        today=today_of(app),
        by=by or person_at_keyboard(),
        language=app.settings.language,
        close=done,
    )
    app.answer(report.to_json(app.language))
    app.say(
        "sheets.read",
        file=report.file,
        saved=report.saved,
        unchanged=report.unchanged,
        complete=len(report.complete),
        closed=len(report.closed),
        rejected=len(report.mistakes),
    )
    for one in report.mistakes:
        key = "sheets.mistake" if one.cell else "sheets.not_closed"
        app.say(key, sheet=one.sheet, cell=one.cell, task=one.task or "–", shown=one.shown or "–", reason=one.reason)
    if report.mistakes:
        raise click.exceptions.Exit(1)
