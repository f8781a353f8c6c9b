"""Kinds of event of which each counts by itself: a second audit report takes nothing away from the first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from tests.support.flow import Area, call, rows

from keguan import Action, Event, EventType, Plan, hookimpl
from keguan.plans.replay import replay
from keguan.store.schema import plans
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]


class Reports(Area):
    """An area that looks at the event itself."""

    failing = frozenset[int]()

    @hookimpl
    def on_event(self, event: Event, record: object, context: object) -> list[Plan]:
        if event.seq in self.failing:
            raise RuntimeError("no answer")
        wanted = [Plan("answer", event.time + timedelta(days=15), occurrence=event.seq)]
        return wanted if event.type == "area_report" else []


@pytest.fixture
def area() -> Reports:
    area = Reports(Action("answer", call))
    area.types = [
        EventType("area_report", "contract", each=True),
        EventType("area_withdrawn", "contract", retracts=frozenset({"area_report"})),
    ]
    return area


@pytest.fixture
def city(sample_city: Build, area: Reports) -> SampleCity:
    return sample_city({"area": area})


def stored(city: SampleCity) -> list[tuple[int, str]]:
    found = rows(city.store, plans, "occurrence", "status", where=plans.c.action == "answer")
    return [(number, status) for number, status in sorted(found)]


def test_each_of_them_is_answered(city: SampleCity) -> None:
    sale = city.sign()
    city.tell("area_report", sale.contract)
    city.run_until(date(2026, 3, 5))
    city.tell("area_report", sale.contract)
    city.settle()
    first, second = stored(city)
    assert (first[1], second[1]) == ("planned", "planned")
    city.run_until(date(2026, 4, 1))
    assert stored(city) == [(first[0], "done"), (second[0], "done")]


def test_several_in_one_batch_and_asking_again(city: SampleCity) -> None:
    sale = city.sign()
    for number in range(3):
        city.tell("area_report", sale.contract, event_id=f"report/{number}")
    city.settle()
    known = stored(city)
    assert [status for _, status in known] == ["planned"] * 3
    replay(city.installation)
    assert stored(city) == known


def test_all_of_them_are_taken_back_together(city: SampleCity) -> None:
    sale = city.sign()
    city.tell("area_report", sale.contract, event_id="report/1")
    city.tell("area_report", sale.contract, event_id="report/2")
    city.settle()
    city.tell("area_withdrawn", sale.contract)
    city.settle()
    assert [status for _, status in stored(city)] == ["cancelled", "cancelled"]


def test_one_that_cannot_be_answered_leaves_what_others_were_promised(city: SampleCity, area: Reports) -> None:
    sale = city.sign()
    city.tell("area_report", sale.contract, event_id="report/1")
    city.settle()
    [first] = stored(city)
    area.failing = frozenset({first[0] + 1})
    city.tell("area_report", sale.contract, event_id="report/2")
    city.settle()
    assert stored(city) == [first]
    area.failing = frozenset()
    city.run_until(city.clock.now() + timedelta(minutes=5))
    assert [status for _, status in stored(city)] == ["planned", "planned"]
