"""Which business days bring something new, asked of the plugins themselves: the others need no waking up for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from keguan.model import Event, Plan, Subject
from keguan.plans.wants import Place, ask_for_tick
from keguan.store.branches import load_branches
from keguan.store.records import load_projects

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["next_new_tick"]

_LONGEST = timedelta(days=14)
"""So long at most: well within the days whose ticks are caught up, and never far into a new year."""


def next_new_tick(installation: Installation, cities: Iterable[str], now: datetime) -> datetime | None:
    """Return the next instant after ``now`` whose tick some plugin wants a new plan at, or a fortnight's last one.

    Hooks are values to values, so they can be asked about days to come. Ticks that are passed over are recorded and
    delivered with the next, each with its own time: they want what is wanted already.
    """
    return min((_of_city(installation, key, now) for key in cities), default=None)


def _of_city(installation: Installation, key: str, now: datetime) -> datetime:
    city, at = installation.city(key), installation.settings.tick_at(key)
    today = city.today(now)
    if city.at(today, at) > now:
        today -= timedelta(days=1)
    with installation.store.read() as connection:
        branch = load_branches(connection, [key]).get(key)
        place = None if branch is None else Place(branch, load_projects(connection, [key])[key])
    day = today + timedelta(days=1)
    if place is not None:
        known = _wanted(installation, key, place, today)
        while day < today + _LONGEST and (day.month, day.day) != (1, 1):
            wanted = _wanted(installation, key, place, day)
            if wanted - known:
                break
            known |= wanted
            day += timedelta(days=1)
    return city.at(day, at)


def _wanted(installation: Installation, city: str, place: Place, day: date) -> set[tuple[str, Plan | None]]:
    """Return what each plugin wants on ``day``; a failing hook is something new, for the engine to see."""
    at = installation.city(city).at(day, installation.settings.tick_at(city))
    tick = Event(0, "tick", f"tick/{city}/{day}", "tick", at, Subject("day", day.toordinal()), city)
    found: set[tuple[str, Plan | None]] = set()
    for plugin, wants in ask_for_tick(installation, tick, place):
        found.update((plugin, plan) for plan in wants.plans.get("tick", ()))
        if wants.failures:
            found.add((f"{plugin} {day}", None))
    return found
