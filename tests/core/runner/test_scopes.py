"""Where a plugin is switched off its plans wait; where it is switched on they go on, if it is not too late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.flow import Area, call, greet, rows, templates

from keguan import Action, Plan
from keguan.runner.scopes import ScopeChange, apply_scopes
from keguan.store.schema import plans
from keguan.testing import CITY, SampleCity

OFF = "[plugins.area]\nenabled = false\n"
Build = Callable[..., SampleCity]


def wants(record: Any, context: Any) -> list[Plan]:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=context.city.zone)

    return [
        Plan("greet", at("2026-03-05 10:00"), at("2026-03-07 00:00")),
        Plan("call", at("2026-03-20 10:00")),
        Plan("late", at("2026-01-05 10:00"), at("2026-01-07 00:00")),
    ]


@pytest.fixture
def city(sample_city: Build, tmp_path: Path) -> SampleCity:
    late = Action("late", greet, when_late=call)
    area = Area(Action("greet", greet), Action("call", call), late, signed=wants)
    return sample_city({"area": area}, templates=templates(tmp_path))


def test_switching_off_holds_what_is_planned_and_says_why(city: SampleCity) -> None:
    sale = city.sign()
    city.engine.plan_all()
    assert city.restart(config=OFF) == [ScopeChange("area", CITY, False, 3)]
    city.run_until(date(2026, 3, 6))
    assert city.sent == []
    city.expect("greet", sale, "held", why="off")


def test_switching_on_gives_back_what_is_still_in_its_window(city: SampleCity) -> None:
    sale = city.sign()
    city.engine.plan_all()
    city.restart(config=OFF)
    city.run_until(date(2026, 3, 4))
    assert city.restart(config="") == [ScopeChange("area", CITY, True, 3)]
    city.run_until(date(2026, 3, 6))
    city.expect("greet", sale, "kept", done="2026-03-05 10:00")


def test_what_passed_meanwhile_is_missed_and_not_sent(city: SampleCity) -> None:
    sale = city.sign()
    city.engine.plan_all()
    city.restart(config=OFF)
    city.run_until(date(2026, 3, 10))
    city.restart(config="")
    city.settle()
    assert city.sent == []
    city.expect("greet", sale, "missed", why="window passed")
    city.expect("call", sale, "planned")


def test_a_late_entry_keeps_its_way_out(city: SampleCity) -> None:
    sale = city.sign()
    city.engine.plan_all()
    city.restart(config=OFF)
    city.restart(config="")
    city.settle()
    assert city.expect("late", sale).kind == "task"


def test_a_start_without_change_changes_nothing(city: SampleCity) -> None:
    city.sign()
    city.settle()
    before = rows(city.store, plans)
    assert city.restart() == []
    assert rows(city.store, plans) == before


def test_plans_of_a_plugin_that_is_no_longer_installed_are_held(sample_city: Build) -> None:
    area = Area(Action("call", call), Action("greet", greet), Action("late", greet), signed=wants)
    city = sample_city({"area": area, "other": Area()})
    sale = city.sign()
    city.engine.plan_all()
    del city.plugins["area"]
    assert city.restart() == [ScopeChange("area", CITY, False, 2)]
    city.run_until(date(2026, 3, 6))
    city.expect("greet", sale, "held")


def test_one_city_more_or_less_concerns_that_city_only(city: SampleCity) -> None:
    sale = city.sign()
    city.engine.plan_all()
    config = "[cities.wuhan]\n[plugins.area]\nenabled = true\nexcept_cities = ['wuhan']\n"
    assert city.restart(config=config) == [ScopeChange("area", "wuhan", False, 0)]
    city.expect("greet", sale, "planned")
    assert apply_scopes(city.installation) == []


def test_what_changed_while_the_plugin_was_off_reaches_its_plans_before_they_are_given_back(city: SampleCity) -> None:
    cancelled, kept = city.sign("101"), city.sign("102")
    city.engine.plan_all()
    city.restart(config=OFF)
    city.run_until(date(2026, 3, 4))
    city.cancel(cancelled)
    city.settle()
    city.expect("greet", cancelled, "held")
    city.restart(config="")
    city.run_until(date(2026, 3, 6))
    city.expect("greet", cancelled, "cancelled")
    city.expect("greet", kept, "kept")
    assert len(city.sent) == 1
