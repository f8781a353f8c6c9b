"""A year as a wall calendar, for page and workbook alike: twelve months of days with what falls on them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from keguan.calendar import WorkCalendar

__all__ = ["COLOURS", "NOBODY", "Day", "Place", "colours_of", "places_of"]

COLOURS = ("#0072b2", "#c2570c", "#00805c", "#a8387c", "#5b4bb7", "#8a6d00", "#b3142d", "#3c7d9e", "#6b7280", "#7a4a1f")
"""Told apart on paper, and by people who see no red or green; each with a name beside it."""
NOBODY = "#4b5563"
"""The colour of what no department is named for."""
_SATURDAY = 5
_LEFT_OUT = ("waived", "cancelled")
"""What nobody has to do, and no calendar shows; the list does."""

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a place's calendar."""

    date: date
    off: bool
    """No working day: a weekend or a holiday."""
    made_up: bool
    """Worked although it is a Saturday or Sunday."""
    name: str | None
    """The holiday's or the make-up day's name; ``None`` on plain days."""
    entries: Sequence[Entry]
    clash: bool
    """Two gatherings of customers fall on it."""


@dataclass(frozen=True, slots=True)
class Place:
    """The year of one project, or of the company in one city."""

    type: str
    name: str
    entries: Sequence[Entry]
    clashes: Sequence[Mapping[str, Any]]
    months: Sequence[Sequence[Day]]
    provisional: bool
    """The holidays of the year are not announced yet."""


def places_of(plan: Mapping[str, Any], calendars: Mapping[str, WorkCalendar]) -> list[Place]:
    """Return the places of a plan (what ``read_year_plan`` returns); ``calendars`` are those of its cities, by key."""
    by_place: dict[tuple[str, str], list[Entry]] = {}
    for entry in plan["entries"]:
        by_place.setdefault((entry["place"]["type"], entry["place"]["id"]), []).append(entry)
    return [_place(kind, name, entries, plan, calendars) for (kind, name), entries in by_place.items()]


def colours_of(entries: Iterable[Entry]) -> dict[str, str]:
    """Return a colour for each department, those with most to do first; beyond ten they come again."""
    counts: dict[str, int] = {}
    for entry in entries:
        if entry["department"]:
            counts[entry["department"]] = counts.get(entry["department"], 0) + 1
    busiest = sorted(counts, key=lambda name: (-counts[name], name))
    return {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(busiest)}


def _place(
    kind: str, name: str, entries: Sequence[Entry], plan: Mapping[str, Any], calendars: Mapping[str, WorkCalendar]
) -> Place:
    calendar = calendars[entries[0]["city"]]
    clashes = [clash for clash in plan["clashes"] if clash["place"] == {"type": kind, "id": name}]
    clashing = {clash["date"] for clash in clashes}
    on: dict[date, list[Entry]] = {}
    for entry in entries:
        if entry["status"] not in _LEFT_OUT:
            on.setdefault(entry["date"], []).append(entry)

    def day(at: date) -> Day:
        info = calendar.day(at)
        made_up = info.working and at.weekday() >= _SATURDAY
        return Day(at, not info.working, made_up, info.name, on.get(at, ()), at in clashing)

    year = plan["year"]
    months = [[day(date(year, month, n + 1)) for n in range(monthrange(year, month)[1])] for month in range(1, 13)]
    return Place(kind, name, entries, clashes, months, calendar.is_provisional(date(year, 1, 1), date(year, 12, 31)))
