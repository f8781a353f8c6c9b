"""The papers of many tasks as one workbook, and a workbook back into the papers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from keguan.errors import InputError, KeguanError
from keguan.forms.sheet_reading import Filled, SheetMistake, read_sheets
from keguan.forms.sheet_writing import SheetRow
from keguan.model import Contract, Home
from keguan.model.forms import Form
from keguan.store.engine import Store
from keguan.store.records import load_records
from keguan.store.schema import tasks
from keguan.tasks.desk import finish
from keguan.tasks.papers import (
    Paper,
    closed_already,
    departments_of,
    find_papers,
    not_theirs,
    open_papers,
    save_paper,
)
from keguan.texts import Language, text

__all__ = ["SheetReport", "open_tasks_with", "read_in", "sheet_rows", "write_privately"]

_t = tasks.c
_AT_ONCE = 100
"""Papers in one transaction: an import of many must not keep others waiting."""


@dataclass(slots=True)
class SheetReport:
    """What came of one workbook. Holds nothing personal that is not masked."""

    file: str
    saved: int = 0
    """Tasks whose answers changed."""
    unchanged: int = 0
    complete: list[int] = field(default_factory=list)
    """The tasks of the workbook whose forms are complete now."""
    closed: list[int] = field(default_factory=list)
    """The tasks that were closed by this."""
    mistakes: list[SheetMistake] = field(default_factory=list)

    def to_json(self, language: Language) -> dict[str, Any]:
        """Return the report as ``--json`` prints it."""
        return {
            "file": self.file,
            "saved": self.saved,
            "unchanged": self.unchanged,
            "complete": self.complete,
            "closed": self.closed,
            "rejected": [
                {
                    "sheet": one.sheet,
                    "cell": one.cell,
                    "task": one.task,
                    "field": one.field,
                    "value": one.shown or None,
                    "reason": text(language, "forms.reason", reason=one.reason),
                }
                for one in self.mistakes
            ],
        }


def open_tasks_with(store: Store, form: str | None, department: str | None) -> list[int]:
    """Return the open tasks that have a form (this one), of all departments or one, in the order of deadlines."""
    statement = select(_t.id).where(_t.status == "open", _t.form.is_not(None)).order_by(_t.due_at, _t.id)
    if form is not None:
        statement = statement.where(_t.form == form)
    if department is not None:
        statement = statement.where(_t.department == department)
    with store.read() as connection:
        return list(connection.execute(statement).scalars())


def sheet_rows(
    store: Store, forms: Mapping[str, Form], ids: Sequence[int], zones: Mapping[str, ZoneInfo]
) -> list[SheetRow]:
    """Return what a workbook for these tasks holds: whom to ask, by when, and the answers so far, in full.

    ``zones`` are those of the cities by key. Raises ``Refusals`` as ``open_papers`` does.
    """
    with store.read() as connection:
        papers = open_papers(connection, forms, ids)
        records = load_records(connection, {paper.entry.subject for paper in papers})
    return [_row(paper, records.get(paper.entry.subject), zones) for paper in papers]


def _row(paper: Paper, record: object, zones: Mapping[str, ZoneInfo]) -> SheetRow:
    owners = record.owners if isinstance(record, Contract | Home) else ()
    task, first = paper.task, owners[0] if owners else None
    return SheetRow(
        task=task.id,
        form=task.form,
        what=task.title,
        due=task.due_at.astimezone(zones.get(task.city)).date(),
        customer=first.name if first else None,
        contact=first.phone if first else None,
        answers=paper.entry.answers,
        lines=paper.entry.lines,
    )


def write_privately(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read. Raises ``InputError`` when there is one of this name already."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InputError("sheets.exists", file=path.name) from error
    except OSError as error:
        raise InputError("sheets.unwritable", file=path.name) from error
    with os.fdopen(handle, "wb") as target:
        target.write(content)


def read_in(
    store: Store,
    forms: Mapping[str, Form],
    path: Path,
    *,
    now: datetime,
    today: date,
    by: str,
    language: Language,
    close: bool = False,
) -> SheetReport:
    """Take a filled-in workbook in: rows that are right are saved, the others reported by their cell.

    An empty cell leaves the answer as it is, so that the same workbook twice changes nothing. With ``close`` the
    tasks whose forms are complete are closed. Raises ``InputError`` for a file that is refused as a whole.
    """
    filled, mistakes = read_sheets(path, forms)
    report = SheetReport(path.name, mistakes=mistakes)
    for start in range(0, len(filled), _AT_ONCE):
        batch = filled[start : start + _AT_ONCE]
        with store.write() as connection:
            own = departments_of(connection, by, today)
            papers, wrong = find_papers(connection, forms, [one.task for one in batch], locked=True)
            for one in batch:
                refused = wrong.get(one.task)
                if refused is None:
                    paper = papers[one.task]
                    answers, lines = _merged(paper, one)
                    changed = (answers, lines) != (paper.entry.answers, paper.entry.lines)
                    refused = (closed_already(paper) or not_theirs(paper, own)) if changed else None
                if refused is not None:
                    report.mistakes.append(SheetMistake(one.sheet, one.cell, one.task, None, "", refused))
                    continue
                if changed:
                    paper = save_paper(connection, paper, answers, lines, now=now, by=by, language=language)
                report.saved += changed
                report.unchanged += not changed
                if not paper.missing:
                    report.complete.append(one.task)
    if close:
        _close(store, report, now=now, by=by)
    report.mistakes.sort(key=lambda one: (one.sheet, len(one.cell), one.cell))
    return report


def _merged(paper: Paper, one: Filled) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the answers and lines as they are with what the workbook says in them."""
    merged = {**paper.entry.answers, **one.answers}
    answers = {each.name: merged[each.name] for each in paper.form.fields if each.name in merged}
    lines = [dict(line) for line in paper.entry.lines]
    for given in one.lines:
        lines += [{} for _ in range(given.number - len(lines))]
        lines[given.number - 1] |= given.answers
    return answers, lines


def _close(store: Store, report: SheetReport, *, now: datetime, by: str) -> None:
    """Close each task whose form is complete; what else keeps it open is reported at its row."""
    with store.read() as connection:
        still = set(connection.execute(select(_t.id).where(_t.id.in_(report.complete), _t.status == "open")).scalars())
    for task in [task for task in report.complete if task in still]:
        try:
            finish(store, [task], now=now, by=by)
        except KeguanError as wrong:
            first = (getattr(wrong, "errors", None) or [wrong])[0]
            report.mistakes.append(SheetMistake("", "", task, None, "", first))
        else:
            report.closed.append(task)
