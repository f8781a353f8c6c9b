"""Months and years on business dates, clipped at the end of the month."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from dateutil.relativedelta import relativedelta

from keguan.errors import InputError

__all__ = ["add_months", "add_years", "day_of_month", "in_year"]


def add_months(day: date, months: int) -> date:
    """Return the same day ``months`` later (negative: earlier), or the last day of a month that is too short.

    One month before 31 March is the last day of February. Always count from the original date: adding one month
    twice to 31 January ends on the 28th or 29th of March, adding two months ends on the 31st.

    Raises ``InputError`` beyond the years 1 to 9999.
    """
    try:
        return day + relativedelta(months=months)
    except (ValueError, OverflowError):
        raise InputError("calendar.beyond") from None


def add_years(day: date, years: int) -> date:
    """Return the same day ``years`` later (negative: earlier); 29 February becomes the 28th in other years.

    Raises ``InputError`` beyond the years 1 to 9999.
    """
    try:
        return day + relativedelta(years=years)
    except (ValueError, OverflowError):
        raise InputError("calendar.beyond") from None


def in_year(day: date, year: int) -> date:
    """Return the anniversary (birthday) of ``day`` in ``year``: 28 February for one of the 29th, if need be."""
    return day + relativedelta(year=year)


def day_of_month(year: int, month: int, day: int) -> date:
    """Return the date of "by the 30th": that day, or the last day of a month that is too short."""
    return date(year, month, min(day, monthrange(year, month)[1]))
