"""How a promise stands follows from what became of its effects."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.estate import at

from keguan.queries.promise_state import EffectFacts, PlanFacts, effect_state, promise_state

NOW = at("2026-03-02T09:00")
BEFORE, AFTER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
LONG_BEFORE = NOW - timedelta(days=2)
DONE = PlanFacts("done", LONG_BEFORE)


@pytest.mark.parametrize(
    ("plan", "status", "why"),
    [
        (PlanFacts("planned", AFTER), "planned", None),
        (PlanFacts("planned", NOW), "due", None),
        (PlanFacts("planned", BEFORE, until=AFTER), "due", None),
        (PlanFacts("planned", LONG_BEFORE, until=BEFORE), "missed", "plan.window_passed"),
        (PlanFacts("planned", LONG_BEFORE, until=BEFORE, stale=True), "due", None),
        (PlanFacts("running", BEFORE), "due", None),
        (PlanFacts("missed", BEFORE, why="plan.entered_after_window"), "missed", "plan.entered_after_window"),
        (PlanFacts("held", AFTER, why="plan.plugin_off"), "held", "plan.plugin_off"),
        (PlanFacts("held", LONG_BEFORE, until=BEFORE, why="plan.plugin_off"), "missed", "plan.window_passed"),
        (PlanFacts("cancelled", AFTER, why="plan.not_wanted"), "cancelled", "plan.not_wanted"),
        (PlanFacts("failed", BEFORE, why="ZeroDivisionError"), "failed", "ZeroDivisionError"),
        (DONE, "waived", "journey.nothing_to_do"),
    ],
)
def test_a_promise_that_came_to_no_effect_stands_as_its_plan(plan: PlanFacts, status: str, why: str | None) -> None:
    assert promise_state(plan, [], NOW)[:2] == (status, why)


@pytest.mark.parametrize(
    ("message", "status", "why"),
    [
        (EffectFacts("message", "queued"), "due", None),
        (EffectFacts("message", "sending"), "due", None),
        (EffectFacts("message", "queued", deadline=BEFORE), "missed", "gate.window_passed"),
        (EffectFacts("message", "sent", deadline=AFTER, done_at=BEFORE), "kept", None),
        (EffectFacts("message", "delivered", deadline=BEFORE, done_at=BEFORE), "kept", None),
        (EffectFacts("message", "sent", deadline=LONG_BEFORE, done_at=BEFORE), "late", None),
        (EffectFacts("message", "held", why="gate.quiet_hours"), "held", "gate.quiet_hours"),
        (EffectFacts("message", "held", deadline=BEFORE, why="gate.quiet_hours"), "missed", "gate.window_passed"),
        (EffectFacts("message", "in_doubt", why="timeout"), "held", "journey.in_doubt"),
        (EffectFacts("message", "suppressed", why="gate.opted_out"), "waived", "gate.opted_out"),
        (EffectFacts("message", "dropped", why="he called us"), "waived", "he called us"),
        (EffectFacts("message", "expired"), "missed", "gate.window_passed"),
        (EffectFacts("message", "dead", why="gate.no_address"), "failed", "gate.no_address"),
        (EffectFacts("message", "dead"), "failed", "journey.dead"),
        (EffectFacts("message", "undelivered"), "failed", "journey.undelivered"),
    ],
)
def test_a_message_keeps_its_promise_only_when_it_left_in_time(
    message: EffectFacts, status: str, why: str | None
) -> None:
    assert promise_state(DONE, [message], NOW)[:2] == (status, why)


@pytest.mark.parametrize(
    ("task", "status", "why"),
    [
        (EffectFacts("task", "open", AFTER), "due", None),
        (EffectFacts("task", "open", NOW), "due", None),
        (EffectFacts("task", "open", BEFORE), "late", "journey.overdue"),
        (EffectFacts("task", "done", AFTER, done_at=BEFORE), "kept", None),
        (EffectFacts("task", "done", BEFORE, done_at=BEFORE), "kept", None),
        (EffectFacts("task", "done", LONG_BEFORE, done_at=BEFORE), "late", None),
        (EffectFacts("task", "skipped", AFTER, why="abroad"), "waived", "abroad"),
        (EffectFacts("task", "cancelled", AFTER), "cancelled", None),
    ],
)
def test_a_task_keeps_its_promise_only_when_it_was_done_by_its_deadline(
    task: EffectFacts, status: str, why: str | None
) -> None:
    assert promise_state(DONE, [task], NOW)[:2] == (status, why)


def test_a_task_done_by_its_own_deadline_but_after_the_window_of_the_promise_is_late() -> None:
    promise = PlanFacts("done", LONG_BEFORE, until=BEFORE, stale=True)
    made_up_for = EffectFacts("task", "done", deadline=AFTER, done_at=NOW)
    assert promise_state(promise, [made_up_for], NOW).status == "late"


def test_one_dead_message_of_two_breaks_the_promise() -> None:
    sent = EffectFacts("message", "sent", done_at=BEFORE)
    dead = EffectFacts("message", "dead", why="gate.no_address")
    assert promise_state(DONE, [sent, dead], NOW) == ("failed", "gate.no_address", None)


def test_a_promise_is_done_when_its_last_effect_is() -> None:
    first = EffectFacts("message", "sent", done_at=LONG_BEFORE)
    last = EffectFacts("message", "sent", done_at=BEFORE)
    assert promise_state(DONE, [last, first], NOW).done_at == BEFORE
    assert promise_state(DONE, [first, EffectFacts("task", "open", AFTER)], NOW) == ("due", None, None)


def test_a_late_task_that_is_still_open_is_not_done() -> None:
    done_late = EffectFacts("task", "done", LONG_BEFORE, done_at=BEFORE)
    assert promise_state(DONE, [done_late], NOW).done_at == BEFORE
    assert promise_state(DONE, [EffectFacts("task", "open", BEFORE)], NOW).done_at is None
    assert promise_state(DONE, [done_late, EffectFacts("task", "open", BEFORE)], NOW).done_at is None


instants = st.sampled_from([LONG_BEFORE, BEFORE, NOW, AFTER])
messages = st.builds(
    EffectFacts,
    st.just("message"),
    st.sampled_from(["queued", "sending", "sent", "held", "suppressed", "in_doubt", "dead", "dropped", "expired"]),
    st.none() | instants,
    instants,
)
tasks = st.builds(
    EffectFacts, st.just("task"), st.sampled_from(["open", "done", "skipped", "cancelled"]), instants, instants
)


@given(st.lists(messages | tasks, min_size=1, max_size=4), st.none() | instants)
def test_a_promise_is_kept_exactly_when_something_was_kept_and_the_rest_was_excused(
    effects: list[EffectFacts], until: datetime | None
) -> None:
    plan = DONE._replace(until=until)
    each = {effect_state(effect, plan.until, NOW).status for effect in effects}
    kept = promise_state(plan, effects, NOW).status == "kept"
    assert kept == ("kept" in each and each <= {"kept", "waived", "cancelled"})


@given(
    st.lists(messages | tasks, min_size=1, max_size=4).flatmap(
        lambda some: st.tuples(st.just(some), st.permutations(some))
    )
)
def test_the_order_of_effects_does_not_matter(orders: tuple[list[EffectFacts], list[EffectFacts]]) -> None:
    one, other = (promise_state(DONE, effects, NOW) for effects in orders)
    assert (one.status, one.done_at) == (other.status, other.done_at)


def test_a_promise_whose_record_was_complete_already_is_kept() -> None:
    plan = PlanFacts("done", NOW, why="the record is complete")
    assert promise_state(plan, [], NOW) == ("kept", "the record is complete", None)
