"""``keguan sixplustwo annex`` and ``club``: what the registers of the area are kept for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import click

from keguan.access import logged_rows
from keguan.cli.app import App, pass_app
from keguan.cli.options import unmask_option
from keguan.errors import UsageError
from keguan.queries.reader import Filters
from keguan.queries.registers import lines_as_of
from keguan.reports.saving import save_report
from keguan_sixplustwo.annex import annex_page
from keguan_sixplustwo.asking import PLUGIN
from keguan_sixplustwo.club import club_rows

__all__ = ["club_commands"]

_SUNSHINE = f"{PLUGIN}.sunshine_register"
_CLUB = ("number", "member", "joined_on", "senior", "senior_on", "newsletter", "email", "left_on")


@click.command("annex")
@click.option("--project", required=True, help="The project, by its name.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="As approved by the end of this day; today without.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The page to be printed.")
@pass_app
def annex(app: App, project: str, on: datetime | None, out: Path) -> None:
    """Write the contract's annex: the approved lines of the project's sunshine register, and no others."""
    if out.exists():
        raise UsageError("registers.file_exists", file=out.name)
    day = on.date() if on is not None else app.today
    reader = app.reader
    end = datetime.combine(day + timedelta(days=1), time(), tzinfo=reader.zone(None))
    lines = lines_as_of(reader, app.installation.plugins.forms, _SUNSHINE, project, end)
    save_report(out, annex_page(lines, project, day, app.settings.company.name, app.language).encode())
    app.answer({"file": str(out), "project": project, "on": day, "lines": len(lines)})
    app.say("sixplustwo.annex.written", file=out, lines=len(lines))


@click.command("club")
@click.option("--project", help="Members whose newest home is in this project.")
@click.option("--city", help="Members in this city.")
@click.option("--newsletter", is_flag=True, help="Only active members who want the newsletter.")
@click.option("--all", "everything", is_flag=True, help="Also members who left.")
@unmask_option
@pass_app
def club(app: App, project: str | None, city: str | None, *, newsletter: bool, everything: bool, unmask: bool) -> None:
    """List the members of the customer club, and who is senior: after a year, who bought before at once."""
    rows: Iterator[dict[str, Any]] = club_rows(
        app.reader,
        app.installation.plugins.forms,
        Filters(project=project, city=city),
        app.today,
        newsletter=newsletter,
        everything=everything,
        unmask=unmask,
    )
    if unmask:
        rows = logged_rows(app.store, rows, what="sixplustwo club", now=app.clock.now())
    app.answer_rows(rows, _CLUB, "sixplustwo.club")


def club_commands() -> list[click.Command]:
    """Return the commands about registers."""
    return [annex, club]
