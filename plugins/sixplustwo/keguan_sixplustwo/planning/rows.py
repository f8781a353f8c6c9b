"""How often a promise is due: once or on several dates, every two months, once in each year, once for each warranty."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import count, takewhile
from typing import NamedTuple

from keguan.calendar.dates import add_months
from keguan.model import Context
from keguan_sixplustwo.planning.dates import Dates
from keguan_sixplustwo.timing import DayOf
from keguan_sixplustwo.touchpoint import Period

__all__ = ["Interval", "Row", "Rows", "each", "every", "interval", "numbered", "once", "period_of"]


class Row(NamedTuple):
    """The occurrences of one promise for one record."""

    occasions: Sequence[Dates]
    recurs: bool = False
    """It goes on beyond the last day that promises are wanted for."""


Rows = Callable[[Dates, Context], Row]
Interval = Callable[[date, int], date]
"""From the first day and how many intervals later, to the day."""

_DAY = timedelta(days=1)
_YEAR = timedelta(days=366)
_MONTHS: Mapping[Period, int] = {Period.YEAR: 12, Period.QUARTER: 3, Period.TWO_MONTHS: 2, Period.MONTH: 1}


class _Span(NamedTuple):
    number: int
    first: date
    last: date


def once(dates: Dates, _: Context) -> Row:
    """Return the one occurrence there is."""
    return Row((dates,))


def numbered(size: int) -> Rows:
    """Return the row of a promise that is due on ``size`` dates."""
    return lambda dates, _: Row([dates._replace(number=number) for number in range(1, size + 1)])


def interval(expression: str) -> Interval:
    """Return what ``2 months`` means. Counted from the first day each time, so that ends of months are kept."""
    size, unit = expression.split()
    step = int(size)
    match unit.removesuffix("s"):
        case "month":
            return lambda day, times: add_months(day, step * times)
        case "year":
            return lambda day, times: add_months(day, 12 * step * times)
        case days:
            length = timedelta(days=step * (7 if days == "week" else 1))
            return lambda day, times: day + length * times


def every(day: DayOf, ends: DayOf | None) -> Rows:
    """Return the row that starts on ``day`` of its first occurrence and goes on to ``ends``."""

    def row(dates: Dates, context: Context) -> Row:
        limit, recurs = _limit(dates, context, ends)
        found = []
        for number in count(1):
            occasion = dates._replace(number=number)
            due = day(occasion, context.calendar)
            if due is None or due > limit:
                break
            if due >= context.since:
                found.append(occasion)
        return Row(found, recurs and bool(found))

    return row


def each(period: Period, day: DayOf, begins: DayOf, ends: DayOf | None, *, strays: bool = False) -> Rows:
    """Return the row with one occurrence in each ``period``, from the one that holds ``begins`` to ``ends``.

    What would have been due before it began was never promised. ``strays``: the day of a period may lie in the next
    one and be promised although its own period was over, as lunar birthdays late in the year are.
    """

    def row(dates: Dates, context: Context) -> Row:
        first = begins(dates, context.calendar)
        if first is None:
            return Row(())
        limit, recurs = _limit(dates, context, ends)
        found = []
        # what is due may lie outside its period: before it, or after it
        start = first - _YEAR if strays else first
        if context.since > date.min + _YEAR:
            start = max(start, context.since - _YEAR)
        for span in takewhile(lambda span: span.first <= limit + _YEAR, _spans(period, start)):
            occasion = dates._replace(number=span.number, period=span.first, period_end=span.last)
            due = day(occasion, context.calendar)
            if due is not None and first <= due <= limit and due >= context.since:
                found.append(occasion)
        return Row(found, recurs and first <= context.through)

    return row


def _limit(dates: Dates, context: Context, ends: DayOf | None) -> tuple[date, bool]:
    """Return the last day that anything may be due on, and whether it goes on after it."""
    last = None if ends is None else ends(dates, context.calendar)
    if last is None or last > context.through:
        return context.through, True
    return last, False


def period_of(period: Period, day: date) -> tuple[int, date, date]:
    """Return number, first and last day of the calendar period that holds ``day``.

    Years are numbered 2026, quarters 20261, months (also two) 202601 by their first, weeks 202601 as ISO counts them.
    """
    if period is Period.WEEK:
        year, week, weekday = day.isocalendar()
        monday = day - timedelta(days=weekday - 1)
        return year * 100 + week, monday, monday + timedelta(days=6)
    size = _MONTHS[period]
    place = (day.month - 1) // size
    first = date(day.year, place * size + 1, 1)
    numbers = {Period.YEAR: day.year, Period.QUARTER: day.year * 10 + place + 1}
    return numbers.get(period, day.year * 100 + first.month), first, add_months(first, size) - _DAY


def _spans(period: Period, day: date) -> Iterator[_Span]:
    while True:
        span = _Span(*period_of(period, day))
        yield span
        day = span.last + _DAY
