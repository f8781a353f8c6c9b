"""Days on which nobody wants anything new need no waking up for, and nothing is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.support.databases import SqliteTemplate
from tests.support.passes import Out, make_engine
from tests.support.premises import moment

from keguan.authoring.quiet import next_new_tick
from keguan.clock import VirtualClock
from keguan.runner.scopes import apply_scopes
from keguan.runner.ticks import next_tick
from keguan.store.engine import open_store
from keguan.store.schema import deliveries, events, plans

COMPANY = """
from datetime import date, timedelta
from keguan import Action, Plan, hookimpl

@hookimpl
def daily_tick(today, branch, context):
    wanted = []
    for number in range(1, 7):  # the first of each month is promised ten days before, and said again every day
        due = context.city.at(date(2026, number, 1), context.city.quiet_until)
        if due - timedelta(days=10) <= context.city.at(today, context.city.quiet_until):
            wanted.append(Plan("letter", due, occurrence=number, subject=branch.ref))
    return wanted

@hookimpl
def register_actions():
    return [Action("letter", lambda job: [])]
"""


class Life:
    """Half a year of a company, woken as ``ticks`` says."""

    def __init__(self, folder: Path, database: str, start: str, ticks: Callable[..., datetime | None]) -> None:
        clock = VirtualClock(moment(start))
        store = open_store(database, folder)
        engine = make_engine(store, folder, clock, Out(), source=COMPANY)
        apply_scopes(engine.installation)
        self.wakes = 0
        engine.fast_forward(clock, moment("2026-06-30 12:00"), self._woken, ticks=ticks)
        engine.fast_forward(clock, moment("2026-07-01 12:00"))  # what was passed over last comes with the next
        with store.read() as connection:
            p, e, d = plans.c, events.c, deliveries.c
            self.plans = self._all(connection, select(p.occurrence, p.due_at, p.status, p.late_at_creation))
            self.days = self._all(connection, select(e.id, e.time, e.state))
            self.heard = self._all(connection, select(d.event_seq, d.status))
        store.close()

    def _woken(self, _now: datetime) -> bool:
        self.wakes += 1
        return False

    @staticmethod
    def _all(connection: Any, statement: Any) -> list[tuple[Any, ...]]:
        return sorted(map(tuple, connection.execute(statement)))


@pytest.mark.parametrize("start", ["2025-12-20 00:00", "2026-01-31 06:00"])
def test_what_is_planned_and_who_heard_of_what_is_the_same(
    sqlite_template: SqliteTemplate, tmp_path: Path, start: str
) -> None:
    lives = []
    for number, ticks in enumerate((next_tick, next_new_tick)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        lives.append(Life(folder, sqlite_template.copy_to(folder / "keguan.db"), start, ticks))
    every, new = lives
    assert len(every.plans) == 6
    assert new.plans == every.plans
    assert new.days == every.days
    assert new.heard == every.heard
    assert new.wakes < every.wakes / 3
