"""What is said about single days: the rows that operators load, and the answer that the calendar gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

__all__ = ["DayInfo", "DayRow", "Scope", "Source", "strongest"]

Scope = Literal["national", "company", "city"]
"""Whose decision a row is. A company overrules the nation, a city overrules its company."""

Source = Literal["week", "library", "national", "company", "city"]
"""What decided a day: the ordinary week, the kept library's notice, or a loaded row of that scope."""

_RANK: Mapping[Scope, int] = {"national": 0, "company": 1, "city": 2}


@dataclass(frozen=True, slots=True)
class DayRow:
    """One loaded decision about one day; it wins over the library and over the ordinary week."""

    date: date
    working: bool
    name: str | None = None
    """The holiday or make-up day as people call it; ``None`` keeps the library's name if that agrees."""
    scope: Scope = "national"


@dataclass(frozen=True, slots=True)
class DayInfo:
    """All that the calendar knows about one day."""

    date: date
    working: bool
    name: str | None
    """The holiday or make-up day in Chinese (elsewhere in the country's language); ``None`` on plain days."""
    provisional: bool
    """The year's notice is not out and no row was loaded for this day: the answer may still change."""
    source: Source


def strongest(rows: Iterable[DayRow]) -> dict[date, DayRow]:
    """Return the row that counts for each date: the narrowest scope, and of equals the one that comes last."""
    return {row.date: row for row in sorted(rows, key=lambda row: _RANK[row.scope])}
