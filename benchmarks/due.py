"""Finding and running what is due now: its cost must not grow with what is stored for later."""

from __future__ import annotations

import gc
import os
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from benchmarks.world import NOW, contracts_without_events, installation_in
from keguan.installation import Installation
from keguan.plans.due import run_due
from keguan.store.schema import plans
from keguan.store.types import to_stored

__all__ = ["fill_with_pending", "measure"]

_COLUMNS = tuple(
    column.name for column in plans.columns if column.name not in ("id", "attempts", "worker", "lease_until")
)


def measure(folder: Path, *, due: int, pending: int, rounds: int) -> dict[str, float]:
    """Return the microseconds a due plan costs alone and among ``pending`` others, and the growth.

    Both are measured ``rounds`` times, taking turns, and the best of each counts.
    """
    alone, among = [], []
    few = _prepared(folder / "few", due)
    many = _prepared(folder / "many", due)
    fill_with_pending(many, due, pending)
    for number in range(rounds):
        alone.append(_run(few, due, number))
        among.append(_run(many, due, number))
    few.close()
    many.close()
    return {
        "due_us": min(alone) / due * 1e6,
        "due_among_many_us": min(among) / due * 1e6,
        "due_growth": min(among) / min(alone),
    }


def _prepared(folder: Path, contracts: int) -> Installation:
    installation = installation_in(folder)
    contracts_without_events(installation, contracts)
    return installation


def _plan(subject: int, occurrence: int, due: int) -> dict[str, object]:
    values: dict[str, object] = dict.fromkeys(_COLUMNS)
    values.update(
        plugin="sixplustwo",
        action="sms_congratulation",
        subject_type="contract",
        subject_id=subject,
        occurrence=occurrence,
        round=0,
        kind="contract_signed",
        event_seq=0,
        clause="6+2指引 5.2.1",
        project_id=1,
        city="shenzhen",
        due_at=due,
        run_at=due,
        recurs=False,
        status="planned",
        by_calendar=False,
        provisional=False,
        late_at_creation=False,
        stale=False,
        created_at=due,
        changed_at=due,
    )
    return values


def _add(installation: Installation, rows: list[dict[str, object]]) -> None:
    with installation.store.write() as connection:
        installation.store.insert(connection, plans, _COLUMNS, [tuple(row.values()) for row in rows])


def fill_with_pending(installation: Installation, contracts: int, count: int) -> None:
    """Add ``count`` plans for the years to come, spread over the contracts."""
    future = to_stored(NOW + timedelta(days=30))
    step = to_stored(NOW + timedelta(minutes=2)) - to_stored(NOW)
    for start in range(0, count, 10_000):
        numbers = range(start, min(start + 10_000, count))
        _add(installation, [_plan(n % contracts + 1, 100 + n // contracts, future + step * n) for n in numbers])


def _run(installation: Installation, due: int, number: int) -> float:
    """Add ``due`` plans that are due now, run them all, and return the seconds that running took.

    What adding them wrote goes from SQLite's log into its file and onto the disk before the time counts: a million
    plans have a larger index to write then, and none of that is the work of running.
    """
    stamp = to_stored(NOW - timedelta(minutes=1))
    _add(installation, [_plan(n + 1, 10 + number, stamp) for n in range(due)])
    with installation.store.write() as connection:
        connection.execute(text("DELETE FROM messages"))
    with installation.store.engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    os.sync()
    gc.collect()
    started = time.perf_counter()
    done = 0
    while tally := run_due(installation):
        if not tally.claimed:
            break
        done += tally.done
    elapsed = time.perf_counter() - started
    assert done == due, f"{done} of {due} plans were run"
    return elapsed
