"""Sums of money and areas in cells."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from keguan.intake.cells import Cell
from keguan.intake.fields import FieldError, half_width, parse_text

__all__ = ["parse_area", "parse_money"]

FEN = Decimal("0.01")
MONEY_LIMIT = Decimal(10) ** 12
AREA_LIMIT = Decimal(10) ** 9

_PLAIN_SUM = re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,2})?")
_NUMBER = re.compile(r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*(?P<scale>万|亿)?")
_MONEY_UNIT = re.compile(r"^(?:人民币|rmb|cny|[¥￥])\s*|\s*(?:元整|元|rmb|cny)$", re.IGNORECASE)
_AREA_UNIT = re.compile(r"\s*(?:㎡|m2|m²|平方米|平米|平方)$", re.IGNORECASE)
_SCALE = {None: 1, "万": 10_000, "亿": 100_000_000}


def parse_money(cell: Cell) -> Decimal:
    """Return yuan, rounded half up to the fen: a spreadsheet's 1234567.8900000001 is 1234567.89.

    Thousands separators, the currency's sign and 万 are understood; negative sums and other units are not.
    """
    if type(cell) is str and _PLAIN_SUM.fullmatch(cell):
        return Decimal(cell).quantize(FEN)
    value = _number(cell, _MONEY_UNIT, MONEY_LIMIT, "import.money_unreadable")
    return value.quantize(FEN, rounding=ROUND_HALF_UP)


def parse_area(cell: Cell) -> float:
    """Return square metres, more than none."""
    value = _number(cell, _AREA_UNIT, AREA_LIMIT, "import.area_unreadable")
    if not value:
        raise FieldError("import.area_unreadable")
    return float(value)


def _number(cell: Cell, unit: re.Pattern[str], limit: Decimal, reason: str) -> Decimal:
    if isinstance(cell, (bool, date, time, timedelta)):
        raise FieldError(reason)
    if isinstance(cell, (int, float)):
        text = format(Decimal(repr(float(cell))), "f")
    else:
        text = half_width(parse_text(cell)).strip()
        text = unit.sub("", unit.sub("", text)).strip()
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise FieldError(reason)
    value = Decimal(found["number"].replace(",", "")) * _SCALE[found["scale"]]
    if value >= limit:
        raise FieldError(reason)
    return value
