"""The heartbeat: ``schedule`` wakes others at their pace and does nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import schedule
import structlog

__all__ = ["Heartbeat", "pin_time_zone"]


def pin_time_zone() -> None:
    """Make UTC the zone of this process: ``schedule`` counts in local time and stumbles over summer time."""
    os.environ["TZ"] = "UTC"
    time.tzset()


class Heartbeat:
    """Calls functions every so many seconds, in one thread.

    Each must be quick. One that raises is logged and called again at its next turn, and the others have
    theirs: ``schedule`` itself would give up the pass and repeat the failing job at every look.
    """

    def __init__(self) -> None:
        self._scheduler = schedule.Scheduler()  # never the module's own, which everybody shares
        self._jobs: list[tuple[float, Callable[[], object]]] = []
        self._log = structlog.get_logger("keguan.runner")

    def every(self, seconds: float, job: Callable[[], object]) -> None:
        """Call ``job`` every ``seconds``, the first time after so long."""
        self._jobs.append((seconds, job))
        self._add(seconds, job)

    def run(self) -> float:
        """Call what is due; return how many seconds may pass until the next look."""
        self._scheduler.run_pending()
        idle = self._scheduler.idle_seconds
        if idle is None:
            return 1.0
        if idle > max(seconds for seconds, _ in self._jobs):
            # The machine's clock was moved back: `schedule` would now rest until the old time comes again.
            self._scheduler.clear()
            for seconds, job in self._jobs:
                self._add(seconds, job)
        return min(max(idle, 0.02), 1.0)  # it is negative when something is overdue

    def _add(self, seconds: float, job: Callable[[], object]) -> None:
        def safely() -> None:
            try:
                job()
            except Exception as error:  # noqa: BLE001 - one job must not stop the others
                self._log.error("heartbeat job failed", error=f"{type(error).__name__}: {error}")

        self._scheduler.every(seconds).seconds.do(safely)  # type: ignore[arg-type]  # fractions work, see its code
