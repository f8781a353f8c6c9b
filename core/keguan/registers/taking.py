"""A file of lines taken into a register: each row is accepted or rejected on its own, with every reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from keguan.errors import KeguanError, Refusals
from keguan.forms.values import masked_cell, parse_answer
from keguan.intake.cells import is_empty
from keguan.intake.columns import ColumnMap
from keguan.intake.fields import parse_text
from keguan.intake.kinds import FieldSpec, Kind
from keguan.intake.rows import Problem, Row, parse_row
from keguan.intake.tables import open_table
from keguan.model.forms import Form, FormField
from keguan.registers.keeping import Keeper, find_register, register_of
from keguan.registers.naming import find_place
from keguan.settings import Settings
from keguan.store.engine import Store
from keguan.texts import LANGUAGES, Language, text

__all__ = ["Taken", "take_file"]

_SUBJECT = "subject"


@dataclass(slots=True)
class Taken:
    """What became of a file."""

    file: str
    accepted: int = 0
    unchanged: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    """``{row column value reason}`` for each thing that is wrong."""
    dropped: list[str] = field(default_factory=list)
    """Columns that the register does not have."""
    warnings: list[str] = field(default_factory=list)
    """What is odd about the file, such as rows that hold no line."""


class _Undone(Exception):
    """Takes a rehearsal back."""


def take_file(
    store: Store,
    settings: Settings,
    forms: Mapping[str, Form],
    name: str,
    file: Path,
    *,
    about: str | None,
    now: datetime,
    by: str,
    reason: str,
    language: Language,
    dry_run: bool = False,
) -> Taken:
    """Take the rows of ``file`` (CSV, TSV, XLSX) into the register ``name``.

    Columns are the labels or names of the fields, and ``subject`` (对象), or ``about`` for all rows. Where the register
    has a key, a row with a key that is known changes that line, for ``reason``; where it has none, a row that equals a
    line is that line. The same file again changes nothing.
    Raises ``InputError`` when the file cannot be read as a whole.
    """
    form = find_register(forms, name)
    kind = _kind(form, with_subject=about is None)
    table = open_table(file, columns=ColumnMap.of(kind))
    taken = Taken(file.name, dropped=list(table.dropped_columns))
    try:
        with store.write() as connection:
            taking = _Taking(connection, settings, Keeper(store, connection, forms, now, by), name, form, about, reason)
            for row in table:
                taking.row(row, kind, taken, language)
            taken.warnings += [text(language, notice.key, **notice.values) for notice in table.notices]
            if dry_run:
                raise _Undone
    except _Undone:
        pass
    return taken


@dataclass(slots=True)
class _Taking:
    connection: Connection
    settings: Settings
    keeper: Keeper
    name: str
    form: Form
    about: str | None
    reason: str

    def row(self, row: Row, kind: Kind, taken: Taken, language: Language) -> None:
        parsed = parse_row(kind, row)
        if parsed.problems:
            taken.rejected += [_problem(problem, language) for problem in parsed.problems]
            return
        try:
            with self.connection.begin_nested():
                changed = self._keep(row)
        except Refusals as refused:
            taken.rejected += [_refused(row, error, language) for error in refused.errors]
        except KeguanError as error:
            taken.rejected.append(_refused(row, error, language))
        else:
            taken.accepted += changed
            taken.unchanged += not changed

    def _keep(self, row: Row) -> bool:
        cells = {name: cell for name, cell in row.cells.items() if name != _SUBJECT}
        named = self.about if self.about is not None else parse_text(row.cells[_SUBJECT])
        register = register_of(self.form)
        place = find_place(self.connection, self.settings, register.about, named)
        known = None
        if register.key is not None and not is_empty(cells.get(register.key, "")):
            fields = {each.name: each for each in self.form.fields}
            key = parse_answer(fields[register.key], cells[register.key])
            known = self.keeper.same(self.name, place.subject, key)
        if known is not None:
            return self.keeper.change(known.id, cells, self.reason)
        given = {name: cell for name, cell in cells.items() if not is_empty(cell)}
        if register.key is None and self.keeper.holds(self.name, place.subject, given):
            return False
        self.keeper.add(self.name, place, given)
        return True


def _kind(form: Form, *, with_subject: bool) -> Kind:
    specs = [_spec(each) for each in form.fields]
    if with_subject:
        specs.append(FieldSpec(_SUBJECT, parse_text, required=True, headers=tuple(_subject_headers())))
    return Kind(f"register {form.name}", tuple(specs))


def _subject_headers() -> Iterator[str]:
    for language in LANGUAGES:
        yield text(language, "registers.column.subject")


def _spec(each: FormField) -> FieldSpec:
    def mask(value: str) -> str:
        return masked_cell(each, value)

    headers = tuple(each.label.in_(language) for language in LANGUAGES)
    return FieldSpec(
        each.name,
        partial(parse_answer, each),
        required=each.required,
        personal=each.is_personal,
        mask=mask,
        headers=headers,
    )


def _problem(problem: Problem, language: Language) -> dict[str, Any]:
    reason = text(language, problem.reason_key, **problem.reason_values)
    return {"row": problem.row, "column": problem.column, "value": problem.value_masked, "reason": reason}


def _refused(row: Row, error: KeguanError, language: Language) -> dict[str, Any]:
    return {"row": row.number, "column": "", "value": "", "reason": text(language, error.key, **error.values)}
