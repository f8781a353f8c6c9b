"""Days that are loaded later move what was counted in working days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest
from tests.support.flow import Area, call, only, rows

from keguan import Action, Contract, Plan
from keguan.calendar import CalendarTable, DayRow
from keguan.calendars import NATIONAL, store_table
from keguan.plans.recall import subjects_by_calendar
from keguan.store.schema import plans
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]


def third_working_day(contract: Contract, context: Any) -> list[Plan]:
    """A call by noon of the third working day after signing, and a card on a fixed day."""
    assert contract.signed_on is not None
    day = context.calendar.add_workdays(contract.signed_on, 3)
    fixed = context.city.at(contract.signed_on + timedelta(days=9), time(9))
    return [Plan("call", context.city.at(day, time(12)), by_calendar=True), Plan("card", fixed)]


@pytest.fixture
def city(sample_city: Build) -> SampleCity:
    return sample_city({"area": Area(Action("call", call), Action("card", call), signed=third_working_day)})


def load(city: SampleCity, *days_off: date, years: tuple[int, ...] = (), scope: str = NATIONAL) -> None:
    rows_of_table = tuple(DayRow(day, False, "typhoon", "national") for day in days_off)
    table = CalendarTable(rows_of_table, frozenset(years))
    with city.store.write() as connection:
        store_table(connection, table, scope, city.clock.now())


def test_a_day_off_that_is_loaded_later_moves_what_was_counted_in_working_days(city: SampleCity) -> None:
    sale = city.sign()
    city.settle()
    city.expect("call", sale, "planned", due="2026-03-05 12:00")
    load(city, date(2026, 3, 4))
    settled = city.settle()
    city.expect("call", sale, "planned", due="2026-03-06 12:00")
    city.expect("card", sale, "planned", due="2026-03-11 09:00")
    assert settled.planned == 0


def test_days_of_another_city_move_nothing(city: SampleCity) -> None:
    sale = city.sign()
    city.settle()
    load(city, date(2026, 3, 4), scope="wuhan")
    city.settle()
    city.expect("call", sale, "planned", due="2026-03-05 12:00")


def test_what_was_done_stays_done(city: SampleCity) -> None:
    sale = city.sign()
    city.run_until(date(2026, 3, 5))
    load(city, date(2026, 3, 4))
    city.settle()
    assert city.expect("call", sale, due="2026-03-05 12:00").kind == "task"


def test_a_year_that_is_announced_is_no_longer_provisional(city: SampleCity) -> None:
    city.clock.set(city.at("2031-03-03 10:00"))
    sale = city.sign()
    city.settle()
    due = city.expect("call", sale, "planned").due_at
    assert only(rows(city.store, plans, "provisional", where=plans.c.action == "call")) == (True,)
    load(city, date(2031, 10, 1), years=(2031,))
    city.settle()
    assert city.expect("call", sale, "planned").due_at == due
    assert only(rows(city.store, plans, "provisional", where=plans.c.action == "call")) == (False,)


def test_days_that_were_loaded_while_no_process_ran_are_followed_at_the_next_start(city: SampleCity) -> None:
    sale = city.sign()
    city.settle()
    load(city, date(2026, 3, 4))
    city.restart()
    city.settle()
    city.expect("call", sale, "planned", due="2026-03-06 12:00")


def test_plans_that_followed_the_days_are_not_computed_at_every_start(city: SampleCity) -> None:
    sale = city.sign()
    city.settle()
    load(city, date(2026, 3, 4))
    loaded = city.clock.now()
    city.clock.advance(timedelta(seconds=5))
    city.settle()
    with city.store.read() as connection:
        assert subjects_by_calendar(connection, loaded) == ([], [])
        assert subjects_by_calendar(connection) == ([sale.contract], [])


def test_a_city_whose_calendar_is_read_later_leaves_no_other_city_behind(city: SampleCity) -> None:
    sale = city.sign()
    city.settle()
    load(city, date(2026, 3, 4))
    city.installation.calendar("wuhan")
    city.settle()
    city.expect("call", sale, "planned", due="2026-03-06 12:00")
