"""Promises of the company in one city: this year's and next year's, by the day's tick."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import keguan_sixplustwo as sixplustwo
from keguan import Context
from keguan.model import Branch
from keguan_sixplustwo import Playbook

Company = Callable[..., Context]
Having = Callable[..., Callable[[Playbook, str], Playbook]]

BRANCH = Branch(4, "wuhan")


def asked(day: date, context: Context, *touchpoints: str) -> list[tuple[str, int, date]]:
    plans = sixplustwo.daily_tick(day, BRANCH, context)
    assert all(plan.subject == BRANCH.ref for plan in plans)
    return [
        (plan.action, plan.occurrence, context.calendar.date_of(plan.due))
        for plan in plans
        if plan.action in touchpoints
    ]


def yearly(having: Having) -> Callable[[Playbook, str], Playbook]:
    def adjust(playbook: Playbook, city: str) -> Playbook:
        plan = having(
            "own_plan", about="company", trigger="calendar", each="year", due="period + 30 days", until="period_end"
        )
        audit = having("own_audit", about="company", trigger="calendar", each="year", due="period + 6 months - 1 day")
        return audit(plan(playbook, city), city)

    return adjust


def test_what_is_still_to_come_this_year_and_next(company: Company, having: Having) -> None:
    context = company({"wuhan": yearly(having)}, since=date(2025, 12, 1))
    assert asked(date(2026, 1, 1), context, "own_plan", "own_audit") == [
        ("own_plan", 2026, date(2026, 2, 2)),  # the 31st is a Saturday
        ("own_plan", 2027, date(2027, 2, 1)),
        ("own_audit", 2026, date(2026, 6, 30)),
        ("own_audit", 2027, date(2027, 6, 30)),
    ]


def test_who_starts_in_autumn_is_not_asked_for_what_was_due_in_spring(company: Company, having: Having) -> None:
    context = company({"wuhan": yearly(having)}, since=date(2025, 12, 1))
    assert asked(date(2026, 11, 1), context, "own_plan", "own_audit") == [
        ("own_plan", 2027, date(2027, 2, 1)),
        ("own_audit", 2027, date(2027, 6, 30)),
    ]


def test_on_the_day_itself_it_is_still_asked_for(company: Company, having: Having) -> None:
    context = company({"wuhan": yearly(having)}, since=date(2025, 12, 1))
    assert ("own_audit", 2026, date(2026, 6, 30)) in asked(date(2026, 6, 30), context, "own_audit")
    assert ("own_audit", 2026, date(2026, 6, 30)) not in asked(date(2026, 7, 1), context, "own_audit")


def test_every_day_asks_for_the_same(company: Company, having: Having) -> None:
    context = company({"wuhan": yearly(having)}, since=date(2025, 12, 1))
    again = company({"wuhan": yearly(having)}, since=date(2025, 12, 1))
    first = sixplustwo.daily_tick(date(2026, 3, 2), BRANCH, context)
    assert first == sixplustwo.daily_tick(date(2026, 3, 2), BRANCH, context)
    assert first == sixplustwo.daily_tick(date(2026, 3, 2), BRANCH, again)
    assert all(plan.recurs for plan in first)


def test_weeks_have_iso_numbers_over_the_new_year(company: Company, having: Having) -> None:
    weekly = having("own_list", about="company", trigger="calendar", each="week", due="period_end - 2 days")
    found = asked(date(2026, 12, 21), company({"wuhan": weekly}, since=date(2025, 12, 1)), "own_list")
    assert [number for _, number, _ in found[:4]] == [202652, 202653, 202701, 202702]
    assert [day for _, _, day in found[:3]] == [date(2026, 12, 25), date(2026, 12, 31), date(2027, 1, 8)]
