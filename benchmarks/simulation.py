"""Simulating: the years of an invented city under the default configuration, on all processors of this machine."""

from __future__ import annotations

import resource
import time
from datetime import date
from pathlib import Path

from keguan.demo.simulation import simulate
from keguan.demo.years import Period
from keguan.settings import default_text, parse_settings

__all__ = ["measure"]

_FIRST_YEAR = 2020


def measure(folder: Path, *, homes: int, years: int) -> dict[str, float]:
    """Return the seconds that ``homes`` homes take for ``years`` years, by the clock and of the processors.

    The latter is what stays the same on a machine that has other things to do.
    """
    settings = parse_settings(default_text(), folder / "config" / "keguan.toml", {})
    period = Period(date(_FIRST_YEAR, 1, 1), date(_FIRST_YEAR + years - 1, 12, 31), homes)
    started, used = time.perf_counter(), _processor_seconds()
    load = simulate(settings, period)
    seconds, used = time.perf_counter() - started, _processor_seconds() - used
    work = load.messages.total() + load.tasks.total()
    return {
        "simulate_s": seconds,
        "simulate_cpu_s": used,
        "simulate_us": used / work * 1e6,
        "simulated_messages": load.messages.total(),
        "simulated_tasks": load.tasks.total(),
    }


def _processor_seconds() -> float:
    """Return what this process and those that it started and that have ended used of the processors."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)
