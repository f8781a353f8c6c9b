"""How things stand, on one screen: the daemon, what waits, and what somebody has to look at."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, or_, select

from keguan.intake.drop.failures import failed_files, places
from keguan.masking import mask_text
from keguan.people.suppressions import REFUSED
from keguan.queries.reader import Reader, is_rule
from keguan.runner.health import measure
from keguan.settings import FILE_ADAPTER
from keguan.store.schema import (
    daemons,
    deliveries,
    events,
    gateways,
    mails,
    messages,
    plans,
    plugins,
    suppressions,
    tasks,
)

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
    ``[{name, since, why}]``; ``allow_list``: how many entries the allow list of a test installation has, ``null``
    when messages leave to everybody; ``suppressed_addresses``: those that bounced. ``held_by_rule`` and
    ``suppressed_by_rule``: messages by the name of the rule. ``gateways``: ``[{name, paused_until, paused_by,
    last_sent_at, last_error_at, last_error}]`` of every adapter that has sent or failed. ``failed_files``: files of
    the drop folder and of mailboxes that ended in ``failed/`` since yesterday began; ``refused_mails``: mails that were
    not taken since then. ``lag_seconds``: how long the oldest due plan or message has waited. ``healthy`` and
    ``problems``, words for what somebody must mend:

    - ``daemon_lost``: it was started, did not stop in order, and its heartbeat is older than the lease;
    - ``reload_error``, ``suspended_plugins``, ``failed_deliveries``, ``failed_plans``;
    - ``stuck``: messages do not leave;
    - ``gateways``: one refuses its configuration, so that nothing leaves through it;
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
        ways_out = _gateways(connection, reader)
        refused_mails = _count(connection, mails, mails.c.outcome == "refused", mails.c.at >= _yesterday(reader))
        lag = measure(connection, reader.now, None).lag_seconds
        bounced = _count(
            connection,
            suppressions,
            suppressions.c.why != REFUSED,
            suppressions.c.lifted_at.is_(None),
            or_(suppressions.c.until_at.is_(None), suppressions.c.until_at > reader.now),
        )
    only_to = reader.settings.test.only_to
    signs = {
        "daemon_lost": daemon is not None and daemon["state"] == "lost",
        "reload_error": daemon is not None and daemon["reload_error"] is not None,
        "suspended_plugins": bool(suspended),
        "failed_deliveries": counts["failed_deliveries"] > 0,
        "failed_plans": counts["failed_plans"] > 0,
        "stuck": counts["stuck"] > 0,
        "gateways": any(_refuses(one, reader.now) for one in ways_out),
        "dead": refused > 0,
    }
    problems = [name for name, shown in signs.items() if shown]
    return {
        "daemon": daemon,
        "last_tick": ticks,
        **counts,
        "suspended_plugins": suspended,
        "suppressed_addresses": bounced,
        "allow_list": None if only_to is None else len(only_to),
        "gateways": ways_out,
        "failed_files": sum(len(failed_files(root, _yesterday(reader))) for root in places(reader.settings).values()),
        "refused_mails": refused_mails,
        "lag_seconds": lag,
        "healthy": not problems,
        "problems": problems,
    }


def _yesterday(reader: Reader) -> datetime:
    """The beginning of yesterday, on the clocks of cities that are not configured."""
    today = reader.now.astimezone(reader.zone(None))
    return datetime.combine(today.date() - timedelta(days=1), time(), today.tzinfo)


def _gateways(connection: Connection, reader: Reader) -> list[dict[str, Any]]:
    g = gateways.c
    configured = (FILE_ADAPTER, *reader.settings.adapters)
    rows = connection.execute(select(gateways).where(g.name.in_(configured)).order_by(g.name))
    return [
        {
            "name": row.name,
            "paused_until": reader.local(row.paused_until, None),
            "paused_by": row.paused_by,
            "last_sent_at": reader.local(row.last_sent_at, None),
            "last_error_at": reader.local(row.last_error_at, None),
            "last_error": mask_text(row.last_error) if row.last_error else None,
        }
        for row in rows
    ]


def _refuses(gateway: dict[str, Any], now: datetime) -> bool:
    until = gateway["paused_until"]
    return gateway["paused_by"] == "configuration" and until is not None and until > now


def _counts(connection: Connection, now: datetime) -> dict[str, Any]:
    p, m, t = plans.c, messages.c, tasks.c
    by_plan = _by_status(connection, plans, "held", "failed")
    by_message, by_rule = _by_rule(connection)
    return {
        "due": _count(connection, plans, p.status == "planned", p.run_at <= now),
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
        "held_by_rule": by_rule["held"],
        "suppressed_by_rule": by_rule["suppressed"],
    }


def _count(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()


def _by_status(connection: Connection, table: Table, *statuses: str) -> dict[str, int]:
    c = table.c.status
    rows = connection.execute(select(c, func.count()).where(c.in_(statuses)).group_by(c))
    return dict.fromkeys(statuses, 0) | {row[0]: row[1] for row in rows}


def _by_rule(connection: Connection) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Return the numbers of messages by status, and of those that a rule keeps back by its name; in one pass."""
    m = messages.c
    statuses = ("queued", "held", "in_doubt", "dead", "suppressed")
    counts = dict.fromkeys(statuses, 0)
    rules: dict[str, dict[str, int]] = {"held": {}, "suppressed": {}}
    found = select(m.status, m.why, func.count()).where(m.status.in_(statuses)).group_by(m.status, m.why)
    for status, why, number in connection.execute(found.order_by(m.status, m.why)):
        counts[status] += number
        if status in rules and is_rule(why):  # never the words of a person
            rules[status][why] = number
    return counts, rules


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
