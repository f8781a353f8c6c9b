"""What the playbooks promise, day by day: the dates were worked out by hand from the clauses.

A project is first shown on Friday 20 March 2026, launched on Friday 24 April, planned to be handed over on Wednesday
30 September, and handed over on Friday 25 September. Nobody noted who moved in: 24 November, 60 days later, stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

import pytest

import keguan_sixplustwo as sixplustwo
from keguan import Context, Contract, Home, Person, Plan, Project
from keguan.model import Branch, Customer
from keguan_sixplustwo.library import domain, playbooks
from keguan_sixplustwo.touchpoint import Kind, Touchpoint

Plans = Callable[..., dict[int, Plan]]
Days = Callable[[Mapping[int, Plan]], dict[int, str]]
Company = Callable[..., Context]

PROJECT = Project(
    1,
    "云璟一期",
    "wuhan",
    first_show_on=date(2026, 3, 20),
    launch_on=date(2026, 4, 24),
    planned_handover_on=date(2026, 9, 30),
    handed_over_on=date(2026, 9, 25),
    fitting="bare",
)
OPTIONAL = sorted(entry.id for book in playbooks().values() for entry in book.touchpoints.values() if entry.optional)


@pytest.fixture
def everything(company: Company) -> Context:
    """The guide with all that is optional, until 2032."""
    return company(settings={"optional": OPTIONAL}, through=date(2032, 12, 31))


@pytest.mark.parametrize(
    ("touchpoint", "due"),
    [
        ("sunshine_content_review", ["2026-03-13"]),  # five days before is Sunday the 15th: no later than Friday
        ("sunshine_declaration", ["2026-03-18"]),
        ("sales_kit_ready", ["2026-03-17"]),  # the show is earlier than the launch
        ("risk_check_before_launch", ["2026-03-25"]),
        ("unfavourable_factors_in_contract", ["2026-04-21"]),
        ("site_opening", ["2026-08-28"]),  # one month before is Sunday the 30th
        ("site_opening_assessment", ["2026-08-07"]),
        ("property_meeting", ["2026-08-28"]),
        ("decoration_lecture", ["2026-08-28"]),
        ("inspection_public_notice", ["2026-09-24"]),  # three days before is Sunday the 27th, in the Mid-Autumn holiday
        ("inspection_room_stickers", ["2026-09-24"]),
        ("inspection_equipment_tips", ["2026-09-24"]),
        ("three_month_visit", ["2027-02-24"]),
        ("one_year_house_check", ["2027-11-24"]),
        ("maintenance_visit", ["2027-03-25", "2028-03-27"]),
        ("warranty_expiry_notice", ["2028-08-25", "2031-08-25"]),
        ("loyalty_fund", ["2030-12-24"]),
    ],
)
def test_what_a_project_promises_once(
    touchpoint: str, due: list[str], everything: Context, promised: Plans, days: Days
) -> None:
    assert list(days(promised(touchpoint, PROJECT, everything)).values()) == due


@pytest.mark.parametrize(
    ("fitting", "due"),
    [("bare", ["2026-08-28"]), ("fitted", ["2026-06-30", "2026-08-28"]), (None, ["2026-08-28"])],
)
@pytest.mark.parametrize("edition", ["guide", "e2011"])
def test_bare_homes_are_opened_once_and_fitted_ones_twice(
    edition: str, fitting: str | None, due: list[str], company: Company, promised: Plans, days: Days
) -> None:
    project = replace(PROJECT, fitting=fitting)
    assert list(days(promised("site_opening", project, company(edition=edition))).values()) == due


@pytest.mark.parametrize(
    ("touchpoint", "first"),
    [
        ("mystery_customer_check", {20262: "2026-06-16", 20263: "2026-09-16"}),  # none before the first show
        ("progress_letter", {1: "2026-06-24", 2: "2026-08-24", 3: "2026-10-26"}),
        ("community_culture", {2027: "2027-06-01", 2028: "2028-06-01"}),
        ("community_culture_autumn", {2026: "2026-12-01", 2027: "2027-12-01"}),
        ("management_ftf", {2026: "2026-11-02", 2027: "2027-11-01"}),
        ("owner_talk", {2027: "2027-06-30", 2028: "2028-06-30"}),  # nobody lived there on 30 June 2026
        ("estate_survey", {2026: "2026-11-02", 2027: "2027-11-01"}),
        ("annual_improvement_suggestion", {2026: "2026-11-02", 2027: "2027-11-01"}),
    ],
)
def test_what_comes_again_for_a_project(
    touchpoint: str, first: dict[int, str], everything: Context, promised: Plans, days: Days
) -> None:
    found = days(promised(touchpoint, PROJECT, everything))
    assert dict(list(found.items())[: len(first)]) == first


def test_what_a_contract_promises(
    everything: Context, contract: Callable[..., Contract], promised: Plans, days: Days
) -> None:
    signed = contract(signed_on=date(2026, 3, 2), planned_handover_on=date(2026, 9, 30))
    expected = {
        "sms_congratulation": "2026-03-03",
        "sms_service_supervision": "2026-03-07",  # a Saturday: messages do not roll
        "signing_callback": "2026-03-05",
        "sales_data_entry": "2026-03-09",
        "welcome_kit": "2026-09-15",
        "home_life_handbook": "2026-09-15",
    }
    assert {name: days(promised(name, signed, everything)) for name in expected} == {
        name: {1: day} for name, day in expected.items()
    }


def test_what_a_home_promises(everything: Context, home: Callable[..., Home], promised: Plans, days: Days) -> None:
    taken_over = home(handed_over_on=date(2026, 3, 2), move_in_on=date(2026, 4, 20))
    expected = {
        "handover_callback": "2026-03-09",
        "handover_data_entry": "2026-03-09",
        "housewarming_visit": "2026-04-27",
    }
    assert {name: days(promised(name, taken_over, everything)) for name in expected} == {
        name: {1: day} for name, day in expected.items()
    }
    reminded = set(days(promised("warranty_expiry_reminder", taken_over, everything)).values())
    assert {"2028-02-02", "2031-02-02"} <= reminded  # a month before two and five years


def test_what_a_birthday_promises(company: Company, home: Callable[..., Home], promised: Plans, days: Days) -> None:
    context = company(settings={"optional": ["birthday_card"]}, through=date(2028, 12, 31))
    born = Person(1, "甲", "+8613800000001", birthday=date(1988, 2, 29))
    customer = Customer(born, PROJECT, (home(handed_over_on=date(2026, 3, 2)),))
    assert days(promised("birthday_sms", customer, context)) == {2027: "2027-02-28", 2028: "2028-02-29"}
    assert days(promised("birthday_card", customer, context)) == {2027: "2027-02-25", 2028: "2028-02-25"}  # a Saturday


@pytest.mark.parametrize(
    ("event", "touchpoint", "due"),
    [
        ("sunshine_changed", "sunshine_update_on_change", "2026-03-02"),  # at once
        ("site_opening_cancelled", "site_opening_cancel_filing", "2026-03-02"),
        ("design_changed", "design_change_notice", "2026-03-09"),
        ("audit_report", "audit_rectification", "2026-03-17"),
    ],
)
def test_what_a_single_event_asks_for(
    event: str, touchpoint: str, due: str, company: Company, promised: Plans, days: Days
) -> None:
    assert days(promised(touchpoint, PROJECT, company(), type=event)) == {1: due}


@pytest.mark.parametrize(
    ("touchpoint", "first"),
    [
        ("hotline_test_call", {2026: "2026-03-31"}),
        ("sms_template_approval", {2027: "2027-02-01"}),  # 31 January is a Sunday; 2026's was over by March
        ("annual_activity_plan", {2027: "2027-02-01"}),
        ("group_audit", {2026: "2026-06-30"}),
        ("group_purchase", {2026: "2026-09-30"}),
        ("care_activity", {2026: "2026-11-30"}),
        ("third_party_survey", {2026: "2026-11-30"}),
        ("activity_alliance_meeting", {20262: "2026-04-30", 20263: "2026-07-31"}),
        ("listening_summary", {20261: "2026-04-10", 20262: "2026-07-10"}),
    ],
)
def test_what_the_company_promises_each_year(
    touchpoint: str, first: dict[int, str], everything: Context, promised: Plans, days: Days
) -> None:
    context = replace(everything, through=date(2027, 12, 31))
    found = days(promised(touchpoint, Branch(1, "wuhan"), context))
    assert dict(list(found.items())[: len(first)]) == first


def test_what_the_edition_of_2011_promises(
    company: Company, contract: Callable[..., Contract], promised: Plans, days: Days
) -> None:
    context = company(edition="e2011")
    signed = contract(deposit_on=date(2026, 2, 26), signed_on=date(2026, 3, 2))
    assert days(promised("deposit_sms_2011", signed, context)) == {1: "2026-02-27"}
    assert days(promised("marketing_callback_2011", signed, context)) == {1: "2026-03-09"}
    assert days(promised("signing_callback", signed, context)) == {1: "2026-03-05"}
    firsts = {
        "weekly_new_customer_list_2011": ["2026-04-24", "2026-04-30"],  # Fridays; 1 May is a holiday
        "callback_statistics_2011": ["2026-04-27", "2026-05-06"],  # the Mondays after; 4 May is a holiday
        "progress_letter": ["2026-05-25", "2026-06-24"],  # 24 May is a Sunday
        "progress_input_2011": ["2026-05-14", "2026-06-15"],  # 14 June is a Sunday
        "new_project_note_2011": ["2026-05-06"],  # seven days later is 1 May
    }
    found = {name: list(days(promised(name, PROJECT, context)).values())[:2] for name in firsts}
    assert found == firsts


def test_what_is_found_in_the_house_check_is_followed_to_the_end(company: Company) -> None:
    actions = {action.name: action for action in sixplustwo.register_actions(company().prepared)}
    assert actions["one_year_issue_tracking"].after == "one_year_house_check"


def test_what_is_part_of_another_or_has_no_standard() -> None:
    kinds = {
        "group": {"sales_supervision_mechanism", "deposit_followup_sms", "inspection_tips"},
        "part of sunshine_declaration": {
            "sunshine_cr_presence",
            "sunshine_property_intro",
            "sunshine_redline_inside",
            "sunshine_redline_outside",
            "sunshine_parking_info",
        },
        "part of welcome_kit": {"inspection_handbook"},
        "conduct of mystery_customer_check": {"sales_card_hotline", "club_member_development", "visit_info_card"},
        "note": {"contract_terms_disclosure", "handover_process_service", "continuous_feedback_collection"},
    }
    found: dict[str, set[str]] = {}
    for entry in playbooks()["guide"].touchpoints.values():
        if not entry.kind.planned:
            of = f" of {entry.within}" if entry.within else ""
            found.setdefault(f"{entry.kind}{of}", set()).add(entry.id)
    assert found == kinds


# --- What is ours, and what stays empty -------------------------------------------------------------------------


def entries() -> list[tuple[str, Touchpoint]]:
    return [(name, entry) for name, book in playbooks().items() for entry in book.touchpoints.values()]


def test_the_editions_have_their_steps_and_the_empty_ones_stay_empty() -> None:
    found = {
        name: [(step.name.zh, sum(e.step == step.order for e in book.touchpoints.values())) for step in book.steps]
        for name, book in playbooks().items()
    }
    assert found == {
        "original": [
            ("温馨牵手", 0), ("喜结连理", 0), ("亲密接触", 0), ("恭迎乔迁", 0),
            ("嘘寒问暖", 0), ("承担责任", 0), ("一路同行", 0), ("四年之约", 0),
        ],
        "e2011": [
            ("温馨牵手", 0), ("喜结连理", 5), ("亲密接触", 4), ("隆重出阁", 0),
            ("恭迎乔迁", 0), ("举案齐眉", 0), ("一路同行", 0), ("持续关怀", 0),
        ],
        "guide": [
            ("温馨牵手", 17), ("喜结连理", 7), ("亲密接触", 8), ("恭迎乔迁", 11),
            ("嘘寒问暖", 1), ("承担责任", 5), ("一路同行", 15), ("四年之约", 2),
        ],
        "five_steps": [
            ("认识客户", 0), ("了解客户", 0), ("帮助客户", 0), ("理解客户", 0), ("感动客户", 0),
            ("成就客户（重要法则）", 0),
        ],
    }  # fmt: skip


PARTLY_OURS = {
    "sms_congratulation": "within a day: the hour",
    "sms_service_supervision": "within a week: the day and the hour",
    "sales_kit_ready": "first show or launch: which of them",
    "deposit_sms_2011": "within three days: which of them, and the hour",
    "mystery_customer_check": "two months or a quarter: which, and the day in it",
    "progress_letter": "every two months, every month: counted from what, and the channels of 2011",
    "group_purchase": "once a year: the day",
    "one_year_house_check": "the channel is inferred",
    "birthday_sms": "on the day: the hour",
    "annual_activity_plan": "at the beginning of the year: the day",
    "management_ftf": "once a year: the day",
    "owner_talk": "once a year: the day",
    "loyalty_fund": "after four years: how long after",
    "annual_improvement_suggestion": "once a year: the day",
    "weekly_new_customer_list_2011": "each week: the day",
    "callback_statistics_2011": "read from one sample",
    "progress_input_2011": "each month: the day",
    "warranty_expiry_notice": "one notice for the project: its two dates",
}
"""Where the documents say something and what is left open is ours."""

STATED_BY_ONE_EDITION = {("e2011", "site_opening", "due")}
"""Where one edition states what the other leaves open."""


def test_what_the_documents_do_not_say_is_marked_as_ours_and_nothing_else() -> None:
    known = {each.id: each for each in domain()}
    for edition, entry in entries():
        if entry.domain_id not in known:
            continue
        silent = known[entry.domain_id].silent
        for name in ("due", "audience", "channel", "owner", "evidence"):
            if getattr(entry, name) in (None, ()):
                assert name not in entry.ours
            elif name in silent and (edition, entry.id, name) not in STATED_BY_ONE_EDITION:
                assert name in entry.ours, (edition, entry.id, name)
            elif name in entry.ours:
                assert entry.id in PARTLY_OURS, (edition, entry.id, name)


def test_each_entry_belongs_to_the_editions_that_are_known_to_have_it() -> None:
    known = {each.id: each for each in domain()}
    for edition, entry in entries():
        if entry.domain_id in known:
            assert edition in known[entry.domain_id].editions


def test_every_touchpoint_names_clause_and_lines() -> None:
    for _, entry in entries():
        assert entry.clause is not None, entry.id
        assert entry.clause.source, entry.id


def test_what_is_planned_says_what_it_asks_for_and_until_when() -> None:
    open_ended = {
        "sunshine_update_on_change",
        "site_opening_cancel_filing",
        "design_change_notice",
        "audit_rectification",
    }
    for edition, entry in entries():
        if not entry.kind.planned or entry.id == "one_year_issue_tracking":
            continue
        assert entry.until is not None or entry.id in open_ended, (edition, entry.id)
        assert entry.audience, (edition, entry.id)
        assert entry.channel, (edition, entry.id)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_doing_is_used(kind: Kind) -> None:
    assert any(entry.kind is kind for _, entry in entries())
