"""The table of days that operators load: a year's notice, an amendment, a company's or a city's own days."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from keguan.calendar.days import DayRow, Scope
from keguan.errors import InputError

__all__ = ["CalendarTable", "TableError", "parse_table", "read_table"]

_HEADERS: Mapping[str, str] = {
    **dict.fromkeys(("date", "日期"), "date"),
    **dict.fromkeys(("working", "kind", "类型"), "working"),
    **dict.fromkeys(("name", "名称"), "name"),
}
_WORKING: Mapping[str, bool] = {
    **dict.fromkeys(("yes", "true", "1", "workday", "working", "工作日", "上班", "补班", "调休上班", "班", "是"), True),
    **dict.fromkeys(("no", "false", "0", "holiday", "off", "休息日", "放假", "节假日", "休息", "休", "否"), False),
}
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})-|/(\d{1,2})/|\.(\d{1,2})\.|年(\d{1,2})月)(\d{1,2})日?")
_YEARS = range(1950, 2101)
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class CalendarTable:
    """What a file says, ready to be stored."""

    rows: tuple[DayRow, ...]
    """One row for each date, in the order of dates."""
    announced_years: frozenset[int]
    """Years that are no longer provisional once this table is loaded."""


class TableError(InputError):
    """A table with wrong lines. ``errors`` has one error for each; nothing of the table is to be loaded."""

    def __init__(self, file: str, errors: tuple[InputError, ...]) -> None:
        super().__init__("calendar.table_wrong", file=file, count=len(errors), line=errors[0].values["line"])
        self.errors = errors


def read_table(path: Path, *, scope: Scope = "national") -> CalendarTable:
    """Return the table in the CSV file ``path``; see ``parse_table``.

    Raises ``InputError`` also when the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise InputError("calendar.table_unreadable", file=path.name, reason=problem.strerror) from None
    return parse_table(content, path.name, scope=scope)


def parse_table(content: bytes, file: str, *, scope: Scope = "national") -> CalendarTable:
    """Return what a table says; ``file`` is its name in errors, ``scope`` whose days they are.

    The table is CSV (comma, semicolon or tab) in UTF-8 with or without BOM, UTF-16 with BOM, or GB18030. Its
    header is ``date,working,name`` (or ``kind`` for ``working``), or 日期,类型,名称; the name may be missing.
    ``working`` is yes or no, true or false, 1 or 0, ``workday`` or ``holiday``, 工作日 or 休息日, 上班 or 放假.
    Dates begin with the year: 2027-02-05, 2027/2/5, 2027.2.5, 2027年2月5日. Empty lines and lines that begin
    with # are skipped.

    A *national* table announces a year when it gives at least one day off in it. A table that does so is meant to
    hold the whole notice for that year: every day off, weekends within a holiday included, and every make-up
    working day. Tables of a company or a city announce nothing.

    Raises ``InputError`` for a file that is no such table, ``TableError`` with one error per line for wrong lines.
    """
    rows: dict[date, tuple[int, DayRow]] = {}
    errors: list[InputError] = []
    for line, cells in _lines(_decoded(content, file), file):
        try:
            row = _row(cells, scope, file, line)
            _, first = rows.get(row.date, (line, row))
            if first.working != row.working:
                raise InputError(
                    "calendar.table_contradiction", file=file, line=line, value=row.date, first=rows[row.date][0]
                )
        except InputError as error:
            errors.append(error)
        else:
            rows.setdefault(row.date, (line, row))
    if errors:
        raise TableError(file, tuple(errors))
    if not rows:
        raise InputError("calendar.table_empty", file=file)
    days = tuple(row for _, row in sorted(rows.values(), key=lambda found: found[1].date))
    announced = frozenset(row.date.year for row in days if not row.working and scope == "national")
    return CalendarTable(days, announced)


def _decoded(content: bytes, file: str) -> str:
    """Return the text of the file. Guessers of encodings fail on short Chinese files; trying in order does not."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            decoded = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in decoded:
            return decoded
    raise InputError("calendar.table_encoding", file=file)


def _lines(content: str, file: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each line under the header with its number and its known cells."""
    head = next((line for line in content.splitlines() if line.strip() and not line.startswith("#")), "")
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] | None = None
    end = 0
    try:
        for raw in reader:
            line, end = end + 1, reader.line_num  # a quoted cell may go on over several lines
            cells = [unicodedata.normalize("NFKC", cell).strip() for cell in raw]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if columns is None:
                columns = [_HEADERS.get(cell.casefold(), "") for cell in cells]
                # The cells are not shown: in a file loaded by mistake they may be somebody's name.
                if columns.count("date") != 1 or columns.count("working") != 1:
                    raise InputError("calendar.table_header", file=file, line=line)
                continue
            yield line, dict(zip(columns, cells, strict=False))
    except csv.Error:
        raise InputError("calendar.table_csv", file=file, line=end + 1) from None
    if columns is None:
        raise InputError("calendar.table_empty", file=file)


def _row(cells: Mapping[str, str], scope: Scope, file: str, line: int) -> DayRow:
    """Return the row that a line says; raise ``InputError`` naming the first cell that is wrong."""
    written, kind = cells.get("date", ""), cells.get("working", "")
    day = _date(written)
    if day is None:
        raise InputError("calendar.table_date", file=file, line=line, value=written[:_SHOWN])
    working = _WORKING.get(kind.casefold())
    if working is None:
        raise InputError("calendar.table_working", file=file, line=line, value=kind[:_SHOWN])
    return DayRow(day, working, cells.get("name") or None, scope)


def _date(written: str) -> date | None:
    """Return the date that is written year first, or ``None`` for anything else."""
    found = _DATE.fullmatch(written)
    if found is None:
        return None
    year, *months, day = found.groups()
    try:
        parsed = date(int(year), int(next(filter(None, months))), int(day))
    except ValueError:
        return None
    return parsed if parsed.year in _YEARS else None
