"""Lines of registers as rows, page by page, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from keguan.errors import InputError
from keguan.forms.showing import readable_answers, stored_answers
from keguan.model import Subject
from keguan.model.forms import Form
from keguan.queries.reader import Filters, Reader, pages
from keguan.queries.subjects import natural_ids
from keguan.registers.keeping import find_register, register_of
from keguan.store.schema import entry_log, form_entries, projects

__all__ = ["expiry", "line_log", "lines_as_of", "list_lines", "list_registers"]

_e = form_entries.c


def list_registers(reader: Reader, forms: Mapping[str, Form]) -> Iterator[dict[str, Any]]:
    """Yield a row for each register: ``register title about key counts expires entries removed``."""
    with reader.store.read() as connection:
        statement = select(_e.form, func.count(), func.count(_e.removed_at)).where(_e.task_id.is_(None))
        found = {row[0]: (row[1], row[2]) for row in connection.execute(statement.group_by(_e.form))}
    for full, form in sorted(forms.items()):
        if form.register_of is None:
            continue
        every, removed = found.get(full, (0, 0))
        yield {
            "register": full,
            "title": form.title.in_(reader.language),
            "about": form.register_of.about,
            "key": form.register_of.key,
            "counts": form.register_of.counts,
            "expires": form.register_of.expires,
            "entries": every - removed,
            "removed": removed,
        }


def list_lines(
    reader: Reader,
    forms: Mapping[str, Form],
    name: str,
    filters: Filters,
    *,
    about: Subject | None = None,
    everything: bool = False,
    expiring: int | None = None,
    unmask: bool = False,
    readable: bool = False,
) -> Iterator[dict[str, Any]]:
    """Yield the lines of the register ``name``, oldest first.

    Keys: ``entry register subject{type,id} project city answers counts expires_on expired removed_at changed_at
    changed_by``. Lines that were taken out only with ``everything``. ``expiring``: only those that have expired by so
    many days from now. ``readable``: answers with the labels and units that people read. Raises ``InputError``
    for a register, project or city that nobody knows.
    """
    form = find_register(forms, name)
    statement = (
        select(form_entries, projects.c.name.label("project"))
        .outerjoin(projects, projects.c.id == _e.project_id)
        .where(_e.form == name, _e.task_id.is_(None))
        .order_by(_e.id)
    )
    if not everything:
        statement = statement.where(_e.removed_at.is_(None))
    if about is not None:
        statement = statement.where(_e.subject_type == about.type, _e.subject_id == about.id)
    limit, shown = filters.limit, 0
    with reader.store.read() as connection:
        if filters.project is not None:
            statement = statement.where(_e.project_id == reader.project_id(connection, filters.project))
        if filters.city is not None:
            statement = statement.where(_e.city == reader.city_key(connection, filters.city))
        for page in pages(connection, statement):
            names = natural_ids(
                connection, {Subject(row.subject_type, row.subject_id) for row in page}, reader.settings
            )
            for row in page:
                line = _line(reader, form, row, names, unmask=unmask, readable=readable)
                if expiring is not None and not _expires_by(reader, row, line, expiring):
                    continue
                if limit is not None and shown >= limit:
                    return
                shown += 1
                yield line


def expiry(form: Form, answers: Mapping[str, Any]) -> date | None:
    """Return the day after which a line with these answers has expired, if it ever does."""
    field = register_of(form).expires
    stated = answers.get(field) if field is not None else None
    return date.fromisoformat(stated) if isinstance(stated, str) else None


def _line(
    reader: Reader, form: Form, row: Any, names: Mapping[Subject, dict[str, str]], *, unmask: bool, readable: bool
) -> dict[str, Any]:
    ends, counts = expiry(form, row.answers), register_of(form).counts
    today = reader.now.astimezone(reader.zone(row.city)).date()
    return {
        "entry": row.id,
        "register": row.form,
        "subject": names[Subject(row.subject_type, row.subject_id)],
        "project": row.project,
        "city": row.city,
        "answers": _answers(reader, form, row.answers, unmask=unmask, readable=readable),
        "counts": row.removed_at is None and (counts is None or row.answers.get(counts) is True),
        "expires_on": ends,
        "expired": ends is not None and ends < today,
        "removed_at": reader.local(row.removed_at, row.city),
        "changed_at": reader.local(row.filled_at, row.city),
        "changed_by": row.filled_by,
    }


def _expires_by(reader: Reader, row: Any, line: Mapping[str, Any], days: int) -> bool:
    today = reader.now.astimezone(reader.zone(row.city)).date()
    return line["expires_on"] is not None and line["expires_on"] <= today + timedelta(days=days)


def _answers(reader: Reader, form: Form, answers: Mapping[str, Any], *, unmask: bool, readable: bool) -> dict[str, Any]:
    if readable:
        return readable_answers(form, answers, reader.language, unmask=unmask)
    return stored_answers(form, answers, reader.language, unmask=unmask)


def line_log(
    reader: Reader, forms: Mapping[str, Form], number: int, *, unmask: bool = False, readable: bool = False
) -> list[dict[str, Any]]:
    """Return what became of one line, oldest first: ``at who what reason answers``; raises ``InputError``.

    ``readable``: answers with the labels and units that people read.
    """
    with reader.store.read() as connection:
        found = connection.execute(select(_e.form, _e.city).where(_e.id == number, _e.task_id.is_(None))).first()
        if found is None or found.form not in forms:
            raise InputError("registers.entry_unknown", entry=number)
        rows = connection.execute(
            select(entry_log).where(entry_log.c.entry_id == number).order_by(entry_log.c.id)
        ).all()
    form = forms[found.form]
    return [
        {
            "at": reader.local(row.at, found.city),
            "who": row.who,
            "what": row.what,
            "reason": row.reason,
            "answers": _answers(reader, form, row.answers, unmask=unmask, readable=readable),
        }
        for row in rows
    ]


def lines_as_of(
    reader: Reader, forms: Mapping[str, Form], name: str, project: str, moment: datetime
) -> list[dict[str, Any]]:
    """Return the answers of the lines about ``project`` that counted just before ``moment``, oldest first.

    As the log has them: what changed since changes nothing. Each has its number as ``entry`` too. Raises
    ``InputError`` for a register or a project that nobody knows.
    """
    counts = register_of(find_register(forms, name)).counts
    log = entry_log.c
    found: dict[int, tuple[str, dict[str, Any]]] = {}
    with reader.store.read() as connection:
        about = (_e.form == name, _e.subject_type == "project")
        statement = (
            select(log.entry_id, log.what, log.answers)
            .join(form_entries, _e.id == log.entry_id)
            .where(*about, _e.subject_id == reader.project_id(connection, project), log.at < moment)
            .order_by(log.id)
        )
        for row in connection.execute(statement):
            found[row.entry_id] = row.what, row.answers
    return [
        {"entry": entry, **answers}
        for entry, (what, answers) in sorted(found.items())
        if what != "removed" and (counts is None or answers.get(counts) is True)
    ]
