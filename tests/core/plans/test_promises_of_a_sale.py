"""What is promised to a buyer, and what becomes of it when the facts change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.flow import Area, call, greet, rows, templates

from keguan import Action, Contract, Home, Plan
from keguan.intake.facts import PersonFacts
from keguan.plans.replay import replay
from keguan.store.schema import messages, plans
from keguan.testing import SampleCity

SECOND_OWNER = PersonFacts("李四", "+8613900139000")
Build = Callable[..., SampleCity]


def greeting(contract: Contract, context: Any) -> list[Plan]:
    """By 09:30 of the day after signing, missed after that day; the call three days later."""
    assert contract.signed_on is not None
    day = contract.signed_on + timedelta(days=1)
    return [
        Plan("greet", context.city.at(day, time(9, 30)), context.city.at(day + timedelta(days=1), time(0)), "G 1"),
        Plan("call", context.city.at(day + timedelta(days=2), time(9)), clause="G 2"),
    ]


def visits(home: Home, context: Any) -> list[Plan]:
    """A visit by SMS twenty days after the handover, and one a year after it."""
    assert home.handed_over_on is not None
    return [
        Plan(
            "visit",
            context.city.at(home.handed_over_on + timedelta(days=days), time(10)),
            context.city.at(home.handed_over_on + timedelta(days=days + 5), time(0)),
            occurrence=number,
        )
        for number, days in ((1, 20), (2, 365))
    ]


@pytest.fixture
def area() -> Area:
    return Area(Action("greet", greet), Action("call", call), Action("visit", greet), signed=greeting, handover=visits)


@pytest.fixture
def city(sample_city: Build, area: Area, tmp_path: Path) -> SampleCity:
    return sample_city({"area": area}, templates=templates(tmp_path))


def test_signing_a_contract_promises_what_the_plugin_wants_and_it_is_kept(city: SampleCity) -> None:
    sale = city.sign()
    city.settle()
    city.expect("greet", sale, "planned", due="2026-03-03 09:30")
    city.expect("call", sale, "planned", due="2026-03-05 09:00")
    city.run_until(date(2026, 3, 5))
    city.expect("greet", sale, "kept", due="2026-03-03 09:30", done="2026-03-03 09:30")
    city.expect("call", sale, "late")
    assert [sent.text for sent in city.sent] == ["【云璟】Hello 王小明"]


def test_a_corrected_date_moves_the_plans_and_sends_nothing_twice(city: SampleCity) -> None:
    sale = city.sign()
    city.settle()
    city.change(sale, on=date(2026, 3, 1))
    settled = city.settle()
    assert (settled.planned, settled.moved) == (0, 2)
    city.expect("greet", sale, "kept", due="2026-03-02 09:30")
    city.expect("call", sale, "planned", due="2026-03-04 09:00")
    city.change(sale, on=date(2026, 3, 2))
    city.run_until(date(2026, 3, 10))
    city.expect("greet", sale, "kept", due="2026-03-02 09:30")
    assert len(city.sent) == 1
    assert len(rows(city.store, plans)) == 2


def test_an_action_that_says_again_is_done_again_when_its_date_moves(city: SampleCity, area: Area) -> None:
    area.actions[0] = Action("greet", greet, again=True)
    city.restart()
    sale = city.sign()
    city.run_until(date(2026, 3, 4))
    city.change(sale, on=date(2026, 3, 4))
    city.run_until(date(2026, 3, 6))
    assert len(city.sent) == 2
    assert [row.key for row in rows(city.store, messages)] == ["area.greet/contract/1/1", "area.greet/contract/1/1.1"]


def test_a_cancelled_contract_ends_its_open_plans_and_keeps_its_history(city: SampleCity) -> None:
    sale = city.sign()
    city.run_until(date(2026, 3, 3))
    city.cancel(sale)
    city.run_until(date(2026, 3, 10))
    city.expect("greet", sale, "kept")
    city.expect("call", sale, "cancelled", why="no longer wanted")


def test_a_contract_signed_again_is_promised_again(city: SampleCity) -> None:
    sale = city.sign()
    city.settle()
    city.cancel(sale)
    city.settle()
    city.expect("greet", sale, "cancelled")
    city.run_until(date(2026, 3, 5))
    city.change(sale, on=date(2026, 3, 5), status="signed")
    city.settle()
    city.expect("greet", sale, "planned", due="2026-03-06 09:30")
    city.run_until(date(2026, 3, 6))
    city.expect("greet", sale, "kept")
    assert len(city.sent) == 1


def test_a_resale_gives_the_homes_plans_to_the_new_owner_and_ends_the_contracts(city: SampleCity) -> None:
    sale = city.sign()
    city.settle()
    city.hand_over(sale)
    city.settle()
    city.resell(sale, SECOND_OWNER)
    city.settle()
    city.expect("greet", sale, "cancelled")
    city.expect("visit", sale, "planned")
    city.run_until(date(2026, 3, 22))
    city.expect("visit", sale, "kept", due="2026-03-22 10:00")
    assert [sent.text for sent in city.sent] == ["【云璟】Hello 李四"]


def test_a_handover_calls_the_contracts_hooks_again(city: SampleCity, area: Area) -> None:
    sale = city.sign()
    city.settle()
    area.asked.clear()
    city.hand_over(sale)
    city.settle()
    assert "signed" in area.asked
    assert "handover" in area.asked


def test_a_late_entry_marks_its_plans_and_runs_what_is_still_in_its_window(city: SampleCity) -> None:
    sale = city.sign(on=date(2026, 3, 1))
    city.settle()
    assert city.expect("greet", sale, "kept").late_at_creation
    assert not city.expect("call", sale, "planned").late_at_creation
    assert rows(city.store, messages, "late") == [(True,)]


def test_what_nobody_planned_in_time_is_missed_and_not_called_late(city: SampleCity) -> None:
    # signed and entered in time, but no daemon ran for two days
    sale = city.sign()
    city.clock.advance(timedelta(days=2))
    city.settle()
    assert city.sent == []
    missed = city.expect("greet", sale, "missed", why="before it could run")
    assert not missed.late_at_creation
    city.expect("call", sale, "planned", due="2026-03-05 09:00")


def test_a_handover_entered_a_year_late_releases_nothing(city: SampleCity) -> None:
    sale = city.sign(on=date(2024, 6, 1))
    city.settle()
    city.adapter.sent.clear()
    city.hand_over(sale, on=date(2025, 2, 1))
    city.run_until(date(2026, 4, 1))
    assert city.sent == []
    for number in (1, 2):
        city.expect("visit", sale, "missed", occurrence=number, why="after its window had passed")


def test_a_handover_entered_a_year_late_does_what_the_action_says_of_late_entries(city: SampleCity, area: Area) -> None:
    area.actions[2] = Action("visit", greet, when_late=call)
    city.restart()
    sale = city.sign(on=date(2024, 6, 1))
    city.hand_over(sale, on=date(2025, 1, 20))
    city.settle()
    assert city.sent == []
    assert city.expect("visit", sale, occurrence=1).kind == "task"
    assert city.expect("visit", sale, occurrence=2).kind == "task"


def test_asking_again_changes_nothing(city: SampleCity) -> None:
    sale = city.sign()
    city.hand_over(sale)
    city.run_until(date(2026, 3, 4))
    before = rows(city.store, plans)
    again = replay(city.installation)
    assert (again.inserted, again.moved, again.cancelled) == (0, 0, 0)
    assert rows(city.store, plans) == before


def test_what_the_plugin_no_longer_wants_is_taken_back(city: SampleCity, area: Area) -> None:
    sale = city.sign()
    city.settle()
    area.wants["signed"] = lambda contract, context: greeting(contract, context)[:1]
    city.change(sale, on=date(2026, 3, 1))
    city.settle()
    city.expect("call", sale, "cancelled")
    city.expect("greet", sale, "kept")
