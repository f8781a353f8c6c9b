"""The daily tick: one event per city and business day, recorded once, also for days nobody was there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, bindparam, select

from keguan.events.log import NewEvent, append
from keguan.installation import Installation
from keguan.model import Subject
from keguan.store.branches import ensure_branches
from keguan.store.schema import events, projects

__all__ = ["SOURCE", "cities_in_use", "missing_ticks", "next_tick", "record_ticks"]

SOURCE = "tick"

# Built once: they are asked every day of the years that a demonstration lives through. Not max(): that reads
# every tick there ever was.
_USED = select(projects.c.city).distinct()
_NEWEST = (
    select(events.c.subject_id)
    .where(events.c.subject_type == "day", events.c.city == bindparam("key"))
    .order_by(events.c.subject_id.desc())
    .limit(1)
)


def cities_in_use(connection: Connection, installation: Installation) -> list[str]:
    """Return every city that is configured or has a project, sorted."""
    used = connection.execute(_USED).scalars()
    return sorted({*installation.cities, *used})


def missing_ticks(last: date | None, today: date, catch_up_days: int) -> list[date]:
    """Return the days whose tick is due when the last one was for ``last`` and ``today``'s has come.

    The first tick ever is today's. Days further back than ``catch_up_days`` are given up.
    """
    if last is None:
        return [today]
    first = max(last + timedelta(days=1), today - timedelta(days=catch_up_days))
    return [first + timedelta(days=n) for n in range((today - first).days + 1)]


def record_ticks(installation: Installation, up_to: date | Literal["today"] | None = None) -> list[tuple[str, date]]:
    """Record every tick that is due now, in the order of days, and return them as (city, day).

    With ``up_to`` (a day, or each city's today) the ticks up to and including that day are recorded whatever
    the time of day: what ``keguan tick`` asks for.
    """
    now = installation.clock.now()
    with installation.store.read() as connection:
        if not _due(installation, connection, up_to, now):
            return []
    with installation.store.write() as connection:  # again, for somebody may have been quicker
        due = _due(installation, connection, up_to, now)
        append(installation.store, connection, list(_events(installation, due)), now)
        ensure_branches(installation.store, connection, {city for _, city in due})
    return [(city, day) for day, city in due]


def _due(
    installation: Installation, connection: Connection, up_to: date | Literal["today"] | None, now: datetime
) -> list[tuple[date, str]]:
    """Return day and city of every tick that is due and not recorded, oldest first."""
    due: list[tuple[date, str]] = []
    for key in cities_in_use(connection, installation):
        city = installation.city(key)
        last = _last(connection, key)
        today = city.today(now)
        if up_to is None:
            if city.at(today, installation.settings.tick_at(key)) > now:
                if last is None:
                    continue  # the first tick ever is today's, and its time has not come
                today -= timedelta(days=1)
        elif up_to != "today":
            today = up_to
        days = missing_ticks(last, today, installation.settings.runner.catch_up_days)
        due.extend((day, key) for day in days)
    return sorted(due)


def next_tick(installation: Installation, cities: Iterable[str], now: datetime) -> datetime | None:
    """Return the next instant after ``now`` at which some city's tick falls due."""
    instants = []
    for key in cities:
        city = installation.city(key)
        at = city.at(city.today(now), installation.settings.tick_at(key))
        if at <= now:
            at = city.at(city.today(now) + timedelta(days=1), installation.settings.tick_at(key))
        instants.append(at)
    return min(instants, default=None)


def _last(connection: Connection, city: str) -> date | None:
    number = connection.execute(_NEWEST, {"key": city}).scalar()
    return None if number is None else date.fromordinal(number)


def _events(installation: Installation, due: Iterable[tuple[date, str]]) -> Iterable[NewEvent]:
    for day, key in due:
        yield NewEvent(
            source=SOURCE,
            id=f"tick/{key}/{day.isoformat()}",
            type="tick",
            time=installation.city(key).at(day, installation.settings.tick_at(key)),
            subject=Subject("day", day.toordinal()),
            city=key,
        )
