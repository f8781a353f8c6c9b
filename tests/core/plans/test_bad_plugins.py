"""A plugin that goes wrong is named, retried and mended, and holds up nobody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from tests.support.flow import Area, call, greet, only, rows, templates

from keguan import Action, Email, EventType, Job, Plan, Skip, Sms, Subject, Task
from keguan.model import Attachment, Person
from keguan.plans.deliveries import retry_pause
from keguan.plans.planner import replan
from keguan.plans.recall import missed_by
from keguan.plans.replay import replay
from keguan.store.schema import deliveries, events, messages, plans, tasks
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]


def at_once(*actions: str, **fields: Any) -> Callable[..., list[Plan]]:
    """Want these actions on the day of signing at 10:00."""

    def wants(record: Any, context: Any) -> list[Plan]:
        return [Plan(action, context.city.at(date(2026, 3, 2), datetime.min.time()), **fields) for action in actions]

    return wants


def broken(*_: Any) -> Any:
    raise RuntimeError("no such table of fees")


def deliveries_of(city: SampleCity, plugin: str, *, ticks: bool = False) -> list[tuple[str, int]]:
    """Return how the plugin took the events, in order: status and attempts."""
    of_type = {row.seq: row.type for row in rows(city.store, events)}
    found = rows(city.store, deliveries, where=deliveries.c.plugin == plugin)
    return [(row.status, row.attempts) for row in found if (of_type[row.event_seq] == "tick") == ticks]


def test_a_plugin_that_raises_is_named_and_the_others_go_on(sample_city: Build) -> None:
    bad, good = Area(signed=broken), Area(Action("call", call), signed=at_once("call"))
    city = sample_city({"bad": bad, "good": good})
    sale = city.sign()
    settled = city.settle()
    assert (
        settled.failures
        == ["plugin bad 1.0 (keguan-bad) failed in on_contract_signed: RuntimeError: no such table of fees"]
        or settled.failures
    )
    city.expect("call", sale, "late")
    (row,) = rows(city.store, deliveries, where=deliveries.c.plugin == "bad")
    assert (row.status, row.attempts) == ("failed", 1)
    assert "bad" in row.error
    assert "no such table of fees" in row.error
    assert "\n" not in row.error
    assert 'raise RuntimeError("no such table of fees")' in row.detail


def test_a_failed_delivery_is_retried_less_and_less_often_until_the_plugin_is_mended(sample_city: Build) -> None:
    area = Area(Action("call", call), signed=broken)
    city = sample_city({"area": area})
    sale = city.sign()
    start = city.clock.now()
    city.run_until(start + timedelta(seconds=59))
    assert deliveries_of(city, "area") == [("failed", 1)]
    city.run_until(start + timedelta(minutes=1))
    assert deliveries_of(city, "area") == [("failed", 2)]
    city.run_until(start + timedelta(minutes=5))
    assert deliveries_of(city, "area") == [("failed", 3)]
    area.wants["signed"] = at_once("call")
    city.run_until(start + timedelta(minutes=21))
    assert deliveries_of(city, "area") == [("done", 4)]
    city.expect("call", sale)


def test_the_pause_grows_and_ends_at_six_hours() -> None:
    pauses = [retry_pause(attempts) for attempts in range(1, 5000)]
    assert pauses[:3] == [timedelta(minutes=1), timedelta(minutes=4), timedelta(minutes=16)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(hours=6)


def test_kinds_whose_hook_fails_keep_their_plans_and_the_others_are_planned(sample_city: Build) -> None:
    area = Area(Action("call", call), Action("visit", call), signed=at_once("call"), deposit=at_once("visit"))
    city = sample_city({"area": area})
    sale = city.sign(deposit_on=date(2026, 3, 1))
    area.wants["deposit"] = broken
    city.settle()
    city.expect("call", sale)
    city.expect_nothing("visit", sale)
    area.wants["signed"] = lambda *_: []
    city.change(sale, planned_handover_on=date(2027, 1, 1))
    city.settle()
    city.expect("call", sale)


def test_two_kinds_that_want_one_action_are_a_failure_by_name(sample_city: Build) -> None:
    area = Area(Action("call", call), signed=at_once("call"), deposit=at_once("call"))
    other = Area(Action("call", call), signed=at_once("call"))
    city = sample_city({"area": area, "other": other})
    city.sign(deposit_on=date(2026, 3, 1))
    settled = city.settle()
    assert any("call" in failure and "deposit" in failure and "area" in failure for failure in settled.failures)
    assert [row.status for row in rows(city.store, deliveries, where=deliveries.c.plugin == "other")][-1] == "done"


@pytest.mark.parametrize(
    "answer",
    [
        "nonsense",
        [None],
        [Plan("unknown", datetime.fromisoformat("2026-03-02T10:00+08:00"))],
        [Plan("call", datetime(2026, 3, 2, 10))],  # noqa: DTZ001 - naive: nobody knows when it is
        [Plan("call", datetime.fromisoformat("2026-03-02T10:00+08:00"), occurrence=2**40)],
        [Plan("call", datetime.fromisoformat("2026-03-02T10:00+08:00"), clause="\ud800")],
        [Plan("call", datetime.fromisoformat("2026-03-02T10:00+08:00"), note="\ud800")],
    ],
    ids=["text", "none", "unknown action", "naive", "huge", "clause", "note"],
)
def test_nonsense_from_one_hook_holds_up_nobody(sample_city: Build, answer: Any) -> None:
    area = Area(Action("call", call), signed=lambda *_: answer)
    good = Area(Action("call", call), signed=at_once("call"))
    city = sample_city({"area": area, "good": good})
    city.sign("101")
    city.sign("102")
    city.settle()
    assert deliveries_of(city, "area") == [("failed", 1)] * 2
    assert deliveries_of(city, "good") == [("done", 1)] * 2
    assert len(rows(city.store, tasks)) == 2


def test_an_error_whose_words_cannot_be_stored_is_stored_all_the_same(sample_city: Build) -> None:
    def wild(*_: Any) -> list[Plan]:
        raise RuntimeError("a \0 and a \ud800")

    city = sample_city({"area": Area(signed=wild)})
    city.sign()
    city.settle()
    assert deliveries_of(city, "area") == [("failed", 1)]


WRONG_EFFECTS: dict[str, Callable[[Job], Any]] = {
    "raises": broken,
    "none": lambda job: None,
    "unknown template": lambda job: [Sms(job.record.owners[0], "nothing", {})],  # type: ignore[attr-defined]
    "value missing": lambda job: [Sms(job.record.owners[0], "hello", {})],  # type: ignore[attr-defined]
    "unknown person": lambda job: [Sms(Person(999, "X", "1", None, None), "hello", {"name": "X"})],
    "title": lambda job: [Task("\ud800", "service", job.now)],
    "assignee": lambda job: [Task("call", "service", job.now, assignee_id=999)],
    "attachment": lambda job: [
        Email(job.record.owners[0], "letter", {}, attachments=(Attachment("a", 7),)),  # type: ignore[attr-defined,arg-type]
    ],
}


@pytest.mark.parametrize("what", WRONG_EFFECTS)
def test_an_action_that_goes_wrong_is_tried_five_times_and_holds_up_nobody(
    sample_city: Build, tmp_path: Path, what: str
) -> None:
    area = Area(Action("bad", WRONG_EFFECTS[what]), Action("greet", greet), signed=at_once("bad", "greet"))
    city = sample_city({"area": area}, templates=templates(tmp_path))
    sale = city.sign()
    city.settle()
    city.expect("greet", sale, "kept")
    row = only(rows(city.store, plans, where=plans.c.action == "bad"))
    assert (row.status, row.attempts) == ("planned", 1)
    city.run_until(city.clock.now() + timedelta(minutes=5))
    assert only(rows(city.store, plans, "attempts", where=plans.c.action == "bad")) == (2,)
    city.run_until(city.clock.now() + timedelta(minutes=30))
    row = only(rows(city.store, plans, where=plans.c.action == "bad"))
    assert (row.status, row.attempts) == ("failed", 5)
    assert row.why
    assert "\n" not in row.why
    assert "王小明" not in row.why
    assert len(city.sent) == 1


def test_failed_plans_are_tried_again_by_replay_after_the_fix(sample_city: Build) -> None:
    area = Area(Action("call", broken), signed=at_once("call"))
    city = sample_city({"area": area})
    sale = city.sign()
    city.run_until(city.clock.now() + timedelta(hours=1))
    city.expect("call", sale, "failed", why="no such table of fees")
    area.actions = [Action("call", call)]
    city.restart()
    city.settle()
    city.expect("call", sale, "failed")
    replay(city.installation, plugin="area")
    city.settle()
    city.expect("call", sale, "late")
    assert len(rows(city.store, tasks)) == 1


def test_a_plan_that_rests_after_a_failure_is_taken_back_with_its_contract(sample_city: Build, tmp_path: Path) -> None:
    bad = [True]

    def shaky(job: Job) -> Any:
        return broken() if bad.pop() else greet(job)

    bad.insert(0, False)
    city = sample_city({"area": Area(Action("greet", shaky), signed=at_once("greet"))}, templates=templates(tmp_path))
    sale = city.sign()
    city.settle()
    city.cancel(sale)
    city.run_until(city.clock.now() + timedelta(hours=1))
    city.expect("greet", sale, "cancelled")
    assert city.sent == []


def test_what_was_claimed_by_a_crash_is_asked_about_again_before_it_runs(sample_city: Build, tmp_path: Path) -> None:
    city = sample_city({"area": Area(Action("greet", greet), signed=at_once("greet"))}, templates=templates(tmp_path))
    sale = city.sign()
    city.engine.plan_all()
    with city.store.write() as connection:
        lease = city.clock.now() + timedelta(minutes=10)
        claimed = {"status": "running", "worker": "another-host/1/x", "lease_until": lease}
        connection.execute(update(plans).values(claimed))
    city.cancel(sale)
    city.run_until(city.clock.now() + timedelta(hours=1))
    city.expect("greet", sale, "cancelled")
    assert city.sent == []


def test_an_action_may_skip_with_a_reason(sample_city: Build) -> None:
    area = Area(Action("call", lambda job: Skip("nobody moved in")), signed=at_once("call"))
    city = sample_city({"area": area})
    sale = city.sign()
    city.settle()
    city.expect("call", sale, "missed", why="nobody moved in")


def test_an_action_that_the_plugin_dropped_fails_at_once(sample_city: Build) -> None:
    area = Area(Action("call", call), signed=at_once("call"))
    city = sample_city({"area": area})
    sale = city.sign()
    city.engine.plan_all()
    area.actions, area.wants = [], {}
    city.restart()
    city.settle()
    city.expect("call", sale, "failed", why="no longer has this action")


def test_several_effects_of_one_plan_are_numbered(sample_city: Build, tmp_path: Path) -> None:
    def twice(job: Job) -> list[Any]:
        return [*greet(job), *greet(job), *call(job)]

    city = sample_city({"area": Area(Action("greet", twice), signed=at_once("greet"))}, templates=templates(tmp_path))
    city.sign()
    city.settle()
    assert [row.key for row in rows(city.store, messages)] == ["area.greet/contract/1/1#1", "area.greet/contract/1/1#2"]
    assert only(rows(city.store, tasks)).key == "area.greet/contract/1/1#3"


def test_a_crash_between_effects_and_their_record_sends_nothing_twice(
    sample_city: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = sample_city({"area": Area(Action("greet", greet), signed=at_once("greet"))}, templates=templates(tmp_path))
    sale = city.sign()

    def crash(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("keguan.plans.outcomes._end_plans", crash)
        with pytest.raises(KeyboardInterrupt):
            city.settle()
    assert rows(city.store, messages) == []
    city.run_until(city.clock.now() + timedelta(hours=1))  # its lease ends
    city.expect("greet", sale, "kept")
    assert len(city.sent) == 1


def test_what_a_plugin_missed_while_it_was_off_is_counted_and_can_be_made_up_for(sample_city: Build) -> None:
    area = Area(Action("call", call), signed=at_once("call"), tick=lambda *_: [])
    off = "[plugins.area]\nenabled = true\nexcept_cities = ['shenzhen']\n"
    city = sample_city({"area": area})
    city.restart(config=off)
    sale = city.sign()
    city.run_until(date(2026, 3, 3))
    assert area.asked == []
    assert deliveries_of(city, "area") == [("skipped", 1)]
    assert deliveries_of(city, "area", ticks=True) == [("skipped", 1)] * 2
    city.restart(config="")
    hooks = city.installation.plugins.hooks_of("area")
    with city.store.read() as connection:
        subjects, ticks, count = missed_by(connection, "area", hooks)
    assert subjects == [sale.contract]
    assert (len(ticks), count) == (2, 3)
    replan(city.installation, subjects, only=("area",))
    city.settle()
    city.expect("call", sale)
    with city.store.read() as connection:
        assert missed_by(connection, "area", hooks)[0] == []


def test_a_failed_delivery_whose_plugin_was_switched_off_counts_as_skipped(sample_city: Build) -> None:
    city = sample_city({"area": Area(signed=broken)})
    city.sign()
    city.settle()
    city.restart(config="[plugins.area]\nenabled = false\n")
    city.run_until(city.clock.now() + timedelta(hours=1))
    assert deliveries_of(city, "area") == [("skipped", 1)]


def test_an_event_type_of_a_plugin_may_take_others_back(sample_city: Build) -> None:
    def warn(event_or_record: Any, context: Any) -> list[Plan]:
        return at_once("call")(event_or_record, context)

    area = Area(Action("call", call), signed=lambda *_: [], area_warning=warn)
    area.types = [
        EventType("area_warning", "contract"),
        EventType("area_all_clear", "contract", retracts=frozenset({"area_warning"})),
    ]
    city = sample_city({"area": area}, start=datetime.fromisoformat("2026-03-01T10:00+08:00"))
    sale = city.sign()
    city.tell("area_warning", sale.contract)
    city.settle()
    city.expect("call", sale, "planned")
    city.tell("area_all_clear", sale.contract)
    city.settle()
    city.expect("call", sale, "cancelled")


def test_ticks_add_and_move_and_take_nothing_back(sample_city: Build) -> None:
    area = Area(Action("call", call))
    city = sample_city({"area": area})
    sale = city.sign()

    def yearly(today: date, context: Any) -> list[Plan]:
        due = context.city.at(date(today.year, 4, 1), datetime.min.time())
        return [Plan("call", due, occurrence=today.year, subject=sale.contract)] if today.day == 3 else []

    area.wants["tick"] = yearly
    city.run_until(date(2026, 3, 5))
    city.expect("call", sale, "planned", occurrence=2026)
    replay(city.installation)
    assert len(rows(city.store, plans)) == 1
    city.expect("call", sale, "planned", occurrence=2026)


def test_a_tick_about_nobody_plans_nothing(sample_city: Build) -> None:
    area = Area(Action("call", call))
    area.wants["tick"] = lambda today, context: [
        Plan("call", context.city.at(today, datetime.min.time()), subject=Subject("contract", 404))
    ]
    city = sample_city({"area": area})
    city.run_until(date(2026, 3, 3))
    assert rows(city.store, plans) == []
    assert deliveries_of(city, "area", ticks=True) == [("done", 1)] * 2
