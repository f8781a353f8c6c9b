"""The file of rejected rows: as they stood, with the reason behind each, ready to be corrected and imported."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from itertools import groupby
from pathlib import Path

from keguan.export import csv_lines
from keguan.intake.birthdays import parse_birthday
from keguan.intake.cells import Cell, Number1904, cell_text
from keguan.intake.dates import parse_date, parse_datetime
from keguan.intake.staging import Rejected
from keguan.intake.tables import Table
from keguan.texts import LANGUAGES, Language, text

__all__ = ["as_written", "is_rejected_file", "raw_row", "reason_headers", "rejected_path", "write_rejected"]

_DATES = (parse_date, parse_datetime, parse_birthday)
_EXACT = 10**15  # from here on a spreadsheet has rounded the digits
_ROUNDED_PHONE = 10**6


def rejected_path(path: Path) -> Path:
    """Return where the rejected rows of ``path`` are written."""
    return path.with_name(path.name + ".rejected.csv")


def reason_headers() -> dict[str, str]:
    """Return the headers of the column of reasons, as a mapping that makes an import ignore that column."""
    return {text(language, "apply.reason_header"): "" for language in LANGUAGES}


def is_rejected_file(table: Table) -> bool:
    """Return whether the table was written by :func:`write_rejected`."""
    return not reason_headers().keys().isdisjoint(table.headers)


def raw_row(table: Table, cells: Sequence[Cell]) -> str:
    """Return the cells of a row of ``table`` as a text to be kept until it is known whether it is rejected."""
    if all(type(cell) is str for cell in cells):
        return json.dumps(cells, ensure_ascii=False)
    return json.dumps(
        [as_written(cell, is_date=_is_date(table, column)) for column, cell in enumerate(cells)], ensure_ascii=False
    )


def _is_date(table: Table, column: int) -> bool:
    spec = table.columns.kind.specs.get(table.fields.get(column, ""))
    return spec is not None and spec.parser in _DATES


def as_written(cell: Cell, *, is_date: bool) -> str:
    """Return a workbook's cell as text that reads as the same value, or is refused for the same reason."""
    if isinstance(cell, (date, datetime)) and not is_date:
        return f"{cell.month}月{cell.day}日"  # what a spreadsheet made of 3-1 must not come back as an identifier
    if isinstance(cell, Number1904) and is_date:
        with suppress(Exception):
            return parse_date(cell).isoformat()
    if isinstance(cell, float) and not is_date and (abs(cell) >= _EXACT or _looks_rounded(cell)):
        return f"{cell:E}"
    return cell_text(cell)


def _looks_rounded(number: float) -> bool:
    """Whether it may be a phone number of which a spreadsheet has kept the first digits only."""
    return number >= 10**9 and number % _ROUNDED_PHONE == 0


def write_rejected(path: Path, table: Table, rejected: Iterable[Rejected], language: Language) -> Path | None:
    """Write the rejected rows of ``table``, which come by row, beside ``path``; return where, ``None`` for none.

    The file holds personal values as they stood, so only its owner can read it. A file that an earlier import
    of the same source left is replaced, or removed when nothing is rejected now.
    """
    target = rejected_path(path)
    source = iter(rejected)
    first = next(source, None)
    if first is None:
        with suppress(FileNotFoundError):
            target.unlink()
        return None

    def everything() -> Iterator[Rejected]:
        yield first
        yield from source

    draft = target.with_name(target.name + ".part")
    with suppress(FileNotFoundError):
        draft.unlink()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - the mode is set from the start
        file.writelines(csv_lines(_lines(table, everything(), language)))
    draft.replace(target)
    return target


def _lines(table: Table, rejected: Iterable[Rejected], language: Language) -> Iterator[list[str]]:
    ignored = reason_headers()
    kept = [column for column, name in enumerate(table.headers) if name not in ignored]
    yield [*(_header(table, column) for column in kept), text(language, "apply.reason_header")]
    for _, group in groupby(rejected, key=lambda one: one.problem.row):
        problems = list(group)
        cells = json.loads(problems[0].raw)
        cells += [""] * (len(table.headers) - len(cells))
        extra = cells[len(table.headers) :]
        reasons = "; ".join(_reason(one, language) for one in problems)
        yield [*(cells[column] for column in kept), reasons, *extra]


def _header(table: Table, column: int) -> str:
    """Return a column's header so that it is known again, also where it took two rows to name it."""
    name, field = table.headers[column], table.fields.get(column)
    found = table.columns.field(name)
    if field is None or table.columns.kind.others or (found is not None and found[0] == field):
        return name
    return table.columns.kind.headers[field][0]


def _reason(one: Rejected, language: Language) -> str:
    reason = text(language, one.problem.reason_key, **one.problem.reason_values)
    return f"{one.problem.column}: {reason}" if one.problem.column else reason
