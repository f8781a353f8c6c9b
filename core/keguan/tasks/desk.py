"""Closing, assigning and postponing tasks by hand. All that was asked for is done, or nothing and every reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from keguan.errors import InputError, KeguanError, Refusals
from keguan.nearest import nearest
from keguan.staff.roster import load_roster
from keguan.store.engine import Store
from keguan.store.records import in_chunks
from keguan.store.schema import departments, evidence, form_entries, tasks
from keguan.tasks.attaching import attach_files
from keguan.tasks.evidence import KeptFile
from keguan.tasks.log import note

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

    A task that requires three pieces of evidence needs three files, those attached earlier included, and one that
    has a form needs it completely filled in; ``without_evidence`` is the reason for closing it without. Where no
    ``result`` is given, what the form says in short stays. Raises ``Refusals``.
    """
    with store.write() as connection:
        rows = _open_tasks(connection, ids)
        if without_evidence is None:
            _require_forms(connection, rows)
            _require_evidence(connection, rows, files)
        for row in rows:
            attach_files(connection, row.id, files, now=now, by=by)
        _close(connection, rows, "done", now, by, result=result, reason=without_evidence)


def skip(store: Store, ids: Sequence[int], *, reason: str, now: datetime, by: str) -> None:
    """Close tasks that need not be done, for a reason that stays in the journey.

    Raises ``Refusals``, and ``InputError`` for an empty reason.
    """
    _require_reason(reason)
    with store.write() as connection:
        _close(connection, _open_tasks(connection, ids), "skipped", now, by, reason=reason)


def assign(
    store: Store,
    ids: Sequence[int],
    *,
    to: str | None = None,
    department: str | None = None,
    today: date,
    now: datetime,
    by: str,
) -> None:
    """Give open tasks to a member of staff (number or name), to a department, or to both.

    Given to a department alone, a task is nobody's in particular. Raises ``Refusals``, and ``InputError`` for a
    person or a department that nobody knows, a name that several have, and somebody who has left.
    """
    with store.write() as connection:
        rows = _open_tasks(connection, ids)
        member = None if to is None else load_roster(connection, {}).find(to, today, where="--to").id
        values: dict[str, Any] = {"assignee_id": member}
        if department is not None:
            values["department"] = _department(connection, department)
        for chunk in in_chunks(row.id for row in rows):
            connection.execute(update(tasks).where(_t.id.in_(chunk), _t.status == "open").values(values))
        detail = {"to": member, "department": values.get("department")}
        details = {row.id: {"from": row.assignee_id, **detail} for row in rows}
        note(connection, list(details), "assigned", now=now, who=by, details=details)


def postpone(
    store: Store,
    ids: Sequence[int],
    *,
    to: date,
    reason: str,
    now: datetime,
    by: str,
    zone: Callable[[str], ZoneInfo],
) -> None:
    """Move the deadline of open tasks to the day ``to``, at the same local time of day, and count it.

    The ladder of overdue tasks counts from the new deadline; steps that were climbed are not climbed again.
    ``zone`` gives the time zone of a city's key. Raises ``Refusals`` for a day that is not later than the present
    deadline, already over, or later than the last that a task's rule allows, and ``InputError`` for an empty reason.
    """
    _require_reason(reason)
    with store.write() as connection:
        rows = _open_tasks(connection, ids)
        due = {row.id: _on_day(row.due_at, to, zone(row.city)) for row in rows}
        _refuse([error for row in rows if (error := _not_then(row, due[row.id], now, zone(row.city)))])
        for row in rows:
            connection.execute(
                update(tasks)
                .where(_t.id == row.id, _t.status == "open")
                .values(due_at=due[row.id], reason=reason, postponed=_t.postponed + 1)
            )
        details = {row.id: {"from": row.due_at.isoformat(), "to": due[row.id].isoformat()} for row in rows}
        note(connection, list(details), "postponed", now=now, who=by, reason=reason, details=details)


def _not_then(row: Any, due: datetime, now: datetime, zone: ZoneInfo) -> InputError | None:
    """Return why a task cannot be postponed to ``due``, if so. Of the last day all hours count."""
    if due <= row.due_at or due <= now:
        return InputError("tasks.postpone_earlier", task=row.id, due=f"{row.due_at.astimezone(zone):%Y-%m-%d}")
    latest = None if row.latest_at is None else row.latest_at.astimezone(zone).date()
    if latest is not None and due.astimezone(zone).date() > latest:
        return InputError("tasks.postpone_beyond", task=row.id, latest=f"{latest:%Y-%m-%d}")
    return None


def _open_tasks(connection: Connection, ids: Sequence[int]) -> list[Any]:
    """Return the rows of these tasks, locked; raises ``Refusals`` for those that do not exist or are closed."""
    rows: dict[int, Any] = {}
    for chunk in in_chunks(ids):
        columns = (_t.id, _t.status, _t.due_at, _t.latest_at, _t.city, _t.assignee_id, _t.evidence_required, _t.form)
        statement = select(*columns).where(_t.id.in_(chunk))
        rows.update((row.id, row) for row in connection.execute(statement.with_for_update()))
    wrong: list[KeguanError] = []
    for key in dict.fromkeys(ids):
        if key not in rows:
            wrong.append(InputError("tasks.unknown", task=key))
        elif rows[key].status != "open":
            wrong.append(InputError("tasks.closed", task=key, status=rows[key].status))
    _refuse(wrong)
    return [rows[key] for key in dict.fromkeys(ids)]


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise InputError("tasks.reason_missing")


def _refuse(wrong: Sequence[KeguanError]) -> None:
    if wrong:
        raise Refusals(wrong)


def _close(
    connection: Connection,
    rows: Sequence[Any],
    status: Literal["done", "skipped"],
    now: datetime,
    by: str,
    *,
    result: str | None = None,
    reason: str | None = None,
) -> None:
    values: dict[str, Any] = {"status": status, "closed_at": now, "closed_by": by}
    if result is not None:
        values["result"] = result
    if reason is not None:
        values["reason"] = reason
    for chunk in in_chunks(row.id for row in rows):
        connection.execute(update(tasks).where(_t.id.in_(chunk), _t.status == "open").values(values))
    note(connection, [row.id for row in rows], status, now=now, who=by, reason=reason)


# --- Evidence ------------------------------------------------------------------------------------------------


def _require_forms(connection: Connection, rows: Sequence[Any]) -> None:
    filled: set[tuple[int, str]] = set()
    c = form_entries.c
    for chunk in in_chunks(row.id for row in rows if row.form is not None):
        statement = select(c.task_id, c.form).where(c.task_id.in_(chunk), c.complete)
        filled |= {(row.task_id, row.form) for row in connection.execute(statement)}
    _refuse(
        [
            InputError("tasks.form_incomplete", task=row.id, form=row.form)
            for row in rows
            if row.form is not None and (row.id, row.form) not in filled
        ]
    )


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


# --- Who and when ----------------------------------------------------------------------------------------------


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
