"""Several gateways for one channel: what one cannot send the next one does, and nobody sends a thing twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.support.flow import only, rows
from tests.support.stand_in_gateways import approval, copies, fleet, sell

from keguan import Sms
from keguan.adapters.base import Outcome, Report
from keguan.adapters.memory import MemoryAdapter
from keguan.outbox import by_hand
from keguan.outbox.retry import RetryPolicy, Way, after_attempt
from keguan.outbox.routes import Routes
from keguan.store.schema import gateways, messages
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]
PAUSE = Report(Outcome.LIMIT, "too much", retry_after=timedelta(minutes=20), pauses=True)


def status(city: SampleCity, *columns: str) -> Any:
    return only(rows(city.store, messages, *(columns or ("status",))))


@pytest.mark.parametrize("answer", [Outcome.TEMPORARY, Outcome.CONFIGURATION, PAUSE], ids=str)
def test_what_one_gateway_certainly_did_not_take_the_next_one_sends_at_once(greetings: Build, answer: Any) -> None:
    city, a, b = greetings(), MemoryAdapter(), MemoryAdapter()
    a.answer_next(answer)
    fleet(city, {"a": a, "b": b})
    city.sign()
    city.settle()
    assert (len(a.attempts), len(a.sent), len(b.sent)) == (1, 0, 1)
    assert status(city, "status", "adapter", "via", "error") == ("sent", "b", "b", None)


@pytest.mark.parametrize(("answer", "ends"), [(Outcome.IN_DOUBT, "in_doubt"), (Outcome.PERMANENT, "dead")])
def test_what_may_have_left_and_what_is_refused_goes_to_no_other_gateway(
    greetings: Build, answer: Outcome, ends: str
) -> None:
    city, a, b = greetings(), MemoryAdapter(), MemoryAdapter()
    a.answer_next(answer)
    fleet(city, {"a": a, "b": b})
    city.sign()
    city.run_until(date(2026, 3, 5))
    assert b.attempts == []
    assert status(city) == (ends,)


def test_what_may_have_left_before_stays_with_its_gateway_although_that_fails_now(greetings: Build) -> None:
    city, a, b = greetings(), MemoryAdapter(), MemoryAdapter()
    a.answer_next(Outcome.IN_DOUBT, Outcome.TEMPORARY, PAUSE)
    fleet(city, {"a": a, "b": b}, in_doubt="resend")
    city.sign()
    city.run_until(date(2026, 3, 3))
    assert (len(a.attempts), len(a.sent), b.attempts) == (4, 1, [])


def test_when_all_fail_the_message_waits_and_begins_anew_at_the_first(greetings: Build) -> None:
    city, a, b = greetings(), MemoryAdapter(), MemoryAdapter()
    a.answer_next(Outcome.TEMPORARY)
    b.answer_next(Outcome.TEMPORARY)
    fleet(city, {"a": a, "b": b})
    city.sign()
    city.settle()
    assert status(city, "status", "via", "attempts", "next_at") == (
        "queued",
        None,
        2,
        city.clock.now() + timedelta(minutes=1),
    )
    city.run_until(city.clock.now() + timedelta(minutes=1))
    assert (len(a.sent), len(b.sent)) == (1, 0)


def test_a_second_gateway_makes_nothing_die_sooner(greetings: Build) -> None:
    city, a, b = greetings(), MemoryAdapter(), MemoryAdapter()
    a.answer_next(*[Outcome.TEMPORARY] * 9)
    b.answer_next(*[Outcome.TEMPORARY] * 9)
    fleet(city, {"a": a, "b": b}, attempts=3)
    city.sign()
    city.run_until(date(2026, 3, 4))
    assert (len(a.attempts), len(b.attempts)) == (3, 3)
    assert status(city) == ("dead",)


def test_while_a_gateway_is_paused_the_next_one_takes_what_waits_for_it(greetings: Build) -> None:
    city, a, b = greetings(), MemoryAdapter(), MemoryAdapter()
    a.answer_next(PAUSE)
    fleet(city, {"a": a, "b": b})
    sell(city, 6)
    city.settle()
    assert (len(a.attempts), len(b.sent)) == (1, 6)
    city.clock.advance(timedelta(minutes=20))
    sell(city, 3)
    city.settle()
    assert (len(a.sent), len(b.sent)) == (3, 6)


def test_when_all_are_paused_a_message_leaves_as_soon_as_the_first_of_them_goes_on(greetings: Build) -> None:
    city, a, b = greetings(count=2), MemoryAdapter(), MemoryAdapter()
    a.answer_next(PAUSE)
    b.answer_next(Report(Outcome.LIMIT, retry_after=timedelta(minutes=5), pauses=True))
    start = city.clock.now()
    fleet(city, {"a": a, "b": b})
    city.sign()
    city.run_until(date(2026, 3, 2))
    assert [sent.at for sent in b.sent] == [start + timedelta(minutes=5)] * 2
    assert {row.attempts for row in rows(city.store, messages)} == {1}


def test_a_pause_survives_into_the_next_process_and_one_for_a_wrong_configuration_does_not(greetings: Build) -> None:
    city, a = greetings(), MemoryAdapter()
    a.answer_next(PAUSE)
    fleet(city, {"a": a})
    city.sign()
    city.settle()
    row = only(rows(city.store, gateways, "paused_until", "paused_by", "last_error", "last_error_at"))
    start = city.clock.now()
    assert row == (start + timedelta(minutes=20), "limit", "too much", start)
    sell(city)
    fleet(city, {"a": a}).settle()
    assert len(a.attempts) == 1
    city.run_until(start + timedelta(minutes=20))
    assert len(a.sent) == 2
    a.answer_next(Outcome.CONFIGURATION)
    sell(city)
    city.settle()
    sell(city)
    fleet(city, {"a": a}).settle()
    assert len(a.sent) == 3
    assert only(rows(city.store, gateways, "paused_until", "last_sent_at")) == (None, city.clock.now())


def test_a_pause_that_another_process_met_with_counts_here_too(greetings: Build) -> None:
    city, a, elsewhere = greetings(), MemoryAdapter(), MemoryAdapter()
    here = fleet(city, {"a": a})
    here.settle()
    elsewhere.answer_next(PAUSE)
    sell(city, 3)
    fleet(city, {"a": elsewhere}).settle()
    here.settle()
    assert a.attempts == []
    city.clock.advance(timedelta(minutes=20))
    here.settle()
    assert len(a.sent) == 3


def test_one_number_at_its_limit_stops_nobody_else(greetings: Build) -> None:
    city, a, b = greetings(count=2), MemoryAdapter(), MemoryAdapter()
    a.answer_next(Report(Outcome.LIMIT, "this number", retry_after=timedelta(hours=2)))
    fleet(city, {"a": a, "b": b}, batch=1)
    city.sign()
    city.settle()
    sell(city)
    city.settle()
    assert [sent.message.to_address for sent in a.sent] == [a.attempts[-1].message.to_address] * 2
    assert (len(a.attempts), b.attempts) == (3, []), "the second message to that number waits without asking"
    city.run_until(city.clock.now() + timedelta(hours=2))
    assert (len(a.sent), len(a.attempts)) == (4, 5)
    assert {row.attempts for row in rows(city.store, messages)} == {1}


def test_a_template_that_only_the_second_gateway_approved_leaves_there(greetings: Build) -> None:
    city, a, b = greetings(), MemoryAdapter(), MemoryAdapter()
    fleet(city, {"a": a, "b": b}, approving=("a", "b"), approvals=(approval("b"),))
    city.sign()
    city.settle()
    message = only(b.sent).message
    assert (a.attempts, message.template_id, dict(message.variables)) == ([], "SMS_b", {"name": "王小明"})


def test_a_template_that_nobody_approved_is_held_and_says_so(greetings: Build) -> None:
    city, a, b = greetings(), MemoryAdapter(), MemoryAdapter()
    fleet(city, {"a": a, "b": b}, approving=("a", "b"))
    city.sign()
    city.settle()
    assert status(city, "status", "why", "via") == ("held", "gate.template_not_approved", None)
    fleet(city, {"a": a, "b": b}, approving=("a", "b"), approvals=(approval("a"),))
    city.run_until(city.clock.now() + timedelta(hours=1))
    assert len(a.sent) == 1


def test_what_was_composed_before_a_template_got_other_variables_is_held_and_says_so(greetings: Build) -> None:
    city, a, b = greetings(), MemoryAdapter(), MemoryAdapter()
    anew = approval("a", variables=("name", "home"))
    fleet(city, {"a": a}, approving=("a",), approvals=(anew,))
    city.sign()
    city.settle()
    assert (status(city, "status", "why"), a.attempts) == (("held", "gate.template_not_approved"), [])
    fleet(city, {"a": a, "b": b}, approving=("a", "b"), approvals=(anew, approval("b")))
    city.run_until(city.clock.now() + timedelta(hours=1))
    assert (a.attempts, only(b.sent).message.template_id) == ([], "SMS_b"), "there it is still what was approved"


@pytest.mark.parametrize(
    ("value", "why"),
    [("长" * 36, "gate.value_length"), ("", "gate.value_length"), ("见 www.example.com/a", "gate.value_link")],
)
def test_a_value_that_every_provider_refuses_is_not_submitted(greetings: Build, value: str, why: str) -> None:
    def act(job: Any) -> list[Sms]:
        return [Sms(job.record.owners[0], "hello", {"name": value})]

    city, a = greetings(act=act), MemoryAdapter()
    fleet(city, {"a": a}, approving=("a",), approvals=(approval("a"),), providers={"a": "aliyun"})
    city.sign()
    city.settle()
    assert (status(city, "status", "why"), a.attempts) == (("dead", why), [])


def test_a_value_that_is_too_long_for_one_provider_leaves_through_another(greetings: Build) -> None:
    def act(job: Any) -> list[Sms]:
        return [Sms(job.record.owners[0], "hello", {"name": "长" * 36})]

    city, a, b = greetings(act=act), MemoryAdapter(), MemoryAdapter()
    both = (approval("a"), approval("b"))
    providers = {"a": "aliyun", "b": "tencent"}
    fleet(city, {"a": a, "b": b}, approving=("a", "b"), approvals=both, providers=providers)
    city.sign()
    city.settle()
    assert (a.attempts, len(b.sent)) == ([], 1)


def test_a_gateway_that_may_not_send_it_is_no_reason_to_give_up_one_that_failed_for_now(greetings: Build) -> None:
    city, a, b = greetings(), MemoryAdapter(), MemoryAdapter()
    a.answer_next(PAUSE)
    fleet(city, {"a": a, "b": b}, approving=("a", "b"), approvals=(approval("a"),))
    city.sign()
    city.settle()
    assert status(city, "status", "why", "next_at") == ("queued", None, city.clock.now() + timedelta(minutes=20))
    city.run_until(city.clock.now() + timedelta(minutes=20))
    assert len(a.sent) == 1


def test_nothing_waits_for_a_gateway_that_is_gone(greetings: Build) -> None:
    city, a, b = greetings(), MemoryAdapter(), MemoryAdapter()
    a.answer_next(Outcome.TEMPORARY, Outcome.TEMPORARY)
    b.answer_next(Report(Outcome.LIMIT, retry_after=timedelta(hours=1)), Outcome.IN_DOUBT)
    fleet(city, {"a": a, "b": b}, in_doubt="resend")
    sell(city, 2)
    city.settle()
    waiting = [tuple(row) for row in rows(city.store, messages, "status", "via", "doubts")]
    assert waiting == [("queued", "b", 0), ("queued", "b", 1)]
    fleet(city, {"a": a})
    city.run_until(city.clock.now() + timedelta(hours=1))
    assert len(a.sent) == 1
    row = rows(city.store, messages)[1]
    assert row.status == "in_doubt", "nobody knows whether the other gateway sent it"
    by_hand.release(city.store, [row.id], city.clock.now())
    city.settle()
    assert len(a.sent) == 2


def test_bounced_addresses_get_nothing_more(greetings: Build) -> None:
    city, a = greetings(), MemoryAdapter()
    a.answer_next(Report(Outcome.PERMANENT, "no such number", bounces=True))
    fleet(city, {"a": a})
    city.sign()
    city.settle()
    city.sign("1202")
    city.settle()
    assert len(a.attempts) == 1
    assert [tuple(row) for row in rows(city.store, messages, "status", "why")] == [
        ("dead", None),
        ("suppressed", "gate.bounced"),
    ]


# --- Laws --------------------------------------------------------------------------------------------------------

ANSWERS = st.sampled_from(
    [
        Report(Outcome.SENT, provider_id="p"),
        Report(Outcome.TEMPORARY),
        Report(Outcome.PERMANENT),
        Report(Outcome.CONFIGURATION),
        PAUSE,
        Report(Outcome.LIMIT, retry_after=timedelta(minutes=3)),
        Report(Outcome.IN_DOUBT),
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ANSWERS, max_size=8), st.lists(ANSWERS, max_size=8), st.sampled_from(["hold", "resend"]))
def test_no_message_leaves_twice_and_none_changes_gateway_after_a_doubt(
    greetings: Build, first: list[Report], second: list[Report], policy: Any
) -> None:
    city, a, b = _fresh(greetings), MemoryAdapter(), MemoryAdapter()
    a.answer_next(*first)
    b.answer_next(*second)
    fleet(city, {"a": a, "b": b}, in_doubt=policy)
    sell(city)
    city.run_until(city.clock.now() + timedelta(days=3))
    assert all(count == 1 for count in copies(a, b).values())
    for row in rows(city.store, messages):
        assert row.status in ("sent", "dead", "in_doubt")
        _stays_after_a_doubt(row.key, [("a", a, first), ("b", b, second)])


def _stays_after_a_doubt(key: str, handed: list[tuple[str, MemoryAdapter, list[Report]]]) -> None:
    """Whoever said that nobody knows is the only one to be handed the message from then on."""
    history = []
    for name, adapter, answers in handed:
        for number, attempt in enumerate(adapter.attempts):
            answer = answers[number].outcome if number < len(answers) else Outcome.SENT
            if attempt.message.key == key:
                history.append((attempt.at, name, answer))
    doubtful = [(at, name) for at, name, answer in history if answer is Outcome.IN_DOUBT]
    if doubtful:
        at, name = min(doubtful)
        assert {other for when, other, _ in history if when > at} <= {name}


def _fresh(greetings: Build) -> SampleCity:
    """The city's database is the same for all examples: nothing of an earlier one may be left."""
    city = greetings(count=2)
    with city.store.write() as connection:
        for table in ("messages", "gateways", "plans", "tasks"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        assert connection.execute(select(messages.c.id)).first() is None
    return city


@given(st.permutations(["a", "b", "c", "d"]), st.sets(st.sampled_from(["a", "b", "c", "d"])))
def test_everything_that_waits_is_taken_by_one_gateway_unless_all_are_paused(
    names: list[str], paused: set[str]
) -> None:
    routes = Routes({"sms": names})
    taken = [(each, source) for each in names if each not in paused for source in routes.sources(each, paused)]
    waiting = [None, *names] if len(paused) < len(names) else []
    assert sorted(str(source.via) for _, source in taken) == sorted(map(str, waiting))
    for each, source in taken:
        assert source.standing_in == ((source.via or names[0]) != each)


@given(st.integers(0, 30), st.integers(1, 4), ANSWERS)
def test_only_what_never_was_in_doubt_is_handed_on(attempts: int, doubts: int, report: Report) -> None:
    way, now = Way("a", None, "b", 2), datetime(2026, 3, 2, 4, tzinfo=UTC)
    after = after_attempt(report, attempts, doubts, RetryPolicy(in_doubt="resend"), now, way)
    assert after.via != "b"
