"""Texts, identifiers and words in cells. A field parser takes one cell and returns a value or raises.

Empty cells never reach a parser. Parsers change only what carries no meaning (blanks at the ends, invisible
characters, full width in identifiers); what they cannot read for certain they refuse.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, time, timedelta
from functools import lru_cache

from keguan.errors import InputError
from keguan.export import unguarded
from keguan.intake.cells import EXACT_DIGITS, Cell, CellError, cell_text
from keguan.intake.vocabulary import normal_word, vocabulary

__all__ = [
    "CONTENT_LIMIT",
    "IDENTIFIER_LIMIT",
    "TEXT_LIMIT",
    "FieldError",
    "half_width",
    "parse_birthday_calendar",
    "parse_content",
    "parse_contract_status",
    "parse_fitting",
    "parse_identifier",
    "parse_text",
    "plain_text",
]

TEXT_LIMIT = 200
IDENTIFIER_LIMIT = 100
CONTENT_LIMIT = 10_000


class FieldError(InputError):
    """A cell cannot be read as what its column holds.

    ``key`` and ``values`` are the reason; they never hold the cell's content, which who reports it masks.
    """


# Anything that is not a plain visible character or a single inner blank: only such cells are cleaned.
_ODD = re.compile(
    r"[\x00-\x1f\x7f-\xa0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u3000\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff]|  |^ | $"
)
_BREAK = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_WRAPPED = re.compile(r'="([^"]*)"')
# Most identifiers; nothing that could be a date (1-Mar) or scientific notation (1E+10).
_PLAIN_IDENTIFIER = re.compile(r"[0-9A-Za-z]+(?:-[0-9]+)*")
_SCIENTIFIC = re.compile(r"[+-]?\d(?:\.\d+)?[eE]\+\d{1,3}")
_DAY_OF_MONTH = re.compile(
    r"\d{1,2}月\d{1,2}日|\d{1,2}-(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE
)
_HALF = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_KEPT = "\u200c\u200d"  # joiners shape emoji and some scripts; they matter in what people wrote


def half_width(text: str) -> str:
    """Return ``text`` with full-width letters, digits and punctuation as their usual forms."""
    return text if text.isascii() else text.translate(_HALF)


def plain_text(cell: Cell) -> str:
    """Return the cell as text, taken out of the wrapping that spreadsheets need to leave a text alone.

    Systems export ``="007"`` and ``'007`` so that a spreadsheet keeps the zeros; keguan itself puts an
    apostrophe before what looks like a formula. Raises :class:`FieldError` for a failed formula and for a text
    in which characters were lost.
    """
    if isinstance(cell, CellError):
        raise FieldError("import.cell_error", error=str(cell))
    text = cell_text(cell)
    wrapped = _WRAPPED.fullmatch(text.strip()) if text[:1] == "=" else None
    text = wrapped[1] if wrapped else unguarded(text)
    if "\ufffd" in text:
        raise FieldError("import.characters_lost")
    return text


def _clean(text: str, *, lines: bool) -> str:
    if not _ODD.search(text):
        return text
    text = _BREAK.sub("\n", text)
    kept = _KEPT if lines else ""
    text = "".join(
        char
        for char in text
        if char in "\n\t" or char in kept or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Cn")
    )
    if lines:
        return "\n".join(_SPACES.sub(" ", line).strip() for line in text.split("\n")).strip()
    return " ".join(text.split())


def _limited(text: str, limit: int) -> str:
    if len(text) > limit:
        raise FieldError("import.too_long", length=len(text), limit=limit)
    return text


def parse_text(cell: Cell, limit: int = TEXT_LIMIT) -> str:
    """Return a name or another single line: visible characters as they stand, blanks reduced to single spaces."""
    if type(cell) is str and len(cell) <= limit and not _ODD.search(cell) and cell[:1] not in ("=", "'", ""):
        if "\ufffd" in cell:
            raise FieldError("import.characters_lost")
        return cell
    if isinstance(cell, float) and not cell.is_integer() and abs(cell) >= 10**EXACT_DIGITS:
        raise FieldError("import.digits_lost")
    return _limited(_clean(plain_text(cell), lines=False), limit)


def parse_content(cell: Cell) -> str:
    """Return what somebody wrote, line breaks kept, up to 10,000 characters."""
    return _limited(_clean(plain_text(cell), lines=True), CONTENT_LIMIT)


def parse_identifier(cell: Cell) -> str:
    """Return a number or code that names something: text from the first byte to the last, in half width.

    Refused, never repaired: what a spreadsheet made a date (room ``3-1``), wrote in scientific notation or
    rounded to 15 digits.
    """
    if type(cell) is str and len(cell) <= IDENTIFIER_LIMIT and _PLAIN_IDENTIFIER.fullmatch(cell):
        return cell
    if isinstance(cell, (date, time, timedelta)):
        raise FieldError("import.identifier_became_date")
    if isinstance(cell, float) and (not cell.is_integer() or abs(cell) >= 10**EXACT_DIGITS):
        raise FieldError("import.digits_lost")
    text = half_width(parse_text(cell, IDENTIFIER_LIMIT)).strip()
    if _SCIENTIFIC.fullmatch(text):
        raise FieldError("import.digits_lost")
    if _DAY_OF_MONTH.fullmatch(text):
        raise FieldError("import.identifier_became_date")
    return text


@lru_cache(maxsize=1024)
def _meaning(field: str, text: str) -> str:
    meanings = vocabulary().values[field]
    try:
        return meanings[normal_word(text)]
    except KeyError:
        first: dict[str, str] = {}
        for word, value in meanings.items():
            first.setdefault(value, word)
        known = ", ".join(f"{word} ({value})" for value, word in first.items())
        raise FieldError("import.value_unknown", known=known) from None


def parse_fitting(cell: Cell) -> str:
    """Return ``fitted`` (精装) or ``bare`` (毛坯)."""
    return _meaning("fitting", parse_text(cell))


def parse_birthday_calendar(cell: Cell) -> str:
    """Return ``lunar`` (农历) or ``solar`` (公历)."""
    return _meaning("birthday_calendar", parse_text(cell))


def parse_contract_status(cell: Cell) -> str:
    """Return ``reserved`` (已认购), ``signed`` (已签约), ``cancelled`` (已退房) or ``transferred`` (已更名)."""
    return _meaning("status", parse_text(cell))
