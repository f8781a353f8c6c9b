"""What the clock of a city says of a moment: looked up once for the thousands of messages of the same minutes."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import NamedTuple

from keguan.model import City

__all__ = ["Hours", "hours_of"]

_STEP = 15
"""Minutes. Every zone puts its clocks on or back at a full quarter of an hour UTC."""


class Hours(NamedTuple):
    """What a city's clock says of each instant from ``since`` until before ``until``. All instants are UTC."""

    since: datetime
    until: datetime
    closed: datetime | None
    """When the quiet hours end; ``None`` outside them."""
    opening: datetime | None
    """When promotion may leave again; ``None`` where it may."""
    begins: datetime
    """The beginning of the business day."""
    ends: datetime


def hours_of(city: City, now: datetime) -> Hours:
    """Return what the clock of ``city`` says at ``now`` (UTC), and until when it says the same."""
    local = now.astimezone(city.zone)
    clock = _since_midnight(local.timetz())
    today = local.date()
    begins, ends = city.at(today, time()), city.at(today + timedelta(days=1), time())
    passed = timedelta(minutes=now.minute % _STEP, seconds=now.second, microseconds=now.microsecond)
    until = min(now - passed + timedelta(minutes=_STEP), ends)
    for turn in (city.quiet_from, city.quiet_until, city.promotion_from, city.promotion_until):
        ahead = _since_midnight(turn) - clock
        if ahead > timedelta():
            until = min(until, now + ahead)
    opening = city.opening(now, promotion=True)
    return Hours(now, until, city.quiet_end(now), None if opening == now else opening, begins, ends)


def _since_midnight(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond)
