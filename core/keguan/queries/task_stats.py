"""How departments and people do with their tasks, counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from keguan.masking import mask_name
from keguan.queries.reader import Filters, Reader
from keguan.store.schema import people, staff, tasks

__all__ = ["COUNTS", "task_stats"]

_t = tasks.c

COUNTS = ("open", "overdue", "done_on_time", "done_late", "skipped", "postponed")


def task_stats(
    reader: Reader, filters: Filters, *, department: str | None = None, unmask: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield a row for each department and, behind it, one for each person in it; the period is that of ``due_at``.

    Keys: ``department assignee assignee_id kind`` and ``COUNTS``. ``kind`` is ``department`` (everything in it) or
    ``person``; a person without a number is nobody in particular. ``overdue`` are among the open ones,
    ``done_late`` is judged by the deadline as it was last postponed to, ``postponed`` counts how often. Cancelled
    tasks count nowhere.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    statement = (
        select(_t.department, _t.assignee_id, *_counts(reader))
        .where(_t.status != "cancelled")
        .group_by(_t.department, _t.assignee_id)
    )
    if department is not None:
        statement = statement.where(_t.department == department)
    with reader.store.read() as connection:
        narrowed = reader.narrow(connection, statement, tasks, "due_at", filters)
        counted: list[dict[str, Any]] = [dict(row) for row in connection.execute(narrowed).mappings()]
        names = _names(connection, unmask=unmask)
    for row in counted:
        groups.setdefault(row["department"], []).append(row)
    for name in sorted(groups):
        total = {count: sum(row[count] for row in groups[name]) for count in COUNTS}
        yield {"department": name, "assignee": None, "assignee_id": None, "kind": "department", **total}
        for row in sorted(groups[name], key=lambda row: (row["assignee_id"] is None, row["assignee_id"] or 0)):
            number = row["assignee_id"]
            who = {"assignee": names.get(number), "assignee_id": number, "kind": "person"}
            yield {"department": name, **who, **{count: row[count] for count in COUNTS}}


def _counts(reader: Reader) -> list[ColumnElement[int]]:
    done = _t.status == "done"
    conditions = {
        "open": _t.status == "open",
        "overdue": and_(_t.status == "open", _t.due_at < reader.now),
        "done_on_time": and_(done, _t.closed_at <= _t.due_at),
        "done_late": and_(done, _t.closed_at > _t.due_at),
        "skipped": _t.status == "skipped",
    }
    counted = [func.sum(case((condition, 1), else_=0)).label(name) for name, condition in conditions.items()]
    return [*counted, func.sum(_t.postponed).label("postponed")]


def _names(connection: Any, *, unmask: bool) -> dict[int, str | None]:
    rows = connection.execute(
        select(staff.c.id, people.c.name).join_from(staff, people, people.c.id == staff.c.person_id)
    )
    return {number: name if unmask or name is None else mask_name(name) for number, name in rows}
