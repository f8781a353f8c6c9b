"""Meetings: announced three days before, held with a form, and what was agreed there followed to the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
from tests.support.duties import action, do, only_task, tasks

from keguan import Context, Filled, Home, Plan, Project, Skip
from keguan_sixplustwo import Playbook

Companies = Callable[..., Context]
Plans = Callable[..., dict[int, Plan]]
Clock = Callable[[datetime], str]

ESTATE = Project(1, "云璟一期", "wuhan", planned_handover_on=date(2025, 9, 30), handed_over_on=date(2025, 9, 30))
MONDAY = datetime.fromisoformat("2026-03-02T15:00+08:00")


def agreed(*lines: dict[str, object]) -> dict[str, Filled]:
    return {"owner_talk": Filled({"signed_in": 31}, lines)}


def test_a_meeting_is_two_tasks_to_tell_people_and_to_hold_it(
    company: Companies, promised: Plans, clock: Clock
) -> None:
    context = company()
    plan = promised("owner_talk", ESTATE, context)[2026]
    notice, meeting = tasks(do("owner_talk", ESTATE, context, plan=plan))
    assert meeting.form == "meeting"
    assert notice.form is None
    assert notice.title == f"{meeting.title}（通知参加人，{clock(plan.due)[:10]} 举行）"
    told, held = (date.fromisoformat(clock(task.due)[:10]) for task in (notice, meeting))
    assert (held - told).days >= 3
    assert clock(meeting.due)[:10] == clock(plan.due)[:10]
    assert plan.opens is not None
    assert plan.opens <= notice.due


def test_notice_that_would_be_given_on_a_day_off_is_given_before(
    company: Companies, having: Callable[..., object], promised: Plans, clock: Clock
) -> None:
    talk = having("talk", kind="meeting", about="project", trigger="handover", due="handover + 5 days", notice=3)
    context = company({"wuhan": talk})
    # handed over on Tuesday 10 March: Sunday the 15th rolls to Monday the 16th; three days before is a Friday
    estate = Project(1, "云璟一期", "wuhan", handed_over_on=date(2026, 3, 12))
    [plan] = promised("talk", estate, context).values()
    assert clock(plan.due)[:10] == "2026-03-17"
    notice, _ = tasks(do("talk", estate, context, plan=plan))
    assert clock(notice.due)[:10] == "2026-03-13"  # 14 March is a Saturday


def test_a_meeting_without_notice_is_one_task(
    company: Companies, having: Callable[..., object], promised: Plans
) -> None:
    talk = having("talk", kind="meeting", about="project", trigger="handover", due="handover + 5 days")
    context = company({"wuhan": talk})
    [plan] = promised("talk", ESTATE, context).values()
    assert len(tasks(do("talk", ESTATE, context, plan=plan))) == 1


def test_what_was_agreed_becomes_a_task_for_each_line(company: Companies, clock: Clock) -> None:
    filled = agreed(
        {"what": "东门路灯不亮", "department": "物业", "by": "2026-03-20"},
        {"what": "地下车库漏水", "department": "维修", "by": "2026-03-10"},
    )
    lamps, leak = tasks(do("owner_talk_follow_ups", ESTATE, company(), now=MONDAY, filled=filled))
    assert lamps.title == "业主恳谈会跟进：云璟一期：东门路灯不亮"
    assert (lamps.department, clock(lamps.due)) == ("物业", "2026-03-20 18:00")
    assert (leak.department, clock(leak.due)) == ("维修", "2026-03-10 18:00")


def test_nothing_agreed_leaves_nothing_to_do(company: Companies) -> None:
    assert do("owner_talk_follow_ups", ESTATE, company(), now=MONDAY, filled=agreed()) == []
    assert do("owner_talk_follow_ups", ESTATE, company(), now=MONDAY) == []


def test_a_day_that_is_over_when_it_is_written_down_is_due_at_once(company: Companies) -> None:
    filled = agreed({"what": "x", "department": "物业", "by": "2026-02-20"})
    assert only_task(do("owner_talk_follow_ups", ESTATE, company(), now=MONDAY, filled=filled)).due == MONDAY


def test_what_was_agreed_without_a_day_or_a_department_has_five_working_days(company: Companies, clock: Clock) -> None:
    filled = agreed({"what": "路灯"})
    task = only_task(do("owner_talk_follow_ups", ESTATE, company(), now=MONDAY, filled=filled))
    assert clock(task.due) == "2026-03-09 18:00"
    assert task.department == action_owner(company())


def action_owner(context: Context) -> str:
    entry = context.prepared.playbook("wuhan").touchpoints["owner_talk"]  # type: ignore[attr-defined]
    return str(entry.owner[0])


def test_a_phone_number_that_somebody_wrote_down_is_not_shown_in_a_title(company: Companies) -> None:
    filled = agreed({"what": "请回电13800138000", "department": "物业", "by": "2026-03-20"})
    task = only_task(do("owner_talk_follow_ups", ESTATE, company(), now=MONDAY, filled=filled))
    assert "13800138000" not in task.title


def test_a_problem_of_the_house_check_is_tracked_with_its_home_and_its_own_evidence(
    company: Companies, clock: Clock
) -> None:
    lines = (
        {"home": "3-1-0101", "outcome": "checked", "what": "地漏返味", "department": "维修", "by": "2026-03-16"},
        {"home": "3-1-0102", "outcome": "checked"},
    )
    filled = {"one_year_house_check": Filled({}, lines)}
    context = company()
    task = only_task(do("one_year_issue_tracking", ESTATE, context, now=MONDAY, filled=filled))
    assert task.title == "体检问题跟踪关闭：云璟一期 3-1-0101：地漏返味"
    assert (task.department, clock(task.due), task.evidence) == ("维修", "2026-03-16 18:00", ("问题清单",))
    assert action("one_year_issue_tracking", context).after == "one_year_house_check"


def test_problems_of_the_house_check_are_not_followed_up_twice(company: Companies) -> None:
    with pytest.raises(ValueError, match="expected 1"):
        action("one_year_house_check_follow_ups", company())


@pytest.mark.parametrize(
    "touchpoint", ["site_opening", "three_month_visit", "site_opening_assessment", "mystery_customer_check"]
)
def test_whatever_is_written_down_for_somebody_is_followed_up(touchpoint: str, company: Companies) -> None:
    context = company()
    filled = {touchpoint: Filled({}, ({"what": "x", "department": "物业", "by": "2026-03-20"},))}
    record: Project | Home = ESTATE
    assert len(tasks(do(f"{touchpoint}_follow_ups", record, context, now=MONDAY, filled=filled))) == 1


def test_what_a_postponed_opening_brings_up_is_followed_up_too(company: Companies) -> None:
    filled = {"site_opening_postponed": Filled({}, ({"what": "x", "department": "物业", "by": "2026-03-20"},))}
    outcome = do("site_opening_postponed_follow_ups", ESTATE, company(), now=MONDAY, filled=filled)
    assert only_task(outcome).title == "工地开放跟进：云璟一期：x"


def test_follow_ups_of_what_is_not_in_the_playbook_any_more_are_skipped(company: Companies) -> None:
    def drop(playbook: Playbook, _city: str) -> Playbook:
        return playbook.remove("owner_talk")

    filled = agreed({"what": "x", "department": "物业", "by": "2026-03-20"})
    assert do("owner_talk_follow_ups", ESTATE, company({"wuhan": drop}), filled=filled) == Skip(
        "行动手册中已没有这个触点"
    )
