"""The language in which playbooks say when: ``contract_signed + 3 workdays``, ``handover - 1 month at 09:30``.

An expression is an anchor (a date of the record), any number of shifts, and optionally a time of day::

    timing = moment ["at" HH:MM]
    moment = (anchor | "min(" moment "," moment … ")") {("+" | "-") count unit}
    unit   = day(s) | week(s) | month(s) | year(s) | workday(s)

``min(a, b)`` is the earliest of those that are known. Shifts apply from left to right. Days without "work" are
calendar days; months and years clip at the end of the month (one month before 31 March is the last day of
February). The start day does not count. Expressions are read once, at load, and compiled to functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from keguan.calendar.dates import add_months

if TYPE_CHECKING:
    from keguan.calendar import WorkCalendar

__all__ = [
    "DayOf",
    "Earliest",
    "Moment",
    "Shift",
    "Timing",
    "Unit",
    "UnreadableTiming",
    "anchors_of",
    "compile_moment",
    "counts_workdays",
    "parse",
]

Unit = Literal["day", "week", "month", "year", "workday"]
_UNITS: dict[str, Unit] = {form: unit for unit in get_args(Unit) for form in (unit, f"{unit}s")}
_RESERVED = frozenset({"at", "min", *_UNITS})
_TOKEN = re.compile(
    r"\s*(?:(?P<clock>\d\d:\d\d)|(?P<number>\d{1,4})(?!\d)|(?P<word>[a-z][a-z0-9_]*)|(?P<mark>[-+(),]))"
)


DayOf = Callable[[Any, "WorkCalendar"], date | None]
"""A compiled moment: from a record and the city's working days to a date, or ``None`` while it is unknown.

The record is ``Any`` because the anchors it was compiled with decide which kind of record fits.
"""


class UnreadableTiming(ValueError):
    """The expression does not follow the grammar; ``rest`` is where reading stopped."""

    def __init__(self, expression: str, rest: str) -> None:
        super().__init__(expression, rest)
        self.expression = expression
        self.rest = rest


@dataclass(frozen=True, slots=True)
class Shift:
    """A step forwards or backwards in time: ``count`` (not 0, negative is backwards) of ``unit``."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        sign, size = ("+", self.count) if self.count > 0 else ("-", -self.count)
        return f" {sign} {size} {self.unit}{'' if size == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Earliest:
    """The earliest of several moments, of those that are known."""

    moments: tuple[Moment, ...]

    def __str__(self) -> str:
        return f"min({', '.join(map(str, self.moments))})"


@dataclass(frozen=True, slots=True)
class Moment:
    """A date counted from a base: an anchor by name, or the earliest of several moments."""

    base: str | Earliest
    shifts: tuple[Shift, ...] = ()

    def __str__(self) -> str:
        return f"{self.base}{''.join(map(str, self.shifts))}"


@dataclass(frozen=True, slots=True)
class Timing:
    """A moment and, where it matters, the time of day in the city's zone. ``str()`` gives the expression back."""

    moment: Moment
    clock: time | None = None

    def __str__(self) -> str:
        return f"{self.moment} at {self.clock:%H:%M}" if self.clock else str(self.moment)


class _Reader:
    """A recursive-descent reader over the tokens of one expression."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.at = 0

    def refuse(self) -> UnreadableTiming:
        return UnreadableTiming(self.expression, self.expression[self.at :].strip())

    def take(self, kind: str, *values: str) -> str | None:
        """Return the next token and move on, if it is of ``kind`` (and one of ``values``)."""
        match = _TOKEN.match(self.expression, self.at)
        if match is None or (found := match[kind]) is None or (values and found not in values):
            return None
        self.at = match.end()
        return found

    def need(self, kind: str, *values: str) -> str:
        found = self.take(kind, *values)
        if found is None:
            raise self.refuse()
        return found

    def moment(self) -> Moment:
        base: str | Earliest
        if self.take("word", "min"):
            self.need("mark", "(")
            moments = [self.moment()]
            while self.take("mark", ","):
                moments.append(self.moment())
            self.need("mark", ")")
            base = Earliest(tuple(moments))
        else:
            before = self.at
            base = self.need("word")
            if base in _RESERVED:
                self.at = before
                raise self.refuse()
        shifts = []
        while sign := self.take("mark", "+", "-"):
            shifts.append(self.shift(sign))
        return Moment(base, tuple(shifts))

    def shift(self, sign: str) -> Shift:
        before = self.at
        count = int(self.need("number"))
        if count == 0:
            self.at = before
            raise self.refuse()
        unit = _UNITS[self.need("word", *_UNITS)]
        return Shift(count if sign == "+" else -count, unit)

    def clock(self) -> time | None:
        if not self.take("word", "at"):
            return None
        before = self.at
        try:
            return time.fromisoformat(self.need("clock"))
        except UnreadableTiming:
            raise
        except ValueError as wrong:  # such as 24:30
            self.at = before
            raise self.refuse() from wrong


def parse(expression: str) -> Timing:
    """Return what ``expression`` says; raise ``UnreadableTiming`` where it does not follow the grammar."""
    reader = _Reader(expression)
    timing = Timing(reader.moment(), reader.clock())
    if expression[reader.at :].strip():
        raise reader.refuse()
    return timing


def anchors_of(moment: Moment) -> frozenset[str]:
    """Return the names of all anchors that ``moment`` counts from."""
    if isinstance(moment.base, str):
        return frozenset({moment.base})
    return frozenset().union(*map(anchors_of, moment.base.moments))


def counts_workdays(moment: Moment) -> bool:
    """Return whether ``moment`` needs the work calendar."""
    if any(shift.unit == "workday" for shift in moment.shifts):
        return True
    return isinstance(moment.base, Earliest) and any(map(counts_workdays, moment.base.moments))


def compile_moment(moment: Moment, anchors: Mapping[str, DayOf]) -> DayOf:
    """Return ``moment`` as a function; ``anchors`` reads the record's date for each name it uses.

    Planning calls these functions once per promise and record, so the plain case (an anchor and whole days)
    costs one addition.
    """
    base = _compile_base(moment.base, anchors)
    for shift in moment.shifts:
        base = _shifted(base, shift)
    return base


def _compile_base(base: str | Earliest, anchors: Mapping[str, DayOf]) -> DayOf:
    if isinstance(base, str):
        return anchors[base]
    parts = [compile_moment(part, anchors) for part in base.moments]

    def earliest(record: Any, calendar: WorkCalendar) -> date | None:
        return min((day for part in parts if (day := part(record, calendar)) is not None), default=None)

    return earliest


def _shifted(day_of: DayOf, shift: Shift) -> DayOf:
    count = shift.count
    delta = timedelta(days=count * (7 if shift.unit == "week" else 1))
    months = count * (12 if shift.unit == "year" else 1)

    # the three bodies differ in one call; a call less is a tenth of what planning costs
    def by_days(record: Any, calendar: WorkCalendar) -> date | None:
        day = day_of(record, calendar)
        return None if day is None else day + delta

    def by_months(record: Any, calendar: WorkCalendar) -> date | None:
        day = day_of(record, calendar)
        return None if day is None else add_months(day, months)

    def by_workdays(record: Any, calendar: WorkCalendar) -> date | None:
        day = day_of(record, calendar)
        return None if day is None else calendar.add_workdays(day, count)

    match shift.unit:
        case "day" | "week":
            return by_days
        case "month" | "year":
            return by_months
        case "workday":
            return by_workdays
