"""Phone numbers in cells, as E.164."""

from __future__ import annotations

import re
from functools import cache, lru_cache

import phonenumbers

from keguan.intake.cells import Cell
from keguan.intake.fields import FieldError, half_width, parse_text

__all__ = ["is_mobile", "parse_phone"]

REGION = "CN"

_PLAIN_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_SCIENTIFIC = re.compile(r"[+-]?\d(?:\.\d+)?[eE]\+?\d{1,3}")
# Two runs of at least seven digits with a separator that is no part of a number between them.
_SEVERAL = re.compile(
    r"\d[\d\s()-]{5,}\d\s*(?:[/,;|、，；及或和&\n]|\\)\s*(?:\+|[(]?\d)|1[3-9]\d{9}\D+1[3-9]\d{9}|(?<!\d)1[3-9]\d{9}1[3-9]\d{9}(?!\d)"
)
_EXTENSION = re.compile(r"\d\s*(?:转|分机|ext\.?|x)\s*\d+$|^0\d{2,3}-?\d{7,8}-\d{1,6}$", re.IGNORECASE)
_MOBILE_TYPES = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
_ROUNDED = 10**6


@cache
def _prefix_is_mobile(prefix: str) -> bool:
    """Whether mobile numbers begin with these five digits: all that decides it in China (7,000 at most)."""
    number = phonenumbers.parse(prefix + "000000", REGION)
    return phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) in _MOBILE_TYPES


def parse_phone(cell: Cell) -> str:
    """Return the number as E.164, such as ``+8613800138000``; without a country code it is China's.

    Refused with a reason of its own: what a spreadsheet turned into ``1.38E+10`` or rounded (digits are gone,
    so it is never repaired), several numbers in one cell, an extension, a masked number.
    """
    if isinstance(cell, float) and cell >= 10**9 and (not cell.is_integer() or cell % _ROUNDED == 0):
        raise FieldError("import.phone_destroyed")
    if type(cell) is str and _PLAIN_MOBILE.fullmatch(cell) and _prefix_is_mobile(cell[:5]):
        return "+86" + cell
    return _parse(half_width(parse_text(cell)).strip())


@lru_cache(maxsize=4096)
def _parse(text: str) -> str:
    if _PLAIN_MOBILE.fullmatch(text) and _prefix_is_mobile(text[:5]):
        return "+86" + text
    if _SCIENTIFIC.fullmatch(text):
        raise FieldError("import.phone_destroyed")
    if "*" in text:
        raise FieldError("import.value_masked")
    if _SEVERAL.search(text):
        raise FieldError("import.phone_several")
    if _EXTENSION.search(text):
        raise FieldError("import.phone_extension")
    if re.search(r"[^\d\s()+.-]", text):
        raise FieldError("import.phone_invalid")
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        raise FieldError("import.phone_invalid") from None
    if not phonenumbers.is_valid_number(number):
        raise FieldError("import.phone_invalid")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=4096)
def is_mobile(e164: str) -> bool:
    """Return whether the number can receive an SMS; landlines and 400 numbers cannot."""
    if e164.startswith("+86") and _PLAIN_MOBILE.fullmatch(e164[3:]):
        return _prefix_is_mobile(e164[3:8])
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(number) in _MOBILE_TYPES
