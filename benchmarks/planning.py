"""Planning: events, hook calls, reconciling and every row written, against raw inserts and two schedulers.

Each is measured as somebody would run it who wants its promises to survive a loss of power: SQLite with its full
durability, everything on disk when the measured time ends.
"""

from __future__ import annotations

import gc
import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from benchmarks.world import NOW, contracts_without_events, installation_in, record_signings
from keguan.installation import Installation
from keguan.plans.planner import deliver_events
from keguan.store.engine import SQLITE_PRAGMAS, open_store
from keguan.store.migrate import upgrade

__all__ = ["measure"]

_TABLES = ("events", "deliveries", "plans")
_BATCH = 1000


class _Planned(NamedTuple):
    plans: int
    ours: float
    """Seconds a plan with keguan."""
    floor: float
    """Seconds a plan for the same rows with the driver alone."""


def measure(folder: Path, *, contracts: int, rounds: int, huey_jobs: int, apscheduler_jobs: int) -> dict[str, float]:
    """Return microseconds a promise and the ratios; the signing of a contract makes four promises.

    keguan and the floor take turns ``rounds`` times, each time on new databases, and the best of each counts. The
    schedulers take one promise at a time, so that the cost of one does not depend on how many there are: a
    thousand are enough to know it.
    """
    planned = [_plan(folder / str(number), contracts) for number in range(rounds)]
    ours = min(each.ours for each in planned)
    floor = min(each.floor for each in planned)
    huey = _huey(folder / "huey.db", huey_jobs)
    apscheduler = _apscheduler(folder / "apscheduler.db", apscheduler_jobs)
    return {
        "plans": planned[0].plans,
        "plan_us": ours * 1e6,
        "floor_us": floor * 1e6,
        "plan_vs_floor": ours / floor,
        "huey_us": huey * 1e6,
        "plan_vs_huey": huey / ours,
        "apscheduler_us": apscheduler * 1e6,
        "plan_vs_apscheduler": apscheduler / ours,
    }


def _plan(folder: Path, contracts: int) -> _Planned:
    """Sign ``contracts`` contracts and plan what they promise; then insert the same rows without keguan."""
    installation = installation_in(folder / "keguan")
    contracts_without_events(installation, contracts)
    _warm_up(installation)
    gc.collect()
    started = time.perf_counter()
    record_signings(installation, contracts)
    plans = 0
    while (planned := deliver_events(installation)).events:
        plans += planned.inserted
    ours = time.perf_counter() - started
    assert installation.store.path is not None
    installation.close()
    floor = _floor(installation.store.path, folder / "floor", contracts)
    return _Planned(plans, ours / plans, floor / plans)


def _warm_up(installation: Installation) -> None:
    """Let the holidays library load the years concerned: a daemon pays that once in its life."""
    calendar = installation.calendar("shenzhen")
    for year in (2026, 2027):
        calendar.is_working(date(year, 3, 2))


def _floor(source: Path, folder: Path, contracts: int) -> float:
    """Return the seconds that inserting the very same rows takes with nothing but the driver.

    Same schema with its indexes, checks and foreign keys, same settings of the connection, same durability, one
    transaction per thousand homes. The events are inserted as they end, delivered.
    """
    folder.mkdir()
    store = open_store(f"sqlite:///{folder / 'floor.db'}", folder)
    upgrade(store)
    store.close()
    with closing(sqlite3.connect(source)) as live:
        rows = {table: live.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in _TABLES}
    with closing(sqlite3.connect(folder / "floor.db", isolation_level=None)) as raw:
        for pragma in SQLITE_PRAGMAS:
            raw.execute(f"PRAGMA {pragma}")
        gc.collect()
        started = time.perf_counter()
        for start in range(0, contracts, _BATCH):
            raw.execute("BEGIN IMMEDIATE")
            for table in _TABLES:
                share, rest = divmod(len(rows[table]), contracts)
                assert not rest, f"contracts differ in their rows of {table}"
                part = rows[table][start * share : (start + _BATCH) * share]
                places = ", ".join("?" * len(part[0]))
                raw.executemany(f"INSERT INTO {table} VALUES ({places})", part)
            raw.execute("COMMIT")
        return time.perf_counter() - started


def _timed(jobs: int, add: Callable[[int], object]) -> float:
    """Return the seconds that each of ``jobs`` calls took, after one that opens what has to be opened."""
    add(jobs)
    gc.collect()
    started = time.perf_counter()
    for number in range(jobs):
        add(number)
    return (time.perf_counter() - started) / jobs


def promise(contract_no: str, action: str) -> None:
    """What the schedulers would call; APScheduler wants a function that it can find by name."""


def _huey(file: Path, jobs: int) -> float:
    """Return the seconds that registering one future task takes with Huey on SQLite.

    ``fsync=True`` is its setting for tasks that must not be lost; it writes one transaction per task. Nothing
    consumes the queue meanwhile.
    """
    from huey import SqliteHuey

    huey = SqliteHuey("bench", filename=str(file), fsync=True)

    task = huey.task()(promise)
    eta = (NOW + timedelta(days=1)).replace(tzinfo=None)
    seconds = _timed(jobs, lambda n: task.schedule(args=(f"HT-{n:07d}", "sms_congratulation"), eta=eta))
    huey.storage.close()
    return seconds


def _apscheduler(file: Path, jobs: int) -> float:
    """Return the seconds that adding one dated job takes with APScheduler 3 on its SQLAlchemy store.

    The scheduler runs in its thread, as in a service; all jobs lie years ahead, so it has nothing to execute.
    """
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    from apscheduler.schedulers.background import BackgroundScheduler

    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    scheduler = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(url=f"sqlite:///{file}")}, timezone="UTC")
    scheduler.start()
    run_date = NOW + timedelta(days=4000)
    try:
        return _timed(
            jobs,
            lambda n: scheduler.add_job(
                promise, "date", run_date=run_date, args=(f"HT-{n:07d}", "sms_congratulation"), id=str(n)
            ),
        )
    finally:
        scheduler.shutdown(wait=False)
