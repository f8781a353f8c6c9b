"""Many messages on the way at once: what is on disk when, what a stop and a silent gateway leave behind."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select
from tests.support.flow import rows
from tests.support.stand_in_gateways import Rolling, copies, fleet, sell

from keguan.adapters.base import Outcome, OutgoingMessage, Report
from keguan.store.schema import messages
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]


def statuses(city: SampleCity) -> Counter[str]:
    return Counter(row.status for row in rows(city.store, messages))


def test_as_many_are_on_the_way_as_the_adapter_takes(greetings: Build) -> None:
    city, a = greetings(), Rolling(in_flight=5)
    sell(city, 23)
    fleet(city, {"a": a})
    assert city.settle().sent == 23
    assert (len(a.sent), a.most) == (23, 5)
    assert set(copies(a).values()) == {1}


def test_every_start_is_on_disk_before_its_message_is_submitted(greetings: Build) -> None:
    city = greetings()

    def look(message: OutgoingMessage) -> None:
        with city.store.read() as connection:
            m = messages.c
            row = connection.execute(select(m.status, m.started_at).where(m.key == message.key)).one()
        assert row.status == "sending"
        assert row.started_at is not None
        seen.append(message.key)

    seen: list[str] = []
    a = Rolling(in_flight=4, on_submit=look)
    sell(city, 10)
    fleet(city, {"a": a})
    city.settle()
    assert len(seen) == len(a.sent) == 10


def test_a_window_costs_a_transaction_and_not_one_for_each_message(greetings: Build) -> None:
    city, a = greetings(), Rolling(in_flight=50)
    sell(city, 100)
    engine = fleet(city, {"a": a})
    engine.plan_all()
    engine.run()
    commits = []
    event.listen(city.store.engine, "commit", lambda connection: commits.append(1))
    assert engine.deliveries[0].run().sent == 100
    assert len(commits) <= 12


def test_limits_count_what_is_on_the_way(greetings: Build) -> None:
    city, a = greetings(count=3, due="2026-03-02 10:30", config="[limits]\nper_day = 2\n"), Rolling(in_flight=2)
    city.sign()
    fleet(city, {"a": a})
    city.run_until(city.at("2026-03-02 10:30"))
    assert [row.why for row in rows(city.store, messages)] == [None, None, "gate.per_day"]
    assert len(a.attempts) == 2


def test_whoever_is_stopped_submits_no_more_and_writes_what_comes(greetings: Build) -> None:
    stop = threading.Event()
    city, a = greetings(), Rolling(in_flight=3, on_submit=lambda _message: stop.set())
    sell(city, 10)
    engine = fleet(city, {"a": a}, stop=stop)
    engine.plan_all()
    engine.run()
    engine.deliveries[0].run()
    assert statuses(city) == {"sent": 3, "queued": 7}


class Silent(Rolling):
    """Takes everything and never answers."""

    def submit(self, message: OutgoingMessage, now: datetime, done: Callable[[Report], None]) -> None:
        self.on_the_way.append((message, now, done))


def test_what_is_never_answered_is_in_doubt_and_a_late_answer_changes_nothing(greetings: Build) -> None:
    city, a = greetings(), Silent(in_flight=3)
    sell(city, 3)
    fleet(city, {"a": a}, hard_limit=timedelta(milliseconds=20))
    city.settle()
    assert statuses(city) == {"in_doubt": 3}
    a.answer()
    city.settle()
    assert statuses(city) == {"in_doubt": 3}


def test_an_answer_twice_counts_once(greetings: Build) -> None:
    class Twice(Rolling):
        def submit(self, message: OutgoingMessage, now: datetime, done: Callable[[Report], None]) -> None:
            done(self.send(message, now))
            done(Report(Outcome.TEMPORARY))

    city, a = greetings(), Twice()
    sell(city, 6)
    fleet(city, {"a": a})
    city.settle()
    assert statuses(city) == {"sent": 6}


def test_an_adapter_that_raises_leaves_a_doubt_and_the_others_go_on(greetings: Build) -> None:
    class Moody(Rolling):
        def submit(self, message: OutgoingMessage, now: datetime, done: Callable[[Report], None]) -> None:
            if not self.attempts:
                self.attempts.append(None)  # type: ignore[arg-type]  # only counted
                raise RuntimeError("the vendor's library")
            super().submit(message, now, done)

    city, a = greetings(), Moody()
    sell(city, 6)
    fleet(city, {"a": a})
    city.settle()
    assert statuses(city) == {"sent": 5, "in_doubt": 1}


def test_a_damaged_message_stops_no_other(greetings: Build) -> None:
    city, a = greetings(), Rolling()
    sell(city, 3)
    engine = fleet(city, {"a": a})
    engine.plan_all()
    engine.run()
    with city.store.write() as connection:
        connection.execute(messages.update().where(messages.c.id == 2).values(attachments=[{"filename": "x"}]))
    city.settle()
    assert [row.status for row in rows(city.store, messages)] == ["sent", "dead", "sent"]


def test_a_pause_lets_what_is_on_the_way_arrive_and_starts_nothing(greetings: Build) -> None:
    city, a, b = greetings(), Rolling(in_flight=3), Rolling(in_flight=3)
    a.answer_next(Report(Outcome.LIMIT, pauses=True, retry_after=timedelta(minutes=9)))
    sell(city, 9)
    fleet(city, {"a": a, "b": b})
    city.settle()
    assert (len(a.attempts), len(a.sent), len(b.sent)) == (3, 2, 7)


def test_many_that_are_held_do_not_end_the_pass(greetings: Build) -> None:
    city, a = greetings(due="2026-03-02 22:00"), Rolling(in_flight=2)
    sell(city, 30)
    fleet(city, {"a": a})
    city.clock.set(city.at("2026-03-02 22:00"))
    assert city.settle().held == 30


OUTCOMES = st.sampled_from([*Outcome, Outcome.SENT, Outcome.SENT])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(OUTCOMES, max_size=12), st.integers(1, 6))
def test_whatever_a_gateway_answers_nothing_is_accepted_twice_and_nothing_is_stuck(
    greetings: Build, answers: list[Outcome], in_flight: int
) -> None:
    city, a, b = greetings(), Rolling(in_flight), Rolling(in_flight)
    with city.store.write() as connection:
        for table in ("messages", "gateways", "plans"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    a.answer_next(*answers)
    sell(city, 5)
    fleet(city, {"a": a, "b": b})
    city.run_until(city.clock.now() + timedelta(days=3))
    assert all(count == 1 for count in copies(a, b).values())
    assert set(statuses(city)) <= {"sent", "dead", "in_doubt"}
    assert statuses(city).total() == 5
