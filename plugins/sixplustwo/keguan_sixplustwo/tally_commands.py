"""``keguan sixplustwo tally`` and ``survey``: what customers said, counted, and how many of them were asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from math import floor
from typing import TYPE_CHECKING

import click

from keguan.cli.app import App, pass_app
from keguan.errors import UsageError
from keguan_sixplustwo.asking import PLUGIN, actions_that, entry_in_force, forms_of
from keguan_sixplustwo.callbacks import RESULTS, Call, calls_of, coverage, tally
from keguan_sixplustwo.coverage_checks import calls_back
from keguan_sixplustwo.library import forms
from keguan_sixplustwo.prepared import Prepared
from keguan_sixplustwo.surveys import Survey, survey_of
from keguan_sixplustwo.touchpoint import Period

if TYPE_CHECKING:
    from keguan.model import FilledForm, Promised
    from keguan.queries.view import RecordsView

__all__ = ["tally_commands"]

_TALLY = ("project", "form", "question", "from", "until", *RESULTS, "calls")
_COVERAGE = ("project", "form", "all", "reached", "unreachable", "of_all", "of_reachable")
_SURVEY = ("project", "homes", "reached", "coverage", "target", "met")
_DIMENSIONS = ("project", "dimension", "answers", "mean")


@click.command("tally")
@click.option("--project", help="One project, by its name.")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="Calls from this day on.")
@click.option("--to", "until", type=click.DateTime(["%Y-%m-%d"]), help="Calls up to this day.")
@click.option("--by", type=click.Choice(["week", "month"]), default="week", help="The period of one row: week, month.")
@click.option("--form", help="One kind of call-back: signing_callback, handover_callback, marketing_callback.")
@pass_app
def tally_command(
    app: App, project: str | None, since: datetime | None, until: datetime | None, by: str, form: str | None
) -> None:
    """Count what customers answered to call-backs, by project and week, and how many of them were reached."""
    prepared, view = _asked(app, project)
    names = forms_of(prepared, calls_back)
    if form is not None and form not in names:
        raise UsageError("sixplustwo.form_unknown", form=form, known=", ".join(names))
    first, last = since.date() if since else date.min, until.date() if until else date.max
    calls = list(calls_of(view.forms(PLUGIN, names if form is None else [form]), forms()))
    rows = tally((call for call in calls if first <= call.day <= last), Period(by))
    reached = list(_coverage_rows(prepared, view, calls, form, (first, last)))
    app.answer({"rows": rows, "coverage": reached})
    if not app.as_json:
        app.answer_rows(({**row, **_called(row, app)} for row in rows), _TALLY, PLUGIN)
        if reached:
            shown = ({**row, **_called(row, app), **_shares(row, "of_all", "of_reachable")} for row in reached)
            app.answer_rows(shown, _COVERAGE, PLUGIN)


@click.command("survey")
@click.option("--project", help="One project, by its name.")
@click.option("--year", type=click.IntRange(2000, 2200), help="The year of the survey; this year without.")
@pass_app
def survey_command(app: App, project: str | None, year: int | None) -> None:
    """Show how many homes the survey of each estate reached, against the target, and the mean of each dimension."""
    prepared, view = _asked(app, project)
    rows = [_survey_row(prepared, *each) for each in _surveys(app, view, year or app.today.year)]
    app.answer(rows)
    if app.as_json:
        return
    app.answer_rows(({**row, **_shares(row, "coverage")} for row in rows), _SURVEY, PLUGIN)
    marks = [{"project": row["project"], **each} for row in rows for each in _listed(row["dimensions"])]
    if marks:
        app.answer_rows(marks, _DIMENSIONS, PLUGIN)


def tally_commands() -> list[click.Command]:
    """Return the commands that count what was filled in."""
    return [tally_command, survey_command]


def _asked(app: App, project: str | None) -> tuple[Prepared, RecordsView]:
    from keguan.queries.view import RecordsView  # noqa: PLC0415 - the database is not needed for `--help`

    prepared = app.installation.plugins.prepared.get(PLUGIN)
    if not isinstance(prepared, Prepared):
        raise UsageError("sixplustwo.off")
    return prepared, RecordsView(app.reader, project)


def _coverage_rows(
    prepared: Prepared, view: RecordsView, calls: list[Call], form: str | None, days: tuple[date, date]
) -> Iterator[dict[str, object]]:
    """Yield a row for each project and kind of call-back: of the promises that were due on these days."""
    kind: dict[str, str] = {}
    for name in actions_that(prepared, calls_back):
        entry = entry_in_force(prepared, name, "", None)
        if entry is not None and entry.form is not None and form in (None, entry.form):
            kind[name] = entry.form
    if not kind:
        return

    def of(one: Promised) -> tuple[str, str]:
        return one.project or "", kind[one.action]

    promises = view.promises(plugin=PLUGIN, actions=sorted(kind))
    reaches = coverage((one for one in promises if days[0] <= one.due_at.date() <= days[1]), calls, of)
    for (project, name), reach in sorted(reaches.items()):
        yield {
            "project": project,
            "form": name,
            "all": reach.all,
            "reached": reach.reached,
            "unreachable": reach.unreachable,
            "of_all": _rounded(reach.of_all),
            "of_reachable": _rounded(reach.of_reachable),
        }


def _surveys(app: App, view: RecordsView, year: int) -> Iterator[tuple[FilledForm, Survey]]:
    """Yield the survey of each project in ``year``, with the first of its papers."""
    papers: dict[str, list[FilledForm]] = {}
    for filled in view.forms(PLUGIN, ["estate_survey"]):
        if filled.occurrence == year and filled.project is not None and filled.task_status != "cancelled":
            papers.setdefault(filled.project, []).append(filled)
    for _, its in sorted(papers.items()):
        yield its[0], survey_of(its, forms()["estate_survey"], app.language)


def _survey_row(prepared: Prepared, paper: FilledForm, survey: Survey) -> dict[str, object]:
    entry = entry_in_force(prepared, paper.action or "", paper.city, paper.project)
    target = entry.coverage.percent if entry and entry.coverage else None
    return {
        "project": paper.project,
        "year": paper.occurrence,
        "homes": survey.homes,
        "reached": survey.heard,
        "coverage": _rounded(survey.coverage),
        "target": target,
        "met": None if target is None else survey.meets(target),
        "dimensions": [
            {"name": each.name, "dimension": each.label, "answers": each.count, "mean": _rounded(each.mean)}
            for each in survey.dimensions.values()
        ],
    }


def _listed(value: object) -> list[dict[str, object]]:
    return value if isinstance(value, list) else []


def _rounded(value: float | None) -> float | None:
    """Return a share or a mean with two digits, cut off: what was not reached does not look as if it were."""
    return None if value is None else floor(100 * value) / 100


def _called(row: dict[str, object], app: App) -> dict[str, object]:
    """Return form and question by what people call them."""
    form = forms()[str(row["form"])]
    labels = {each.name: each.label.in_(app.language) for each in form.fields}
    return {"form": form.title.in_(app.language), "question": labels.get(str(row.get("question")))}


def _shares(row: dict[str, object], *names: str) -> dict[str, object]:
    """Return shares as people read them."""
    return {name: None if row[name] is None else f"{row[name]} %" for name in names}
