"""What the years brought, read from the tables: an account that hides nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from keguan.demo.life import Lived
from keguan.installation import Installation
from keguan.queries.areas import Areas
from keguan.queries.journey import read_journey
from keguan.queries.reader import Reader, plain_why
from keguan.store.schema import (
    contracts,
    events,
    form_entries,
    homes,
    messages,
    people,
    plans,
    projects,
    task_log,
    tasks,
)
from keguan.texts import Language

__all__ = ["summarise"]

_p, _m, _t = plans.c, messages.c, tasks.c


def summarise(lived: Lived, language: Language) -> dict[str, Any]:
    """Return the account of a demonstration as ``keguan demo --json`` prints it.

    Keys: ``directory config from to files rows rejected records events plans missed messages segments held
    kept_back tasks forms staff{digests,escalated,newest} failures journey``. Counts are numbers of rows as they stand
    at the end of the last day; only ``held`` counts how often the gate kept a message waiting.
    """
    installation = lived.installation
    now = installation.clock.now()
    reader = Reader(installation.store, installation.settings, now, language)
    with installation.store.read() as connection:
        counts = {
            "records": {
                name: _count(connection, table)
                for name, table in (
                    ("projects", projects),
                    ("homes", homes),
                    ("contracts", contracts),
                    ("people", people),
                )
            },
            "events": _groups(connection, events, events.c.type),
            "plans": {**_groups(connection, plans, _p.status), "late_at_creation": _late(connection)},
            "missed": _missed(connection, installation, language),
            "messages": _groups(connection, messages, _m.status),
            "segments": connection.execute(
                select(func.coalesce(func.sum(_m.segments), 0)).where(_m.sent_at.is_not(None))
            ).scalar_one(),
            "held": lived.settled.held,
            "kept_back": _kept_back(connection, language),
            "tasks": _tasks(connection, now),
            "forms": _count(connection, form_entries),
            "staff": _staff(connection),
        }
    return {
        "directory": str(lived.folder),
        "config": str(lived.config),
        "from": lived.city.start,
        "to": lived.city.end,
        "files": len(lived.exports),
        "rows": {
            "accepted": sum(report.accepted for report in lived.reports),
            "unchanged": sum(report.unchanged for report in lived.reports),
            "rejected": sum(report.rejected_rows for report in lived.reports),
        },
        "rejected": _rejected(lived, language),
        **counts,
        "failures": sorted(Counter(lived.settled.failures).items()),
        "journey": read_journey(reader, _shown_contract(lived), areas=Areas.of(installation.plugins)),
    }


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _groups(connection: Connection, table: Table, column: ColumnElement[str]) -> dict[str, int]:
    rows = connection.execute(select(column, func.count()).select_from(table).group_by(column).order_by(column))
    return {row[0]: row[1] for row in rows}


def _late(connection: Connection) -> int:
    """How many plans were due before anybody had entered what they follow from."""
    return connection.execute(select(func.count()).where(_p.late_at_creation)).scalar_one()


def _staff(connection: Connection) -> dict[str, Any]:
    """How often staff were told of their day, and of overdue tasks, and what the newest digest says."""
    digests = select(func.count()).where(_m.action == "digest")
    climbed = select(func.count()).where(task_log.c.what == "escalated")
    newest = select(_m.body).where(_m.action == "digest").order_by(_m.id.desc()).limit(1)
    return {
        "digests": connection.execute(digests).scalar_one(),
        "escalated": connection.execute(climbed).scalar_one(),
        "newest": connection.execute(newest).scalar(),
    }


def _missed(connection: Connection, installation: Installation, language: Language) -> list[dict[str, Any]]:
    """Which promises were missed, what people call them, and why."""
    rows = connection.execute(
        select(_p.plugin, _p.action, _p.why, func.count().label("count"))
        .where(_p.status == "missed")
        .group_by(_p.plugin, _p.action, _p.why)
        .order_by(_p.plugin, _p.action, _p.why)
    )
    actions = installation.plugins.actions
    return [
        {
            "action": row.action,
            "label": (actions[row.plugin, row.action].label or {}).get(language, row.action),
            "why": plain_why(language, row.why),
            "count": row.count,
        }
        for row in rows
    ]


def _kept_back(connection: Connection, language: Language) -> list[dict[str, Any]]:
    """Which messages did not leave, and by which rule."""
    rows = connection.execute(
        select(_m.status, _m.why, func.count().label("count"))
        .where(_m.sent_at.is_(None))
        .group_by(_m.status, _m.why)
        .order_by(_m.status, _m.why)
    )
    return [{"status": row.status, "why": plain_why(language, row.why), "count": row.count} for row in rows]


def _tasks(connection: Connection, now: Any) -> dict[str, int]:
    """Tasks by state; of the open ones how many are overdue, of the done ones how many were late."""
    found = {"open": 0, "done": 0, "skipped": 0, "cancelled": 0, **_groups(connection, tasks, _t.status)}
    overdue = select(func.count()).where(_t.status == "open", _t.due_at < now)
    late = select(func.count()).where(_t.status == "done", _t.closed_at > _t.due_at)
    return {
        **found,
        "overdue": connection.execute(overdue).scalar_one(),
        "done_late": connection.execute(late).scalar_one(),
    }


def _rejected(lived: Lived, language: Language) -> list[dict[str, Any]]:
    """Every rejected row with its reason, as the imports reported it."""
    found: list[dict[str, Any]] = []
    for report in lived.reports:
        rows: Any = report.to_json(language)["rejected"]
        found += [{"file": Path(report.file).name, **row} for row in rows]
    return found


def _shown_contract(lived: Lived) -> str:
    """Return the contract whose journey tells most: handed over and moved in, with something entered late."""

    def tells(number: int) -> tuple[bool, ...]:
        life = lived.city.purchases[number]
        return (
            life.handover_entered_on is not None and life.handover_entered_on <= lived.city.end,
            life.move_in_entered_on is not None and life.move_in_entered_on <= lived.city.end,
            life.resold_on is None and life.opted_out_on is None and life.buyers[0].phone is not None,
            life.signed_entered_on != life.signed_on,
            life.handover_entered_on != life.handed_over_on,
        )

    return lived.city.purchases[max(range(len(lived.city.purchases)), key=tells)].contract_no
