"""Birthdays in cells: days of the common calendar, or of the lunar one where the cell or the column beside says so."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from keguan.calendar.lunar import FIRST_YEAR, LAST_YEAR, to_solar
from keguan.errors import InputError
from keguan.intake.cells import Cell, is_empty
from keguan.intake.dates import parse_date
from keguan.intake.fields import FieldError, half_width, parse_birthday_calendar, parse_text

__all__ = ["Birthday", "parse_birthday"]

_MARK = r"[\[(]?\s*(?P<mark>农历|阴历|旧历|lunar|公历|阳历|新历|solar)\s*[\])]?"
_BEFORE = re.compile(_MARK + r"\s*:?\s*(?P<rest>.+)", re.IGNORECASE)
_BEHIND = re.compile(r"(?P<rest>.+?)\s*" + _MARK, re.IGNORECASE)
_LUNAR_MARKS = ("农历", "阴历", "旧历", "lunar")
_DIGITS = re.compile(
    r"(?P<year>\d{4})\s*[-/.年]\s*(?P<leap>闰?)\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*[日号]?"
)
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<leap>)(?P<month>\d{2})(?P<day>\d{2})")
_ONES = "一二三四五六七八九"
_WORDS = re.compile(
    r"(?P<year>[\d〇零一二三四五六七八九]{4})年\s*(?P<leap>闰?)\s*(?P<month>正|冬|腊|十[一二]?|[一二三四五六七八九]|\d{1,2})月\s*"
    r"(?P<day>初[一二三四五六七八九十]|二?十[一二三四五六七八九]?|廿[一二三四五六七八九]?|三十|\d{1,2})[日号]?"
)
_UNMISTAKABLE = re.compile(r"闰|[正冬腊]月|月初[一二三四五六七八九十]|廿")
_DIGIT_OF = {ord(char): str(n) for n, char in enumerate("〇" + _ONES)} | {ord("零"): "0"}
_MONTHS = {"正": 1, "十": 10, "十一": 11, "冬": 11, "十二": 12, "腊": 12} | {one: n for n, one in enumerate(_ONES, 1)}


@dataclass(frozen=True, slots=True)
class Birthday:
    """A day of birth, and by which calendar it is celebrated."""

    day: date = field(repr=False)
    """In the common calendar."""
    lunar: bool | None = None
    """``None``: nothing is said, what is recorded stays."""

    def isoformat(self) -> str:
        """Return it as text, see :meth:`fromisoformat`."""
        return self.day.isoformat() + {None: "", True: "L", False: "S"}[self.lunar]

    @classmethod
    def fromisoformat(cls, written: str) -> Self:
        """Return what :meth:`isoformat` wrote."""
        return cls(date.fromisoformat(written[:10]), {"": None, "L": True, "S": False}[written[10:]])


def parse_birthday(cell: Cell, calendar: Cell = "") -> Birthday:
    """Return the birthday in ``cell``; ``calendar`` is what the column beside it says of the calendar.

    Lunar are ``农历1980-05-05``, ``1980年五月初五(农历)``, ``lunar 1980-05-05``, ``1980年闰四月初三`` and, beside a
    column that says 农历, every way of writing a date. Raises ``FieldError``, also for a day that the lunar calendar
    does not have and where cell and column disagree.
    """
    text, marked = _marked(half_width(parse_text(cell)).strip() if isinstance(cell, str) else None)
    beside = None if is_empty(calendar) else parse_birthday_calendar(calendar) == "lunar"
    if marked is not None and beside is not None and marked != beside:
        raise FieldError("import.birthday_calendars")
    lunar = beside if marked is None else marked
    if not lunar:
        return Birthday(parse_date(cell if text is None else text), lunar)
    year, month, day, leap = _numbers(cell if text is None else text)
    try:
        return Birthday(to_solar(year, month, day, leap), lunar=True)
    except InputError:
        raise FieldError("import.date_lunar", earliest=FIRST_YEAR, latest=LAST_YEAR) from None


def _marked(text: str | None) -> tuple[str | None, bool | None]:
    """Return ``text`` without the calendar's name, and whether it is a lunar date; ``None`` where it does not say."""
    if text is None:
        return None, None
    if found := _BEFORE.fullmatch(text) or _BEHIND.fullmatch(text):
        return found["rest"].strip(), found["mark"].casefold() in _LUNAR_MARKS
    return text, True if _UNMISTAKABLE.search(text) else None


def _numbers(cell: Cell) -> tuple[int, int, int, bool]:
    """Return year, month, day and whether the month is a leap month, as written; not checked against any calendar."""
    if isinstance(cell, str):
        for form in (_DIGITS, _COMPACT, _WORDS):
            if found := form.fullmatch(cell):
                return _year(found["year"]), _month(found["month"]), _day(found["day"]), bool(found["leap"])
    written = parse_date(cell)
    return written.year, written.month, written.day, False


def _year(text: str) -> int:
    return int(text.translate(_DIGIT_OF))


def _month(text: str) -> int:
    return int(text) if text.isdecimal() else _MONTHS[text]


def _day(text: str) -> int:
    if text.isdecimal():
        return int(text)
    if text in ("初十", "十"):
        return 10
    tens = {"初": 0, "十": 10, "廿": 20, "二": 20, "三": 30}[text[0]]
    return tens + (_ONES.index(text[-1]) + 1 if text[-1] in _ONES and text != "二" else 0)
