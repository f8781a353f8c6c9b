"""ID numbers and e-mail addresses in cells."""

from __future__ import annotations

import re
from datetime import date

from keguan.intake.cells import EXACT_DIGITS, Cell
from keguan.intake.fields import FieldError, half_width, parse_identifier, parse_text

__all__ = ["parse_email", "parse_id_no"]

ID_LIMIT = 40
EMAIL_LIMIT = 254  # RFC 5321, 4.5.3.1.3

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999, 5.2
_CHECK = "10X98765432"
_RESIDENT = re.compile(r"[1-9][0-9]{16}[0-9X]")
_OTHER = re.compile(r"[^\W_](?:[\w()/. -]*[\w)])?")
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)


def parse_id_no(cell: Cell) -> str:
    """Return an ID number: a resident's number of 18 characters with a right check digit (GB 11643-1999) and
    a possible birthday, or the number of a passport, permit or licence as text of 5 to 40 characters."""
    if isinstance(cell, float) and abs(cell) >= 10**EXACT_DIGITS:
        raise FieldError("import.digits_lost")
    text = parse_identifier(cell).upper().replace(" ", "")
    if "*" in text:
        raise FieldError("import.value_masked")
    if _RESIDENT.fullmatch(text):
        _check_resident(text)
    elif len(text) > ID_LIMIT or len(text) < 5 or not _OTHER.fullmatch(text):
        raise FieldError("import.id_no_invalid")
    elif text.isdigit() and len(text) > EXACT_DIGITS:
        raise FieldError("import.id_no_length", length=len(text))
    return text


def _check_resident(text: str) -> None:
    total = sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False))
    if _CHECK[total % 11] != text[-1]:
        raise FieldError("import.id_no_check_digit")
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        raise FieldError("import.id_no_birthday") from None


def parse_email(cell: Cell) -> str:
    """Return an address to which mail can be sent: one, without a display name."""
    text = half_width(parse_text(cell)).strip().removeprefix("mailto:")
    if len(re.findall("@", text)) > 1:
        raise FieldError("import.email_several")
    if "***" in text:
        raise FieldError("import.value_masked")
    local = text.partition("@")[0]
    if len(text) > EMAIL_LIMIT or not _EMAIL.fullmatch(text) or local[:1] == "." or local[-1:] == "." or ".." in local:
        raise FieldError("import.email_invalid")
    return text
