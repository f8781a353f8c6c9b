"""Messages on their way out: held, released, refused, retried, in doubt; and never more than a person should get."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert
from tests.support.flow import Area, greet, only, rows, templates

from keguan import Action, Job, Plan, Sms
from keguan.adapters.base import Outcome
from keguan.intake.facts import PersonFacts
from keguan.outbox import queue
from keguan.outbox.routes import Source
from keguan.people.consent import opt_out
from keguan.store.schema import messages, people, permissions
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]


def sms(**fields: Any) -> Callable[[Job], list[Sms]]:
    def act(job: Job) -> list[Sms]:
        owner = job.record.owners[0]  # type: ignore[attr-defined]  # contracts have owners
        return [Sms(owner, "hello", {"name": owner.name}, **fields)]

    return act


def numbered(count: int, due: str, until: str | None = None) -> Callable[..., list[Plan]]:
    def wants(record: Any, context: Any) -> list[Plan]:
        zone = context.city.zone
        end = None if until is None else datetime.fromisoformat(until).replace(tzinfo=zone)
        start = datetime.fromisoformat(due).replace(tzinfo=zone)
        return [Plan("greet", start, end, occurrence=number) for number in range(1, count + 1)]

    return wants


@pytest.fixture
def build(sample_city: Build, tmp_path: Path) -> Build:
    folders = templates(tmp_path)

    def start(count: int = 1, due: str = "2026-03-02 10:00", until: str | None = None, **more: Any) -> SampleCity:
        action = Action("greet", more.pop("act", greet))
        area = Area(action, signed=numbered(count, due, until))
        return sample_city({"area": area}, templates=folders, **more)

    return start


def statuses(city: SampleCity) -> list[str]:
    return [row.status for row in rows(city.store, messages)]


def test_what_falls_due_at_night_waits_for_the_morning(build: Build) -> None:
    city = build(due="2026-03-02 22:00")
    sale = city.sign()
    city.run_until(date(2026, 3, 2))
    assert only(rows(city.store, messages, "status", "why")) == ("held", "gate.quiet_hours")
    city.expect("greet", sale, "held")
    city.run_until(date(2026, 3, 3))
    city.expect("greet", sale, "kept", done="2026-03-03 09:00")
    assert only(rows(city.store, messages, "status", "why")) == ("sent", None)


def test_an_urgent_message_leaves_at_night(build: Build) -> None:
    city = build(due="2026-03-02 22:00", act=sms(urgent=True))
    sale = city.sign()
    city.run_until(date(2026, 3, 2))
    city.expect("greet", sale, "kept", done="2026-03-02 22:00")


@pytest.mark.parametrize(
    ("due", "note"), [("2026-03-02 22:00", "gate.urgent_in_quiet_hours"), ("2026-03-02 10:00", None)]
)
def test_that_quiet_hours_were_set_aside_for_it_stays_on_record(build: Build, due: str, note: str | None) -> None:
    city = build(due=due, act=sms(urgent=True))
    city.sign()
    city.run_until(date(2026, 3, 2))
    assert only(rows(city.store, messages, "status", "urgent", "note")) == ("sent", True, note)


def test_advertising_at_night_waits_for_its_hours_and_needs_consent(build: Build) -> None:
    city = build(due="2026-03-02 22:00", act=sms(message_class="promotion"))
    city.sign()
    city.run_until(date(2026, 3, 2))
    assert only(rows(city.store, messages, "status", "why")) == ("suppressed", "gate.no_consent")


def test_a_message_expires_with_the_window_of_its_promise(build: Build) -> None:
    city = build(due="2026-03-02 22:00", until="2026-03-03 08:00")
    sale = city.sign()
    city.run_until(date(2026, 3, 3))
    city.expect("greet", sale, "missed")
    assert statuses(city) == ["expired"]
    assert only(rows(city.store, messages, "expires_at"))[0] == city.at("2026-03-03 08:00")


def test_the_third_message_of_a_late_entry_waits_until_the_next_day(build: Build) -> None:
    city = build(count=3, due="2026-03-01 10:00")
    city.sign(on=date(2026, 3, 1))
    city.settle()
    assert statuses(city) == ["sent", "sent", "held"]
    city.run_until(date(2026, 3, 3))
    assert [f"{city.installation.city('shenzhen').today(sent.at)}" for sent in city.sent] == [
        "2026-03-02",
        "2026-03-02",
        "2026-03-03",
    ]


def test_one_person_gets_no_more_than_the_limit_of_a_day_and_of_a_week(build: Build) -> None:
    city = build(count=6, due="2026-03-02 10:30", config="[limits]\nper_day = 2\nper_week = 5\n")
    city.sign()
    city.run_until(date(2026, 3, 31))
    days = [f"{city.installation.city('shenzhen').today(sent.at):%m-%d}" for sent in city.sent]
    assert days == ["03-02", "03-02", "03-03", "03-03", "03-04", "03-09"]


def test_what_is_held_by_a_limit_says_so(build: Build) -> None:
    city = build(count=2, due="2026-03-02 10:30", config="[limits]\nper_day = 1\nper_week = 0\n")
    city.sign()
    city.run_until(date(2026, 3, 2))
    assert [row.why for row in rows(city.store, messages)] == [None, "gate.per_day"]


def test_limits_hold_for_each_person_by_themselves(build: Build) -> None:
    city = build(count=2, config="[limits]\nper_day = 2\n")
    city.sign("101")
    city.sign("102", buyer=PersonFacts("李四", "+8613900139000"))
    city.settle()
    assert statuses(city) == ["sent"] * 4


def test_an_opt_out_counts_at_the_moment_of_sending(build: Build) -> None:
    city = build(due="2026-03-02 22:00")
    city.sign()
    city.run_until(date(2026, 3, 2))
    with city.store.write() as connection:
        opt_out(connection, 1, source="call", now=city.clock.now())
    city.run_until(date(2026, 3, 3))
    assert city.sent == []
    assert only(rows(city.store, messages, "status", "why")) == ("suppressed", "gate.opted_out")


def test_promotion_needs_consent(build: Build) -> None:
    city = build(act=sms(message_class="promotion"))
    city.sign("101")
    city.settle()
    assert statuses(city) == ["suppressed"]
    granted = {"person_id": 1, "channel": "sms", "message_class": "promotion", "granted": True, "source": "form"}
    with city.store.write() as connection:
        connection.execute(insert(permissions).values(at=city.clock.now(), **granted))
    city.sign("102")
    city.settle()
    assert statuses(city) == ["suppressed", "sent"]


def test_a_new_phone_number_is_used_although_the_message_is_older(build: Build) -> None:
    city = build(due="2026-03-02 22:00")
    city.sign()
    city.run_until(date(2026, 3, 2))
    with city.store.write() as connection:
        connection.execute(people.update().values(phone="+8613700137000"))
    city.run_until(date(2026, 3, 3))
    assert only(city.sent).message.to_address == "+8613700137000"


def test_a_temporary_failure_is_tried_again_later_and_a_permanent_one_rests(build: Build) -> None:
    city = build()
    city.adapter.answer_next(Outcome.TEMPORARY, Outcome.TEMPORARY)
    sale = city.sign()
    start = city.clock.now()
    city.run_until(start + timedelta(seconds=59))
    assert len(city.adapter.attempts) == 1
    city.run_until(start + timedelta(minutes=1))
    assert len(city.adapter.attempts) == 2
    city.run_until(start + timedelta(minutes=10))
    city.expect("greet", sale, "kept")
    assert only(rows(city.store, messages)).attempts == 3
    city.adapter.answer_next(Outcome.PERMANENT)
    other = city.sign("102")
    city.settle()
    city.expect("greet", other, "failed")
    assert statuses(city) == ["sent", "dead"]


def test_a_message_that_never_gets_through_is_dead_after_its_attempts(build: Build) -> None:
    city = build(config="[runner.retry]\nattempts = 3\n")
    city.adapter.answer_next(*[Outcome.TEMPORARY] * 9)
    city.sign()
    city.run_until(date(2026, 3, 4))
    assert (statuses(city), len(city.adapter.attempts)) == (["dead"], 3)


@pytest.mark.parametrize(
    "answer", [Outcome.IN_DOUBT, RuntimeError("the gateway's library"), SystemExit(3), None], ids=repr
)
def test_whatever_leaves_no_clear_answer_is_in_doubt_and_left_to_a_person(build: Build, answer: Any) -> None:
    city = build()
    if answer is None:
        city.adapter.send = lambda message, now: None  # type: ignore[method-assign,assignment,return-value]
    else:
        city.adapter.answer_next(answer)
    sale = city.sign()
    city.run_until(date(2026, 3, 3))
    city.expect("greet", sale, "held")
    row = only(rows(city.store, messages))
    assert (row.status, row.doubts, row.worker) == ("in_doubt", 1, None)
    assert row.error is None or "\n" not in row.error


def test_a_wrong_configuration_stops_the_adapter_and_is_nobodys_attempt(build: Build) -> None:
    city = build(count=3, due="2026-03-02 10:30")
    city.adapter.answer_next(Outcome.CONFIGURATION)
    city.sign()
    city.run_until(city.at("2026-03-02 10:30"))
    assert len(city.adapter.attempts) == 1
    assert statuses(city) == ["queued"] * 3
    city.run_until(city.clock.now() + timedelta(hours=1))
    assert statuses(city) == ["sent"] * 3
    assert {row.attempts for row in rows(city.store, messages)} == {1}


def test_while_a_plugin_is_off_its_messages_wait_and_go_on_when_it_is_on_again(build: Build) -> None:
    city = build(due="2026-03-02 22:00")
    sale = city.sign()
    city.run_until(date(2026, 3, 2))
    city.restart(config="[plugins.area]\nenabled = false\n")
    city.run_until(date(2026, 3, 5))
    assert only(rows(city.store, messages, "status", "why")) == ("held", "plan.plugin_off")
    city.restart(config="")
    city.run_until(date(2026, 3, 6))
    city.expect("greet", sale, "kept", done="2026-03-06 09:00")


def test_a_night_of_held_messages_costs_a_few_transactions(build: Build) -> None:
    city = build(count=120, due="2026-03-02 22:00")
    city.sign()
    city.run_until(city.at("2026-03-02 21:59"))
    while city.engine.run().claimed:
        pass
    city.clock.set(city.at("2026-03-02 22:00"))
    city.engine.run()
    commits = []
    event.listen(city.store.engine, "commit", lambda connection: commits.append(1))
    assert city.engine.deliveries[0].run().held == 120
    assert len(commits) <= 12


def test_what_was_claimed_and_not_started_is_queued_again_and_why_it_was_held_is_forgotten(build: Build) -> None:
    city = build(due="2026-03-02 22:00")
    city.sign()
    city.run_until(date(2026, 3, 2))
    morning = city.at("2026-03-03 09:00")
    with city.store.write() as connection:
        (claimed,) = queue.claim(connection, [Source("sms", None)], "memory", "w/1", morning, 10)
        queue.release(connection, "w/1")
        assert queue.start(connection, claimed.id, "w/1", morning) is False
    assert only(rows(city.store, messages, "status", "why", "worker")) == ("queued", None, None)


def test_a_message_whose_lease_was_lost_is_not_sent(build: Build) -> None:
    city = build()
    city.sign()
    city.engine.plan_all()
    city.engine.run()
    with city.store.write() as connection:
        (claimed,) = queue.claim(connection, [Source("sms", None)], "memory", "w/1", city.clock.now(), 10)
        connection.execute(messages.update().values(worker="w/2"))
    with city.store.write() as connection:
        assert not queue.start(connection, claimed.id, "w/1", city.clock.now())
