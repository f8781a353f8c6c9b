"""The working calendar of one office: its days, its hours, and counting in both."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple, overload
from zoneinfo import ZoneInfo

from keguan.calendar.days import DayInfo, DayRow, Source, strongest
from keguan.calendar.hours import DEFAULT_OFFICE_HOURS, Window, checked_windows, instant_at, window_instants
from keguan.calendar.national import CHINA, national_year
from keguan.calendar.spans import Pause, Span, as_utc, merged, without
from keguan.errors import ConfigError, InputError

__all__ = ["MONDAY_TO_FRIDAY", "WorkCalendar"]

MONDAY_TO_FRIDAY = frozenset(range(5))
_ZERO = timedelta(0)


class _Year(NamedTuple):
    """The working days of one year, for asking and for counting."""

    working: frozenset[date]
    ordered: tuple[date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCalendar:
    """Which days an office works and when; every count in working days or working time.

    A day is decided by the first of these that speaks about it: a row of the city, a row of the company, a row of
    the operator's national table, the country's notice as the library has it, the ordinary week.

    Dates are business dates in ``zone``. Instants given must be aware, instants returned are in UTC. Methods
    raise ``InputError`` when a count leaves the years 1 to 9999, and ``TypeError`` for an instant where a date is
    meant. Calendars are values: compare them, share them between threads, ``dataclasses.replace`` them for a
    department with hours of its own.
    """

    zone: ZoneInfo
    rows: Sequence[DayRow] = field(default=(), repr=False)
    """Loaded rows, in any order of scope; of two with one scope and date the later one wins."""
    announced_years: Collection[int] = frozenset()
    """Years whose whole notice was loaded as rows: no longer provisional even if the library lacks them."""
    work_week: Collection[int] = MONDAY_TO_FRIDAY
    """Ordinary working weekdays, Monday = 0."""
    office_hours: Sequence[Window] = DEFAULT_OFFICE_HOURS
    """Windows of every working day on the clocks of ``zone``; see ``keguan.calendar.Window``."""
    country: str | None = CHINA
    """Whose holidays the library gives (ISO 3166); ``None``: none."""
    _strongest: dict[date, DayRow] = field(init=False, repr=False, compare=False)
    _row_years: frozenset[int] = field(init=False, repr=False, compare=False)
    _years: dict[int, _Year] = field(init=False, repr=False, compare=False, default_factory=dict)
    _spans: dict[date, tuple[Span, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Settle the arguments; raise ``ConfigError`` for a week or for hours that cannot be."""
        week = frozenset(self.work_week)
        if not week or not week <= set(range(7)):
            raise ConfigError("calendar.week", days=", ".join(map(str, sorted(week))))
        settle = object.__setattr__
        settle(self, "rows", tuple(self.rows))
        settle(self, "announced_years", frozenset(self.announced_years))
        settle(self, "work_week", week)
        settle(self, "office_hours", checked_windows(self.office_hours))
        settle(self, "_strongest", strongest(self.rows))
        settle(self, "_row_years", frozenset(day.year for day in self._strongest))

    # --- Days --------------------------------------------------------------------------------------------

    def day(self, day: date) -> DayInfo:
        """Return all that is known about ``day``: working or not, the name, provisional or not, who decided."""
        working, name, source = self._decision(_plain(day))
        return DayInfo(day, working, name, self.is_provisional(day), source)

    def is_working(self, day: date) -> bool:
        """Return whether the office works on ``day``. Cheap: one look-up once the year has been asked for."""
        year = self._years.get(day.year) or self._year(day.year)
        if day in year.working:
            return True
        _plain(day)  # an instant is in no set of dates and would pass for a day off
        return False

    def is_provisional(self, day: date, until: date | None = None) -> bool:
        """Return whether ``day``, or any day from it up to ``until`` (in either order), may still change.

        A day is provisional when its year is announced neither by the library nor by a loaded table and no row
        speaks about it. A count is provisional when any day it passed is, so give both its ends: counting back
        from January can land on a settled day in December and still change.
        """
        first, last = sorted((_plain(day), _plain(until or day)))
        for year in range(first.year, last.year + 1):
            if year in self.announced_years or national_year(self.country, year).announced:
                continue
            start, end = max(first, date(year, 1, 1)), min(last, date(year, 12, 31))
            if any(day not in self._strongest for day in _days_from(start, end)):
                return True
        return False

    def add_workdays(self, day: date, count: int) -> date:
        """Return the ``count``-th working day after ``day``, which itself does not count.

        Negative counts go back: ``-1`` is the last working day before ``day``. ``0`` is ``roll_forward(day)``.
        ``workdays_between(day, add_workdays(day, n)) == n`` for every n from 1 on.
        """
        if count == 0:
            return self.roll_forward(day)
        number = _plain(day).year
        ordered = self._year(number).ordered
        place = bisect_right(ordered, day) + count - 1 if count > 0 else bisect_left(ordered, day) + count
        while place >= (length := self._length(number)):
            place -= length
            number += 1
        while place < 0:
            number -= 1
            place += self._length(number)
        return self._year(number).ordered[place]

    def roll_forward(self, day: date) -> date:
        """Return ``day`` if it is worked, else the next working day: where a limit ends that ends on a day off."""
        return day if self.is_working(day) else self.add_workdays(day, 1)

    def roll_back(self, day: date) -> date:
        """Return ``day`` if it is worked, else the working day before: for reports that may never be later."""
        return day if self.is_working(day) else self.add_workdays(day, -1)

    def workdays_between(self, start: date, end: date) -> int:
        """Return how many working days lie after ``start`` up to and including ``end``; negative if it is earlier.

        Additive: the counts from a to b and from b to c sum up to the count from a to c.
        """
        if _plain(end) < _plain(start):
            return -self.workdays_between(end, start)
        whole = sum(map(self._length, range(start.year, end.year)))
        return (
            whole
            + bisect_right(self._year(end.year).ordered, end)
            - bisect_right(self._year(start.year).ordered, start)
        )

    # --- Instants ----------------------------------------------------------------------------------------

    def date_of(self, instant: datetime) -> date:
        """Return the business date at ``instant``: what to count from when a limit starts at an instant."""
        try:
            return as_utc(instant).astimezone(self.zone).date()
        except OverflowError:
            raise InputError("calendar.beyond") from None

    def opening(self, day: date) -> datetime:
        """Return when the first window of ``day`` opens, be it worked or not (UTC). Roll the day first."""
        return instant_at(_plain(day), self.office_hours[0][0], self.zone)

    def closing(self, day: date) -> datetime:
        """Return when the last window of ``day`` closes, be it worked or not (UTC). Roll the day first."""
        return window_instants(_plain(day), self.office_hours[-1], self.zone)[1]

    def workday_limit(self, instant: datetime, count: int) -> datetime:
        """Return when ``count`` working days from ``instant`` are over: closing time of the last one (UTC).

        The day of ``instant`` does not count, whatever its hour: one working day ends when the next working day
        closes. ``0`` ends at closing time of the same day, or of the next working day if that is a day off.
        """
        return self.closing(self.add_workdays(self.date_of(instant), count))

    @overload
    def add_worktime(self, instant: datetime, amount: timedelta) -> datetime: ...

    @overload
    def add_worktime(self, instant: datetime, amount: timedelta, pauses: Iterable[Pause]) -> datetime | None: ...

    def add_worktime(self, instant: datetime, amount: timedelta, pauses: Iterable[Pause] = ()) -> datetime | None:
        """Return the earliest instant by which ``amount`` of working time has passed since ``instant`` (UTC).

        Earliest means: time that runs out exactly at closing ends at that closing, not at the next opening, and no
        time at all ends at ``instant`` itself. ``pauses`` may overlap and lie anywhere. ``None``: a pause that is
        not over yet begins before the time has run out, so nobody knows.

        Raises ``ValueError`` for a negative amount or a naive instant.
        """
        if amount < _ZERO:
            raise ValueError("an amount of working time cannot be negative")
        instant = as_utc(instant)
        if amount == _ZERO:
            return instant
        taken_out, open_since = merged(pauses)
        for span in self._work_from(instant):
            for start, end in without(span, taken_out):
                if end - start >= amount:
                    return start + amount
                amount -= end - start
            if open_since is not None and span[1] >= open_since:
                return None
        raise AssertionError("working time never ends")  # pragma: no cover - `_work_from` has no end but an error

    def worktime_between(self, start: datetime, end: datetime, pauses: Iterable[Pause] = ()) -> timedelta:
        """Return the working time from ``start`` to ``end`` outside ``pauses``; negative if ``end`` is earlier.

        Additive as ``workdays_between`` is, and ``worktime_between(x, add_worktime(x, t)) == t``.
        """
        start, end = as_utc(start), as_utc(end)
        if end < start:
            return -self.worktime_between(end, start, pauses)
        taken_out, _ = merged(pauses)
        total = _ZERO
        for opening, closing in self._work_from(start):
            if opening >= end:
                break
            total += sum((e - s for s, e in without((opening, min(closing, end)), taken_out)), _ZERO)
        return total

    # --- Inside ------------------------------------------------------------------------------------------

    def _decision(self, day: date) -> tuple[bool, str | None, Source]:
        """Return whether ``day`` is worked, its name and who decided."""
        national = national_year(self.country, day.year).days.get(day)
        if row := self._strongest.get(day):
            kept = national[1] if national and national[0] == row.working else None
            return row.working, row.name or kept, row.scope
        if national:
            return *national, "library"
        return day.weekday() in self.work_week, None, "week"

    def _year(self, number: int) -> _Year:
        """Return the working days of one year, found at the first time of asking."""
        if number in self._years:
            return self._years[number]
        ordered = tuple(day for day in _days_of(number) if self._decision(day)[0])
        return self._years.setdefault(number, _Year(frozenset(ordered), ordered))

    def _length(self, number: int) -> int:
        """Return how many working days a year has, without listing those of a far year that nothing is known of.

        Exports of other systems write "no end" as 9999-12-31; counting up to there must cost nothing.
        """
        if number in self._years or number in self._row_years or national_year(self.country, number).days:
            return len(self._year(number).ordered)
        first, last = _ends_of(number)
        weeks, rest = divmod(last.toordinal() - first.toordinal() + 1, 7)
        over = sum((first.weekday() + extra) % 7 in self.work_week for extra in range(rest))
        return weeks * len(self.work_week) + over

    def _work_from(self, instant: datetime) -> Iterator[Span]:
        """Yield the office's open spans from ``instant`` (UTC) on, in order, without end."""
        day = self.roll_forward(self.date_of(instant))
        while True:
            for opening, closing in self._spans_of(day):
                if max(opening, instant) < closing:
                    yield max(opening, instant), closing
            day = self.add_workdays(day, 1)

    def _spans_of(self, day: date) -> tuple[Span, ...]:
        """Return when the windows of a working ``day`` are open."""
        if (spans := self._spans.get(day)) is None:
            spans = tuple(window_instants(day, window, self.zone) for window in self.office_hours)
            self._spans[day] = spans
        return spans


def _ends_of(number: int) -> tuple[date, date]:
    """Return the first and the last day of a year; raise ``InputError`` for a year that cannot be."""
    if not date.min.year <= number <= date.max.year:
        raise InputError("calendar.beyond")
    return date(number, 1, 1), date(number, 12, 31)


def _days_of(number: int) -> Iterator[date]:
    """Yield the days of a year; raise ``InputError`` for a year that cannot be."""
    return _days_from(*_ends_of(number))


def _days_from(first: date, last: date) -> Iterator[date]:
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))


def _plain(day: date) -> date:
    """Return ``day``, or refuse an instant: it is a ``date`` to Python but equals no date."""
    if isinstance(day, datetime):
        raise TypeError("a business date is meant, not an instant")
    return day
