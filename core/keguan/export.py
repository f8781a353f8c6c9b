"""Tables that leave keguan: CSV and XLSX in which no cell can act as a formula.

What customers type stands in these tables, and spreadsheets run what looks like a formula. In CSV a cell that
does gets an apostrophe in front, which the import takes off again; in XLSX every text is written as a text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

__all__ = ["SAFE_OPTIONS", "csv_lines", "plain_cell", "safe_cell", "unguarded", "write_xlsx"]

# What a spreadsheet takes for a formula: in full width too, behind blanks and invisible characters, and behind
# the apostrophes of texts that were guarded before. `'007` is guarded because the import reads it as 007.
_ACTS = re.compile(r"[\s'\ufeff\u200b]*[=+\-@＝＋－＠]|'*[\t\r\n]|'+[0-9]+\s*\Z")
_GUARDED = re.compile(r"[0-9]+\s*\Z")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
CELL_LIMIT = 32_767  # a cell of a workbook holds no more characters

SAFE_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "remove_timezone": True,
    "default_date_format": "yyyy-mm-dd",
}
"""The options of every workbook that leaves: no text becomes a formula, a link or a number."""


def safe_cell(value: object) -> str:
    """Return ``value`` as text for a CSV cell that a spreadsheet shows and never runs.

    Plain numbers stay as they are, negative ones and phone numbers such as ``+8613800138000`` included: they
    cannot act. ``None`` is empty.
    """
    text = "" if value is None else str(value)
    if _ACTS.match(text) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def unguarded(text: str) -> str:
    """Return what was given to :func:`safe_cell`, and ``007`` for ``'007``, as other systems guard zeros."""
    if text[:1] == "'" and (_ACTS.match(text, 1) or _GUARDED.match(text, 1)):
        return text[1:]
    return text


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield ``rows`` as the lines of a CSV file, safe to open in a spreadsheet, one after the other.

    The first line begins with a byte order mark, by which spreadsheets recognise UTF-8; write as UTF-8.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def write_xlsx(path: Path, sheets: Iterable[tuple[str, Iterable[Sequence[object]]]]) -> None:
    """Write ``sheets`` (name and rows) to ``path``, row by row in little memory.

    Texts stay texts, whatever they look like; numbers and dates are written as such; an aware ``datetime``
    loses its offset, so give it in the city's time. A text longer than a cell can hold raises ``ValueError``.
    """
    import xlsxwriter  # noqa: PLC0415 - 65 ms, needed by few commands

    with xlsxwriter.Workbook(str(path), {"constant_memory": True, **SAFE_OPTIONS}) as workbook:
        moments = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for name, rows in sheets:
            sheet = workbook.add_worksheet(name)
            for index, row in enumerate(rows):
                for column, value in enumerate(row):
                    _write(sheet, index, column, value, moments)


def _write(sheet: Worksheet, row: int, column: int, value: object, moments: Format) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, (int, float, Decimal)):
        sheet.write_number(row, column, value)
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, value, moments)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value)
    else:
        sheet.write_string(row, column, plain_cell(value))


def plain_cell(value: object) -> str:
    """Return ``value`` as a text for a workbook's cell, without what no workbook can hold.

    Raises ``ValueError`` for a text longer than a cell can hold.
    """
    text = _CONTROL.sub("", str(value))
    if len(text) > CELL_LIMIT:
        raise ValueError(f"a cell of a workbook holds {CELL_LIMIT} characters, not {len(text)}")
    return text
