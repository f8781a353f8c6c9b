"""How much work a configuration makes, and when: the years of an invented city, shared out over the processors."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from keguan.demo.load import Load
from keguan.demo.years import Part, Period, simulate_part
from keguan.logs import configure_logs

if TYPE_CHECKING:
    from keguan.plugins.discovery import Installed
    from keguan.settings import Settings

__all__ = ["simulate"]

_WORTH_A_PROCESS = 1_000
"""Homes: to start a process and let the days pass in it takes as long as some hundred homes."""


def simulate(
    settings: Settings,
    period: Period,
    progress: Callable[[int], None] = lambda _days: None,
    *,
    processes: int | None = None,
    installed: Mapping[str, Installed] | None = None,
) -> Load:
    """Run ``period`` under ``settings`` and count the work.

    The projects are shared out over ``processes``, as many as the machine has processors unless given: what one is
    promised does not depend on the others, so it comes to the same. ``installed`` stands in for the plugins of the
    environment, and keeps everything in this process. Raises what a start of the daemon would raise.
    """
    parts = 1 if installed is not None else processes or _useful_processes(period.homes)
    if parts == 1:
        return simulate_part(settings, period, Part(), progress, installed)
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(parts - 1, spawned, initializer=configure_logs, initargs=("error",)) as pool:
        others = [pool.submit(simulate_part, settings, period, Part(number, parts)) for number in range(1, parts)]
        load = simulate_part(settings, period, Part(0, parts), progress)
        for other in others:
            load.merge(other.result())
    return load


def _useful_processes(homes: int) -> int:
    return max(1, min(os.cpu_count() or 1, homes // _WORTH_A_PROCESS))
