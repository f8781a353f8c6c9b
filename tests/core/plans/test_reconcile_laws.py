"""Comparing what is wanted with what is stored: its laws, and the cases that a reader asks about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from keguan import Plan
from keguan.plans.reconcile import ActionRule, Changes, Move, NewPlan, StoredPlan, reconcile, runs_at

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = {
    "keep": ActionRule(again=False, when_late=False),
    "again": ActionRule(again=True, when_late=False),
    "late": ActionRule(again=False, when_late=True),
}
OPEN = ("planned", "held")


def stored(status: str = "planned", **fields: object) -> StoredPlan:
    plan = StoredPlan(
        id=1,
        action="keep",
        occurrence=1,
        round=0,
        kind="signed",
        status=status,
        due=NOW + DAY,
        until=NOW + 2 * DAY,
        run_at=NOW + DAY,
        recurs=False,
        clause="G 1",
        note=None,
        by_calendar=False,
        provisional=False,
        late=False,
        stale=False,
        why=None,
    )
    return plan._replace(**{"run_at": fields.get("due", plan.due), **fields})  # type: ignore[arg-type]


def wanted(days: float = 1, *, action: str = "keep", until: float | None = None, clause: str = "G 1") -> Plan:
    return Plan(action, NOW + days * DAY, NOW + (days + 1 if until is None else until) * DAY, clause)


def only_move(changes: Changes) -> Move:
    assert (changes.insert, changes.cancel) == ([], [])
    (move,) = changes.move
    return move


# --- Cases --------------------------------------------------------------------------------------------------------


def test_what_is_as_wanted_stays() -> None:
    assert not reconcile({"signed": [wanted()]}, [stored()], RULES, now=NOW)


def test_a_moved_date_moves_the_plan() -> None:
    move = only_move(reconcile({"signed": [wanted(3)]}, [stored()], RULES, now=NOW))
    assert (move.plan.due, move.status, move.late) == (NOW + 3 * DAY, "planned", False)


def test_a_held_plan_moves_and_stays_held_with_its_reason() -> None:
    old = stored("held", why="plan.plugin_off")
    move = only_move(reconcile({"signed": [wanted(3)]}, [old], RULES, now=NOW))
    assert (move.status, move.why) == ("held", "plan.plugin_off")


def test_a_plan_moved_behind_its_window_is_missed_unless_its_action_knows_what_then() -> None:
    move = only_move(reconcile({"signed": [wanted(-3)]}, [stored()], RULES, now=NOW))
    assert (move.status, move.why, move.stale) == ("missed", "plan.entered_after_window", True)
    old = stored(action="late")
    move = only_move(reconcile({"signed": [wanted(-3, action="late")]}, [old], RULES, now=NOW))
    assert (move.status, move.stale, move.late) == ("planned", True, True)


def test_a_new_clause_leaves_what_is_known_about_lateness() -> None:
    old = stored(action="late", due=NOW - DAY, until=NOW - DAY / 2, late=True, stale=True)
    plan = wanted(-1, action="late", until=-0.5, clause="G 2")
    move = only_move(reconcile({"signed": [plan]}, [old], RULES, now=NOW))
    assert (move.late, move.stale, move.status) == (True, True, "planned")


def test_what_is_running_or_done_is_not_touched() -> None:
    for status in ("running", "done"):
        assert not reconcile({"signed": [wanted(9)]}, [stored(status)], RULES, now=NOW)
        assert not reconcile({}, [stored(status)], RULES, now=NOW)


def test_again_makes_one_further_round_when_the_date_moves_after_it_was_done() -> None:
    changes = reconcile({"signed": [wanted(3, action="again")]}, [stored("done", action="again")], RULES, now=NOW)
    assert [(new.round, new.status) for new in changes.insert] == [(1, "planned")]


def test_a_date_that_returns_after_it_was_done_elsewhere_is_done_again() -> None:
    first, second = stored("done", action="again"), stored("done", action="again", id=2, round=1, due=NOW + 5 * DAY)
    changes = reconcile({"signed": [wanted(1, action="again")]}, [first, second], RULES, now=NOW)
    assert [new.round for new in changes.insert] == [2]


def test_a_date_that_moves_to_and_fro_is_not_done_twice() -> None:
    done, second = stored("done", action="again"), stored(action="again", id=2, round=1, due=NOW + 5 * DAY)
    changes = reconcile({"signed": [wanted(1, action="again")]}, [done, second], RULES, now=NOW)
    assert (changes.insert, changes.move, changes.cancel) == ([], [], [2])
    undone = second._replace(status="cancelled")
    assert not reconcile({"signed": [wanted(1, action="again")]}, [done, undone], RULES, now=NOW)


@pytest.mark.parametrize("status", ["missed", "failed"])
def test_what_was_missed_or_failed_opens_again_when_its_window_moves_into_the_future(status: str) -> None:
    old = stored(status, due=NOW - 3 * DAY, until=NOW - 2 * DAY, why="plan.window_passed")
    assert only_move(reconcile({"signed": [wanted(2)]}, [old], RULES, now=NOW)).status == "planned"


@pytest.mark.parametrize("status", ["missed", "failed"])
def test_what_was_missed_or_failed_takes_another_past_date_and_stays_so(status: str) -> None:
    old = stored(status, due=NOW - 3 * DAY, until=NOW - 2 * DAY, why="plan.window_passed")
    move = only_move(reconcile({"signed": [wanted(-9)]}, [old], RULES, now=NOW))
    assert (move.status, move.why, move.plan.due) == (status, "plan.window_passed", NOW - 9 * DAY)


def test_another_opening_moves_what_is_open_and_leaves_what_is_known_about_lateness() -> None:
    old = stored("held", late=True, why="plan.plugin_off")
    plan = replace(wanted(), opens=NOW - DAY)
    move = only_move(reconcile({"signed": [plan]}, [old], RULES, now=NOW))
    assert (move.status, move.why, move.late, runs_at(move.plan)) == ("held", "plan.plugin_off", True, NOW - DAY)


@pytest.mark.parametrize("status", ["missed", "failed"])
def test_another_opening_alone_opens_nothing_again(status: str) -> None:
    plan = replace(wanted(), opens=NOW)
    assert only_move(reconcile({"signed": [plan]}, [stored(status)], RULES, now=NOW)).status == status
    assert not reconcile({"signed": [plan]}, [stored("done", action="keep")], RULES, now=NOW)


def test_an_opening_after_the_due_time_counts_as_the_due_time() -> None:
    assert not reconcile({"signed": [replace(wanted(), opens=NOW + 5 * DAY)]}, [stored()], RULES, now=NOW)


def test_a_promise_that_recurs_from_now_on_is_noted() -> None:
    move = only_move(reconcile({"signed": [replace(wanted(), recurs=True)]}, [stored()], RULES, now=NOW))
    assert (move.status, move.plan.recurs) == ("planned", True)


def test_what_was_cancelled_is_planned_again_when_it_is_wanted_again() -> None:
    move = only_move(reconcile({"signed": [wanted()]}, [stored("cancelled", why="plan.not_wanted")], RULES, now=NOW))
    assert (move.status, move.why) == ("planned", None)


def test_what_failed_is_tried_again_only_when_asked_for() -> None:
    old = stored("failed", due=NOW - DAY, until=NOW + DAY)
    plan = wanted(-1, until=1)
    assert not reconcile({"signed": [plan]}, [old], RULES, now=NOW)
    assert only_move(reconcile({"signed": [plan]}, [old], RULES, now=NOW, reopen=True)).status == "planned"


def test_a_late_entry_that_failed_can_be_tried_again_and_another_failure_not_behind_its_window() -> None:
    plan = wanted(-3, action="late")
    late = stored("failed", action="late", due=plan.due, until=plan.until, stale=True, late=True)
    assert only_move(reconcile({"signed": [plan]}, [late], RULES, now=NOW, reopen=True)).stale
    in_time = late._replace(stale=False)
    assert not reconcile({"signed": [plan]}, [in_time], RULES, now=NOW, reopen=True)


def test_what_failed_in_time_and_takes_a_past_window_is_not_tried_again_by_asking_twice() -> None:
    plan = wanted(-3, action="late")
    failed = stored("failed", action="late", due=plan.due, until=None)
    move = only_move(reconcile({"signed": [plan]}, [failed], RULES, now=NOW, reopen=True))
    assert (move.status, move.stale) == ("failed", False)
    again = failed._replace(until=plan.until, late=move.late, stale=move.stale)
    assert not reconcile({"signed": [plan]}, [again], RULES, now=NOW, reopen=True)


def test_kinds_whose_hook_failed_keep_their_plans() -> None:
    assert not reconcile({}, [stored()], RULES, now=NOW, unknown=("signed",))
    assert not reconcile({"handover": [wanted(5)]}, [stored()], RULES, now=NOW, unknown=("signed",))


def test_a_date_that_becomes_certain_is_written_although_it_did_not_move() -> None:
    plan = Plan("keep", NOW + DAY, NOW + 2 * DAY, "G 1", by_calendar=True)
    old = stored(by_calendar=True, provisional=True)
    assert not reconcile({"signed": [plan]}, [old], RULES, now=NOW, provisional=lambda _: True)
    move = only_move(reconcile({"signed": [plan]}, [old], RULES, now=NOW, provisional=lambda _: False))
    assert move.status == "planned"


# --- Laws ---------------------------------------------------------------------------------------------------------


def apply(changes: Changes, plans: dict[int, StoredPlan]) -> None:
    """Write ``changes`` as the tables do."""
    for number in changes.cancel:
        plans[number] = plans[number]._replace(status="cancelled", why="plan.not_wanted")
    for move in changes.move:
        plan = move.plan
        plans[move.id] = plans[move.id]._replace(
            kind=move.kind,
            status=move.status,
            due=plan.due,
            until=plan.until,
            run_at=runs_at(plan),
            recurs=plan.recurs,
            clause=plan.clause,
            note=plan.note or None,
            by_calendar=plan.by_calendar,
            late=move.late,
            stale=move.stale,
            why=move.why,
        )
    for new in changes.insert:
        number = len(plans) + 1
        assert all(
            (old.action, old.occurrence, old.round) != (new.plan.action, new.plan.occurrence, new.round)
            for old in plans.values()
        )
        plans[number] = as_stored(number, new)


def as_stored(number: int, new: NewPlan) -> StoredPlan:
    plan = new.plan
    return stored(
        new.status,
        id=number,
        action=plan.action,
        occurrence=plan.occurrence,
        round=new.round,
        kind=new.kind,
        due=plan.due,
        until=plan.until,
        run_at=runs_at(plan),
        recurs=plan.recurs,
        clause=plan.clause,
        note=plan.note or None,
        stale=new.stale,
        why=new.why,
    )


KINDS = ("signed", "handover", "deposit")
days = st.integers(-5, 5)
plans_wanted = st.builds(
    lambda action, due, length, occurrence, clause, ahead, recurs: Plan(
        action,
        NOW + due * DAY,
        None if length is None else NOW + (due + length) * DAY,
        clause,
        occurrence=occurrence,
        opens=None if ahead is None else NOW + (due - ahead) * DAY,
        recurs=recurs,
    ),
    st.sampled_from(sorted(RULES)),
    days,
    st.none() | st.integers(0, 4),
    st.integers(1, 2),
    st.sampled_from(["G 1", "G 2"]),
    st.none() | st.integers(-1, 3),
    st.booleans(),
)


def _one_kind_each(found: list[tuple[str, Plan]]) -> dict[str, list[Plan]]:
    result: dict[str, list[Plan]] = {}
    seen: set[tuple[str, int]] = set()
    for kind, plan in found:
        if (plan.action, plan.occurrence) not in seen:
            seen.add((plan.action, plan.occurrence))
            result.setdefault(kind, []).append(plan)
    return result


wishes = st.lists(st.tuples(st.sampled_from(KINDS), plans_wanted), max_size=5).map(_one_kind_each)


class OneSubject(RuleBasedStateMachine):
    """One subject of one plugin through changing wishes, time, and the work of the runner."""

    @initialize()
    def begin(self) -> None:
        self.now = NOW
        self.plans: dict[int, StoredPlan] = {}
        self.done: dict[int, StoredPlan] = {}

    @rule(wish=wishes, unknown=st.sets(st.sampled_from(KINDS), max_size=1), reopen=st.booleans())
    def ask(self, wish: dict[str, list[Plan]], unknown: set[str], reopen: bool) -> None:
        wish = {kind: plans for kind, plans in wish.items() if kind not in unknown}
        before = dict(self.plans)

        def compare() -> Changes:
            return reconcile(wish, list(self.plans.values()), RULES, now=self.now, unknown=unknown, reopen=reopen)

        apply(compare(), self.plans)
        assert not compare(), "asking again changes something"
        for number, old in before.items():
            if old.status in ("running", "done") or (old.kind in unknown and old.status in OPEN):
                assert self.plans[number] == old
        self._all_wanted_is_there(wish, unknown)

    def _all_wanted_is_there(self, wish: dict[str, list[Plan]], unknown: set[str]) -> None:
        keys = {(plan.action, plan.occurrence) for plans in wish.values() for plan in plans}
        latest = self._latest()
        assert keys <= latest.keys()
        for key, found in latest.items():
            if found.status in OPEN and found.kind not in unknown:
                assert key in keys, "an open plan that nobody wants"
        for plans in wish.values():
            for plan in plans:
                kept = latest[plan.action, plan.occurrence]
                if kept.status in OPEN and kept.kind not in unknown:
                    assert (kept.due, kept.until, kept.clause) == (plan.due, plan.until, plan.clause)
                    assert (kept.run_at, kept.recurs) == (runs_at(plan), plan.recurs)
                    assert kept.run_at <= kept.due
                if kept.status == "planned" and plan.until is not None and plan.until <= self.now and kept.stale:
                    assert RULES[plan.action].when_late, "a stale promise that its action has no answer for"

    def _latest(self) -> dict[tuple[str, int], StoredPlan]:
        latest: dict[tuple[str, int], StoredPlan] = {}
        for plan in sorted(self.plans.values(), key=lambda plan: plan.round):
            latest[plan.action, plan.occurrence] = plan
        return latest

    @rule(hours=st.integers(1, 72))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(end=st.sampled_from(["done", "failed", "running"]))
    def work(self, end: str) -> None:
        for number, plan in self.plans.items():
            if plan.status == "planned" and plan.run_at <= self.now:
                passed = plan.until is not None and plan.until <= self.now and not plan.stale
                self.plans[number] = plan._replace(status="missed" if passed else end)

    @rule()
    def finish(self) -> None:
        for number, plan in self.plans.items():
            if plan.status == "running":
                self.plans[number] = plan._replace(status="done")

    @rule(on=st.booleans())
    def switch(self, on: bool) -> None:
        for number, plan in self.plans.items():
            if plan.status == ("held" if on else "planned"):
                self.plans[number] = plan._replace(status="planned" if on else "held")

    @invariant()
    def what_is_done_stays_done(self) -> None:
        for number, plan in self.done.items():
            assert self.plans[number] == plan
        self.done = {number: plan for number, plan in self.plans.items() if plan.status == "done"}

    @invariant()
    def nothing_is_done_twice_in_a_row_at_one_date(self) -> None:
        rounds = sorted(self.done.values(), key=lambda plan: (plan.action, plan.occurrence, plan.round))
        for first, second in pairwise(rounds):
            assert (first.action, first.occurrence, first.due) != (second.action, second.occurrence, second.due)
        assert all(RULES[plan.action].again or plan.round == 0 for plan in self.plans.values())


TestOneSubject = OneSubject.TestCase
TestOneSubject.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@given(wish=wishes)
def test_what_is_first_wanted_is_inserted_once_each(wish: dict[str, list[Plan]]) -> None:
    changes = reconcile(wish, [], RULES, now=NOW)
    assert len(changes.insert) == sum(map(len, wish.values()))
    assert {new.round for new in changes.insert} <= {0}
