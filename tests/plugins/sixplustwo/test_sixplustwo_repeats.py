"""Promises that repeat: on several dates, every so often until an event, once in each calendar period."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keguan import Context, Contract, Home, Plan, Project
from keguan.calendar.dates import add_months
from keguan.errors import PluginError
from keguan_sixplustwo import Playbook
from keguan_sixplustwo.planning.rows import period_of
from keguan_sixplustwo.touchpoint import Period

Having = Callable[..., Callable[[Playbook, str], Playbook]]
Plans = Callable[..., dict[int, Plan]]
Days = Callable[[Mapping[int, Plan]], dict[int, str]]

SIGNED = Project(1, "云璟一期", "wuhan", launch_on=date(2026, 1, 31))


def test_several_dates_are_so_many_occurrences(
    company: Callable[..., Context], having: Having, promised: Plans, days: Days
) -> None:
    opening = having(
        "opening", about="project", trigger="construction_milestone",
        due=["planned_handover - 3 months", "planned_handover - 1 month"], opens="opening - 14 days",
        until="opening + 10 days",
    )  # fmt: skip
    project = Project(1, "云璟一期", "wuhan", planned_handover_on=date(2026, 7, 31))
    plans = promised("opening", project, company({"wuhan": opening}))
    assert days(plans) == {1: "2026-04-30", 2: "2026-06-30"}
    context = company({"wuhan": opening})
    assert {number: context.calendar.date_of(plan.opens) for number, plan in plans.items() if plan.opens} == {
        1: date(2026, 4, 16),
        2: date(2026, 6, 16),
    }
    assert plans[1].until == context.city.at(date(2026, 5, 11), context.city.quiet_from.replace(hour=0))


def test_every_two_months_until_the_handover(
    company: Callable[..., Context],
    having: Having,
    promised: Plans,
    days: Days,
    clock: Callable[..., str],
) -> None:
    letter = having(
        "letter", about="project", trigger="project_launch", kind="message", channel="sms", template="congratulation",
        due="launch + 1 month", until="launch + 2 months", every="1 month", ends="handover",
    )  # fmt: skip
    project = replace(SIGNED, handed_over_on=date(2026, 5, 31))
    plans = promised("letter", project, company({"wuhan": letter}))
    assert days(plans) == {1: "2026-02-28", 2: "2026-03-28", 3: "2026-04-28", 4: "2026-05-28"}
    assert [clock(plan.until) for plan in plans.values()] == [
        "2026-04-01 00:00", "2026-05-01 00:00", "2026-06-01 00:00", "2026-07-01 00:00",
    ]  # fmt: skip
    assert not any(plan.recurs for plan in plans.values())


def test_months_are_counted_from_the_first_day_so_that_their_ends_are_kept(
    company: Callable[..., Context], having: Having, promised: Plans, days: Days
) -> None:
    call = having(
        "letter", about="project", trigger="project_launch", kind="message", channel="sms", template="congratulation",
        due="launch", every="1 month", ends="launch + 4 months",
    )  # fmt: skip
    plans = promised("letter", SIGNED, company({"wuhan": call}))
    assert days(plans) == {1: "2026-01-31", 2: "2026-02-28", 3: "2026-03-31", 4: "2026-04-30", 5: "2026-05-31"}


def test_while_nobody_knows_when_it_ends_it_goes_on_to_the_end_of_next_year(
    company: Callable[..., Context], having: Having, promised: Plans
) -> None:
    letter = having(
        "letter", about="project", trigger="project_launch", due="launch + 2 months", every="2 months", ends="handover"
    )
    plans = promised("letter", SIGNED, company({"wuhan": letter}))
    assert len(plans) == 11  # 31 March 2026 to 30 November 2027
    assert all(plan.recurs for plan in plans.values())
    far = replace(SIGNED, handed_over_on=date(2028, 6, 30))
    assert all(plan.recurs for plan in promised("letter", far, company({"wuhan": letter})).values())


def test_what_fell_due_in_earlier_years_is_nobodys_work_any_more_and_keeps_its_number(
    company: Callable[..., Context], having: Having, promised: Plans, days: Days
) -> None:
    letter = having("letter", about="project", trigger="project_launch", due="launch + 6 months", every="6 months")
    meeting = having("meeting", about="project", trigger="calendar", each="quarter", due="period_end - 1 month")
    old = Project(1, "云璟一期", "wuhan", launch_on=date(2016, 3, 1))
    late = {"since": date(2025, 12, 1), "through": date(2027, 12, 31)}
    assert min(days(promised("letter", old, company({"wuhan": letter}, **late))).items()) == (20, "2026-03-02")
    assert min(days(promised("meeting", old, company({"wuhan": meeting}, **late))).items()) == (20261, "2026-02-28")


@pytest.mark.parametrize(
    ("period", "first", "then"),
    [
        ("year", (2026, "2026-12-31"), (2027, "2027-12-31")),
        ("quarter", (20261, "2026-03-31"), (20262, "2026-06-30")),
        ("two_months", (202601, "2026-02-28"), (202603, "2026-04-30")),
        ("month", (202602, "2026-02-28"), (202603, "2026-03-31")),
        ("week", (202608, "2026-02-14"), (202609, "2026-02-28")),  # week 8 is Spring Festival: see the next test
    ],
)
def test_one_in_each_period_from_the_one_that_holds_the_beginning(
    period: str, first: tuple[int, str], then: tuple[int, str],
    company: Callable[..., Context], having: Having, promised: Plans, days: Days,
) -> None:  # fmt: skip
    if period == "week":
        first = (202608, "2026-02-22")
    check = having("check", about="project", trigger="calendar", each=period, due="period_end", begins="launch")
    project = replace(SIGNED, launch_on=date(2026, 2, 19))
    found = sorted(days(promised("check", project, company({"wuhan": check}))).items())
    assert found[:2] == [first, then]


def test_a_deadline_on_a_day_off_stays_in_its_period(
    company: Callable[..., Context], having: Having, promised: Plans, days: Days
) -> None:
    check = having("check", about="project", trigger="calendar", each="month", due="period_end", begins="launch")
    found = days(promised("check", SIGNED, company({"wuhan": check})))
    assert found[202601] == "2026-01-30"  # the 31st is a Saturday: the Friday before, not 2 February
    weekly = having("check", about="project", trigger="calendar", each="week", due="period_end", begins="launch")
    found = days(promised("check", SIGNED, company({"wuhan": weekly})))
    assert found[202608] == "2026-02-22"  # a week without any working day keeps its own
    assert found[202606] == "2026-02-06"


def test_what_would_have_been_due_before_it_began_was_never_promised(
    company: Callable[..., Context], having: Having, promised: Plans, days: Days
) -> None:
    plan = having("plan", about="project", trigger="calendar", each="year", due="period + 30 days", begins="launch")
    project = replace(SIGNED, launch_on=date(2026, 6, 1))
    assert days(promised("plan", project, company({"wuhan": plan}))) == {2027: "2027-02-01"}


def test_the_row_ends_with_its_end(company: Callable[..., Context], having: Having, promised: Plans) -> None:
    letter = having(
        "letter", about="project", trigger="calendar", each="two_months", due="period_end - 10 days",
        begins="launch", ends="handover",
    )  # fmt: skip
    project = replace(SIGNED, handed_over_on=date(2026, 6, 15))
    plans = promised("letter", project, company({"wuhan": letter}))
    assert list(plans) == [202601, 202603]
    assert not any(plan.recurs for plan in plans.values())


def test_what_counts_from_another_touchpoint_comes_as_often(
    company: Callable[..., Context], having: Having, promised: Plans, days: Days
) -> None:
    def both(playbook: Playbook, city: str) -> Playbook:
        opening = having(
            "opening", about="project", trigger="construction_milestone",
            due=["planned_handover - 3 months", "planned_handover - 1 month"],
        )  # fmt: skip
        summary = having("summary", about="project", trigger="site_opening", due="opening + 5 workdays")
        return summary(opening(playbook, city), city)

    project = Project(1, "云璟一期", "wuhan", planned_handover_on=date(2026, 7, 31))
    plans = promised("summary", project, company({"wuhan": both}))
    assert days(plans) == {1: "2026-05-11", 2: "2026-07-07"}  # off until 5 May; worked: 6, 7, 8, Sat 9, 11


def test_timings_that_count_in_a_circle_are_refused(company: Callable[..., Context], having: Having) -> None:
    def circle(playbook: Playbook, city: str) -> Playbook:
        one = having("one", about="project", trigger="site_opening", due="two + 1 day")
        two = having("two", about="project", trigger="site_opening", due="one + 1 day")
        return two(one(playbook, city), city)

    with pytest.raises(PluginError, match="one → two → one"):
        company({"wuhan": circle})
    own = having("one", about="project", trigger="site_opening", due="one + 1 day")
    with pytest.raises(PluginError, match="one → one"):
        company({"wuhan": own})


def test_what_is_no_touchpoint_is_refused_with_the_nearest(company: Callable[..., Context], having: Having) -> None:
    def adjust(playbook: Playbook, city: str) -> Playbook:
        opening = having("wuhan_opening", about="project", trigger="project_launch", due="launch")
        kit = having("wuhan_kit", about="project", trigger="site_opening", due="wuhan_openning")
        return kit(opening(playbook, city), city)

    with pytest.raises(PluginError, match=r'counts from "wuhan_openning".*wuhan_opening'):
        company({"wuhan": adjust})
    about_a_home = having("visit", about="home", trigger="handover", due="planned_handover")
    with pytest.raises(PluginError, match='counts from "planned_handover"'):
        company({"wuhan": about_a_home})


def test_a_repeating_promise_has_one_date(company: Callable[..., Context], having: Having) -> None:
    twice = having("check", about="project", trigger="calendar", each="year", due=["period", "period_end"])
    with pytest.raises(PluginError, match="has one due"):
        company({"wuhan": twice})


near = st.dates(date(2025, 1, 1), date(2027, 6, 30))
per_period = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # the calendar works a year out when it is first asked for


@per_period
@given(
    period=st.sampled_from([period.value for period in Period]),
    launch=near,
    due=st.sampled_from(["period", "period + 3 days", "period_end", "period_end - 2 days", "period_end - 1 workday"]),
)
def test_never_two_in_one_period_and_none_left_out(
    period: str, launch: date, due: str, company: Callable[..., Context], having: Having, promised: Plans
) -> None:
    check = having("check", about="project", trigger="calendar", each=period, due=due, begins="launch")
    context = company({"wuhan": check})
    project = replace(SIGNED, launch_on=launch)
    plans = promised("check", project, context)
    fell = [period_of(Period(period), context.calendar.date_of(plan.due)) for plan in plans.values()]
    if "workday" not in due:  # counted back over holidays it may be due earlier
        assert [number for number, _, _ in fell] == sorted(plans)
        assert all(later[1] == earlier[2] + timedelta(days=1) for earlier, later in pairwise(fell))
    assert plans == promised("check", project, context)
    assert plans == promised("check", project, company({"wuhan": check}))


@per_period
@given(launch=near, months=st.integers(1, 14), handover=st.none() | near)
def test_rows_count_from_their_first_day_and_end_in_time(
    launch: date, months: int, handover: date | None,
    company: Callable[..., Context], having: Having, promised: Plans,
) -> None:  # fmt: skip
    letter = having(
        "letter", about="project", trigger="project_launch", kind="message", channel="sms", template="congratulation",
        due="launch", every=f"{months} months", ends="handover",
    )  # fmt: skip
    context = company({"wuhan": letter})
    project = replace(SIGNED, launch_on=launch, handed_over_on=handover)
    plans = promised("letter", project, context)
    last = min(handover or context.through, context.through)
    fell = [context.calendar.date_of(plan.due) for plan in plans.values()]
    assert fell == [add_months(launch, months * place) for place in range(len(fell))]
    assert all(day <= last for day in fell)
    assert add_months(launch, months * len(fell)) > last
    assert {plan.recurs for plan in plans.values()} <= {handover is None}


def test_a_home_and_a_contract_may_have_rows_too(
    company: Callable[..., Context], having: Having, promised: Plans, days: Days,
    home: Callable[..., Home], contract: Callable[..., Contract],
) -> None:  # fmt: skip
    visit = having("visit", about="home", trigger="calendar", each="year", due="period + 5 months")
    found = days(promised("visit", home(handed_over_on=date(2026, 2, 28)), company({"wuhan": visit})))
    assert found == {2026: "2026-06-01", 2027: "2027-06-01"}
    news = having("news", about="contract", trigger="calendar", each="quarter", due="period_end", ends="handover")
    bought = contract(signed_on=date(2026, 2, 28), handed_over_on=date(2026, 9, 30))
    assert list(promised("news", bought, company({"wuhan": news}))) == [20261, 20262, 20263]
