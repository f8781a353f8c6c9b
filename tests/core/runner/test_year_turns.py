"""What recurs is promised to the end of next year, and one year further on at every new year."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select
from tests.support.flow import Area, call, rows

from keguan import Action, Contract, Plan
from keguan.store.schema import plans, turns
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]


def every_year(contract: Contract, context: Any) -> list[Plan]:
    """A call on the birthday of the contract, year after year."""
    first = contract.signed_on
    assert first is not None
    return [
        Plan("call", city_noon(context, day), day_end(context, day), occurrence=day.year, recurs=True)
        for day in (first.replace(year=first.year + n) for n in range(1, 30))
        if day <= context.through
    ]


def city_noon(context: Any, day: date) -> Any:
    return context.city.at(day, time(12))


def day_end(context: Any, day: date) -> Any:
    return context.city.at(day + timedelta(days=1), time())


class Yearly(Area):
    """Notes until when it was asked to promise."""

    def __init__(self) -> None:
        super().__init__(Action("call", call), signed=self._every_year)
        self.through: list[date] = []
        self.fails = False

    def _every_year(self, contract: Contract, context: Any) -> list[Plan]:
        self.through.append(context.through)
        if self.fails:
            raise SystemExit("the machine is switched off")
        return every_year(contract, context)


@pytest.fixture
def area() -> Yearly:
    return Yearly()


@pytest.fixture
def city(sample_city: Build, area: Yearly) -> SampleCity:
    return sample_city({"area": area}, config='[cities.urumqi]\nname = "乌鲁木齐"\ntime_zone = "Asia/Urumqi"\n')


def years(city: SampleCity, *statuses: str) -> list[int]:
    """The years for which the call is promised."""
    where = plans.c.status.in_(statuses) if statuses else None
    return sorted(row.occurrence for row in rows(city.store, plans, where=where))


def turned(city: SampleCity) -> dict[str, int]:
    with city.store.read() as connection:
        return {row.city: row.year for row in connection.execute(select(turns.c.city, turns.c.year))}


def test_three_years_bring_three_calls_and_always_the_next_year_is_promised(city: SampleCity) -> None:
    sale = city.sign(on=date(2026, 2, 1))
    city.settle()
    assert years(city) == [2027]
    city.run_until(date(2026, 12, 31))
    assert years(city) == [2027]
    for year in (2027, 2028, 2029):
        city.run_until(date(year, 1, 1))
        assert years(city, "planned") == [year, year + 1]
        city.run_until(date(year, 2, 2))
        assert city.expect("call", sale, due=f"{year}-02-01 12:00", occurrence=year).kind == "task"
    assert turned(city) == {"shenzhen": 2029, "urumqi": 2029}


def test_a_daemon_that_was_down_over_new_year_promises_before_it_plans_the_new_years_ticks(
    city: SampleCity, area: Yearly
) -> None:
    city.clock.set(city.at("2026-12-28 10:00"))
    sale = city.sign()
    city.settle()
    seen: list[list[int]] = []

    def look(_today: date, _context: Any) -> list[Plan]:
        seen.append(years(city))
        return []

    area.wants["tick"] = look
    city.run_until(date(2026, 12, 30))
    seen.clear()
    city.clock.set(city.at("2028-01-01 07:00"))
    city.restart()
    city.run_until(date(2028, 1, 1))
    assert seen
    assert all(known == [2027, 2028, 2029] for known in seen)
    city.expect("call", sale, "missed", occurrence=2027)
    assert years(city, "planned") == [2028, 2029]


def test_a_turn_that_was_broken_off_is_made_again_and_nothing_comes_twice(city: SampleCity, area: Yearly) -> None:
    city.sign("1201", on=date(2026, 2, 1))
    city.sign("1202", on=date(2026, 2, 1))
    city.run_until(date(2026, 12, 31))
    city.clock.set(city.at("2027-01-01 00:01"))
    step = city.engine.plan
    step()  # one chunk is one pass: it is stored …
    with city.store.write() as connection:  # … and the note that all is done is lost, and half of the plans
        connection.execute(delete(turns))
        last = max(row.id for row in rows(city.store, plans, where=plans.c.occurrence == 2028))
        connection.execute(delete(plans).where(plans.c.id == last))
    city.restart()
    city.settle()
    assert years(city) == [2027, 2027, 2028, 2028]
    assert turned(city)["shenzhen"] == 2027


def test_a_plugin_that_fails_at_the_turn_is_asked_again_later(city: SampleCity, area: Yearly) -> None:
    city.sign(on=date(2026, 2, 1))
    city.run_until(date(2026, 12, 31))
    area.fails = True
    city.clock.set(city.at("2027-01-01 00:00"))
    assert city.settle().failures
    assert years(city) == [2027]
    area.fails = False
    city.run_until(date(2027, 1, 1))
    assert years(city) == [2027, 2028]


def test_each_city_turns_when_the_year_begins_there(city: SampleCity) -> None:
    city.settle()
    city.clock.set(city.at("2027-01-01 00:00"))
    city.settle()
    assert turned(city) == {"shenzhen": 2027, "urumqi": 2026}
    city.clock.advance(timedelta(hours=2))
    city.settle()
    assert turned(city) == {"shenzhen": 2027, "urumqi": 2027}


def test_a_city_seen_for_the_first_time_asks_nobody_again(city: SampleCity, area: Yearly) -> None:
    city.sign(on=date(2026, 2, 1))
    city.settle()
    asked = len(area.through)
    with city.store.write() as connection:
        connection.execute(delete(turns))
    city.restart()
    city.settle()
    assert len(area.through) == asked
    assert turned(city) == {"shenzhen": 2026, "urumqi": 2026}


def test_a_city_first_seen_in_the_year_after_its_promises_catches_up(city: SampleCity) -> None:
    city.sign(on=date(2026, 2, 1))
    city.settle()
    with city.store.write() as connection:
        connection.execute(delete(turns))
    city.clock.set(city.at("2027-01-01 00:00"))
    city.restart()
    city.settle()
    assert years(city) == [2027, 2028]


def test_nothing_is_asked_twice_within_a_year(city: SampleCity, area: Yearly) -> None:
    city.sign(on=date(2026, 2, 1))
    city.run_until(date(2027, 1, 2))
    asked = len(area.through)
    city.restart()
    city.run_until(date(2027, 12, 31))
    assert len(area.through) == asked


def test_a_contract_signed_in_the_minute_after_new_year_is_promised_from_the_new_year(
    city: SampleCity, area: Yearly
) -> None:
    city.run_until(city.at("2026-12-31 23:59"))
    city.sign("1201")
    city.engine.plan_all()
    city.clock.set(city.at("2027-01-01 00:00"))
    city.sign("1202")
    city.engine.plan_all()
    assert area.through[0] == date(2027, 12, 31)
    assert set(area.through[1:]) == {date(2028, 12, 31)}


def test_midnight_that_passes_in_the_middle_of_a_batch_leaves_nobody_behind(city: SampleCity, area: Yearly) -> None:
    city.run_until(city.at("2026-12-31 23:59"))
    for room in ("1201", "1202", "1203"):
        city.sign(room, on=date(2026, 2, 1))
    asked = area.wants["signed"]

    def and_a_minute_passes(contract: Contract, context: Any) -> list[Plan]:
        city.clock.advance(timedelta(seconds=40))
        return asked(contract, context)

    area.wants["signed"] = and_a_minute_passes
    city.engine.plan()
    assert {day.year for day in area.through} == {2027, 2028}
    area.wants["signed"] = asked
    city.engine.plan_all()
    assert years(city) == [2027, 2027, 2027, 2028, 2028, 2028]
    assert not {row.late_at_creation for row in rows(city.store, plans)} - {False}


def test_a_plugin_that_was_off_over_new_year_promises_the_new_year_when_it_is_on_again(city: SampleCity) -> None:
    city.sign(on=date(2026, 2, 1))
    city.run_until(date(2026, 11, 30))
    city.restart(config="[plugins.area]\nenabled = false\n")
    city.run_until(date(2027, 1, 15))
    assert years(city) == [2027]
    city.restart(config="[plugins.area]\nenabled = true\n")
    assert years(city, "planned") == [2027, 2028]
