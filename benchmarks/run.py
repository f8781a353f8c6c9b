"""Measure keguan against the raw floor and its peers, in one run: ``python benchmarks/run.py [--quick] [--json]``.

Everything is a ratio of two things measured here and now, or an absolute limit that a user feels. The full
run takes some minutes, ``--quick`` about one and a half; ``--only NAME`` runs one part.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import backlog, delivery, due, gate, gateway, planning, processes, simulation


class Goal(NamedTuple):
    """What a figure should reach."""

    most: float | None
    least: float | None
    unit: str
    what: str


GOALS = {
    "plan_vs_floor": Goal(4.0, None, "x", "planning, against inserting the same rows with bare sqlite3"),
    "plan_us": Goal(None, None, "µs", "planning one promise, events and hooks included"),
    "plan_vs_huey": Goal(None, 8.0, "x", "faster than registering the same with Huey on SQLite"),
    "plan_vs_apscheduler": Goal(None, 50.0, "x", "faster than APScheduler with its SQLAlchemy store"),
    "due_growth": Goal(1.2, None, "x", "running what is due now, among many pending against among none"),
    "smtp_vs_bare": Goal(None, 0.9, "x", "e-mail throughput, against bare smtplib on one connection"),
    "gate_us": Goal(60.0, None, "µs", "the gate, a message, with limits and opt-outs in force"),
    "gate_vs_floor": Goal(None, None, "x", "the gate, against reading the same rows with bare sqlite3"),
    "http_vs_aiohttp": Goal(None, 0.8, "x", "text messages through a gateway that takes 50 ms, against bare aiohttp"),
    "http_aiohttp_per_s": Goal(None, None, "/s", "bare aiohttp, 256 requests in flight"),
    "http_adapter_per_s": Goal(None, None, "/s", "the http adapter alone"),
    "http_keguan_per_s": Goal(None, None, "/s", "the whole path: queue, gate, start, request, answer, mark"),
    "http_build_us": Goal(None, None, "µs", "filling one request"),
    "http_engine_us": Goal(None, None, "µs", "the path without the adapter, a message"),
    "queue_memory_mb": Goal(
        150.0, None, "MB", "the daemon with a long queue and a gateway that errs 20 times a second"
    ),
    "queue_growth_mb": Goal(5.0, None, "MB", "by what that grows over the second half of the time"),
    "queue_errors_per_s": Goal(None, 20.0, "/s", "errors of that gateway, counted where it errs"),
    "import_peak_mb": Goal(200.0, None, "MB", "peak memory of importing the contracts"),
    "import_us_a_row": Goal(None, None, "µs", "importing one contract"),
    "idle_daemon_mb": Goal(90.0, None, "MB", "the daemon at rest"),
    "start_growth_s": Goal(1.0, None, "s", "start with all those pending plans, against with none"),
    "simulate_s": Goal(60.0, None, "s", "keguan simulate: ten thousand homes for six years"),
    "simulate_cpu_s": Goal(None, None, "s", "the same, of all processors together"),
    "simulate_us": Goal(None, None, "µs", "the same, a message or task"),
    "help_s": Goal(0.2, None, "s", "keguan --help"),
    "help_plugin_imports": Goal(0.0, None, "", "plugin modules that --help imports"),
}


def parts(*, quick: bool) -> dict[str, Callable[[Path], dict[str, float]]]:
    """Return what is measured, by name, at full or at the smallest size."""
    return {
        "planning": lambda folder: planning.measure(
            folder,
            contracts=2_000 if quick else 25_000,
            rounds=1 if quick else 3,
            huey_jobs=300 if quick else 2_000,
            apscheduler_jobs=100 if quick else 1_000,
        ),
        "due": lambda folder: due.measure(
            folder, due=1_000 if quick else 10_000, pending=50_000 if quick else 990_000, rounds=3 if quick else 6
        ),
        "delivery": lambda folder: delivery.measure(folder, mails=300 if quick else 2_000, rounds=3),
        "gate": lambda folder: gate.measure(folder, queued=5_000 if quick else 100_000, rounds=2 if quick else 3),
        "gateway": lambda folder: gateway.measure(folder, count=2_000 if quick else 20_000, rounds=3),
        "backlog": lambda folder: backlog.measure(
            folder, queued=50_000 if quick else 1_000_000, seconds=15 if quick else 120
        ),
        "import": lambda folder: processes.measure_import(folder, rows=20_000 if quick else 1_000_000),
        "daemon": lambda folder: processes.measure_daemon(folder, pending=50_000 if quick else 1_000_000),
        "simulation": lambda folder: simulation.measure(
            folder, homes=200 if quick else 10_000, years=1 if quick else 6
        ),
        "help": lambda _folder: processes.measure_help(rounds=5),
    }


def main() -> int:
    """Run, print, and return 1 when a goal was missed at full size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the smallest size: does it run, roughly how fast")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--only", action="append", metavar="NAME")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    found: dict[str, float] = {}
    for name, measure in parts(quick=options.quick).items():
        if options.only and name not in options.only:
            continue
        with tempfile.TemporaryDirectory(prefix="keguan-bench-") as folder:
            found |= measure(Path(folder))
        if not options.as_json:
            print(f"… {name} measured", file=sys.stderr, flush=True)
    missed = [key for key, value in found.items() if _missed(key, value)]
    if options.as_json:
        print(json.dumps({**found, "missed": missed, "quick": options.quick}, indent=2))
    else:
        _print(found)
    return 1 if missed and not options.quick else 0


def _missed(key: str, value: float) -> bool:
    goal = GOALS.get(key)
    if goal is None:
        return False
    return (goal.most is not None and value > goal.most) or (goal.least is not None and value < goal.least)


def _print(found: dict[str, float]) -> None:
    for key, goal in GOALS.items():
        if key not in found:
            continue
        wanted = f"≤ {goal.most:g}" if goal.most is not None else f"≥ {goal.least:g}" if goal.least is not None else ""
        mark = "✗" if _missed(key, found[key]) else "✓" if wanted else " "
        print(f"{mark} {key:22} {found[key]:10.2f} {goal.unit:3} {wanted:8} {goal.what}")
    print()
    for key, value in found.items():
        if key not in GOALS:
            print(f"  {key:22} {value:10.1f}")


if __name__ == "__main__":
    sys.exit(main())
