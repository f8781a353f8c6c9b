"""Retention in the daemon: once a day, a little at a time, so that planning goes on meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from keguan.errors import KeguanError
from keguan.people.retention import Purge, last_purge

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["DAEMON", "DailyPurge"]

DAEMON = "daemon"
"""Who stands in the log for what the daemon took away."""
_EVERY = timedelta(hours=24)
_PAUSE = timedelta(hours=1)


class DailyPurge:
    """What a day's purge has left to do; ``work`` is called again and again."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._purge: Purge | None = None
        self._steps: Iterator[str] = iter(())
        self._rest_until: datetime | None = None
        self._log = structlog.get_logger("keguan.privacy")

    def work(self, seconds: float = 0.5) -> bool:
        """Take away for about so long what is past its retention; return whether something is left for the next call.

        Does nothing within a day of the last purge that was finished, whoever made it.
        """
        store, now = self._installation.store, self._installation.clock.now()
        if self._rest_until is not None and now < self._rest_until:
            return False
        self._rest_until = None
        if self._purge is None:
            with store.read() as connection:
                last = last_purge(connection)
            if last is not None and now < last[0] + _EVERY:
                return False
            self._purge = Purge(store, self._installation.settings, now)
            self._steps = self._purge.steps()
        purge = self._purge
        ends = monotonic() + seconds
        try:
            for _ in self._steps:
                if monotonic() >= ends:
                    return True
            purge.record(DAEMON)
        except (KeguanError, OSError) as error:  # planning must not wait for a folder that cannot be written to
            self._log.error("purge failed", error=str(error), again_in=_PAUSE.total_seconds())
            self._purge, self._rest_until = None, now + _PAUSE  # begun again, it takes nothing away twice
            return False
        self._purge = None
        if any(purge.counts.values()):
            self._log.info("purged", **{name: count for name, count in purge.counts.items() if count})
        return False
