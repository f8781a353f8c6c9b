"""How forms stand in a workbook: one sheet for each form, one more for its lines, and a hidden one that says what is
what. Written and read by the same rules."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from keguan.intake.vocabulary import normal_word
from keguan.model.forms import Form, FormField
from keguan.texts import LANGUAGES, Language, text

__all__ = [
    "LINE_CONTEXT",
    "LISTS",
    "MARK",
    "META",
    "ROW_CONTEXT",
    "SheetPart",
    "context_headers",
    "digest_of",
    "header",
    "read_headers",
    "sheet_names",
]

META, LISTS = "_keguan", "_lists"
MARK = "keguan tasks sheet 1"
"""The first cell of the hidden sheet: what wrote the workbook, and the version of this layout."""
ROW_CONTEXT = ("task", "what", "due", "customer", "contact")
"""The locked columns in front of the questions."""
LINE_CONTEXT = ("task", "what", "line")
_NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\'\x00-\x1f]")
_NAME_LIMIT = 31


@dataclass(frozen=True, slots=True)
class SheetPart:
    """One sheet of the workbook."""

    name: str
    kind: Literal["answers", "lines"]
    form: str
    """``PLUGIN.FORM``"""
    version: int


def sheet_names(forms: Mapping[str, Form], language: Language) -> list[SheetPart]:
    """Return the sheets for these forms, each name once and as a workbook takes it."""
    parts: list[SheetPart] = []
    taken = {META.casefold(), LISTS.casefold()}
    for full, form in forms.items():
        title = form.title.in_(language)
        kinds: tuple[Literal["answers", "lines"], ...] = ("answers", "lines") if form.lines else ("answers",)
        for kind in kinds:
            assert form.lines is not None or kind == "answers"
            wanted = title if kind == "answers" or form.lines is None else f"{title}·{form.lines.label.in_(language)}"
            parts.append(SheetPart(_free_name(wanted, taken), kind, full, form.version))
    return parts


def _free_name(wanted: str, taken: set[str]) -> str:
    plain = _NOT_IN_A_NAME.sub(" ", wanted).strip()[:_NAME_LIMIT] or "form"
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain[: _NAME_LIMIT - 4]} {number}"
    taken.add(name.casefold())
    return name


def header(field: FormField, language: Language) -> str:
    """Return what stands above a column; an asterisk marks what is always required."""
    unit = f" ({field.unit.in_(language)})" if field.unit else ""
    return f"{field.label.in_(language)}{unit}{' *' if field.required else ''}"


def read_headers(fields: Sequence[FormField], cells: Sequence[object]) -> dict[int, FormField]:
    """Return which column holds which field, in whatever order and language they stand; other columns are nobody's."""
    meant = {normal_word(header(field, language)): field for field in fields for language in LANGUAGES}
    columns: dict[str, int] = {}
    for column, cell in enumerate(cells):
        field = meant.get(normal_word(str(cell)))
        if field is not None:  # the last one counts: in front stand columns of ours
            columns[field.name] = column
    return {columns[field.name]: field for field in fields if field.name in columns}


def context_headers(names: Iterable[str], language: Language) -> list[str]:
    """Return what stands above the locked columns."""
    return [text(language, f"sheets.column.{name}") for name in names]


def digest_of(rows: Iterable[Sequence[object]]) -> str:
    """Return the digest by which the hidden sheet is known to be whole."""
    lines = "\n".join("\t".join(str(cell) for cell in row) for row in rows)
    return hashlib.sha256(lines.encode()).hexdigest()
