"""Closing, assigning and postponing tasks by hand. All that was asked for is done, or nothing and every reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from keguan.errors import InputError, KeguanError, Refusals
from keguan.nearest import nearest
from keguan.store.engine import Store
from keguan.store.records import in_chunks
from keguan.store.schema import departments, evidence, people, staff, tasks
from keguan.tasks.evidence import KeptFile

__all__ = ["assign", "finish", "postpone", "skip"]

_t = tasks.c


def finish(
    store: Store,
    ids: Sequence[int],
    *,
    now: datetime,
    by: str,
    result: str | None = None,
    files: Sequence[KeptFile] = (),
    without_evidence: str | None = None,
) -> None:
    """Close tasks as done by ``by``, with ``files`` as evidence for each of them.

    A task that requires three pieces of evidence needs three files, those attached earlier included;
    ``without_evidence`` is the reason for closing it without. Raises ``Refusals``.
    """
    with store.write() as connection:
        rows = _open_tasks(connection, ids)
        if without_evidence is None:
            _require_evidence(connection, rows, files)
        for row in rows:
            _attach(connection, row.id, files, now, by)
        _close(connection, rows, "done", now, by, result=result, reason=without_evidence)


def skip(store: Store, ids: Sequence[int], *, reason: str, now: datetime, by: str) -> None:
    """Close tasks that need not be done, for a reason that stays in the journey. Raises ``Refusals``."""
    with store.write() as connection:
        _close(connection, _open_tasks(connection, ids), "skipped", now, by, reason=reason)


def assign(
    store: Store, ids: Sequence[int], *, to: str | None = None, department: str | None = None, today: date
) -> None:
    """Give open tasks to a member of staff (number or name), to a department, or to both.

    Given to a department alone, a task is nobody's in particular. Raises ``Refusals``, and ``InputError`` for a
    person or a department that nobody knows, a name that several have, and somebody who has left.
    """
    with store.write() as connection:
        rows = _open_tasks(connection, ids)
        values: dict[str, Any] = {"assignee_id": None if to is None else _staff(connection, to, today)}
        if department is not None:
            values["department"] = _department(connection, department)
        for chunk in in_chunks(row.id for row in rows):
            connection.execute(update(tasks).where(_t.id.in_(chunk), _t.status == "open").values(values))


def postpone(
    store: Store, ids: Sequence[int], *, to: date, reason: str, now: datetime, zone: Callable[[str], ZoneInfo]
) -> None:
    """Move the deadline of open tasks to the day ``to``, at the same local time of day, and count it.

    ``zone`` gives the time zone of a city's key. Raises ``Refusals`` for a day that is not later than the
    present deadline, or already over.
    """
    with store.write() as connection:
        rows = _open_tasks(connection, ids)
        due = {row.id: _on_day(row.due_at, to, zone(row.city)) for row in rows}
        wrong = [
            InputError("tasks.postpone_earlier", task=row.id, due=f"{row.due_at.astimezone(zone(row.city)):%Y-%m-%d}")
            for row in rows
            if due[row.id] <= row.due_at or due[row.id] <= now
        ]
        _refuse(wrong)
        for row in rows:
            connection.execute(
                update(tasks)
                .where(_t.id == row.id, _t.status == "open")
                .values(due_at=due[row.id], reason=reason, postponed=_t.postponed + 1)
            )


def _open_tasks(connection: Connection, ids: Sequence[int]) -> list[Any]:
    """Return the rows of these tasks, locked; raises ``Refusals`` for those that do not exist or are closed."""
    rows: dict[int, Any] = {}
    for chunk in in_chunks(ids):
        statement = select(_t.id, _t.status, _t.due_at, _t.city, _t.evidence_required).where(_t.id.in_(chunk))
        rows.update((row.id, row) for row in connection.execute(statement.with_for_update()))
    wrong: list[KeguanError] = []
    for key in dict.fromkeys(ids):
        if key not in rows:
            wrong.append(InputError("tasks.unknown", task=key))
        elif rows[key].status != "open":
            wrong.append(InputError("tasks.closed", task=key, status=rows[key].status))
    _refuse(wrong)
    return [rows[key] for key in dict.fromkeys(ids)]


def _refuse(wrong: Sequence[KeguanError]) -> None:
    if wrong:
        raise Refusals(wrong)


def _close(
    connection: Connection,
    rows: Sequence[Any],
    status: str,
    now: datetime,
    by: str,
    *,
    result: str | None = None,
    reason: str | None = None,
) -> None:
    values: dict[str, Any] = {"status": status, "closed_at": now, "closed_by": by, "result": result}
    if reason is not None:
        values["reason"] = reason
    for chunk in in_chunks(row.id for row in rows):
        connection.execute(update(tasks).where(_t.id.in_(chunk), _t.status == "open").values(values))


# --- Evidence ------------------------------------------------------------------------------------------------


def _require_evidence(connection: Connection, rows: Sequence[Any], files: Sequence[KeptFile]) -> None:
    attached: dict[int, set[str]] = {row.id: {file.sha256 for file in files} for row in rows}
    for chunk in in_chunks(attached):
        statement = select(evidence.c.task_id, evidence.c.sha256).where(evidence.c.task_id.in_(chunk))
        for task_id, sha256 in connection.execute(statement):
            attached[task_id].add(sha256)
    _refuse(
        [
            InputError(
                "tasks.evidence_missing",
                task=row.id,
                missing=len(row.evidence_required) - len(attached[row.id]),
                required=", ".join(row.evidence_required),
            )
            for row in rows
            if len(attached[row.id]) < len(row.evidence_required)
        ]
    )


def _attach(connection: Connection, task_id: int, files: Sequence[KeptFile], now: datetime, by: str) -> None:
    c = evidence.c
    known = set(connection.execute(select(c.sha256).where(c.task_id == task_id)).scalars()) if files else set()
    for file in {file.sha256: file for file in files if file.sha256 not in known}.values():
        connection.execute(
            insert(evidence).values(
                task_id=task_id,
                filename=file.filename,
                sha256=file.sha256,
                size=file.size,
                added_at=now,
                added_by=by,
            )
        )


# --- Who and when ----------------------------------------------------------------------------------------------


def _staff(connection: Connection, given: str, today: date) -> int:
    statement = (
        select(staff.c.id, staff.c.left_on, departments.c.name.label("department"))
        .join_from(staff, people, people.c.id == staff.c.person_id)
        .join(departments, departments.c.id == staff.c.department_id)
        .order_by(staff.c.id)
    )
    who = staff.c.id == int(given) if given.isascii() and given.isdigit() else people.c.name == given
    found = connection.execute(statement.where(who)).all()
    present = [row for row in found if row.left_on is None or row.left_on > today]
    if found and not present:
        raise InputError("tasks.staff_left", staff=found[0].id)
    if not present:
        raise InputError("tasks.staff_unknown")  # what was given may be a name
    if len(present) > 1:
        known = ", ".join(f"{row.id} ({row.department})" for row in present)
        raise InputError("tasks.staff_several", known=known)
    return int(present[0].id)


def _department(connection: Connection, name: str) -> str:
    known = set(connection.execute(select(departments.c.name)).scalars())
    known |= set(connection.execute(select(_t.department).distinct()).scalars())
    if name not in known:
        near = nearest(name, known)
        raise InputError("tasks.department_unknown", department=name, near=near or ", ".join(sorted(known)) or "–")
    return name


def _on_day(due_at: datetime, day: date, zone: ZoneInfo) -> datetime:
    clock = due_at.astimezone(zone).timetz().replace(tzinfo=None)
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
