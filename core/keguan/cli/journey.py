"""``keguan journey``: everything that was promised for one contract, and what became of it."""

from __future__ import annotations

import re
from pathlib import Path

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import unmask_option

__all__ = ["journey_command"]

_COLUMNS = ("due_at", "status", "step", "touchpoint", "kind", "result", "why", "clause", "ours")


@click.command("journey")
@click.argument("contract_no")
@click.option("--project", help="The project, when several have a contract of this number.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write it as a page here.")
@unmask_option
@pass_app
def journey_command(app: App, contract_no: str, project: str | None, html: Path | None, *, unmask: bool) -> None:
    """Show what is promised, done, due and missed for a contract, with why, clause and proof."""
    from keguan.access import logged_rows
    from keguan.queries.areas import Areas
    from keguan.queries.journey import read_journey

    areas = Areas.of(app.installation.plugins)
    journey = read_journey(app.reader, contract_no, project, areas, unmask=unmask)
    if unmask:
        [journey] = logged_rows(app.store, [journey], what="journey", now=app.reader.now)
    app.answer(journey)
    if html is not None:
        from keguan.reports.journey_page import journey_page
        from keguan.reports.saving import save_report

        save_report(html, journey_page(journey, app.language).encode(), private=True)
        app.say("journey.written", file=html)
    for failure in journey["failures"]:
        click.echo(failure, err=True)
    if app.as_json or html is not None:
        return
    app.say(
        "journey.title",
        contract=journey["contract"],
        project=journey["project"],
        home=journey["home"] or "–",
        status=app.text(f"words.status.{journey['contract_status']}"),
    )
    timeline = [
        step | {"touchpoint": step["label"] or step["touchpoint"], "ours": [_name(each) for each in step["ours"]]}
        for step in journey["steps"]
    ]
    app.answer_rows(timeline, _COLUMNS, "journey")


def _name(remark: str) -> str:
    """Return which value is our default; what it is stands in the page and the document: a line has no room for it."""
    return re.split("[:：]", remark, maxsplit=1)[0]
