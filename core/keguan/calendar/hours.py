"""Office hours: the windows of a working day, and the instants at which a city's clocks show them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from keguan.errors import ConfigError, InputError

__all__ = ["DEFAULT_OFFICE_HOURS", "Window", "checked_windows", "instant_at", "window_instants"]

Window = tuple[time, time]
"""Opening and closing on the city's clocks; ``00:00`` as closing is the end of the day."""

DEFAULT_OFFICE_HOURS: tuple[Window, ...] = ((time(9), time(18)),)
"""Ours: no source defines office hours."""

_MIDNIGHT = time(0)


def checked_windows(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Return ``windows`` in the order of the day.

    Raises ``ConfigError`` when there is none, when one closes before it opens (a window over midnight is written
    as two), when two overlap, or when a time carries a zone of its own.
    """
    ordered = tuple(sorted(windows))
    if not ordered:
        raise ConfigError("calendar.hours_none")
    for opening, closing in ordered:
        if opening.tzinfo or closing.tzinfo or (closing != _MIDNIGHT and closing <= opening):
            raise ConfigError("calendar.hours_window", window=_written((opening, closing)))
    for earlier, later in pairwise(ordered):
        if earlier[1] == _MIDNIGHT or later[0] < earlier[1]:
            raise ConfigError("calendar.hours_overlap", first=_written(earlier), second=_written(later))
    return ordered


def _written(window: Window) -> str:
    """Return a window as configuration files write it."""
    return f"{window[0]:%H:%M}-{window[1]:%H:%M}"


def window_instants(day: date, window: Window, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when ``window`` opens and closes on ``day`` (UTC); both are equal if the clocks skip all of it.

    Raises ``InputError`` at the very ends of the calendar, where no instant can be told.
    """
    opening, closing = window
    try:
        last = day if closing != _MIDNIGHT else day + timedelta(days=1)
    except OverflowError:
        raise InputError("calendar.beyond") from None
    return instant_at(day, opening, zone), instant_at(last, closing, zone)


def instant_at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return the first instant (UTC) at which it is ``clock`` on ``day``, or later, in ``zone``.

    A time that occurs twice, when clocks go back, is its first occurrence; a time that clocks skip is the instant
    of the skip. So the order of times on the clock is always the order of the instants.

    Raises ``InputError`` at the very ends of the calendar, where no instant can be told.
    """
    try:
        return _first_reading(datetime.combine(day, clock), zone)
    except OverflowError:
        raise InputError("calendar.beyond") from None


def _first_reading(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which clocks in ``zone`` read ``wall`` or later."""
    local = wall.replace(tzinfo=zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # Skipped: the old offset reads it after the skip and the new one before, so the skip lies between.
    before, after = local.replace(fold=1).astimezone(UTC), instant
    while after - before > timedelta(microseconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after
