"""Promises of a project: from its first show to years after the handover, and because of single events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

import keguan_sixplustwo as sixplustwo
from keguan import Context, Contract, Home, Plan, Project
from keguan_sixplustwo import Playbook

Company = Callable[..., Context]
Having = Callable[..., Callable[[Playbook, str], Playbook]]
Plans = Callable[..., dict[int, Plan]]
Days = Callable[[Mapping[int, Plan]], dict[int, str]]
Clock = Callable[[datetime], str]

PROJECT = Project(1, "云璟一期", "wuhan")


@pytest.mark.parametrize(
    ("show", "launch", "due"),
    [
        ("2026-03-20", "2026-05-01", "2026-03-17"),
        ("2026-05-20", "2026-04-30", "2026-04-27"),  # the earlier of the two
        (None, "2026-04-30", "2026-04-27"),
        ("2026-03-24", None, "2026-03-20"),  # three days before is a Saturday: no later than that
        ("2026-02-20", None, "2026-02-14"),  # shown amid Spring Festival: the last working day before it
        ("2026-03-25", None, "2026-03-20"),  # a Sunday: Monday would be two days before
    ],
)
def test_ready_three_days_before_the_first_show_or_launch(
    show: str | None, launch: str | None, due: str, company: Company, having: Having, promised: Plans, days: Days
) -> None:
    ready = having("cards", trigger="project_first_show", due="min(first_show, launch) - 3 days")
    project = replace(
        PROJECT,
        first_show_on=date.fromisoformat(show) if show else None,
        launch_on=date.fromisoformat(launch) if launch else None,
    )
    assert days(promised("cards", project, company({"wuhan": ready}))) == {1: due}


def test_nothing_is_promised_while_no_date_is_known(company: Company, having: Having, promised: Plans) -> None:
    ready = having("cards", trigger="project_first_show", due="min(first_show, launch) - 3 days")
    assert promised("cards", PROJECT, company({"wuhan": ready})) == {}


def test_a_launch_moved_earlier_moves_what_it_asks_for_into_the_past(
    company: Company, having: Having, promised: Plans, clock: Clock
) -> None:
    ready = having("cards", trigger="project_launch", due="launch - 3 days", opens="launch - 10 days", until="launch")
    context = company({"wuhan": ready})
    before = promised("cards", replace(PROJECT, launch_on=date(2026, 6, 12)), context)[1]
    after = promised("cards", replace(PROJECT, launch_on=date(2026, 3, 5)), context)[1]
    assert before.opens is not None
    assert after.opens is not None
    assert after.until is not None
    assert (clock(before.opens), clock(before.due)) == ("2026-06-02 08:00", "2026-06-09 08:00")
    # its own number, so that the plan moves; whether it is too late is for the core to see
    assert (clock(after.opens), clock(after.due), clock(after.until)) == (
        "2026-02-23 08:00", "2026-03-02 08:00", "2026-03-06 00:00",
    )  # fmt: skip


def test_each_phase_counts_by_its_own_handover(company: Company, having: Having, promised: Plans, days: Days) -> None:
    improvement = having("improvement", about="project", trigger="handover", due="handover + 4 years")
    context = company({"wuhan": improvement})
    first = replace(PROJECT, handed_over_on=date(2024, 2, 29))
    second = Project(2, "云璟二期", "wuhan", handed_over_on=date(2025, 6, 30))
    assert days(promised("improvement", first, context)) == {1: "2028-02-29"}
    assert days(promised("improvement", second, context)) == {1: "2029-07-02"}  # the 30th is a Saturday


def test_moving_in_is_sixty_days_after_the_handover_for_projects_too(
    company: Company, having: Having, promised: Plans, days: Days
) -> None:
    visits = having("visits", about="project", trigger="move_in", due="move_in + 3 months", until="move_in + 6 months")
    plan = promised("visits", replace(PROJECT, handed_over_on=date(2026, 1, 5)), company({"wuhan": visits}))
    assert days(plan) == {1: "2026-06-08"}  # 6 March and three months: a Saturday
    assert "60天" in plan[1].note


@pytest.mark.parametrize(
    ("fitting", "due"),
    [
        ("bare", {1: "2026-06-30"}),
        ("fitted", {1: "2026-04-30", 2: "2026-06-30"}),
        (None, {}),  # it says nothing for what nobody knows
    ],
)
def test_fitted_and_bare_projects_may_differ(
    fitting: str | None, due: dict[int, str], company: Company, having: Having, promised: Plans, days: Days
) -> None:
    opening = having(
        "opening", trigger="construction_milestone",
        by_fitting={
            "bare": {"due": "planned_handover - 1 month"},
            "fitted": {"due": ["planned_handover - 3 months", "planned_handover - 1 month"]},
        },
    )  # fmt: skip
    project = replace(PROJECT, planned_handover_on=date(2026, 7, 30), fitting=fitting)
    assert days(promised("opening", project, company({"wuhan": opening}))) == due


def test_what_does_not_exist_for_bare_homes_is_not_promised_to_them(
    company: Company, having: Having, promised: Plans, home: Callable[..., Home]
) -> None:
    def both(playbook: Playbook, city: str) -> Playbook:
        check = having("check", trigger="handover", due="handover + 30 days", by_fitting={"bare": {"off": True}})
        summary = having("summary", trigger="handover", due="check + 5 days")
        return summary(check(playbook, city), city)

    context = company({"wuhan": both})
    for touchpoint in ("check", "summary"):
        assert promised(touchpoint, home(handed_over_on=date(2026, 1, 5), fitting="bare"), context) == {}
        assert len(promised(touchpoint, home(handed_over_on=date(2026, 1, 5), fitting="fitted"), context)) == 1
        assert len(promised(touchpoint, home(handed_over_on=date(2026, 1, 5)), context)) == 1


def test_a_home_whose_fitting_nobody_entered_has_that_of_its_project(
    company: Company, having: Having, promised: Plans, contract: Callable[..., Contract]
) -> None:
    call = having("call", trigger="contract_signed", due="contract_signed + 1 week", by_fitting={"bare": {"off": True}})
    bare = replace(PROJECT, fitting="bare")
    context = company({"wuhan": call})
    signed = contract(signed_on=date(2026, 3, 2), project=bare, home=Home(1, bare, "3", "1", "1201"))
    fitted = contract(signed_on=date(2026, 3, 2), project=bare, home=Home(2, bare, "3", "1", "1202", fitting="fitted"))
    assert promised("call", signed, context) == {}
    assert len(promised("call", fitted, context)) == 1


def test_a_meeting_opens_in_time_to_tell_people(
    company: Company, having: Having, promised: Plans, clock: Clock
) -> None:
    meeting = having("meeting", kind="meeting", about="project", trigger="project_launch", due="launch", notice=3)
    plan = promised("meeting", replace(PROJECT, launch_on=date(2026, 3, 24)), company({"wuhan": meeting}))[1]
    assert plan.opens is not None
    assert clock(plan.opens) == "2026-03-20 08:00"  # three days before is a Saturday, told on Friday
    early = having(
        "meeting", kind="meeting", about="project", trigger="project_launch", due="launch", notice=3,
        opens="launch - 14 days",
    )  # fmt: skip
    plan = promised("meeting", replace(PROJECT, launch_on=date(2026, 3, 24)), company({"wuhan": early}))[1]
    assert plan.opens is not None
    assert clock(plan.opens) == "2026-03-10 08:00"


def test_a_window_that_ends_on_a_day_off_lasts_as_long_as_the_deadline(
    company: Company, having: Having, promised: Plans, clock: Clock
) -> None:
    call = having("call", about="project", trigger="project_launch", due="launch + 1 day", until="launch + 1 day")
    plan = promised("call", replace(PROJECT, launch_on=date(2026, 3, 6)), company({"wuhan": call}))[1]
    assert plan.until is not None
    assert (clock(plan.due), clock(plan.until)) == ("2026-03-09 08:00", "2026-03-10 00:00")


@pytest.mark.parametrize("kind", ["sunshine_changed", "site_opening_cancelled", "design_changed", "audit_report"])
def test_single_events_are_known_and_each_counts(kind: str) -> None:
    [found] = [known for known in sixplustwo.register_event_types() if known.name == kind]
    assert found.subject == "project"
    assert found.each


def test_an_event_asks_for_something_at_once_or_in_some_days(
    company: Company, having: Having, promised: Plans, days: Days
) -> None:
    def both(playbook: Playbook, city: str) -> Playbook:
        update = having("update", trigger="project_info_changed")
        remedy = having("remedy", trigger="audit_report", due="event + 15 days", until="event + 30 days")
        return remedy(update(playbook, city), city)

    context = company({"wuhan": both})
    late = datetime(2026, 3, 4, 17, tzinfo=UTC)  # 1 a.m. in Wuhan
    assert days(promised("update", PROJECT, context, type="sunshine_changed", seq=7, time=late)) == {7: "2026-03-05"}
    first = promised("remedy", PROJECT, context, type="audit_report", seq=8, time=late)
    second = promised("remedy", PROJECT, context, type="audit_report", seq=9, time=late.replace(day=9))
    assert days(first) == {8: "2026-03-20"}
    assert days(second) == {9: "2026-03-25"}
    assert promised("update", PROJECT, context, type="audit_report", seq=8, time=late) == {}
    assert promised("update", PROJECT, context) == {}  # the project's dates ask for none of these


def test_a_deposit_without_a_signing_is_promised_what_counts_from_it(
    company: Company, having: Having, promised: Plans, contract: Callable[..., Contract]
) -> None:
    def both(playbook: Playbook, city: str) -> Playbook:
        thanks = having("thanks", trigger="deposit", due="deposit + 3 days")
        call = having("call", trigger="contract_signed", due="min(deposit, contract_signed) + 1 week")
        return call(thanks(playbook, city), city)

    context = company({"wuhan": both})
    reserved = contract(status="reserved", deposit_on=date(2026, 3, 2))
    assert len(promised("thanks", reserved, context)) == 1
    assert promised("call", reserved, context) == {}


def test_optional_touchpoints_are_promised_where_they_are_switched_on(
    company: Company, having: Having, promised: Plans
) -> None:
    lecture = having("lecture", about="project", trigger="handover", due="planned_handover - 7 days", optional=True)
    project = replace(PROJECT, planned_handover_on=date(2026, 7, 31))

    def wanted(playbook: Playbook, city: str) -> Playbook:
        return lecture(playbook, city).change("lecture", optional=False)

    assert promised("lecture", project, company({"wuhan": lecture})) == {}
    assert len(promised("lecture", project, company({"wuhan": lecture}, settings={"optional": ["lecture"]}))) == 1
    assert len(promised("lecture", project, company({"wuhan": wanted}))) == 1


@pytest.mark.parametrize("kind", ["group", "part", "conduct", "note"])
def test_what_is_only_a_heading_or_a_part_is_not_planned(
    kind: str, company: Company, having: Having, promised: Plans
) -> None:
    part = having("part", kind=kind, about="project", trigger="project_launch", due="launch", within="welcome_kit")
    assert promised("part", replace(PROJECT, launch_on=date(2026, 3, 2)), company({"wuhan": part})) == {}
