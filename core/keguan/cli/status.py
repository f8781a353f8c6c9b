"""``keguan status``: how things stand, on one screen."""

from __future__ import annotations

from typing import Any

import click

from keguan.cli.app import App, pass_app

__all__ = ["status_command"]

_COUNTS = (
    "due",
    "held_plans",
    "failed_plans",
    "queued",
    "held",
    "in_doubt",
    "dead",
    "stuck",
    "open_tasks",
    "overdue_tasks",
    "new_events",
    "failed_deliveries",
)


@click.command("status")
@pass_app
def status_command(app: App) -> None:
    """Show daemon, last tick and what waits; exit status 1 when something is ill.

    Ill is: a daemon that died, a configuration it could not take over, suspended plugins, failed deliveries or
    plans, messages that are queued for an hour, messages that an adapter gave up. Work that is late, held or in
    doubt waits for people and is not ill.
    """
    from keguan.queries.status import read_status

    status = read_status(app.reader)
    app.answer(status)
    if not app.as_json:
        _print(app, status)
    if not status["healthy"]:
        raise click.exceptions.Exit(1)


def _print(app: App, status: dict[str, Any]) -> None:
    from keguan.cli.tables import print_table

    rows = [(app.text("status.daemon"), _daemon(app, status["daemon"]))]
    ticks = ", ".join(f"{city} {day}" for city, day in status["last_tick"].items())
    rows.append((app.text("status.last_tick"), ticks or app.text("status.never")))
    rows += [(app.text(f"status.{name}"), str(status[name])) for name in _COUNTS]
    for plugin in status["suspended_plugins"]:
        rows.append((app.text("status.suspended_plugins"), f"{plugin['name']}: {plugin['why'] or '–'}"))
    ill = ", ".join(app.text(f"status.problem.{name}") for name in status["problems"])
    rows.append((app.text("status.health"), ill or app.text("status.healthy")))
    print_table((app.text("status.what"), app.text("status.now")), rows)


def _daemon(app: App, daemon: dict[str, Any] | None) -> str:
    if daemon is None:
        return app.text("status.never")
    shown = app.text(
        f"status.daemon_{daemon['state']}",
        host=daemon["host"],
        pid=daemon["pid"],
        since=f"{daemon['started_at']:%Y-%m-%d %H:%M}",
        stopped=f"{daemon['stopped_at']:%Y-%m-%d %H:%M}" if daemon["stopped_at"] else "–",
        age=daemon["heartbeat_age"],
    )
    return f"{shown}; {daemon['reload_error']}" if daemon["reload_error"] else shown
