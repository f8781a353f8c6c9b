"""A gateway's rate is kept in any second, without a burst and without waiting in vain."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.stand_in_gateways import Rolling, fleet, sell

from keguan.adapters.memory import MemoryAdapter
from keguan.outbox.pace import Pace
from keguan.runner.workers import Courier
from keguan.testing import SampleCity

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
SECOND = timedelta(seconds=1)
Build = Callable[..., SampleCity]


def most_in_a_second(times: list[datetime]) -> int:
    """Return how many left in the fullest second, wherever that begins."""
    times = sorted(times)
    first, most = 0, 0
    for last, at in enumerate(times):
        while times[first] <= at - SECOND:
            first += 1
        most = max(most, last - first + 1)
    return most


@given(st.floats(1, 5000), st.lists(st.floats(0, 0.4), max_size=60))
def test_no_second_holds_more_than_the_rate(rate: float, rests: list[float]) -> None:
    pace, now, left = Pace(rate), NOW, []
    for rest in rests:
        now += timedelta(seconds=rest)
        ready = pace.ready(now, 10_000)
        pace.take(ready, now)
        left += [now] * ready
    assert most_in_a_second(left) <= -(-rate // 1)


@given(st.floats(0.1, 5000))
def test_whoever_waits_for_each_turn_comes_near_the_rate(rate: float) -> None:
    pace, now, left = Pace(rate), NOW, 0
    while now < NOW + 20 * SECOND:
        ready = pace.ready(now, 10_000)
        assert ready >= 1
        pace.take(ready, now)
        assert pace.ready(now, 1) == 0
        left += ready
        following = pace.next_at
        assert following is not None
        now = following
    assert left >= 20 * rate * 0.9


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    pace = Pace(1)
    pace.take(1, NOW)
    assert pace.ready(NOW - timedelta(days=1), 5) == 1


def test_a_rest_is_no_credit() -> None:
    pace = Pace(2)
    assert pace.ready(NOW + timedelta(hours=1), 50) == 1


def test_thousands_held_at_night_leave_in_the_morning_at_the_gateways_rate(greetings: Build) -> None:
    city, a = greetings(due="2026-03-02 22:00"), MemoryAdapter()
    sell(city, 600)
    fleet(city, {"a": a}, rate=100)
    city.run_until(city.at("2026-03-03 08:59"))
    assert a.sent == []
    city.run_until(city.at("2026-03-03 09:01"))
    times = [sent.at for sent in a.sent]
    assert len(times) == 600
    assert most_in_a_second(times) <= 100
    assert times[0] == city.at("2026-03-03 09:00")
    assert times[-1] - times[0] < 7 * SECOND


def test_the_rate_holds_for_many_at_a_time_too(greetings: Build) -> None:
    city, a = greetings(), Rolling(in_flight=8)
    sell(city, 30)
    fleet(city, {"a": a}, rate=10)
    start = city.clock.now()
    city.run_until(start + timedelta(minutes=1))
    times = [sent.at for sent in a.sent]
    assert (len(times), most_in_a_second(times) <= 10) == (30, True)
    assert times[-1] - times[0] < 4 * SECOND


def test_dispatch_waits_for_what_is_due_and_ends_with_it(greetings: Build) -> None:
    city, a = greetings(), MemoryAdapter()
    sell(city, 15)
    fleet(city, {"a": a}, rate=5)
    start = city.clock.now()
    assert city.settle().sent == 15
    assert timedelta(seconds=2.7) < city.clock.now() - start < timedelta(seconds=3.1)


def test_a_stop_ends_the_waiting(greetings: Build) -> None:
    city, stop = greetings(), threading.Event()

    class Stopping(MemoryAdapter):
        def send(self, message, now):  # type: ignore[no-untyped-def]  # as its base
            stop.set()
            return super().send(message, now)

    sell(city, 3)
    fleet(city, {"a": (a := Stopping())}, rate=1, stop=stop)
    city.settle()
    assert len(a.sent) == 1


def test_the_gateway_that_is_at_its_rate_hands_nothing_on(greetings: Build) -> None:
    city, a, b = greetings(), MemoryAdapter(), MemoryAdapter()
    sell(city, 4)
    fleet(city, {"a": a, "b": b}, rate=1)
    city.settle()
    assert (len(a.sent), b.sent) == (4, [])


def test_a_courier_rests_until_the_next_turn(greetings: Build) -> None:
    city = greetings()
    sell(city, 2)
    engine = fleet(city, {"a": MemoryAdapter()}, rate=4)
    engine.plan_all()
    engine.run()
    courier = Courier(engine.deliveries[0], threading.Event(), every=10)
    assert courier.rest() == 10
    courier.work()
    assert 0.2 < courier.rest() < 0.3


def test_what_is_held_takes_nobodys_turn(greetings: Build) -> None:
    city, a = greetings(due="2026-03-02 22:00"), MemoryAdapter()
    sell(city, 40)
    fleet(city, {"a": a}, rate=1)
    city.clock.set(city.at("2026-03-02 22:00"))
    assert city.settle().held == 40
    assert city.clock.now() == city.at("2026-03-02 22:00")
