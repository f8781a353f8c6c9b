"""Records of a worksheet: values as the workbook has them, merged cells filled downwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from keguan.errors import InputError
from keguan.intake.cells import Cell, CellError, Number1904
from keguan.intake.csv_tables import Record
from keguan.intake.xlsx_inspect import SheetFacts, WorkbookFacts

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

__all__ = ["Worksheet", "open_worksheet"]


class Worksheet:
    """One loaded worksheet."""

    def __init__(self, path: Path, sheet: CalamineSheet, facts: SheetFacts, *, date_1904: bool) -> None:
        self.path, self.facts = path, facts
        self._sheet, self._date_1904 = sheet, date_1904

    def records(self, fill_from: int | None = None) -> Iterator[Record]:
        """Yield the sheet's rows, numbered from 1.

        Behind row ``fill_from`` (from 1) a cell merged over several rows has its value in each of them: so do
        exports write what belongs to all rows of a contract.
        """
        down = self._merged_downwards(fill_from) if fill_from is not None else {}
        active: dict[int, tuple[Cell, int]] = {}
        left = self._sheet.start[1] if self._sheet.start else 0
        with _refused(self.path):
            for index, values in enumerate(self._sheet.iter_rows()):
                cells: list[Cell] = [""] * left + [self._cell(value) for value in values]
                if self.facts.errors:
                    self._mark_errors(index, cells)
                for column, last in down.pop(index, ()):
                    if column < len(cells):
                        active[column] = (cells[column], last)
                for column, (value, last) in list(active.items()):
                    if index > last:
                        del active[column]
                    elif cells[column] == "":
                        cells[column] = value
                yield Record(index + 1, cells)

    def _cell(self, value: Cell) -> Cell:
        if self._date_1904 and isinstance(value, float):
            return Number1904(value)
        return value

    def _mark_errors(self, index: int, cells: list[Cell]) -> None:
        for column, value in enumerate(cells):
            if value == "" and (error := self.facts.errors.get((index, column))):
                cells[column] = CellError(error)

    def _merged_downwards(self, fill_from: int) -> dict[int, list[tuple[int, int]]]:
        """Return first row to columns and last rows of the merged ranges below the header, all from 0."""
        down: dict[int, list[tuple[int, int]]] = {}
        for (top, left), (bottom, _) in self._sheet.merged_cell_ranges or ():
            if bottom > top >= fill_from:
                down.setdefault(top, []).append((left, bottom))
        return down


def open_worksheet(path: Path, workbook: WorkbookFacts, sheet: SheetFacts) -> Worksheet:
    """Return that sheet, loaded. Raises ``InputError`` when the library cannot read it."""
    from python_calamine import load_workbook  # noqa: PLC0415 - a daemon at rest reads no workbooks

    with _refused(path):
        book = load_workbook(str(path))
        return Worksheet(path, book.get_sheet_by_name(sheet.name), sheet, date_1904=workbook.date_1904)


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    """Turn whatever the library says of a damaged workbook, a panic of its Rust code included, into our error."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, InputError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise InputError("import.xlsx_damaged", file=path.name) from error
