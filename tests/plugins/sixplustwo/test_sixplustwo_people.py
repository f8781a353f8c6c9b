"""Promises to a person: birthdays, by both calendars, once a year and not before somebody became a customer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import pytest

from keguan import Context, Home, Person, Plan, Project
from keguan.model import Customer

Plans = Callable[..., dict[int, Plan]]
Days = Callable[[Mapping[int, Plan]], dict[int, str]]

PROJECT = Project(1, "云璟一期", "wuhan")


@pytest.fixture
def greeting(company: Callable[..., Context], having: Callable[..., object]) -> Callable[..., Context]:
    """Return a company that greets people on their birthday, by a touchpoint of its own."""
    wish = having(
        "wish", trigger="birthday", kind="message", channel="sms", template="congratulation",
        due="birthday at 09:30", until="birthday",
    )  # fmt: skip
    return lambda **fields: company({"wuhan": wish}, **fields)


def customer(birthday: date | None, bought: date | None = date(2020, 5, 1), *, lunar: bool = False) -> Customer:
    homes = (Home(1, PROJECT, "3", "1", "1201", signed_on=bought),)
    return Customer(Person(7, "甲", birthday=birthday, lunar=lunar), PROJECT, homes)


THIS_YEAR = {"since": date(2025, 12, 1)}


def test_a_birthday_each_year(
    greeting: Callable[..., Context], promised: Plans, days: Days, clock: Callable[..., str]
) -> None:
    plans = promised("wish", customer(date(1980, 3, 9)), greeting(**THIS_YEAR))
    assert days(plans) == {2026: "2026-03-09", 2027: "2027-03-09"}
    assert [clock(plan.until) for plan in plans.values()] == ["2026-03-10 00:00", "2027-03-10 00:00"]
    assert all(plan.recurs for plan in plans.values())


def test_one_of_29_february_is_on_the_28th_in_other_years(
    greeting: Callable[..., Context], promised: Plans, days: Days
) -> None:
    leapling = customer(date(1980, 2, 29))
    assert days(promised("wish", leapling, greeting(**THIS_YEAR))) == {2026: "2026-02-28", 2027: "2027-02-28"}
    later = greeting(since=date(2026, 12, 1), through=date(2028, 12, 31))
    assert days(promised("wish", leapling, later)) == {2027: "2027-02-28", 2028: "2028-02-29"}


def test_a_lunar_birthday_moves_with_the_lunar_year(
    greeting: Callable[..., Context], promised: Plans, days: Days
) -> None:
    # 25 September 1980 was the Mid-Autumn Festival's day after: the 17th of the eighth lunar month
    plans = promised("wish", customer(date(1980, 9, 25), lunar=True), greeting(**THIS_YEAR))
    assert days(plans) == {2026: "2026-09-27", 2027: "2027-09-17"}


def test_a_lunar_birthday_late_in_the_year_lies_in_the_next_january(
    greeting: Callable[..., Context], promised: Plans, days: Days
) -> None:
    # 20 January 1981 was the 15th of the twelfth lunar month of 1980
    plans = promised("wish", customer(date(1981, 1, 20), lunar=True), greeting(**THIS_YEAR))
    assert days(plans) == {2025: "2026-02-02", 2026: "2027-01-22"}
    bought = customer(date(1981, 1, 20), bought=date(2026, 1, 10), lunar=True)
    assert days(promised("wish", bought, greeting(**THIS_YEAR))) == {2025: "2026-02-02", 2026: "2027-01-22"}


def test_nobody_is_greeted_for_a_birthday_before_the_purchase(
    greeting: Callable[..., Context], promised: Plans, days: Days
) -> None:
    assert days(promised("wish", customer(date(1980, 3, 9), date(2026, 10, 1)), greeting(**THIS_YEAR))) == {
        2027: "2027-03-09"
    }
    assert days(promised("wish", customer(date(1980, 3, 9), date(2026, 3, 9)), greeting(**THIS_YEAR))) == {
        2026: "2026-03-09", 2027: "2027-03-09",
    }  # fmt: skip


def test_who_has_no_known_purchase_is_greeted_from_this_year_on(
    greeting: Callable[..., Context], promised: Plans
) -> None:
    assert list(promised("wish", customer(date(1980, 3, 9), None), greeting())) == [2026, 2027]


def test_without_a_birthday_nothing_is_promised(greeting: Callable[..., Context], promised: Plans) -> None:
    assert promised("wish", customer(None), greeting(**THIS_YEAR)) == {}


def test_people_born_on_one_day_are_promised_the_same_in_any_order(
    greeting: Callable[..., Context], promised: Plans
) -> None:
    context = greeting(**THIS_YEAR)
    for year in (1950, 1980, 1984, 2004):
        for day in (date(year, 2, 28), date(year, 3, 1)):
            assert promised("wish", customer(day), context) == promised("wish", customer(day), greeting(**THIS_YEAR))


def test_a_card_may_go_out_some_days_before(
    company: Callable[..., Context], having: Callable[..., object], promised: Plans, days: Days
) -> None:
    card = having("card", trigger="birthday", due="birthday - 3 days", until="birthday")
    plans = promised("card", customer(date(1980, 1, 2)), company({"wuhan": card}, **THIS_YEAR))
    assert days(plans) == {2026: "2025-12-30", 2027: "2026-12-30", 2028: "2027-12-30"}
