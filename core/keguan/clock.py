"""The only place that asks for the time."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "RealClock", "VirtualClock"]


class Clock(Protocol):
    """Tells the time in UTC and waits. Everything that needs the time gets one of these."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait until ``stop`` is set (returns ``True``) or ``seconds`` have passed (``False``)."""


class RealClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Sleep until ``stop`` is set or ``seconds`` have passed."""
        return stop.wait(max(0.0, seconds))


class VirtualClock:
    """A clock that moves only when told to: for tests, ``--at``, ``simulate``, ``preview`` and ``demo``."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a virtual clock starts at an aware instant")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant the clock was last set to."""
        return self._now

    def set(self, instant: datetime) -> None:
        """Move to ``instant``, forwards or backwards."""
        self._now = instant.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move by ``by``."""
        self._now += by

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Let ``seconds`` pass at once."""
        if not stop.is_set():
            time.sleep(0)  # another thread may want to set `stop`
            self._now += timedelta(seconds=max(0.0, seconds))
        return stop.is_set()
