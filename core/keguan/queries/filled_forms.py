"""Forms as people filled them in, with their tasks, page by page: what checks and tallies read."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, select

from keguan.model import FilledForm, Subject
from keguan.queries.reader import Reader, pages
from keguan.store.schema import form_entries, plans, projects, tasks

__all__ = ["read_filled_forms"]

_e = form_entries.c
_PAGE = 500
"""Answers are decrypted page by page; a form with a line for every home of a project is long."""


def read_filled_forms(reader: Reader, connection: Connection, *conditions: ColumnElement[bool]) -> Iterator[FilledForm]:
    """Yield the entries of ``form_entries`` that meet ``conditions``, in the order in which they were filled in last.

    Lines of registers that were taken out are left out, and what was filled in after the reader's instant.
    """
    statement = (
        select(
            _e.form,
            _e.subject_type,
            _e.subject_id,
            _e.city,
            _e.filled_at,
            _e.complete,
            _e.answers,
            _e.lines,
            _e.task_id,
            projects.c.name.label("project"),
            tasks.c.action,
            tasks.c.status,
            tasks.c.due_at,
            plans.c.occurrence,
        )
        .select_from(form_entries)
        .outerjoin(projects, projects.c.id == _e.project_id)
        .outerjoin(tasks, tasks.c.id == _e.task_id)
        .outerjoin(plans, plans.c.id == tasks.c.plan_id)
        .where(_e.removed_at.is_(None), _e.filled_at <= reader.now, *conditions)
        .order_by(_e.filled_at, _e.id)
    )
    for page in pages(connection, statement, _PAGE):
        for row in page:
            yield FilledForm(
                form=row.form.partition(".")[2],
                subject=Subject(row.subject_type, row.subject_id),
                project=row.project,
                city=row.city,
                at=row.filled_at.astimezone(reader.zone(row.city)),
                complete=row.complete,
                answers=row.answers,
                lines=[line for line in row.lines if line],  # an empty line only keeps the places of the others
                action=row.action,
                occurrence=row.occurrence,
                task=row.task_id,
                task_status=row.status,
                due_at=reader.local(row.due_at, row.city),
            )
