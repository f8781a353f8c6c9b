"""How many messages a second may leave through one adapter. Pure: time is an argument."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

__all__ = ["Pace"]

_GROUPS = 20
"""Messages leave in groups, twenty a second, for each group costs the database a transaction or two."""


class Pace:
    """Lets at most ``rate`` messages leave in any second; without a rate, any number.

    There is no burst after a rest: a group that nobody used is lost.
    """

    def __init__(self, rate: float | None = None) -> None:
        if rate is not None and not rate > 0:
            raise ValueError("a rate is greater than 0")
        self.rate = rate
        self._group, self._spacing = _groups(rate) if rate is not None else (0, timedelta())
        self._began: datetime | None = None
        self._left = 0

    def ready(self, now: datetime, most: int) -> int:
        """Return how many may leave at ``now``, ``most`` at most."""
        if self.rate is None:
            return most
        return min(most, self._left if self._is_running(now) else self._group)

    def take(self, count: int, now: datetime) -> None:
        """Note that ``count`` messages leave at ``now``; no more than ``ready`` said."""
        if self.rate is None or not count:
            return
        if not self._is_running(now):
            self._began, self._left = now, self._group
        self._left -= count

    @property
    def next_at(self) -> datetime | None:
        """When the next group may leave; ``None`` when that was never asked."""
        return None if self._began is None else self._began + self._spacing

    def _is_running(self, now: datetime) -> bool:
        """Whether the group begun last is still the present one; a clock that was set back begins anew."""
        return self._began is not None and self._began <= now < self._began + self._spacing


def _groups(rate: float) -> tuple[int, timedelta]:
    """Return the size of a group and the time from one to the next.

    No second holds more than ``rate``, wherever it begins: so a whole number of groups must fit into it, and the
    size is the one that comes nearest to the rate.
    """
    if rate <= _GROUPS:
        return 1, timedelta(seconds=1 / rate) + timedelta(microseconds=1)
    sizes = range(math.ceil(rate / _GROUPS), math.ceil(rate / _GROUPS * 2) + 1)
    size = max(sizes, key=lambda each: each * math.floor(rate / each))
    return size, timedelta(seconds=1 / math.floor(rate / size)) + timedelta(microseconds=1)
