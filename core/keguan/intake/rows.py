"""One row of a table as values, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from keguan.intake.cells import Cell, cell_text, is_empty
from keguan.intake.fields import FieldError, parse_text
from keguan.intake.kinds import Kind, masked
from keguan.masking import mask_text

__all__ = ["ParsedRow", "Problem", "Row", "parse_row"]

SHOWN = 60  # characters of a value that a report shows


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row, or a cell of it, is rejected. Holds nothing personal and may be shown as it is."""

    row: int
    """The line of the file (CSV) or the row of the sheet (XLSX), from 1."""
    column: str
    """The header of the column as it stands in the file; empty when the whole row is meant."""
    value_masked: str
    reason_key: str
    """The reason's sentence in the catalogues."""
    reason_values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, not yet understood."""

    number: int
    """The line of the file (CSV) or the row of the sheet (XLSX), from 1."""
    cells: Mapping[str, Cell] = field(repr=False)
    """Every known field of the table and its cell; ``""`` where the cell is empty."""
    raw: tuple[Cell, ...] = field(repr=False)
    """All cells as they stand in the file, unknown columns included."""
    headers: Mapping[str, str] = field(repr=False)
    """Field to the header of its column, as it stands in the file."""
    problem: Problem | None = None
    """Set when the row could not be read at all; ``cells`` is empty then."""


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """One row as values."""

    number: int
    values: dict[str, object] = field(repr=False)
    """Field to value for every known column of the file, ``None`` where the cell is empty. A field whose column
    the file lacks is absent: nothing is known about it. A field with a problem is absent too."""
    problems: list[Problem]

    @property
    def ok(self) -> bool:
        """Whether the row can be accepted."""
        return not self.problems


def parse_row(kind: Kind, row: Row) -> ParsedRow:
    """Return the values of ``row`` in a file of that ``kind``; all problems of the row, not only the first."""
    if row.problem is not None:
        return ParsedRow(row.number, {}, [row.problem])
    values: dict[str, object] = {}
    problems: list[Problem] = []
    specs = kind.specs
    for name, cell in row.cells.items():
        if is_empty(cell):
            values[name] = None
            continue
        spec = specs.get(name)
        try:
            value = spec.read(cell, row.cells) if spec else parse_text(cell)
        except FieldError as error:
            problems.append(_problem(kind, row, name, cell, error))
        else:
            values[name] = None if value == "" else value  # nothing but invisible characters
    for group in kind.needs:
        if all(values.get(name) is None for name in group):
            problems += _missing(row, group, problems)
    return ParsedRow(row.number, values, problems)


def _problem(kind: Kind, row: Row, name: str, cell: Cell, error: FieldError) -> Problem:
    spec = kind.specs.get(name)
    # A column that is only kept may hold anything, so phone numbers in it are masked too.
    shown = masked(spec, cell_text(cell)) if spec is not None and spec.personal else mask_text(cell_text(cell))
    if len(shown) > SHOWN:
        shown = shown[: SHOWN - 1] + "…"
    return Problem(row.number, row.headers.get(name, name), shown, error.key, error.values)


def _missing(row: Row, group: tuple[str, ...], problems: list[Problem]) -> list[Problem]:
    headers = [row.headers[name] for name in group if name in row.headers]
    if any(problem.column in headers for problem in problems):
        return []  # there is a value, and its problem is told already
    column = " / ".join(headers or group)
    key = "import.missing" if len(group) == 1 else "import.missing_all"
    return [Problem(row.number, column, "", key, {"columns": column})]
