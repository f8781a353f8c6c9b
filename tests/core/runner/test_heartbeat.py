"""The heartbeat wakes and decides nothing: neither a failing job nor a moved clock brings it to rest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from keguan.runner.heartbeat import Heartbeat, pin_time_zone

Move = Callable[[float], None]


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> Move:
    """Moves the clock that ``schedule`` reads, by seconds."""
    now = [datetime(2026, 3, 2, 12)]  # noqa: DTZ001 - naive, as `schedule` has it

    class Machine(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return now[0]

    # `schedule` asks the module each time; our own code took the class when it was imported and sees nothing.
    monkeypatch.setattr("schedule.datetime.datetime", Machine)

    def by(seconds: float) -> None:
        now[0] += timedelta(seconds=seconds)

    return by


def test_each_job_has_its_pace(move: Move) -> None:
    heartbeat, calls = Heartbeat(), []
    heartbeat.every(1, lambda: calls.append("quick"))
    heartbeat.every(3, lambda: calls.append("slow"))
    for _ in range(6):
        move(1)
        heartbeat.run()
    assert (calls.count("quick"), calls.count("slow")) == (6, 2)


def test_a_job_that_raises_stops_neither_the_others_nor_itself(move: Move) -> None:
    heartbeat, calls = Heartbeat(), []

    def fails() -> None:
        calls.append("fails")
        raise RuntimeError("bad day")

    heartbeat.every(1, fails)
    heartbeat.every(1, lambda: calls.append("works"))
    for _ in range(3):
        move(1)
        heartbeat.run()
    assert (calls.count("fails"), calls.count("works")) == (3, 3)


def test_a_clock_moved_back_two_hours_does_not_put_it_to_sleep(move: Move) -> None:
    heartbeat, calls = Heartbeat(), []
    heartbeat.every(5, lambda: calls.append("job"))
    move(-7200)
    heartbeat.run()
    move(5)
    heartbeat.run()
    assert calls == ["job"]


def test_a_night_asleep_wakes_each_job_once(move: Move) -> None:
    heartbeat, calls = Heartbeat(), []
    heartbeat.every(1, lambda: calls.append("job"))
    move(8 * 3600)
    assert 0 < heartbeat.run() <= 1
    assert calls == ["job"]


def test_the_process_is_put_into_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    assert time.localtime(0).tm_hour != 0
    pin_time_zone()
    assert (os.environ["TZ"], time.localtime(0).tm_hour) == ("UTC", 0)
