"""``keguan tick`` and ``keguan dispatch``: what the daemon does by itself, done once by hand."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from keguan.cli.app import App, pass_app

if TYPE_CHECKING:
    from keguan.runner.engine import Settled

__all__ = ["dispatch_command", "tick_command"]


@click.command("tick")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="The business day; today without.")
@pass_app
def tick_command(app: App, day: datetime | None) -> None:
    """Run the daily tick of a day and of every missed day before it, each once."""
    from keguan.runner.scopes import apply_scopes
    from keguan.runner.ticks import record_ticks

    apply_scopes(app.installation)
    ticks = record_ticks(app.installation, day.date() if day is not None else "today")
    planned = app.engine.plan_all()
    app.answer(
        {
            "ticks": [{"city": city, "date": on} for city, on in ticks],
            "planned": planned.inserted,
            "failures": [str(failure) for failure in planned.failures],
        }
    )
    app.say("commands.tick.done", ticks=len(ticks), planned=planned.inserted)
    for failure in planned.failures:
        click.echo(str(failure), err=True)
    if planned.failures:
        raise click.exceptions.Exit(1)


@click.command("dispatch")
@pass_app
def dispatch_command(app: App) -> None:
    """Run everything that is due, deliver, and return."""
    from keguan.runner.scopes import apply_scopes

    apply_scopes(app.installation)
    settled = app.engine.settle()
    app.answer(_as_json(settled))
    app.say(
        "commands.dispatch.done",
        events=settled.events,
        planned=settled.planned,
        ran=settled.ran,
        tasks=settled.tasks,
        sent=settled.sent,
        held=settled.held,
        refused=settled.refused,
        missed=settled.missed,
        failed=settled.failed + settled.undelivered,
    )
    for failure in settled.failures:
        click.echo(failure, err=True)
    if settled.failures or settled.failed or settled.undelivered:
        raise click.exceptions.Exit(1)


def _as_json(settled: Settled) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(settled)
