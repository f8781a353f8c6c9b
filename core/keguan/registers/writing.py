"""The lines of a register as a file in full, ready to be taken in again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from keguan.access import logged_rows
from keguan.errors import InputError, UsageError
from keguan.export import csv_lines, write_xlsx
from keguan.forms.values import shown_answer
from keguan.model.forms import Form
from keguan.queries.reader import Filters, Reader
from keguan.queries.registers import list_lines
from keguan.registers.keeping import find_register
from keguan.texts import text

__all__ = ["write_lines"]


def write_lines(reader: Reader, forms: Mapping[str, Form], name: str, filters: Filters, file: Path) -> int:
    """Write the lines that were not taken out to ``file`` (``.csv`` or ``.xlsx``) and return how many there are.

    Personal answers stand there in full: it is written to the access log, and only the file's owner can read it.
    Never overwrites. Raises ``UsageError`` and ``InputError``.
    """
    form = find_register(forms, name)
    if file.suffix.lower() not in (".csv", ".xlsx"):
        raise UsageError("registers.file_kind", file=file.name)
    if file.exists():
        raise UsageError("registers.file_exists", file=file.name)
    found = list_lines(reader, forms, name, filters, unmask=True)
    counted = _Counted(logged_rows(reader.store, found, what="registers export", now=reader.now))
    rows = _rows(reader, form, counted)
    try:
        file.touch(mode=0o600)
        if file.suffix.lower() == ".xlsx":
            write_xlsx(file, [(form.title.in_(reader.language), rows)])
        else:
            with file.open("w", encoding="utf-8", newline="") as handle:
                handle.writelines(csv_lines(rows))
    except OSError as error:
        raise InputError("registers.file_unwritable", file=file.name, cause=error.strerror or "") from error
    return counted.count


class _Counted:
    def __init__(self, rows: Iterator[dict[str, Any]]) -> None:
        self._rows, self.count = rows, 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self._rows:
            self.count += 1
            yield row


def _rows(reader: Reader, form: Form, lines: _Counted) -> Iterator[Sequence[object]]:
    language = reader.language
    yield [text(language, "registers.column.subject"), *(each.label.in_(language) for each in form.fields)]
    for line in lines:
        answers = line["answers"]
        shown = (shown_answer(each, answers.get(each.name), language, unmask=True) for each in form.fields)
        yield [line["subject"]["id"], *shown]
