"""The list of tasks, with what proves that they were done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from keguan.masking import mask_name, mask_text
from keguan.queries.reader import Filters, Reader, by_key, pages
from keguan.queries.subjects import named_subject, with_subject
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
    overdue: bool = False,
    ids: Sequence[int] = (),
    unmask: bool = False,
) -> Iterator[dict[str, Any]]:
    """Yield tasks in the order of their deadlines; the period is that of ``due_at``.

    ``overdue`` keeps the open ones whose deadline has passed. Keys: ``id key plugin action clause title project
    subject department assignee due_at status evidence_required evidence overdue``; ``evidence`` is a list of
    ``{filename, sha256, size, added_at}``. The assignee's name is masked unless ``unmask``.
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
            _t.status,
            _t.evidence_required,
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
    if overdue:
        statement = statement.where(_t.status == "open", _t.due_at < reader.now)
    if ids:
        statement = statement.where(_t.id.in_(ids))
    with reader.store.read() as connection:
        for page in pages(connection, reader.narrow(connection, statement, tasks, "due_at", filters)):
            proofs = by_key(_evidence(connection, [row.id for row in page]), lambda row: row.task_id)
            for row in page:
                yield _shown(row, proofs.get(row.id, []), reader, unmask=unmask)


def _evidence(connection: Connection, ids: Sequence[int]) -> list[Any]:
    c = evidence.c
    found: list[Any] = []
    for chunk in in_chunks(ids):
        found += connection.execute(
            select(c.task_id, c.filename, c.sha256, c.size, c.added_at).where(c.task_id.in_(chunk)).order_by(c.id)
        )
    return found


def _shown(row: Any, proofs: Sequence[Any], reader: Reader, *, unmask: bool) -> dict[str, Any]:
    assignee = row.assignee
    return {
        "id": row.id,
        "key": row.key,
        "plugin": row.plugin,
        "action": row.action,
        "clause": row.clause or None,
        "title": row.title if unmask else mask_text(row.title),
        "project": row.project,
        "subject": named_subject(row),
        "department": row.department,
        "assignee": assignee if unmask or assignee is None else mask_name(assignee),
        "due_at": reader.local(row.due_at, row.city),
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
    }
