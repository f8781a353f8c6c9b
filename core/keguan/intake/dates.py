"""Dates and times in cells: every form that has one meaning, and a reason for every form that has two."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

from keguan.intake.cells import Cell, Number1904
from keguan.intake.fields import FieldError, half_width, parse_text

__all__ = ["parse_date", "parse_datetime"]

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
DAY_ZERO_1900, DAY_ZERO_1904 = date(1899, 12, 30), date(1904, 1, 1)
# A bare number is read as a day only where a mistake is unlikely: 1990 to 2100.
SERIAL_FROM, SERIAL_TO = date(1990, 1, 1), date(2100, 12, 31)
CHINA = timezone(timedelta(hours=8))

_WEEKDAY = r"(?:\s*[(]?(?:星期|周|礼拜)[一二三四五六日天][)]?)?"
_TIME = (
    r"(?:[T\s]*(?P<half>上午|下午)?\s*(?P<hour>\d{1,2})(?::|时|点)\s*(?P<minute>\d{1,2})分?"
    r"(?::?\s*(?P<second>\d{1,2})(?:[.,]\d{1,9})?秒?)?\s*(?P<suffix>[AaPp][Mm])?"
    r"\s*(?P<offset>Z|[+-]\d{2}:?\d{2})?)?"
)
_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})\s*(?:"
    r"年\s*(?P<m1>\d{1,2})\s*月\s*(?P<d1>\d{1,2})\s*[日号]?"
    r"|(?P<sep>[-/.])\s*(?P<m2>\d{1,2})\s*(?P=sep)\s*(?P<d2>\d{1,2})"
    r"|(?P<m3>\d{2})(?P<d3>\d{2})"
    r")" + _WEEKDAY + _TIME
)
_YEAR_LAST = re.compile(r"(?P<a>\d{1,2})\s*(?P<sep>[-/.])\s*(?P<b>\d{1,2})\s*(?P=sep)\s*(?P<year>\d{4})" + _TIME)
_TWO_DIGIT_YEAR = re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d{1,2}(?:\s.*)?|\d{2}年\s*\d{1,2}月\s*\d{1,2}[日号]?(?:\s.*)?")
_NO_DAY = re.compile(r"\d{4}\s*(?:年\s*(?:\d{1,2}\s*月(?:份)?)?|[-/.]\s*\d{1,2}|\d{2})?|\d{1,2}月\d{1,2}[日号]?")
_SERIAL = re.compile(r"\d{5}")


def parse_date(cell: Cell) -> date:
    """Return the day that the cell names; a time of day in it is left out.

    Read are ``2026-03-05``, ``2026/3/5``, ``2026.3.5``, ``2026年3月5日``, ``20260305``, each with or without a
    time, date cells, and spreadsheet serial numbers of the years 1990 to 2100. ``13/5/2026`` has one meaning
    and is read; ``3/5/2026`` has two and is refused, as are two-digit years and impossible days. A time with
    an offset is read only with China's, since the day depends on it elsewhere.
    """
    if type(cell) is str:
        return _date_of(cell)
    moment = _moment(cell)
    return moment.date()


def parse_datetime(cell: Cell) -> datetime:
    """Return the moment that the cell names: naive, on the clock of the subject's city, or in UTC when the text
    carries an offset. A day without a time means midnight."""
    return _moment(cell)


@lru_cache(maxsize=8192)
def _date_of(text: str) -> date:
    moment = _moment(text)
    if moment.tzinfo is None:
        return moment.date()
    found = _YEAR_FIRST.fullmatch(half_width(parse_text(text))) or _YEAR_LAST.fullmatch(half_width(parse_text(text)))
    if found is None or _offset(found["offset"] or "") != CHINA:
        raise FieldError("import.date_offset")
    return moment.astimezone(CHINA).date()


def _moment(cell: Cell) -> datetime:
    if isinstance(cell, datetime):
        return _plausible(cell.replace(tzinfo=None))
    if isinstance(cell, date):
        return _plausible(datetime.combine(cell, time()))
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return _from_number(cell)
    text = half_width(parse_text(cell)).strip()
    if _SERIAL.fullmatch(text):
        return _from_number(float(text))
    if found := _YEAR_FIRST.fullmatch(text):
        month, day = (found[f"m{form}"] or "" for form in "123"), (found[f"d{form}"] or "" for form in "123")
        return _build(int(found["year"]), int("".join(month)), int("".join(day)), found)
    if found := _YEAR_LAST.fullmatch(text):
        return _year_last(found)
    if _TWO_DIGIT_YEAR.fullmatch(text):
        raise FieldError("import.date_two_digit_year")
    if _NO_DAY.fullmatch(text):
        raise FieldError("import.date_incomplete")
    raise FieldError("import.date_unreadable")


def _year_last(found: re.Match[str]) -> datetime:
    first, second, year = int(found["a"]), int(found["b"]), int(found["year"])
    if first != second and first <= 12 and second <= 12:
        raise FieldError(
            "import.date_ambiguous", one=f"{year}-{first:02}-{second:02}", other=f"{year}-{second:02}-{first:02}"
        )
    day, month = (first, second) if first > 12 else (second, first)
    return _build(year, month, day, found)


def _build(year: int, month: int, day: int, found: re.Match[str]) -> datetime:
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    half = {"上午": "am", "下午": "pm"}.get(found["half"] or "", (found["suffix"] or "").lower())
    if half and not 1 <= hour <= 12 and not (half == "am" and hour == 0):
        raise FieldError("import.date_impossible")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the city's clock, see above
    except ValueError:
        raise FieldError("import.date_impossible") from None
    moment = _plausible(moment)
    return moment.replace(tzinfo=_offset(found["offset"])).astimezone(UTC) if found["offset"] else moment


def _offset(text: str) -> timezone | None:
    if text == "Z":
        return UTC
    if not text:
        return None
    digits = text[1:].replace(":", "")
    delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if delta >= timedelta(hours=24):
        raise FieldError("import.date_impossible")
    return timezone(delta if text[0] == "+" else -delta)


def _from_number(number: float) -> datetime:
    if 19_000_101 <= number <= 21_991_231 and number == int(number):  # 20260305 typed as a number
        return _moment(str(int(number)))
    zero = DAY_ZERO_1904 if isinstance(number, Number1904) else DAY_ZERO_1900
    if not (SERIAL_FROM - zero).days <= number < (SERIAL_TO - zero).days + 1:
        raise FieldError("import.date_serial_implausible")
    # A serial holds a fraction of a day; seconds are all it is exact to.
    seconds = timedelta(seconds=round(number % 1 * 86_400))
    return datetime.combine(zero, time()) + timedelta(days=int(number)) + seconds


def _plausible(moment: datetime) -> datetime:
    if not EARLIEST <= moment.date() <= LATEST:
        raise FieldError("import.date_implausible", earliest=EARLIEST.year, latest=LATEST.year)
    return moment
