"""The daily tick: once per city and business day, in order, also for days on which nobody was there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import Facts
from tests.support.passes import Out, make_engine

from keguan.clock import VirtualClock
from keguan.runner.engine import Engine
from keguan.runner.ticks import missing_ticks, record_ticks
from keguan.store.engine import Store

SIX = datetime(2026, 3, 1, 22, tzinfo=UTC)  # 06:00 of the 2nd in Shenzhen, the time of its tick
SECOND = date(2026, 3, 2)
DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(SIX)


@pytest.fixture
def engine(store: Store, tmp_path: Path, clock: VirtualClock) -> Engine:
    return make_engine(store, tmp_path, clock, Out(), config={"runner": {"catch_up_days": 5}})


def test_the_first_tick_ever_is_todays_and_waits_for_its_time(engine: Engine, clock: VirtualClock) -> None:
    clock.set(SIX - timedelta(seconds=1))
    assert record_ticks(engine.installation) == []
    clock.set(SIX)
    assert record_ticks(engine.installation) == [("shenzhen", SECOND)]
    assert record_ticks(engine.installation) == []


def test_missed_days_are_caught_up_in_order(engine: Engine, clock: VirtualClock) -> None:
    record_ticks(engine.installation)
    clock.advance(timedelta(days=3))
    assert record_ticks(engine.installation) == [("shenzhen", SECOND + timedelta(days=n)) for n in (1, 2, 3)]


def test_days_beyond_the_limit_are_given_up(engine: Engine, clock: VirtualClock) -> None:
    record_ticks(engine.installation)
    clock.advance(timedelta(days=100))
    ticks = record_ticks(engine.installation)
    assert ticks[0] == ("shenzhen", SECOND + timedelta(days=95))
    assert ticks[-1] == ("shenzhen", SECOND + timedelta(days=100))


def test_a_city_that_comes_later_starts_when_it_comes(engine: Engine, store: Store, clock: VirtualClock) -> None:
    record_ticks(engine.installation)
    clock.advance(timedelta(days=3))
    Facts(store).add_project("wuhan")
    ticks = record_ticks(engine.installation)
    assert [day for city, day in ticks if city == "wuhan"] == [SECOND + timedelta(days=3)]
    assert [day for day, _ in ticks] != []
    assert [day for _, day in ticks] == sorted(day for _, day in ticks)


def test_a_clock_moved_back_brings_no_tick_again(engine: Engine, clock: VirtualClock) -> None:
    record_ticks(engine.installation)
    clock.advance(timedelta(days=-2))
    assert record_ticks(engine.installation) == []
    clock.advance(timedelta(days=3))
    assert record_ticks(engine.installation) == [("shenzhen", SECOND + timedelta(days=1))]


@given(last=DAYS, today=DAYS, limit=st.integers(0, 40))
def test_caught_up_days_are_new_in_order_without_gap_and_within_the_limit(last: date, today: date, limit: int) -> None:
    days = missing_ticks(last, today, limit)
    assert all(last < day <= today for day in days)
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))
    assert len(days) == max(0, min((today - last).days, limit + 1))
    assert not days or days[-1] == today
