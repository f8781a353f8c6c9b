"""What a cell of a table can hold, and how that reads as text."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

__all__ = ["Cell", "CellError", "Number1904", "cell_text", "is_empty"]


class CellError(str):
    """A formula that failed, such as ``#DIV/0!``: not empty, and not a text either."""

    __slots__ = ()


class Number1904(float):
    """A number of a workbook whose day 0 is 1 January 1904; read as a date it means another day."""

    __slots__ = ()


Cell = str | int | float | bool | date | datetime | time | timedelta
"""CSV cells are always ``str``; XLSX cells are what the workbook says they are."""

EXACT_DIGITS = 15  # a spreadsheet keeps no more digits of a number


def cell_text(cell: Cell) -> str:
    """Return what a person sees in the cell: ``13800138000`` for the number 13800138000.0."""
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        whole = cell.is_integer() and abs(cell) < 10**EXACT_DIGITS
        return str(int(cell)) if whole else repr(float(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return str(cell)


_BLANKS = " \t\r\n\u00a0\u3000\u200b\ufeff"


def is_empty(cell: Cell) -> bool:
    """Return whether the cell holds nothing but blanks."""
    # Most cells begin with something visible; that is quicker to see than to strip.
    return isinstance(cell, str) and (not cell or (cell[0] in _BLANKS and not cell.strip(_BLANKS)))
