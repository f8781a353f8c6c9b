"""Planning: events, hook calls, reconciling and every row written, against raw inserts and two schedulers."""

from __future__ import annotations

import gc
import sqlite3
import time
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from benchmarks.world import NOW, contracts_without_events, installation_in, record_signings
from keguan.installation import Installation
from keguan.plans.planner import deliver_events
from keguan.store.engine import open_store
from keguan.store.migrate import upgrade

__all__ = ["measure"]

_TABLES = ("events", "deliveries", "plans")


def measure(folder: Path, *, contracts: int, huey_jobs: int, apscheduler_jobs: int) -> dict[str, float]:
    """Return microseconds a plan and the ratios; `contracts` signings make four plans each."""
    installation = installation_in(folder / "keguan")
    contracts_without_events(installation, contracts)
    _warm_up(installation)
    gc.collect()
    started = time.perf_counter()
    record_signings(installation, contracts)
    plans = 0
    while (planned := deliver_events(installation)).events:
        plans += planned.inserted
    ours = (time.perf_counter() - started) / plans
    assert installation.store.path is not None
    floor = _floor(installation.store.path, folder / "floor", contracts) / plans
    installation.close()
    huey = _huey(folder / "huey.db", huey_jobs)
    apscheduler = _apscheduler(folder / "apscheduler.db", apscheduler_jobs)
    return {
        "plans": plans,
        "plan_us": ours * 1e6,
        "floor_us": floor * 1e6,
        "plan_vs_floor": ours / floor,
        "huey_us": huey * 1e6,
        "plan_vs_huey": huey / ours,
        "apscheduler_us": apscheduler * 1e6,
        "plan_vs_apscheduler": apscheduler / ours,
    }


def _warm_up(installation: Installation) -> None:
    """Let the holidays library load the years concerned: a daemon pays that once in its life."""
    calendar = installation.calendar("shenzhen")
    for year in (2026, 2027):
        calendar.is_working(date(year, 3, 2))


def _floor(source: Path, folder: Path, contracts: int) -> float:
    """Return the seconds that inserting the very same rows takes with nothing but the driver.

    Same schema, same indexes, same durability, one transaction per thousand homes.
    """
    folder.mkdir()
    store = open_store(f"sqlite:///{folder / 'floor.db'}", folder)
    upgrade(store)
    store.close()
    with closing(sqlite3.connect(source)) as live:
        rows = {table: live.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in _TABLES}
    with closing(sqlite3.connect(folder / "floor.db", isolation_level=None)) as raw:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -16000"):
            raw.execute(f"PRAGMA {pragma}")
        gc.collect()
        started = time.perf_counter()
        for start in range(0, contracts, 1000):
            raw.execute("BEGIN IMMEDIATE")
            for table in _TABLES:
                share = len(rows[table]) // contracts
                part = rows[table][start * share : (start + 1000) * share]
                places = ", ".join("?" * len(part[0]))
                raw.executemany(f"INSERT INTO {table} VALUES ({places})", part)
            raw.execute("COMMIT")
        return time.perf_counter() - started


def _huey(file: Path, jobs: int) -> float:
    """Return the seconds that registering one future task takes with Huey on SQLite."""
    from huey import SqliteHuey

    huey = SqliteHuey("bench", filename=str(file), fsync=True)

    @huey.task()
    def promise(contract_no: str, action: str) -> None:
        pass

    started = time.perf_counter()
    for n in range(jobs):
        promise.schedule(args=(f"HT-{n:07d}", "sms_congratulation"), eta=(NOW + timedelta(days=1)).replace(tzinfo=None))
    return (time.perf_counter() - started) / jobs


def promise(contract_no: str, action: str) -> None:
    """What APScheduler would call; it wants a function that it can find by name."""


def _apscheduler(file: Path, jobs: int) -> float:
    """Return the seconds that adding one dated job takes with APScheduler on its SQLAlchemy store."""
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    from apscheduler.schedulers.background import BackgroundScheduler

    scheduler = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(url=f"sqlite:///{file}")}, timezone="UTC")
    scheduler.start(paused=True)
    try:
        started = time.perf_counter()
        for n in range(jobs):
            scheduler.add_job(
                promise, "date", run_date=NOW + timedelta(days=4000), args=(f"HT-{n:07d}", "sms"), id=str(n)
            )
        return (time.perf_counter() - started) / jobs
    finally:
        scheduler.shutdown(wait=False)
