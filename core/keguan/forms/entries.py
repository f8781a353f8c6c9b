"""Filled-in forms in the database: one entry for a task, any number for a subject without one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select, update

from keguan.model import Subject
from keguan.model.forms import Form
from keguan.store.records import in_chunks
from keguan.store.schema import form_entries, homes

__all__ = ["Entry", "entries_of_subject", "entries_of_tasks", "first_lines", "save_entry"]

_e = form_entries.c


@dataclass(frozen=True, slots=True)
class Entry:
    """A form as somebody filled it in, complete or not."""

    form: str
    """``PLUGIN.FORM``"""
    subject: Subject
    project_id: int | None
    city: str
    task_id: int | None = None
    answers: dict[str, Any] = field(default_factory=dict, repr=False)
    """By the field's name; of a field that is answered with files, their SHA-256."""
    lines: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """An empty line keeps its place, so that the others keep their numbers."""
    complete: bool = False
    version: int = 1
    """The version of the form that it was filled in by."""
    filled_at: datetime | None = None
    filled_by: str = ""
    id: int | None = None
    """``None`` until it is saved."""


def save_entry(connection: Connection, entry: Entry) -> int:
    """Store ``entry``, over the one it was read from, and return its number."""
    values = {
        "answers": entry.answers,
        "lines": entry.lines,
        "complete": entry.complete,
        "version": entry.version,
        "filled_at": entry.filled_at,
        "filled_by": entry.filled_by,
    }
    if entry.id is not None:
        connection.execute(update(form_entries).where(_e.id == entry.id).values(values))
        return entry.id
    values |= {
        "form": entry.form,
        "task_id": entry.task_id,
        "subject_type": entry.subject.type,
        "subject_id": entry.subject.id,
        "project_id": entry.project_id,
        "city": entry.city,
    }
    return int(connection.execute(insert(form_entries).values(values).returning(_e.id)).scalar_one())


def entries_of_tasks(connection: Connection, ids: Iterable[int]) -> dict[tuple[int, str], Entry]:
    """Return what was filled in for these tasks, by task and form."""
    found = {}
    for chunk in in_chunks(ids):
        for entry in _read(connection, _e.task_id.in_(chunk)):
            assert entry.task_id is not None
            found[entry.task_id, entry.form] = entry
    return found


def entries_of_subject(connection: Connection, subject: Subject, form: str | None = None) -> list[Entry]:
    """Return what was filled in about ``subject``, oldest first, on one form or on all."""
    about = (_e.subject_type == subject.type) & (_e.subject_id == subject.id)
    return _read(connection, about if form is None else about & (_e.form == form))


def _read(connection: Connection, condition: ColumnElement[bool]) -> list[Entry]:
    return [
        Entry(
            form=row.form,
            subject=Subject(row.subject_type, row.subject_id),
            project_id=row.project_id,
            city=row.city,
            task_id=row.task_id,
            answers=row.answers,
            lines=row.lines,
            complete=row.complete,
            version=row.version,
            filled_at=row.filled_at,
            filled_by=row.filled_by,
            id=row.id,
        )
        for row in connection.execute(select(form_entries).where(condition).order_by(_e.id))
    ]


def first_lines(connection: Connection, form: Form, project_id: int | None) -> list[dict[str, Any]]:
    """Return the lines that stand there before anybody writes: one for each home of the project, where wanted."""
    table = form.lines
    if table is None or table.prefill is None or table.key is None or project_id is None:
        return []
    h = homes.c
    rows: Sequence[Any] = connection.execute(
        select(h.building, h.unit, h.room).where(h.project_id == project_id).order_by(h.building, h.unit, h.room, h.id)
    ).all()
    return [{table.key: "-".join(part for part in row if part)} for row in rows]
