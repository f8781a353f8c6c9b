"""The Chinese lunar calendar, as far as birthdays need it: lunar years 1900 to 2100.

The tables are those of `borax`, which is read nowhere else.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from keguan.calendar.dates import in_year
from keguan.errors import InputError

__all__ = ["FIRST_YEAR", "LAST_YEAR", "LunarDay", "birthday_in", "to_lunar", "to_solar"]

FIRST_YEAR, LAST_YEAR = 1900, 2100
"""The lunar years that can be converted: 31 January 1900 to 28 January 2101."""


class LunarDay(NamedTuple):
    """A day of the lunar calendar."""

    year: int
    """The lunar year, which begins in January or February of the common year of that number."""
    month: int
    day: int
    leap: bool
    """Whether it lies in the leap month (闰) behind the month of that number."""


def to_solar(year: int, month: int, day: int, leap: bool = False) -> date:
    """Return the day in the common calendar that is ``day`` of ``month`` (its ``leap`` month) of a lunar year.

    Raises ``InputError`` for a day that does not exist, and outside the lunar years 1900 to 2100.
    """
    from borax.calendars.lunardate import LunarDate  # noqa: PLC0415 - only lunar birthdays need it

    try:
        found: date = LunarDate(year, month, day, int(leap)).to_solar_date()
    except ValueError:
        raise _unknown() from None
    return found


@lru_cache(maxsize=16_384)
def to_lunar(day: date) -> LunarDay:
    """Return ``day`` in the lunar calendar.

    Raises ``InputError`` before 31 January 1900 and after 28 January 2101.
    """
    from borax.calendars.lunardate import LunarDate  # noqa: PLC0415 - only lunar birthdays need it

    try:
        found = LunarDate.from_solar(day)
    except ValueError:
        raise _unknown() from None
    return LunarDay(found.year, found.month, found.day, bool(found.leap))


def birthday_in(birthday: date, year: int, lunar: bool) -> date:
    """Return the date on which somebody born on ``birthday`` (common calendar) celebrates in ``year``.

    By the common calendar that is the same day of ``year``, 28 February for a 29th in other years. By the ``lunar``
    calendar it is the same month and day of the lunar year of that number, so that each year has exactly one: a
    birthday late in the lunar year may lie in January or February of the next common year, and a common year may
    see two or none. A 30th becomes the 29th in a short month; one of a leap month is celebrated in the ordinary
    month, unless the year has that leap month.

    Raises ``InputError`` for a lunar birthday before 31 January 1900 and for lunar years beyond 2100.
    """
    if not lunar:
        return in_year(birthday, year)
    born = to_lunar(birthday)
    return _celebrated(year, born.month, born.day, born.leap)


@lru_cache(maxsize=16_384)
def _celebrated(year: int, month: int, day: int, leap: bool) -> date:
    from borax.calendars.lunardate import LCalendars  # noqa: PLC0415 - only lunar birthdays need it

    try:
        leap = leap and LCalendars.leap_month(year) == month
        longest = LCalendars.ndays(year, month, int(leap))
    except ValueError:
        raise _unknown() from None
    return to_solar(year, month, min(day, longest), leap)


def _unknown() -> InputError:
    return InputError("calendar.lunar", first=FIRST_YEAR, last=LAST_YEAR)
