"""One touchpoint as it is done for one record: on which days, in which window, how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from keguan.calendar import WorkCalendar
from keguan.model import Context, Plan
from keguan_sixplustwo.planning.dates import Dates
from keguan_sixplustwo.planning.rows import Interval
from keguan_sixplustwo.timing import DayOf

__all__ = ["MIDNIGHT", "MORNING", "Days", "Note", "Rule"]

MORNING = time(9, 30)
"""When a message leaves on its day, unless its timing names a time. Ours."""

_BEFORE_WORK = timedelta(hours=1)
"""How long before the office opens tasks come up, so that the morning's digest names what is due that day. Ours."""

_DAY = timedelta(days=1)
MIDNIGHT = time(0)

Note = Callable[[Dates, Context], str]
"""Says what a reader of the journey should know about an occurrence; empty: nothing."""


@dataclass(frozen=True, slots=True)
class Days:
    """A timing, compiled: its day and its time of day."""

    day: DayOf
    clock: time | None = None
    back: bool = False
    """It counts back from what it has to come before: "three days before" means no later than that."""
    along: bool = True
    """It moves along with the occurrences of a row. What counts from its own day need not."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When one touchpoint is due for records of one fitting; ``due`` is empty where it is not done at all."""

    action: str
    due: tuple[Days, ...]
    every: Interval | None
    opens: Days | None
    until: Days | None
    latest: Days | None
    """How far its task can be postponed."""
    ahead: int | None
    """Of a meeting: how many days before it people are told, which its task has to come up for."""
    clause: str
    staff: bool
    """A limit for staff, which rolls to a working day; a message leaves on the day itself."""
    by_calendar: bool
    notes: tuple[Note, ...]

    def day(self, dates: Dates, calendar: WorkCalendar) -> date | None:
        """Return the day of the occurrence as it is counted; ``None`` while it is not known."""
        if not self.due:
            return None
        if self.every is not None:
            first = self.due[0].day(dates, calendar)
            return None if first is None else self.every(first, dates.number - 1)
        return self._place(dates).day(dates, calendar)

    def working_day(self, dates: Dates, calendar: WorkCalendar) -> date | None:
        """Return the day that the occurrence is due on: for staff a working day.

        That is the next one, or the one before where it counts back from an event: it says no later than. Either
        stays in the period that the promise is made for.
        """
        day = self.day(dates, calendar)
        return day if day is None or not self.staff else self._rolled(day, dates, calendar)

    def plan(self, dates: Dates, context: Context, *, recurs: bool = False) -> Plan | None:
        """Return the plan of one occurrence; ``None`` while the date it is due on is not known.

        A window that closed before the due time makes an empty window: such a plan is missed, never run.
        """
        calendar = context.calendar
        day = self.day(dates, calendar)
        if day is None:
            return None
        counted = day
        if self.staff:
            day = self._rolled(day, dates, calendar)
        due = self._at(day, self._place(dates).clock, context)
        end = self._end(counted, day, dates, context)
        if end is not None and end < due:
            due = end
        opens = self._opens(day, dates, context) if self.staff else None
        return Plan(
            self.action,
            due,
            end,
            self.clause,
            dates.number,
            by_calendar=self.by_calendar,
            note=" · ".join(said for note in self.notes if (said := note(dates, context))),
            opens=opens if opens is not None and opens < due else None,
            recurs=recurs,
        )

    def latest_day(self, dates: Dates, context: Context) -> date | None:
        """Return the last day that the occurrence can be postponed to; ``None``: any day."""
        return None if self.latest is None else self._counted(self.latest, dates, context.calendar)

    def _place(self, dates: Dates) -> Days:
        return self.due[0] if len(self.due) == 1 else self.due[min(dates.number, len(self.due)) - 1]

    def _rolled(self, day: date, dates: Dates, calendar: WorkCalendar) -> date:
        if calendar.is_working(day):
            return day
        later, earlier = calendar.roll_forward(day), calendar.roll_back(day)
        choice = (earlier, later) if self._place(dates).back else (later, earlier)
        first, last = dates.period, dates.period_end
        if first is None or last is None or not first <= day <= last:
            return choice[0]
        # a week without any working day keeps its own day
        return next((one for one in choice if first <= one <= last), day)

    def _counted(self, days: Days, dates: Dates, calendar: WorkCalendar) -> date | None:
        """Return a day that goes along with the occurrences of a row."""
        day = days.day(dates, calendar)
        return self.every(day, dates.number - 1) if day is not None and self.every and days.along else day

    def _end(self, counted: date, due: date, dates: Dates, context: Context) -> datetime | None:
        """Return when the window ends (UTC), or ``None`` when it does not or not yet.

        A window that holds the counted day holds the working day that stands in for it too.
        """
        if self.until is None or (last := self._counted(self.until, dates, context.calendar)) is None:
            return None
        if counted <= last < due:
            last = due
        if self.until.clock is None:
            return context.city.at(last + _DAY, MIDNIGHT)
        return context.city.at(last, self.until.clock)

    def _opens(self, due: date, dates: Dates, context: Context) -> datetime | None:
        day = None if self.opens is None else self._counted(self.opens, dates, context.calendar)
        if self.ahead is not None:
            told = context.calendar.roll_back(due - timedelta(days=self.ahead))
            day = told if day is None else min(day, told)
        if day is None:
            return None
        return self._at(day, None if self.opens is None else self.opens.clock, context)

    def _at(self, day: date, clock: time | None, context: Context) -> datetime:
        """Return the instant it runs at on ``day``: tasks come up an hour before the office opens."""
        if clock is None and self.staff:
            return context.city.at(day, context.calendar.office_hours[0][0]) - _BEFORE_WORK
        return context.city.at(day, clock or MORNING)
