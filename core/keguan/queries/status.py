"""How things stand, on one screen: the daemon, what waits, and what somebody has to look at."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from keguan.queries.reader import Reader
from keguan.store.schema import daemons, deliveries, events, messages, plans, plugins, tasks

__all__ = ["read_status"]

STUCK = timedelta(hours=1)
"""A message that is still queued so long after it was written says that nothing leaves on its channel."""


def read_status(reader: Reader) -> dict[str, Any]:
    """Return counts and states as of now.

    ``daemon`` (``null`` when there never was one): ``{state, host, pid, started_at, heartbeat_at, heartbeat_age,
    stopped_at, reload_error}``, state ``running stopped lost``, age in seconds. ``last_tick``: the newest
    business day that was ticked, by city. Then numbers: ``due`` plans that wait to be run, ``held_plans``,
    ``failed_plans``, ``queued`` messages, ``held``, ``in_doubt``, ``dead``, ``stuck`` (queued for an hour),
    ``open_tasks``, ``overdue_tasks``, ``new_events``, ``failed_deliveries``; ``suspended_plugins``:
    ``[{name, since, why}]``. ``healthy`` and ``problems``, words for what somebody must mend:

    - ``daemon_lost``: it was started, did not stop in order, and its heartbeat is older than the lease;
    - ``reload_error``, ``suspended_plugins``, ``failed_deliveries``, ``failed_plans``;
    - ``stuck``: messages do not leave;
    - ``dead``: messages that an adapter refused or gave up. A customer without an address is no fault of the
      system: such a message counts in ``dead`` and makes nothing unhealthy.

    Work that is late, held or in doubt waits for people and is no illness either.
    """
    with reader.store.read() as connection:
        daemon = _daemon(connection, reader)
        suspended = _suspended(connection, reader)
        counts = _counts(connection, reader.now)
        refused = _count(connection, messages, messages.c.status == "dead", messages.c.why.is_(None))
        ticks = _last_ticks(connection)
    signs = {
        "daemon_lost": daemon is not None and daemon["state"] == "lost",
        "reload_error": daemon is not None and daemon["reload_error"] is not None,
        "suspended_plugins": bool(suspended),
        "failed_deliveries": counts["failed_deliveries"] > 0,
        "failed_plans": counts["failed_plans"] > 0,
        "stuck": counts["stuck"] > 0,
        "dead": refused > 0,
    }
    problems = [name for name, shown in signs.items() if shown]
    return {
        "daemon": daemon,
        "last_tick": ticks,
        **counts,
        "suspended_plugins": suspended,
        "healthy": not problems,
        "problems": problems,
    }


def _counts(connection: Connection, now: datetime) -> dict[str, int]:
    p, m, t = plans.c, messages.c, tasks.c
    by_plan = _by_status(connection, plans, "held", "failed")
    by_message = _by_status(connection, messages, "queued", "held", "in_doubt", "dead")
    return {
        "due": _count(connection, plans, p.status == "planned", p.due_at <= now),
        "held_plans": by_plan["held"],
        "failed_plans": by_plan["failed"],
        "queued": by_message["queued"],
        "held": by_message["held"],
        "in_doubt": by_message["in_doubt"],
        "dead": by_message["dead"],
        "stuck": _count(connection, messages, m.status == "queued", m.created_at <= now - STUCK),
        "open_tasks": _count(connection, tasks, t.status == "open"),
        "overdue_tasks": _count(connection, tasks, t.status == "open", t.due_at < now),
        "new_events": _count(connection, events, events.c.state == "new"),
        "failed_deliveries": _count(connection, deliveries, deliveries.c.status == "failed"),
    }


def _count(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()


def _by_status(connection: Connection, table: Table, *statuses: str) -> dict[str, int]:
    c = table.c.status
    rows = connection.execute(select(c, func.count()).where(c.in_(statuses)).group_by(c))
    return dict.fromkeys(statuses, 0) | {row[0]: row[1] for row in rows}


def _last_ticks(connection: Connection) -> dict[str, date]:
    c = events.c
    rows = connection.execute(
        select(c.city, func.max(c.subject_id)).where(c.subject_type == "day").group_by(c.city).order_by(c.city)
    )
    return {row[0]: date.fromordinal(row[1]) for row in rows}


def _daemon(connection: Connection, reader: Reader) -> dict[str, Any] | None:
    row = connection.execute(select(daemons).order_by(daemons.c.started_at.desc()).limit(1)).first()
    if row is None:
        return None
    age = (reader.now - row.heartbeat_at).total_seconds()
    lost = age > reader.settings.runner.lease
    return {
        "state": "stopped" if row.stopped_at is not None else "lost" if lost else "running",
        "host": row.host,
        "pid": row.pid,
        "started_at": reader.local(row.started_at, None),
        "heartbeat_at": reader.local(row.heartbeat_at, None),
        "heartbeat_age": round(age),
        "stopped_at": reader.local(row.stopped_at, None),
        "reload_error": row.reload_error,
    }


def _suspended(connection: Connection, reader: Reader) -> list[dict[str, Any]]:
    c = plugins.c
    rows = connection.execute(
        select(c.name, c.suspended_at, c.suspended_why).where(c.suspended_at.is_not(None)).order_by(c.name)
    )
    return [{"name": row.name, "since": reader.local(row.suspended_at, None), "why": row.suspended_why} for row in rows]
