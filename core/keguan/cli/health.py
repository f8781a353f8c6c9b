"""``keguan health``: is the daemon alive and keeping up? For watchdogs and containers."""

from __future__ import annotations

import click

from keguan.cli.app import App, pass_app

__all__ = ["health_command"]


@click.command("health")
@click.option("--max-age", type=click.FloatRange(min=1), default=60.0, help="Seconds since the last beat; 60 without.")
@click.option(
    "--max-lag", type=click.FloatRange(min=0), default=900.0, help="Seconds that due work may wait; 900 without."
)
@pass_app
def health_command(app: App, max_age: float, max_lag: float) -> None:
    """Say whether the daemon lives and keeps up; exit status 1 when not. Opens no database."""
    from datetime import timedelta

    from keguan.runner.health import HEALTH_FILE, read_health

    file = app.settings.path(str(HEALTH_FILE))
    health = read_health(file)
    now = app.clock.now()
    if health is None:
        app.answer({"healthy": False, "problem": "absent", "at": None, "age": None, "lag_seconds": None, "pid": None})
        app.say("health.absent", file=file)
        raise click.exceptions.Exit(1)
    problem = health.problem(now, timedelta(seconds=max_age), timedelta(seconds=max_lag))
    age = round((now - health.at).total_seconds())
    app.answer(
        {
            "healthy": problem is None,
            "problem": problem and problem.removeprefix("health."),
            "at": health.at,
            "age": age,
            "lag_seconds": health.lag_seconds,
            "pid": health.pid,
            "reload_error": health.reload_error,
        }
    )
    app.say(problem or "health.well", age=age, lag=round(health.lag_seconds), pid=health.pid)
    if problem:
        raise click.exceptions.Exit(1)
