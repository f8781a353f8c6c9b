"""The list of tasks, with what proves that they were done."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from keguan.masking import mask_name, mask_text
from keguan.queries.reader import Filters, Reader, by_key, pages
from keguan.queries.subjects import named_subject, with_subject
from keguan.staff.roster import Roster, load_roster
from keguan.store.records import in_chunks
from keguan.store.schema import evidence, people, projects, staff, tasks

__all__ = ["is_overdue", "list_tasks"]

_t = tasks.c


def is_overdue(status: str, due_at: datetime, now: datetime) -> bool:
    """Return whether a task is late now; the deadline itself is still in time."""
    return status == "open" and due_at < now


def list_tasks(
    reader: Reader,
    filters: Filters,
    *,
    department: str | None = None,
    assignees: Collection[int] | None = None,
    overdue: bool = False,
    created_after: datetime | None = None,
    ids: Sequence[int] = (),
    unmask: bool = False,
) -> Iterator[dict[str, Any]]:
    """Yield tasks in the order of their deadlines; the period is that of ``due_at``.

    ``overdue`` keeps the open ones whose deadline has passed, ``assignees`` (numbers of staff) what these have to
    do, ``created_after`` (aware) what came up later. Keys: ``id key plugin action clause title project subject
    department assignee assignee_id deputy due_at latest status evidence_required evidence overdue form postponed
    escalated reason``; ``latest`` is the last day it may be postponed to, if there is one, ``evidence`` a list of
    ``{filename, sha256, size, added_at}``, ``deputy`` who acts today for an assignee who is away, ``postponed`` how
    often, ``escalated`` how many steps of the ladder were climbed. Names
    are masked unless ``unmask``.
    """
    statement = with_subject(
        select(
            _t.id,
            _t.key,
            _t.plugin,
            _t.action,
            _t.clause,
            _t.title,
            _t.city,
            _t.department,
            _t.due_at,
            _t.latest_at,
            _t.status,
            _t.evidence_required,
            _t.assignee_id,
            _t.form,
            _t.postponed,
            _t.escalated,
            _t.reason,
            projects.c.name.label("project"),
            people.c.name.label("assignee"),
        )
        .select_from(tasks)
        .outerjoin(projects, projects.c.id == _t.project_id)
        .outerjoin(staff, staff.c.id == _t.assignee_id)
        .outerjoin(people, people.c.id == staff.c.person_id),
        tasks,
    ).order_by(_t.due_at, _t.id)
    if department is not None:
        statement = statement.where(_t.department == department)
    if assignees is not None:
        statement = statement.where(_t.assignee_id.in_(sorted(assignees)))
    if created_after is not None:
        statement = statement.where(_t.created_at > created_after)
    if overdue:
        statement = statement.where(_t.status == "open", _t.due_at < reader.now)
    if ids:
        statement = statement.where(_t.id.in_(ids))
    with reader.store.read() as connection:
        roster = load_roster(connection, reader.settings.departments)
        for page in pages(connection, reader.narrow(connection, statement, tasks, "due_at", filters)):
            proofs = by_key(_evidence(connection, [row.id for row in page]), lambda row: row.task_id)
            for row in page:
                yield _shown(row, proofs.get(row.id, []), reader, roster, unmask=unmask)


def _evidence(connection: Connection, ids: Sequence[int]) -> list[Any]:
    c = evidence.c
    found: list[Any] = []
    for chunk in in_chunks(ids):
        found += connection.execute(
            select(c.task_id, c.filename, c.sha256, c.size, c.added_at).where(c.task_id.in_(chunk)).order_by(c.id)
        )
    return found


def _deputy(row: Any, reader: Reader, roster: Roster) -> str | None:
    """Return the name of whoever acts for an assignee who is away."""
    if row.assignee_id is None or row.status != "open":
        return None
    acting = roster.stand_in(row.assignee_id, reader.now.astimezone(reader.zone(row.city)).date())
    return acting.name if acting is not None and acting.id != row.assignee_id else None


def _day(at: datetime | None, city: str, reader: Reader) -> date | None:
    return None if at is None else at.astimezone(reader.zone(city)).date()


def _shown(row: Any, proofs: Sequence[Any], reader: Reader, roster: Roster, *, unmask: bool) -> dict[str, Any]:
    assignee, deputy = row.assignee, _deputy(row, reader, roster)
    return {
        "id": row.id,
        "key": row.key,
        "plugin": row.plugin,
        "action": row.action,
        "clause": row.clause or None,
        "title": row.title if unmask else mask_text(row.title),
        "project": row.project,
        "subject": named_subject(row, reader.settings),
        "department": row.department,
        "assignee": assignee if unmask or assignee is None else mask_name(assignee),
        "assignee_id": row.assignee_id,
        "deputy": deputy if unmask or deputy is None else mask_name(deputy),
        "due_at": reader.local(row.due_at, row.city),
        "latest": _day(row.latest_at, row.city, reader),
        "status": row.status,
        "evidence_required": row.evidence_required,
        "evidence": [
            {
                "filename": proof.filename if unmask else mask_text(proof.filename),
                "sha256": proof.sha256,
                "size": proof.size,
                "added_at": reader.local(proof.added_at, row.city),
            }
            for proof in proofs
        ],
        "overdue": is_overdue(row.status, row.due_at, reader.now),
        "form": row.form,
        "postponed": row.postponed,
        "escalated": row.escalated,
        "reason": row.reason if unmask or row.reason is None else mask_text(row.reason),
    }
