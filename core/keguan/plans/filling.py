"""What a task's form holds when the task comes up: checked as what people write, stored with the task."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, select

from keguan.errors import PluginError
from keguan.forms.checking import read_filled, what_is_missing
from keguan.forms.entries import first_lines
from keguan.model import Filled
from keguan.model.forms import Form
from keguan.store.schema import form_entries, tasks
from keguan.store.types import dump_json, to_stored

if TYPE_CHECKING:
    from keguan.plugins import Installed
    from keguan.store.engine import Store

__all__ = ["FirstEntry", "first_entry", "store_first_entries"]

_COLUMNS = (
    "form",
    "task_id",
    "subject_type",
    "subject_id",
    "project_id",
    "city",
    "answers",
    "lines",
    "complete",
    "version",
    "filled_at",
    "filled_by",
)
_FILLED_BY = "keguan"
_CHUNK = 500


class FirstEntry(NamedTuple):
    """A form as it is filled in before anybody saw it."""

    task: str
    """The task's key."""
    form: Form
    answers: dict[str, Any]
    lines: list[dict[str, Any]]


def first_entry(plugin: Installed, action: str, task: str, form: Form, filled: Filled) -> FirstEntry:
    """Return what ``filled`` puts into ``form``; raises ``PluginError`` naming the first field that does not fit."""
    answers, lines, mistakes = read_filled(form, filled.answers, filled.lines)
    for mistake in mistakes:
        field = mistake.field if mistake.line is None else f"lines[{mistake.line}].{mistake.field}"
        raise PluginError(
            "plugins.task_filled",
            hook=action,
            form=form.name,
            field=field or "lines",
            reason=mistake.reason,
            **plugin.label,
        )
    return FirstEntry(task, form, answers, lines)


def store_first_entries(store: Store, connection: Connection, entries: Sequence[FirstEntry], now: datetime) -> None:
    """Store the entries of tasks that stand in the database; one that is there already is left as people wrote it."""
    t = tasks.c
    stamp = to_stored(now)
    for start in range(0, len(entries), _CHUNK):
        chunk = {entry.task: entry for entry in entries[start : start + _CHUNK]}
        columns = (t.id, t.key, t.form, t.subject_type, t.subject_id, t.project_id, t.city)
        found = connection.execute(select(*columns).where(t.key.in_(list(chunk)))).all()
        rows: list[tuple[Any, ...]] = []
        for task in found:
            entry = chunk[task.key]
            lines = entry.lines or first_lines(connection, entry.form, task.project_id)
            rows.append(
                (
                    task.form,
                    task.id,
                    task.subject_type,
                    task.subject_id,
                    task.project_id,
                    task.city,
                    dump_json(entry.answers),
                    dump_json(list(lines)),
                    not what_is_missing(entry.form, entry.answers, lines),
                    entry.form.version,
                    stamp,
                    _FILLED_BY,
                )
            )
        store.insert(connection, form_entries, _COLUMNS, rows, ignore_repeats=True)
