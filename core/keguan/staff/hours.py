"""When staff are told something: in working time only, and the digest on the morning of a working day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from keguan.calendar import WorkCalendar
from keguan.model import City
from keguan.settings.staff import After

__all__ = ["digest_window", "next_digest", "step_at", "work_begins"]

_MOMENT = timedelta(microseconds=1)
_LATE = timedelta(seconds=1)
"""The deadline itself is still in time; a second later it is not."""


def work_begins(calendar: WorkCalendar, at: datetime) -> datetime:
    """Return ``at`` when the office works then, else when it next opens (UTC)."""
    return calendar.add_worktime(at, _MOMENT) - _MOMENT


def step_at(calendar: WorkCalendar, after: After, due_at: datetime) -> datetime:
    """Return when an overdue task climbs a step (UTC), always in working time.

    Counted from the first working moment after the deadline: for a task due on Friday evening, one working day is
    over on Tuesday when work begins. A later deadline never climbs earlier.
    """
    begins = work_begins(calendar, due_at + _LATE)
    if after.worktime is not None:
        return work_begins(calendar, calendar.add_worktime(begins, after.worktime))
    if after.workdays == 0:
        return begins
    local = begins.astimezone(calendar.zone)
    day = calendar.add_workdays(local.date(), after.workdays)
    return work_begins(calendar, datetime.combine(day, local.time(), tzinfo=calendar.zone))


def digest_window(city: City, calendar: WorkCalendar, digest_at: time, day: date) -> tuple[datetime, datetime] | None:
    """Return from when to when the digests of ``day`` are of use (UTC), ``None`` on a day off.

    They are of use until the office closes; for a digest at a later hour, until midnight.
    """
    if not calendar.is_working(day):
        return None
    begins, ends = city.at(day, digest_at), calendar.closing(day)
    return begins, ends if ends > begins else city.at(day + timedelta(days=1), time(0))


def next_digest(city: City, calendar: WorkCalendar, digest_at: time, now: datetime) -> datetime:
    """Return when the next digests after ``now`` are due (UTC)."""
    today = city.today(now)
    if calendar.is_working(today) and (begins := city.at(today, digest_at)) > now:
        return begins
    return city.at(calendar.add_workdays(today, 1), digest_at)
