"""Whether answers fit their form: what was given wrongly, and what is still missing before an entry is complete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any

from keguan.forms.values import how_to_write, masked_cell, parse_answer
from keguan.intake.cells import Cell, is_empty
from keguan.intake.fields import FieldError
from keguan.model.forms import Form, FormField
from keguan.nearest import nearest

__all__ = ["Answers", "Mistake", "is_required", "read_answers", "read_filled", "what_is_missing"]

Answers = Mapping[str, Any]
"""By the field's name; a field without an answer is not in it."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One answer that cannot be taken, or is missing."""

    field: str
    """The field's name; empty for the lines as a whole."""
    reason: FieldError
    """What is wrong and how to write it; it never holds the value."""
    line: int | None = None
    """The number of the line, from 1; ``None`` outside of lines."""
    shown: str = ""
    """The value, masked where it is personal."""


def read_answers(
    fields: Sequence[FormField], given: Mapping[str, Cell], before: Answers, *, line: int | None = None
) -> tuple[dict[str, Any], list[Mistake]]:
    """Return ``before`` with what is ``given`` in it, and the mistakes; an empty value takes an answer away.

    A field that was given wrongly keeps its answer of before. Files are answered by attaching, not by values.
    """
    known = {field.name: field for field in fields}
    answers = dict(before)
    mistakes = []
    for name, cell in given.items():
        field = known.get(name)
        if field is None:
            near = nearest(name, known) or ", ".join(known)
            mistakes.append(Mistake(name, FieldError("forms.field_unknown", near=near), line))
        elif field.is_file:
            mistakes.append(Mistake(name, FieldError("forms.field_is_file", field=name), line))
        elif is_empty(cell):
            answers.pop(name, None)
        else:
            try:
                answers[name] = parse_answer(field, cell)
            except FieldError as wrong:
                mistakes.append(Mistake(name, wrong, line, masked_cell(field, cell)))
    return {name: answers[name] for name in known if name in answers}, mistakes


def read_filled(
    form: Form, given: Mapping[str, object], lines: Sequence[Mapping[str, object]]
) -> tuple[dict[str, Any], list[dict[str, Any]], list[Mistake]]:
    """Return answers and lines that a program puts into an empty form as they are stored, and what does not fit.

    Values are read as those of people are; of several choices a list of names, of money a ``Decimal`` fits too.
    Answers may be missing; lines beyond those the form has room for, or two with one key, do not fit.
    """
    answers, mistakes = _read_values(form.fields, given, None)
    table: list[dict[str, Any]] = []
    if form.lines is None:
        if lines:
            mistakes.append(Mistake("", FieldError("forms.lines_none")))
        return answers, table, mistakes
    for number, line in enumerate(lines, start=1):
        if number > form.lines.most:
            mistakes.append(Mistake("", FieldError("forms.lines_many", found=len(lines), most=form.lines.most)))
            break
        values, unfit = _read_values(form.lines.fields, line, number)
        mistakes += unfit
        table.append(values)
    if form.lines.key is not None:
        keyed = {number: line for number, line in enumerate(table, start=1) if form.lines.key in line}
        mistakes += _twice(form.lines.key, keyed)
    return answers, table, mistakes


def _read_values(
    fields: Sequence[FormField], given: Mapping[str, object], line: int | None
) -> tuple[dict[str, Any], list[Mistake]]:
    cells: dict[str, Cell] = {}
    mistakes = []
    for name, value in given.items():
        if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            cells[name] = ";".join(value)
        elif isinstance(value, Decimal):
            cells[name] = str(value)
        elif isinstance(value, str | int | float | date | time):
            cells[name] = value
        elif value is not None:
            mistakes.append(Mistake(name, FieldError("forms.value_kind", kind=type(value).__name__), line))
    answers, wrong = read_answers(fields, cells, {}, line=line)
    return answers, [*mistakes, *wrong]


def is_required(field: FormField, answers: Answers) -> bool:
    """Return whether ``field`` must be answered, given the other answers of its table."""
    if field.required or field.required_when is None:
        return field.required
    other, wanted = answers.get(field.required_when.field), field.required_when.equals
    return wanted in other if isinstance(other, list) else type(other) is type(wanted) and other == wanted


def what_is_missing(form: Form, answers: Answers, lines: Sequence[Answers]) -> list[Mistake]:
    """Return what must still be answered before the entry is complete."""
    return [*_missing(form.fields, answers, None), *_lines(form, lines)]


def _missing(fields: Sequence[FormField], answers: Answers, line: int | None) -> Iterator[Mistake]:
    for field in fields:
        if not is_required(field, answers):
            continue
        answer = answers.get(field.name)
        if field.is_file:
            if len(answer or ()) < field.count:
                reason = FieldError("forms.files_missing", count=field.count - len(answer or ()), field=field.name)
                yield Mistake(field.name, reason, line)
        elif answer is None or answer == []:
            yield Mistake(field.name, FieldError("forms.answer_missing", how=how_to_write(field)), line)


def _lines(form: Form, lines: Sequence[Answers]) -> Iterator[Mistake]:
    table = form.lines
    if table is None:
        return
    filled = {number: line for number, line in enumerate(lines, start=1) if line}
    for number, line in filled.items():
        yield from _missing(table.fields, line, number)
    if len(filled) < table.least:
        yield Mistake("", FieldError("forms.lines_few", found=len(filled), least=table.least))
    if len(filled) > table.most:
        yield Mistake("", FieldError("forms.lines_many", found=len(filled), most=table.most))
    if table.key is not None:
        yield from _twice(table.key, filled)


def _twice(key: str, lines: Mapping[int, Answers]) -> Iterator[Mistake]:
    count = Counter(line[key] for line in lines.values() if key in line)
    for number, line in lines.items():
        if key not in line:
            yield Mistake(key, FieldError("forms.line_key_missing"), number)
        elif count[line[key]] > 1:
            first = next(other for other, one in lines.items() if one.get(key) == line[key])
            if first != number:
                yield Mistake(key, FieldError("forms.line_twice", first=first), number)
