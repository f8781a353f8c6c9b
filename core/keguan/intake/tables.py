"""Opening a file and finding the table in it: the header, its columns, and the rows that are rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from keguan.errors import InputError
from keguan.intake.body import Judge
from keguan.intake.columns import ColumnMap, Header, find_header
from keguan.intake.csv_tables import DELIMITERS, Record, csv_records
from keguan.intake.encodings import inspect_text
from keguan.intake.rows import Problem, Row
from keguan.intake.xlsx_inspect import XlsxLimits, inspect_workbook
from keguan.intake.xlsx_tables import open_worksheet

__all__ = ["Notice", "Table", "open_table"]

PREVIEW = 60  # records in which the header is looked for
ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning about a file: the key of its sentence in the catalogues and the values that fill it."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Table:
    """The table in a file. Iterate over it for its rows, as often as needed; nothing is kept in memory."""

    path: Path
    encoding: str
    """Of a text file; ``xlsx`` for a workbook."""
    delimiter: str | None
    """``None`` for a workbook."""
    sheet: str | None
    """The worksheet read; ``None`` for a text file."""
    header_row: int
    """The line or row of the header, from 1."""
    headers: tuple[str, ...]
    """The name of every column as the file has it."""
    fields: Mapping[int, str]
    """Column, from 0, to field."""
    dropped_columns: list[str]
    columns: ColumnMap = field(repr=False)
    _header: Header = field(repr=False)
    _records: Callable[[], Iterator[Record]] = field(repr=False)
    _notices: list[Notice] = field(repr=False)
    _skipped: Counter[str] = field(default_factory=Counter, repr=False)

    @property
    def notices(self) -> list[Notice]:
        """What a report must say about the file; complete after an iteration."""
        counted = [Notice(key, {"count": count}) for key, count in sorted(self._skipped.items())]
        return self._notices + counted

    def __iter__(self) -> Iterator[Row]:
        self._skipped.clear()
        headers = {name: self.headers[column] for column, name in self.fields.items()}
        places = list(self.fields.items())
        width = len(self.headers)
        judge = Judge(self._header, self.columns, ragged=self.delimiter is not None, counts=self._skipped)
        for record in islice(self._records(), self._header.index, None):
            cells = record.cells
            if record.reason is not None:
                yield _broken(record, record.reason, record.values, headers)
                continue
            if judge.skips(cells):
                continue
            if len(cells) > width and judge.overflows(cells):
                values = {"expected": width, "found": len(cells)}
                yield _broken(record, "import.too_many_cells", values, headers)
                continue
            if judge.nameless:
                judge.notes_nameless(cells)
            if len(cells) < width:
                cells = [*cells, *[""] * (width - len(cells))]
            yield Row(record.number, {name: cells[column] for column, name in places}, tuple(record.cells), headers)


def open_table(path: Path, *, columns: ColumnMap, limits: XlsxLimits | None = None) -> Table:
    """Return the table in ``path``, found by what the file contains and not by its name.

    ``columns`` says which headers are known; ``limits`` bounds workbooks, text files are streamed.

    Raises ``InputError`` when the file cannot be read as a whole: missing, empty, another format, an unknown
    or changing encoding, too large a workbook, no header, a needed column missing, two columns for one field.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(ZIP))
        return _open_workbook(path, columns, limits or XlsxLimits()) if magic == ZIP else _open_text(path, columns)
    except OSError as error:
        raise InputError(
            "import.file_unreadable", file=path.name, cause=error.strerror or type(error).__name__
        ) from error


def _open_text(path: Path, columns: ColumnMap) -> Table:
    text = inspect_text(path)
    best: tuple[int, str, Header] | None = None
    for delimiter in DELIMITERS:
        preview = [
            (record.number, record.cells if record.reason is None else [])
            for record in islice(csv_records(path, text, delimiter), PREVIEW)
        ]
        header = find_header(preview, columns)
        if header is not None and (best is None or len(header.fields) > best[0]):
            best = len(header.fields), delimiter, header
    if best is None:
        raise InputError("import.no_header", file=path.name, rows=PREVIEW, names=columns.looked_for())
    _, delimiter, header = best

    def records() -> Iterator[Record]:
        return csv_records(path, text, delimiter, len(header.names))

    return _table(path, columns, header, records, encoding=text.encoding, delimiter=delimiter)


def _open_workbook(path: Path, columns: ColumnMap, limits: XlsxLimits) -> Table:
    workbook = inspect_workbook(path, limits)
    visible = [facts for facts in workbook.sheets if facts.visible and facts.values]
    if not visible:
        raise InputError("import.file_empty", file=path.name)
    for facts in visible:
        sheet = open_worksheet(path, workbook, facts)
        preview = [(record.number, record.cells) for record in islice(sheet.records(), PREVIEW)]
        header = find_header(preview, columns)
        if header is not None:
            break
    else:
        raise InputError("import.no_header", file=path.name, rows=PREVIEW, names=columns.looked_for())
    others = [other.name for other in workbook.sheets if other is not facts and (other.values > 3 or not other.visible)]
    notices = (
        [Notice("import.notice_other_sheets", {"sheet": facts.name, "others": ", ".join(others)})] if others else []
    )
    fill_from = header.index

    def records() -> Iterator[Record]:
        return sheet.records(fill_from)

    return _table(path, columns, header, records, encoding="xlsx", sheet=facts.name, notices=notices)


def _table(
    path: Path,
    columns: ColumnMap,
    header: Header,
    records: Callable[[], Iterator[Record]],
    *,
    encoding: str,
    delimiter: str | None = None,
    sheet: str | None = None,
    notices: list[Notice] | None = None,
) -> Table:
    present = set(header.fields.values())
    for group in columns.kind.needs:
        if not present.intersection(group):
            names = " / ".join(columns.kind.headers[name][0] for name in group)
            raise InputError("import.column_missing", file=path.name, row=header.number, names=names)
    return Table(
        path=path,
        encoding=encoding,
        delimiter=delimiter,
        sheet=sheet,
        header_row=header.number,
        headers=header.names,
        fields=header.fields,
        dropped_columns=list(header.dropped),
        columns=columns,
        _header=header,
        _records=records,
        _notices=notices or [],
    )


def _broken(record: Record, reason: str, values: Mapping[str, object], headers: Mapping[str, str]) -> Row:
    # What stands in which column is not certain, so nothing of the row can be shown masked: its number must do.
    problem = Problem(record.number, "", "", reason, values)
    return Row(record.number, {}, tuple(record.cells), headers, problem)
