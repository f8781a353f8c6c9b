"""What became of a message in doubt: the gateway is asked before anybody sends it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

import pytest
from tests.support.flow import only, rows
from tests.support.stand_in_gateways import Asked, Polled, fleet

from keguan.adapters.base import Heard, Outcome, Receipt, Report
from keguan.store.schema import gateways, messages
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]


def status(city: SampleCity, *columns: str) -> object:
    return tuple(only(rows(city.store, messages, *columns)))


@pytest.mark.parametrize("policy", ["hold", "resend"])
def test_what_the_gateway_knows_is_sent_and_not_sent_again(greetings: Build, policy: str) -> None:
    city, a = greetings(), Asked()
    a.answer_next(Outcome.IN_DOUBT)
    a.knows = Report(Outcome.SENT, provider_id="p1")
    fleet(city, {"a": a}, in_doubt="resend" if policy == "resend" else "hold")
    city.sign()
    start = city.clock.now()
    city.run_until(date(2026, 3, 6))
    assert len(a.attempts) == 1
    (question, asked_at) = only(a.questions)
    assert (asked_at, question.started_at) == (start + timedelta(minutes=1), start)
    assert status(city, "status", "sent_at", "provider_id", "error") == ("sent", start, "p1", None)


def test_what_the_gateway_certainly_does_not_have_leaves_at_once_even_by_another_one(greetings: Build) -> None:
    city, a, b = greetings(), Asked(), Asked()
    a.answer_next(Outcome.IN_DOUBT, Outcome.TEMPORARY)
    a.knows = Report(Outcome.TEMPORARY)
    fleet(city, {"a": a, "b": b})
    city.sign()
    start = city.clock.now()
    city.run_until(start + timedelta(minutes=2))
    assert [sent.at for sent in b.sent] == [start + timedelta(minutes=1)]
    assert status(city, "status", "doubts") == ("sent", 0)


def test_a_gateway_that_can_say_nothing_is_asked_less_and_less_often_and_the_message_stays(greetings: Build) -> None:
    city, a = greetings(), Asked()
    a.answer_next(Outcome.IN_DOUBT)
    fleet(city, {"a": a})
    city.sign()
    start = city.clock.now()
    city.run_until(date(2026, 3, 12))
    pauses = [at - start for _, at in a.questions]
    assert pauses[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert max(later - earlier for earlier, later in pairwise(pauses)) == timedelta(hours=4)
    assert timedelta(days=2) < pauses[-1] < timedelta(days=4)
    assert (status(city, "status"), len(a.attempts)) == (("in_doubt",), 1)


def test_resending_is_for_what_the_gateway_could_say_nothing_about(greetings: Build) -> None:
    city, a = greetings(), Asked()
    a.answer_next(Outcome.IN_DOUBT)
    fleet(city, {"a": a}, in_doubt="resend")
    city.sign()
    start = city.clock.now()
    city.run_until(start + timedelta(minutes=59))
    assert len(a.attempts) == 1
    city.run_until(start + timedelta(minutes=61))
    assert [attempt.at for attempt in a.attempts] == [start, start + timedelta(hours=1)]
    assert a.questions[-1][1] == start + timedelta(hours=1), "it was asked once more right before"
    assert status(city, "status", "doubts") == ("sent", 1)


def test_a_gateway_whose_answers_are_nonsense_has_said_nothing(greetings: Build) -> None:
    city, a = greetings(), Asked()
    a.answer_next(Outcome.IN_DOUBT)
    fleet(city, {"a": a})
    a.inquire = lambda message, now: 1 / 0  # type: ignore[assignment,method-assign,return-value]
    city.sign()
    city.run_until(date(2026, 3, 3))
    assert status(city, "status", "attempts") == ("in_doubt", 1)


def test_what_a_crash_left_in_doubt_is_asked_about_too(greetings: Build) -> None:
    city, a = greetings(), Asked()
    city.sign()
    city.engine.plan_all()
    city.engine.run()
    start = city.clock.now()
    with city.store.write() as connection:
        connection.execute(
            messages.update().values(
                status="sending", adapter="a", worker="gone/1/x/a", started_at=start, lease_until=start
            )
        )
    a.knows = Report(Outcome.SENT)
    fleet(city, {"a": a}, in_doubt="resend")
    city.run_until(start + timedelta(minutes=2))
    assert (a.attempts, len(a.questions)) == ([], 1)
    assert status(city, "status", "doubts") == ("sent", 1)


def test_a_persons_decision_is_not_undone_by_a_late_answer(greetings: Build) -> None:
    city, a = greetings(), Asked()
    a.answer_next(Outcome.IN_DOUBT)

    def drop_meanwhile(message: object, now: object) -> Report:
        with city.store.write() as connection:
            connection.execute(messages.update().values(status="dropped"))
        return Report(Outcome.TEMPORARY)

    a.inquire = drop_meanwhile  # type: ignore[method-assign]
    fleet(city, {"a": a})
    city.sign()
    city.run_until(date(2026, 3, 3))
    assert (status(city, "status"), len(a.attempts)) == (("dropped",), 1)


# --- Receipts and replies that have to be fetched --------------------------------------------------------------


def test_receipts_are_fetched_from_where_the_last_process_stopped(greetings: Build) -> None:

    city = greetings()
    receipt = Receipt("p1", "delivered", city.clock.now())
    a = Polled(Heard((receipt,), cursor=1, more=True), Heard((receipt,), cursor=2), OSError("no route"))
    heard: list[tuple[str, Heard]] = []

    def listen(name: str, what: Heard, _now: object) -> None:
        heard.append((name, what))

    fleet(city, {"a": a}, listen=listen).settle()
    assert a.cursors == [None, 1]
    city.clock.advance(timedelta(seconds=29))
    city.engine.deliveries[0].run()
    assert len(a.cursors) == 2
    city.clock.advance(timedelta(seconds=1))
    fleet(city, {"a": a}, listen=listen).deliveries[0].run()
    assert a.cursors == [None, 1, 2]
    assert [name for name, _ in heard] == ["a", "a"]
    row = only(rows(city.store, gateways, "cursor", "last_error"))
    assert tuple(row) == (2, "no route")


def test_what_could_not_be_kept_is_fetched_again(greetings: Build) -> None:

    city = greetings()
    one = Heard((Receipt("p1", "delivered", city.clock.now()),), cursor=1)
    a = Polled(one, one)

    def refuse(_name: str, _heard: Heard, _now: object) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fleet(city, {"a": a}, listen=refuse).deliveries[0].run()
    fleet(city, {"a": a}, listen=lambda *_: None).deliveries[0].run()
    assert a.cursors == [None, None]
