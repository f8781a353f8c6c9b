"""The list of plans."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from keguan.plans.effects import plan_key
from keguan.queries.reader import Filters, Reader, pages
from keguan.queries.subjects import named_subject, with_subject
from keguan.store.schema import events, plans, projects

__all__ = ["list_plans"]

_p = plans.c


def list_plans(reader: Reader, filters: Filters) -> Iterator[dict[str, Any]]:
    """Yield plans in the order they fall due; the period is that of ``due_at``.

    Keys: ``id key plugin action clause subject{type,id} project city due_at status provisional
    late_at_creation event_id``.
    """
    with reader.store.read() as connection:
        statement = with_subject(
            select(
                _p.id,
                _p.plugin,
                _p.action,
                _p.clause,
                _p.occurrence,
                _p.round,
                _p.city,
                _p.due_at,
                _p.status,
                _p.provisional,
                _p.late_at_creation,
                projects.c.name.label("project"),
                events.c.id.label("event_id"),
            )
            .select_from(plans)
            .outerjoin(projects, projects.c.id == _p.project_id)
            .outerjoin(events, events.c.seq == _p.event_seq),
            plans,
        ).order_by(_p.due_at, _p.id)
        for page in pages(connection, reader.narrow(connection, statement, plans, "due_at", filters)):
            for row in page:
                yield _shown(row, reader)


def _shown(row: Any, reader: Reader) -> dict[str, Any]:
    return {
        "id": row.id,
        "key": plan_key(row),
        "plugin": row.plugin,
        "action": row.action,
        "clause": row.clause or None,
        "subject": named_subject(row, reader.settings),
        "project": row.project,
        "city": row.city,
        "due_at": reader.local(row.due_at, row.city),
        "status": row.status,
        "provisional": row.provisional,
        "late_at_creation": row.late_at_creation,
        "event_id": row.event_id,
    }
