"""One task with everything that happened to it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from keguan.errors import InputError
from keguan.masking import mask_email, mask_name, mask_phone, mask_text
from keguan.model import Person, Subject
from keguan.queries.reader import Filters, Reader
from keguan.queries.tasks import list_tasks
from keguan.store.records import load_records
from keguan.store.schema import form_entries, task_log, tasks

__all__ = ["task_story"]

_t = tasks.c


def task_story(reader: Reader, task: int, *, unmask: bool = False) -> dict[str, Any]:
    """Return one task as ``list_tasks`` shows it, with its story.

    Further keys: ``created_at closed_at closed_by result customers form_state log``. ``customers`` are whom the
    task is about, ``{name, phone, email}``; ``form_state`` is ``{form, complete, version, filled_at, filled_by}``,
    ``None`` when there is no form or nothing was filled in; ``log`` is a list of ``{at, what, who, reason,
    detail}`` in its order. Personal values are masked unless ``unmask``. Raises ``InputError`` for an unknown task.
    """
    found = list(list_tasks(reader, Filters(), ids=[task], unmask=unmask))
    if not found:
        raise InputError("tasks.unknown", task=task)
    with reader.store.read() as connection:
        more = connection.execute(
            select(_t.city, _t.created_at, _t.closed_at, _t.closed_by, _t.result, _t.subject_type, _t.subject_id).where(
                _t.id == task
            )
        ).one()
        subject = Subject(more.subject_type, more.subject_id)
        return found[0] | {
            "created_at": reader.local(more.created_at, more.city),
            "closed_at": reader.local(more.closed_at, more.city),
            "closed_by": _named(more.closed_by, unmask=unmask),
            "result": _free(more.result, unmask=unmask),
            "customers": [_shown(person, unmask=unmask) for person in _people(connection, subject)],
            "form_state": _form_state(reader, connection, task, more.city, unmask=unmask),
            "log": _log(reader, connection, task, more.city, unmask=unmask),
        }


def _people(connection: Connection, subject: Subject) -> tuple[Person, ...]:
    """Return the customers that a record belongs to; none for a project or what a plugin keeps."""
    record = load_records(connection, [subject]).get(subject)
    person = getattr(record, "person", None)
    found: tuple[Person, ...] = (person,) if person is not None else getattr(record, "owners", ())
    return found


def _shown(person: Person, *, unmask: bool) -> dict[str, str | None]:
    masks = {"name": mask_name, "phone": mask_phone, "email": mask_email}
    values = {name: getattr(person, name) for name in masks}
    return {name: value if unmask or value is None else masks[name](value) for name, value in values.items()}


def _form_state(reader: Reader, connection: Connection, task: int, city: str, *, unmask: bool) -> dict[str, Any] | None:
    c = form_entries.c
    row = connection.execute(
        select(c.form, c.complete, c.version, c.filled_at, c.filled_by).where(c.task_id == task).order_by(c.id.desc())
    ).first()
    if row is None:
        return None
    who = _named(row.filled_by, unmask=unmask)
    return row._asdict() | {"filled_at": reader.local(row.filled_at, city), "filled_by": who}


def _log(reader: Reader, connection: Connection, task: int, city: str, *, unmask: bool) -> list[dict[str, Any]]:
    c = task_log.c
    rows = connection.execute(
        select(c.at, c.what, c.who, c.reason, c.detail).where(c.task_id == task).order_by(c.at, c.id)
    )
    return [
        row._asdict()
        | {
            "at": reader.local(row.at, city),
            "who": _named(row.who, unmask=unmask),
            "reason": _free(row.reason, unmask=unmask),
        }
        for row in rows
    ]


def _named(who: str | None, *, unmask: bool) -> str | None:
    return who if unmask or who is None else mask_name(who)


def _free(text: str | None, *, unmask: bool) -> str | None:
    return text if unmask or text is None else mask_text(text)
