"""``keguan journey``: everything that was promised for one contract, and what became of it."""

from __future__ import annotations

import click

from keguan.cli.app import App, pass_app

__all__ = ["journey_command"]

_COLUMNS = ("due_at", "status", "step", "touchpoint", "kind", "result", "why", "clause")


@click.command("journey")
@click.argument("contract_no")
@click.option("--project", help="The project, when several have a contract of this number.")
@pass_app
def journey_command(app: App, contract_no: str, project: str | None) -> None:
    """Show what is promised, done, due and missed for a contract, with why and clause."""
    from keguan.queries.journey import read_journey

    journey = read_journey(app.reader, contract_no, project, app.installation.plugins.actions)
    app.answer(journey)
    if app.as_json:
        return
    app.say(
        "journey.title",
        contract=journey["contract"],
        project=journey["project"],
        home=journey["home"] or "–",
        status=app.text(f"words.status.{journey['contract_status']}"),
    )
    timeline = [step | {"touchpoint": step["label"] or step["touchpoint"]} for step in journey["steps"]]
    app.answer_rows(timeline, _COLUMNS, "journey")
