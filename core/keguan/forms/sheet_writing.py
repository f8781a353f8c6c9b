"""Writes forms into a workbook that people fill in with any spreadsheet program. No text in it can act as a formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any

from keguan.forms.sheet_layout import (
    LINE_CONTEXT,
    LISTS,
    MARK,
    META,
    ROW_CONTEXT,
    SheetPart,
    context_headers,
    digest_of,
    header,
    sheet_names,
)
from keguan.forms.values import how_to_write, shown_answer
from keguan.model.forms import Form, FormField
from keguan.texts import Language, text

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

__all__ = ["SheetRow", "write_sheets"]

_SPARE_LINES = 20
"""Empty lines below those there are; who needs more imports the sheet and writes another one."""
_TEXTS = ("text", "long_text", "phone", "email", "person", "choices")
_FORMATS = {"date": "yyyy-mm-dd", "time": "hh:mm", "money": "#,##0.00"}
_PROMPT, _PROMPT_TITLE = 255, 32  # a spreadsheet takes no more characters


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One paper to fill in: what it is about, and the answers so far."""

    task: int
    form: str
    what: str
    due: date
    customer: str | None
    contact: str | None
    answers: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]


def write_sheets(rows: Sequence[SheetRow], forms: Mapping[str, Form], language: Language) -> bytes:
    """Return a workbook with a sheet for each form of ``rows``, and one for its lines where it has some.

    Choices are lists, dates are dates, identifiers and phones are texts; what keguan wrote in front is locked. A
    hidden sheet says which form in which version, and which tasks.
    """
    import xlsxwriter  # noqa: PLC0415 - 65 ms, needed by few commands

    used = {row.form: forms[row.form] for row in rows}
    parts = sheet_names(used, language)
    out = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as workbook:
        writer = _Writer(workbook, language)
        for part in parts:
            mine = [row for row in rows if row.form == part.form]
            writer.part(part, used[part.form], mine)
        writer.hidden(parts, rows)
    return out.getvalue()


class _Writer:
    def __init__(self, workbook: Workbook, language: Language) -> None:
        self._book = workbook
        self._language = language
        self._head = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#D9E2EC"})
        self._must = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#FFE8B3"})
        self._ours = workbook.add_format({"font_color": "#555555", "bg_color": "#F2F2F2", "num_format": "@"})
        self._ours_day = workbook.add_format(
            {"font_color": "#555555", "bg_color": "#F2F2F2", "num_format": "yyyy-mm-dd"}
        )
        self._open = {
            form: workbook.add_format({"locked": False, "num_format": form, "text_wrap": True, "valign": "top"})
            for form in ("@", "General", *_FORMATS.values())
        }
        self._lists: list[list[str]] = []

    # --- Visible sheets ------------------------------------------------------------------------------------------

    def part(self, part: SheetPart, form: Form, rows: Sequence[SheetRow]) -> None:
        """Write one visible sheet."""
        sheet = self._book.add_worksheet(part.name)
        lines = part.kind == "lines" and form.lines is not None
        context = LINE_CONTEXT if lines else ROW_CONTEXT
        fields = form.lines.fields if lines and form.lines else form.questions
        for column, title in enumerate(context_headers(context, self._language)):
            sheet.write_string(0, column, title, self._head)
        for column, field in enumerate(fields, start=len(context)):
            sheet.write_string(0, column, header(field, self._language), self._must if field.required else self._head)
        last = self._lines(sheet, form, rows) if lines else self._answers(sheet, form, rows)
        for column, field in enumerate(fields, start=len(context)):
            wide = 40 if field.type == "long_text" else 18
            sheet.set_column(column, column, wide)
            self._validate(sheet, field, column, last)
        sheet.set_column(1, 1, 34)
        sheet.freeze_panes(1, 2)
        sheet.protect("", {"format_columns": True, "format_rows": True, "sort": True, "autofilter": True})

    def _answers(self, sheet: Worksheet, form: Form, rows: Sequence[SheetRow]) -> int:
        for index, row in enumerate(rows, start=1):
            sheet.write_string(index, 0, str(row.task), self._ours)
            sheet.write_string(index, 1, row.what, self._ours)
            sheet.write_datetime(index, 2, row.due, self._ours_day)
            sheet.write_string(index, 3, row.customer or "", self._ours)
            sheet.write_string(index, 4, row.contact or "", self._ours)
            for column, field in enumerate(form.questions, start=len(ROW_CONTEXT)):
                self._cell(sheet, index, column, field, row.answers.get(field.name))
        return len(rows)

    def _lines(self, sheet: Worksheet, form: Form, rows: Sequence[SheetRow]) -> int:
        table = form.lines
        assert table is not None
        index = 0
        for row in rows:
            there = len(row.lines)
            for number in range(1, min(max(there, table.least) + _SPARE_LINES, max(table.most, there)) + 1):
                index += 1
                line = row.lines[number - 1] if number <= there else {}
                sheet.write_string(index, 0, str(row.task), self._ours)
                sheet.write_string(index, 1, row.what, self._ours)
                sheet.write_string(index, 2, str(number), self._ours)
                for column, field in enumerate(table.fields, start=len(LINE_CONTEXT)):
                    ours = table.prefill is not None and field.name == table.key and field.name in line
                    self._cell(sheet, index, column, field, line.get(field.name), locked=ours)
        return index

    def _cell(
        self, sheet: Worksheet, row: int, column: int, field: FormField, answer: Any, *, locked: bool = False
    ) -> None:
        how = self._ours if locked else self._open[self._format(field)]
        if answer is None or answer == []:
            sheet.write_blank(row, column, None, how)
        elif field.type in ("number", "money", "rating"):
            sheet.write_number(row, column, Decimal(str(answer)), how)
        elif field.type == "date":
            sheet.write_datetime(row, column, date.fromisoformat(answer), how)
        elif field.type == "time":
            sheet.write_datetime(row, column, time.fromisoformat(answer), how)
        else:
            sheet.write_string(row, column, shown_answer(field, answer, self._language, unmask=True), how)

    @staticmethod
    def _format(field: FormField) -> str:
        return _FORMATS.get(field.type, "@" if field.type in _TEXTS else "General")

    # --- What a cell takes -----------------------------------------------------------------------------------------

    def _validate(self, sheet: Worksheet, field: FormField, column: int, last: int) -> None:
        if not last:
            return
        how = text(self._language, "forms.reason", reason=how_to_write(field))
        asked = f"{field.help.in_(self._language)} {how}" if field.help else how
        rule: dict[str, Any] = {"validate": "any"}
        if field.type in ("choice", "yes_no"):
            rule = {"validate": "list", "source": self._list(field)}
        elif field.type == "date":
            rule = {
                "validate": "date",
                "criteria": "between",
                "minimum": date(1900, 1, 2),
                "maximum": date(2199, 12, 31),
            }
        elif field.type == "rating":
            rule = {"validate": "integer", "criteria": "between", "minimum": 1, "maximum": field.best}
        elif field.type in ("number", "money") and field.least is not None and field.most is not None:
            kind = "integer" if field.type == "number" and not field.decimals else "decimal"
            rule = {
                "validate": kind,
                "criteria": "between",
                "minimum": float(field.least),
                "maximum": float(field.most),
            }
        title = field.label.in_(self._language)[:_PROMPT_TITLE]
        sheet.data_validation(
            1,
            column,
            last,
            column,
            rule
            | {
                "input_title": title,
                "input_message": asked[:_PROMPT],
                "error_title": title,
                "error_message": how[:_PROMPT],
            },
        )

    def _list(self, field: FormField) -> str:
        """Keep the words of a choice for the hidden sheet of lists and return where they stand there."""
        from xlsxwriter.utility import xl_col_to_name  # noqa: PLC0415 - with the library

        words = [each.label.in_(self._language) for each in field.choices]
        words = words or [text(self._language, "forms.yes"), text(self._language, "forms.no")]
        if words not in self._lists:
            self._lists.append(words)
        column = xl_col_to_name(self._lists.index(words))
        return f"='{LISTS}'!${column}$1:${column}${len(words)}"

    def hidden(self, parts: Sequence[SheetPart], rows: Sequence[SheetRow]) -> None:
        """Write the lists of choices, and what is what."""
        lists = self._book.add_worksheet(LISTS)
        for column, words in enumerate(self._lists):
            lists.write_column(0, column, words)
        lists.hide()
        facts: list[tuple[object, ...]] = [("sheet", p.name, p.kind, p.form, str(p.version)) for p in parts]
        facts += [("task", str(row.task), row.form, "", "") for row in rows]
        meta = self._book.add_worksheet(META)
        meta.write_row(0, 0, (MARK, digest_of(facts)))
        for index, fact in enumerate(facts, start=1):
            meta.write_row(index, 0, fact)
        meta.very_hidden()
