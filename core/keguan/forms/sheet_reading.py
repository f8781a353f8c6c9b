"""Reads filled-in sheets: cell by cell, formulas by the value that stands in the file, never evaluated.

What cannot be read is a mistake with its place; what can is handed on, whatever became of its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keguan.errors import InputError, KeguanError
from keguan.forms.checking import read_answers
from keguan.forms.sheet_layout import LINE_CONTEXT, MARK, META, ROW_CONTEXT, SheetPart, digest_of, read_headers
from keguan.intake.cells import Cell, cell_text, is_empty
from keguan.intake.csv_tables import Record
from keguan.intake.xlsx_inspect import WorkbookFacts, XlsxLimits, inspect_workbook
from keguan.intake.xlsx_tables import open_worksheet
from keguan.masking import mask_text
from keguan.model.forms import Form, FormField

__all__ = ["Filled", "FilledLine", "SheetMistake", "read_sheets"]

LIMITS = XlsxLimits(rows=50_000, cells=1_500_000, sheet_bytes=60_000_000)
LARGEST = 30 * 1_048_576


@dataclass(frozen=True, slots=True)
class SheetMistake:
    """One cell that cannot be taken."""

    sheet: str
    cell: str
    """``B7``"""
    task: int | None
    field: str | None
    shown: str
    """The value, masked where it is personal."""
    reason: KeguanError


@dataclass(frozen=True, slots=True)
class FilledLine:
    """The cells of one line that are not empty, where it stands, and the answers of each field that was read."""

    number: int
    sheet: str
    cell: str
    answers: Mapping[str, Any]


@dataclass(slots=True)
class Filled:
    """What the workbook says of one task."""

    task: int
    form: str
    sheet: str = ""
    cell: str = "A1"
    """Where its row begins."""
    answers: dict[str, Any] = field(default_factory=dict)
    lines: list[FilledLine] = field(default_factory=list)


def read_sheets(path: Path, forms: Mapping[str, Form]) -> tuple[list[Filled], list[SheetMistake]]:
    """Return what stands in the workbook, by task, and every mistake in it. Rows with a mistake are left out.

    Raises ``InputError`` for a file that is no workbook, too large, not one of ours or damaged, and for forms that
    are not there or have another version now.
    """
    if not path.is_file():
        raise InputError("sheets.absent", file=path.name)
    if path.stat().st_size > LARGEST:
        raise InputError("sheets.too_large", file=path.name, megabytes=LARGEST // 1_048_576)
    workbook = inspect_workbook(path, LIMITS, hidden=True)
    parts, tasks = _facts(path, workbook)
    for part in parts:
        form = forms.get(part.form)
        if form is None:
            raise InputError("sheets.form_gone", file=path.name, form=part.form)
        if form.version != part.version:
            raise InputError(
                "sheets.version", file=path.name, form=part.form, sheet_version=part.version, version=form.version
            )
    reading = _Reading(path, workbook, tasks)
    for part in parts:
        reading.read(part, forms[part.form])
    return list(reading.filled.values()), reading.mistakes


def _records(path: Path, workbook: WorkbookFacts, name: str) -> Iterator[Record]:
    sheet = next((each for each in workbook.sheets if each.name == name), None)
    if sheet is None:
        raise InputError("sheets.sheet_missing", file=path.name, sheet=name)
    return open_worksheet(path, workbook, sheet).records() if sheet.rows else iter(())


def _facts(path: Path, workbook: WorkbookFacts) -> tuple[list[SheetPart], dict[int, str]]:
    """Return the sheets and the tasks (with their forms) that the hidden sheet names."""
    if all(sheet.name != META for sheet in workbook.sheets):
        raise InputError("sheets.foreign", file=path.name)
    rows = [[cell_text(cell) for cell in record.cells] for record in _records(path, workbook, META)]
    facts = [[*row, "", "", "", "", ""][:5] for row in rows[1:]]
    if not rows or rows[0][:1] != [MARK] or rows[0][1:2] != [digest_of(facts)]:
        raise InputError("sheets.altered", file=path.name)
    parts = [
        SheetPart(name, "lines" if kind == "lines" else "answers", form, int(version))
        for what, name, kind, form, version in facts
        if what == "sheet"
    ]
    return parts, {int(row[1]): row[2] for row in facts if row[0] == "task"}


class _Reading:
    def __init__(self, path: Path, workbook: WorkbookFacts, tasks: Mapping[int, str]) -> None:
        self.filled: dict[int, Filled] = {}
        self.mistakes: list[SheetMistake] = []
        self._path = path
        self._workbook = workbook
        self._tasks = tasks
        self._seen: set[tuple[str, int, int]] = set()

    def read(self, part: SheetPart, form: Form) -> None:
        """Read one sheet."""
        lines = form.lines if part.kind == "lines" else None
        fields = lines.fields if lines else form.questions
        columns: dict[int, FormField] = {}
        for record in _records(self._path, self._workbook, part.name):
            if record.number == 1:
                columns = read_headers(fields, record.cells)
                continue
            given = {
                one.name: record.cells[column]
                for column, one in columns.items()
                if column < len(record.cells) and not is_empty(record.cells[column])
            }
            if given:
                places = {one.name: f"{_letters(column)}{record.number}" for column, one in columns.items()}
                self._row(part, fields, record, given, places)

    def _row(
        self,
        part: SheetPart,
        fields: Sequence[FormField],
        record: Record,
        given: Mapping[str, Cell],
        places: Mapping[str, str],
    ) -> None:
        task = self._number(record.cells, 0)
        if task is None or self._tasks.get(task) != part.form:
            self._mistake(part, f"A{record.number}", None, record.cells[0], InputError("sheets.key"))
            return
        context = LINE_CONTEXT if part.kind == "lines" else ROW_CONTEXT
        number = self._number(record.cells, len(LINE_CONTEXT) - 1) if context is LINE_CONTEXT else 0
        if number is None or (context is LINE_CONTEXT and not 1 <= number <= 5000):
            self._mistake(
                part, f"C{record.number}", task, record.cells[len(LINE_CONTEXT) - 1], InputError("sheets.line_number")
            )
            return
        if (part.name, task, number) in self._seen:
            self._mistake(part, f"A{record.number}", task, record.cells[0], InputError("sheets.twice"))
            return
        self._seen.add((part.name, task, number))
        answers, wrong = read_answers(fields, given, {})
        for mistake in wrong:
            self.mistakes.append(
                SheetMistake(part.name, places[mistake.field], task, mistake.field, mistake.shown, mistake.reason)
            )
        if wrong:
            return
        filled = self.filled.setdefault(task, Filled(task, part.form, part.name, f"A{record.number}"))
        if context is LINE_CONTEXT:
            filled.lines.append(FilledLine(number, part.name, f"A{record.number}", answers))
        else:
            filled.answers = answers
            filled.sheet, filled.cell = part.name, f"A{record.number}"

    def _number(self, cells: Sequence[Cell], column: int) -> int | None:
        written = cell_text(cells[column]).strip() if column < len(cells) else ""
        return int(written) if written.isascii() and written.isdigit() and len(written) < 16 else None

    def _mistake(self, part: SheetPart, cell: str, task: int | None, value: Cell, reason: KeguanError) -> None:
        self.mistakes.append(SheetMistake(part.name, cell, task, None, mask_text(cell_text(value))[:40], reason))


def _letters(column: int) -> str:
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
