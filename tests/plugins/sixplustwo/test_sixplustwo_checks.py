"""What the plugin finds in the records, and how its promises appear in a journey."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.answers import DUE, Records, call, filled, promised

import keguan_sixplustwo as sixplustwo
from keguan import Check, Context, Finding, Promised
from keguan.model import PromiseStatus, Subject

Companies = Callable[..., Context]
TEMPLATES = ["birthday", "congratulation", "progress", "service_supervision", "warranty_expiry"]


def check(name: str, context: Context) -> Check:
    [found] = [one for one in sixplustwo.register_checks(context.prepared) if one.name == name]
    return found


def findings(name: str, context: Context, records: Records) -> list[Finding]:
    return list(check(name, context).run(records))


# --- Every promise was kept -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["missed", "failed", "late"])
def test_a_broken_promise_is_a_finding_with_its_clause(company: Companies, status: PromiseStatus) -> None:
    [finding] = findings("promise_kept", company(), Records([promised(status)]))
    assert (finding.subject, finding.project, finding.clause) == (Subject("contract", 7), "云璟一期", "6+2指引 5.2.1")
    assert finding.message.startswith("Congratulation message, due on 2026-03-02, ")
    assert finding.message.endswith("no address")
    assert finding.evidence == ("sixplustwo.sms_congratulation/contract/7/1",)


def test_what_is_kept_excused_or_waiting_is_no_finding(company: Companies) -> None:
    fine: list[PromiseStatus] = ["planned", "due", "kept", "held", "cancelled", "waived"]
    assert findings("promise_kept", company(), Records([promised(status) for status in fine])) == []
    done = promised("late", done=DUE + timedelta(days=9))
    assert findings("promise_kept", company(), Records([done])) == []


def test_findings_are_written_in_the_language_of_the_view(company: Companies) -> None:
    [finding] = findings("promise_kept", company(), Records([promised("missed")], language="zh"))
    assert finding.message.startswith("签约恭贺短信应于2026-03-02完成")


def test_each_action_says_its_step_its_name_and_what_it_comes_to(company: Companies) -> None:
    actions = {action.name: action for action in sixplustwo.register_actions(company().prepared)}
    first = actions["sms_congratulation"]
    assert (first.step, first.kind, first.label) == (
        "2",
        "message",
        {"zh": "签约恭贺短信", "en": "Congratulation message"},
    )
    assert actions["signing_callback"].kind == "task"
    assert all(action.step and action.label for action in actions.values())


# --- Letters ----------------------------------------------------------------------------------------------------


def letters(*days: str, project: str = "云璟一期") -> list[Promised]:
    sent = [datetime.fromisoformat(f"{day}T09:30+08:00") for day in days]
    return [promised("kept", action="progress_letter_sending", due=at, done=at, project=project) for at in sent]


@pytest.mark.parametrize(("second", "count"), [("2026-03-31", 0), ("2026-04-01", 1)])
def test_letters_may_be_two_months_apart_and_not_a_day_more(company: Companies, second: str, count: int) -> None:
    assert len(findings("letter_interval", company(), Records(letters("2026-01-31", second)))) == count


def test_a_finding_about_letters_names_the_two_days(company: Companies) -> None:
    [finding] = findings("letter_interval", company(), Records(letters("2026-01-10", "2026-03-30")))
    assert finding.message.endswith("the one before left on 2026-01-10, this one on 2026-03-30")


def test_letters_of_two_projects_are_not_compared(company: Companies) -> None:
    records = Records([*letters("2026-01-10"), *letters("2026-06-10", project="云璟二期")])
    assert findings("letter_interval", company(), records) == []


# --- Call-backs -------------------------------------------------------------------------------------------------


def test_a_customer_who_could_have_been_called_back_and_was_not_is_a_finding(company: Companies) -> None:
    due = [promised("kept", 1, action="signing_callback"), promised("missed", 2, action="signing_callback")]
    [finding] = findings("callback_coverage", company(), Records(due, [call(1)]))
    assert (finding.project, finding.clause) == ("云璟一期", "6+2指引 5.2.1")
    assert finding.message == (
        "Signing call-back in 2026: 1 of 2 customers were reached, 0 could not be; the standard wants 100 %"
    )


def test_customers_beyond_reach_are_no_finding_when_they_were_tried(company: Companies) -> None:
    due = [promised("kept", 1, action="signing_callback"), promised("kept", 2, action="signing_callback")]
    tried = ["2026-03-02", "2026-03-03", "2026-03-03"]
    records = Records(due, [call(1), call(2, "no_answer", tries=tried)])
    assert findings("callback_coverage", company(), records) == []
    assert findings("callback_attempts", company(), records) == []


def test_giving_up_after_one_attempt_is_a_finding(company: Companies) -> None:
    records = Records(filled=[call(4, "no_answer", tries=["2026-03-02"])])
    [finding] = findings("callback_attempts", company(), records)
    assert finding.message == "closed as not reached, without three attempts on two days"
    assert (finding.subject, finding.evidence) == (Subject("contract", 4), ("task 4",))
    assert finding.clause == "6+2指引 5.2 签约满意度回访"


def test_a_call_that_goes_on_is_no_finding_yet(company: Companies) -> None:
    records = Records(filled=[call(4, "no_answer", tries=["2026-03-02"], task_status="open")])
    assert findings("callback_attempts", company(), records) == []


def test_what_was_due_years_ago_is_not_told_again(company: Companies) -> None:
    old = [promised("missed", 1, action="signing_callback", due=DUE - timedelta(days=800))]
    assert findings("callback_coverage", company(), Records(old)) == []


# --- Campaigns --------------------------------------------------------------------------------------------------


def visits(visited: int, homes: int, **more: Any) -> Records:
    lines = [
        {"home": str(number), "outcome": "visited" if number < visited else "unreachable"} for number in range(homes)
    ]
    return Records(filled=[filled("three_month_visit", "three_month_visit", lines=lines, **more)])


def test_a_sample_is_visited_as_a_whole(company: Companies) -> None:
    assert findings("campaign_coverage", company(), visits(10, 10)) == []
    [finding] = findings("campaign_coverage", company(), visits(9, 10))
    assert finding.message.endswith("9 of 10 homes were covered; the standard wants 100 %")


def test_a_campaign_that_goes_on_is_no_finding_yet(company: Companies) -> None:
    assert findings("campaign_coverage", company(), visits(0, 10, task_status="open")) == []


@pytest.mark.parametrize(("heard", "count"), [(849, 1), (850, 0)])
def test_the_survey_of_an_estate_reaches_85_per_cent(company: Companies, heard: int, count: int) -> None:
    lines = [{"home": str(number), "method": "phone" if number < heard else "unreached"} for number in range(1000)]
    records = Records(filled=[filled("estate_survey", "estate_survey", lines=lines)])
    assert len(findings("campaign_coverage", company(), records)) == count


def test_a_sample_that_the_standard_contradicts_itself_about_is_reported(company: Companies) -> None:
    records = visits(1, 1, answers={"contradiction": "10 % would be 70 homes"}, task_status="open")
    [finding] = findings("sample_contradiction", company(), records)
    assert finding.message == "10 % would be 70 homes"
    assert findings("sample_contradiction", company(), visits(1, 1)) == []


# --- Templates --------------------------------------------------------------------------------------------------


def approvals(*templates: str, approved: bool = True, **more: Any) -> Records:
    lines = [{"template": template, "approved": approved} for template in templates]
    return Records(filled=[filled("template_approval", "sms_template_approval", lines=lines, **more)])


def test_a_template_in_force_that_nobody_approved_is_a_finding(company: Companies) -> None:
    assert findings("templates_approved", company(), approvals(*TEMPLATES)) == []
    [finding] = findings("templates_approved", company(), approvals(*TEMPLATES[1:]))
    assert finding.message == 'the message template "birthday" is not among those that were approved last'
    refused = findings("templates_approved", company(), approvals(*TEMPLATES, approved=False))
    assert len(refused) == len(TEMPLATES)


def test_only_the_last_approval_of_a_city_counts(company: Companies) -> None:
    first, then = approvals(*TEMPLATES), approvals("congratulation")
    both = Records(filled=[*then.filled, *first.filled])
    assert findings("templates_approved", company(), both) == []
