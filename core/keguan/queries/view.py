"""What checks may ask, and running them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement

from keguan.model import Subject
from keguan.model.checks import Check, FilledForm, Finding, Promised
from keguan.queries.filled_forms import read_filled_forms
from keguan.queries.promises import read_promises
from keguan.queries.reader import Reader
from keguan.queries.subjects import natural_ids
from keguan.store.schema import form_entries, plans
from keguan.texts import Language

__all__ = ["RecordsView", "finding_rows"]

_BATCH = 500
_p = plans.c


class RecordsView:
    """The read-only view that the core gives to checks, narrowed to one project when the user asked for it."""

    def __init__(self, reader: Reader, project: str | None = None) -> None:
        self._reader = reader
        self._project = project

    @property
    def now(self) -> datetime:
        """The instant (UTC) as of which everything is seen."""
        return self._reader.now

    @property
    def language(self) -> Language:
        """The language that messages of findings are written in."""
        return self._reader.language

    def promises(self, *, plugin: str | None = None, actions: Collection[str] = ()) -> Iterator[Promised]:
        """Yield the promises that are due by now, in the order of their due times."""
        with self._reader.store.read() as connection:
            conditions: list[ColumnElement[bool]] = [_p.due_at <= self.now]
            if plugin is not None:
                conditions.append(_p.plugin == plugin)
            if actions:
                conditions.append(_p.action.in_(actions))
            if self._project is not None:
                conditions.append(_p.project_id == self._reader.project_id(connection, self._project))
            yield from read_promises(self._reader, connection, *conditions)

    def forms(self, plugin: str, forms: Collection[str]) -> Iterator[FilledForm]:
        """Yield what was filled into these forms of ``plugin``, in the order of the time."""
        with self._reader.store.read() as connection:
            conditions: list[ColumnElement[bool]] = [form_entries.c.form.in_([f"{plugin}.{name}" for name in forms])]
            if self._project is not None:
                conditions.append(form_entries.c.project_id == self._reader.project_id(connection, self._project))
            yield from read_filled_forms(self._reader, connection, *conditions)


def finding_rows(
    reader: Reader, checks: Iterable[tuple[str, Check]], project: str | None = None
) -> Iterator[dict[str, Any]]:
    """Run ``checks`` (each with its plugin's name), one after the other, and yield what they find.

    Keys: ``check plugin clause subject project message points evidence found_at``. Findings of other projects
    are left out when ``project`` is given. Raises ``InputError`` for a project that nobody knows.
    """
    view = RecordsView(reader, project)
    if project is not None:
        with reader.store.read() as connection:
            reader.project_id(connection, project)
    for plugin, check in checks:
        found = (one for one in check.run(view) if project is None or one.project in (None, project))
        while batch := list(islice(found, _BATCH)):
            with reader.store.read() as connection:
                names = natural_ids(connection, {one.subject for one in batch}, reader.settings)
            for one in batch:
                yield _shown(one, plugin, check, names, reader)


def _shown(
    one: Finding, plugin: str, check: Check, names: Mapping[Subject, dict[str, str]], reader: Reader
) -> dict[str, Any]:
    return {
        "check": check.name,
        "plugin": plugin,
        "clause": (check.clause if one.clause is None else one.clause) or None,
        "subject": names[one.subject],
        "project": one.project,
        "message": one.message,
        "points": one.points,
        "evidence": list(one.evidence),
        "found_at": reader.local(reader.now, None),
    }
