"""``keguan yearplan``: what a project and the company have to do in a year, for the screen and for the wall."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from keguan.cli.app import App, pass_app

__all__ = ["yearplan_command"]

_COLUMNS = ("date", "place", "what", "department", "status", "clause")
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("yearplan")
@click.option("--year", type=click.IntRange(2000, 2099), help="The year; this one without.")
@click.option("--project", help="Only of the project of this name.")
@click.option("--city", help="Only of this city: key, name or alias.")
@click.option("--out", type=_FILE, help="Write it as a workbook for the wall here, *.xlsx.")
@click.option("--html", type=_FILE, help="Write it as a page here.")
@pass_app
def yearplan_command(
    app: App, year: int | None, project: str | None, city: str | None, out: Path | None, html: Path | None
) -> None:
    """Show what projects and the company have to do in a year, and which gatherings of customers clash."""
    from keguan.errors import UsageError
    from keguan.queries.areas import Areas
    from keguan.queries.year_plan import read_year_plan
    from keguan.reports.saving import require_folder

    for file in filter(None, (out, html)):
        require_folder(file)
    if out is not None and out.suffix.lower() != ".xlsx":
        raise UsageError("yearplan.file_kind", file=out.name)
    areas = Areas.of(app.installation.plugins)
    plan = read_year_plan(app.reader, year or app.today.year, areas, project=project, city=city)
    app.answer(plan)
    _write(app, plan, out, html)
    if not app.as_json:
        if out is None and html is None:
            app.answer_rows(plan["entries"], _COLUMNS, "yearplan")
        for clash in plan["clashes"]:
            app.say("yearplan.clashes", date=clash["date"], place=clash["place"]["id"], what=" ⟷ ".join(clash["what"]))
    for failure in plan["failures"]:
        click.echo(failure, err=True)


def _write(app: App, plan: dict[str, Any], out: Path | None, html: Path | None) -> None:
    """Write the workbook and the page that were asked for."""
    from keguan.reports.saving import save_report
    from keguan.reports.year_page import year_page
    from keguan.reports.year_workbook import year_workbook

    if out is None and html is None:
        return
    calendars = {city: app.installation.calendar(city) for city in {entry["city"] for entry in plan["entries"]}}
    if out is not None:
        save_report(out, year_workbook(plan, calendars, app.language))
        app.say("yearplan.written", file=out)
    if html is not None:
        save_report(html, year_page(plan, calendars, app.language).encode())
        app.say("yearplan.written", file=html)
