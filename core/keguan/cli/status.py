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
    "suppressed_addresses",
    "failed_files",
    "refused_mails",
)
_BY_RULE = {"held": "held_by_rule", "suppressed_addresses": "suppressed_by_rule"}
"""The count that the counts by rule stand behind."""


@click.command("status")
@pass_app
def status_command(app: App) -> None:
    """Show daemon, last tick and what waits; exit status 1 when something is ill.

    Ill is: a daemon that died, a configuration it could not take over, suspended plugins, failed deliveries or
    plans, messages that are queued for an hour, messages that an adapter gave up, a gateway that refuses its
    configuration. Work that is late, held or in doubt waits for people and is not ill.
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

    rows = []
    if status["allow_list"] is not None:
        rows.append((app.text("status.allow_list"), app.text("status.allow_list_on", count=status["allow_list"])))
    rows.append((app.text("status.daemon"), _daemon(app, status["daemon"])))
    ticks = ", ".join(f"{city} {day}" for city, day in status["last_tick"].items())
    rows.append((app.text("status.last_tick"), ticks or app.text("status.never")))
    rows.append((app.text("status.lag"), app.text("status.seconds", count=round(status["lag_seconds"]))))
    for name in _COUNTS:
        rows.append((app.text(f"status.{name}"), str(status[name])))
        rules = status[_BY_RULE[name]] if name in _BY_RULE else {}
        rows += [(app.text(f"status.{_BY_RULE[name]}"), f"{_rule(app, why)}: {count}") for why, count in rules.items()]
    rows += [(app.text("status.gateway"), line) for one in status["gateways"] if (line := _gateway(app, one))]
    for plugin in status["suspended_plugins"]:
        rows.append((app.text("status.suspended_plugins"), f"{plugin['name']}: {plugin['why'] or '–'}"))
    ill = ", ".join(app.text(f"status.problem.{name}") for name in status["problems"])
    rows.append((app.text("status.health"), ill or app.text("status.healthy")))
    print_table((app.text("status.what"), app.text("status.now")), rows)


def _rule(app: App, why: str) -> str:
    from keguan.queries.reader import plain_why

    return plain_why(app.language, why) or why


def _gateway(app: App, gateway: dict[str, Any]) -> str | None:
    """Say how an adapter fares; nothing of one that sent after it had failed last."""
    until, failed, sent = gateway["paused_until"], gateway["last_error_at"], gateway["last_sent_at"]
    error = gateway["last_error"] or "–"
    if until is not None and until > app.clock.now():
        key = f"status.gateway_{gateway['paused_by'] or 'limit'}"
        return app.text(key, name=gateway["name"], until=f"{until:%Y-%m-%d %H:%M}", error=error)
    if failed is None or (sent is not None and sent > failed):
        return None
    return app.text("status.gateway_failed", name=gateway["name"], at=f"{failed:%Y-%m-%d %H:%M}", error=error)


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
