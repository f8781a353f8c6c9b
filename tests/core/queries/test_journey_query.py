"""The journey of a contract: what was promised and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from tests.support.estate import Estate, at

from keguan.errors import InputError
from keguan.model import Action, Contract, Form, Remarks
from keguan.queries.areas import Areas
from keguan.queries.journey import read_journey
from keguan.texts import Language

CONGRATULATION = Action(
    "sms_congratulation", lambda _: [], step="2", label={"en": "Congratulation", "zh": "恭贺"}, kind="message"
)


def areas(*actions: Action, forms: Mapping[str, Form] | None = None) -> Areas:
    """Return an area ``sixplustwo`` with these actions."""
    return Areas({("sixplustwo", action.name): action for action in actions}, forms)


def steps(estate: Estate, number: str = "HT-001", **more: Any) -> dict[str, Any]:
    """Return the journey's steps by touchpoint."""
    return {step["touchpoint"]: step for step in read_journey(estate.reader(), number, **more)["steps"]}


@pytest.fixture
def sold(estate: Estate) -> dict[str, int]:
    """A contract with its home and its buyer."""
    project = estate.project()
    home = estate.home(project)
    buyer = estate.person()
    return {
        "project": project,
        "home": home,
        "buyer": buyer,
        "contract": estate.contract("HT-001", project, home, [buyer]),
    }


def test_a_journey_holds_what_was_promised_for_contract_home_and_owner(estate: Estate, sold: dict[str, int]) -> None:
    estate.plan("welcome", ("contract", sold["contract"]), due=at("2026-03-04T09:30"))
    estate.plan("visit", ("home", sold["home"]), due=at("2026-03-03T09:30"))
    estate.plan("birthday", ("customer", sold["buyer"]), due=at("2026-03-05T09:30"))
    estate.plan("of_somebody_else", ("contract", sold["contract"] + 1))
    assert list(steps(estate)) == ["visit", "welcome", "birthday"]


def test_a_step_has_the_keys_of_the_interface_and_proves_itself(estate: Estate, sold: dict[str, int]) -> None:
    plan = estate.plan(
        "sms_congratulation",
        ("contract", sold["contract"]),
        due=at("2026-03-01T09:30"),
        until=at("2026-03-02T00:00"),
        status="done",
        late_at_creation=True,
        occurrence=1,
    )
    estate.message(sold["buyer"], "sent", plan=plan, sent_at=at("2026-03-01T09:31"), to_masked="138****8000")
    journey = read_journey(
        estate.reader(),
        "HT-001",
        areas=areas(CONGRATULATION),
    )
    assert (journey["contract"], journey["subject"]) == ("HT-001", {"type": "contract", "id": "HT-001"})
    [step] = journey["steps"]
    assert step == {
        "step": "2",
        "step_name": None,
        "touchpoint": "sms_congratulation",
        "label": "Congratulation",
        "plugin": "sixplustwo",
        "clause": "6+2指引 5.2.1",
        "kind": "message",
        "about": "contract",
        "occurrence": 1,
        "follows": None,
        "due_at": at("2026-03-01T09:30"),
        "until": at("2026-03-02T00:00"),
        "status": "kept",
        "late_at_creation": True,
        "done_at": at("2026-03-01T09:31"),
        "done_by": None,
        "result": "SMS at 2026-03-01 09:31 to 138****8000",
        "why": None,
        "evidence": [
            {"kind": "message", "name": "SMS 138****8000", "by": None, "at": at("2026-03-01T09:31")},
        ],
        "line": None,
        "department": None,
        "ours": [],
    }


def test_a_plan_that_ran_but_whose_message_is_dead_is_not_kept(estate: Estate, sold: dict[str, int]) -> None:
    plan = estate.plan("letter", ("contract", sold["contract"]), status="done")
    estate.message(sold["buyer"], "dead", plan=plan, why="gate.no_address")
    step = steps(estate)["letter"]
    assert (step["status"], step["why"]) == ("failed", "no address for this channel is on file")


def test_a_task_shows_its_result_and_how_many_files_prove_it(estate: Estate, sold: dict[str, int]) -> None:
    plan = estate.plan("visit", ("home", sold["home"]), status="done")
    task = estate.task(
        plan=plan,
        due=at("2026-03-02T18:00"),
        status="done",
        closed_at=at("2026-03-02T08:15"),
        result="满意，电话13912345678",
    )
    estate.proof(task, sha256="a" * 64)
    estate.proof(task, sha256="b" * 64)
    step = steps(estate)["visit"]
    assert (step["status"], step["kind"]) == ("kept", "task")
    assert step["result"] == "done at 2026-03-02 08:15, evidence files: 2: 满意，电话139****5678"


def test_a_skipped_task_is_waived_with_its_reason(estate: Estate, sold: dict[str, int]) -> None:
    plan = estate.plan("visit", ("home", sold["home"]), status="done")
    estate.task(plan=plan, status="skipped", reason="abroad until June")
    step = steps(estate)["visit"]
    assert (step["status"], step["why"]) == ("waived", "abroad until June")


def test_reasons_are_sentences_and_the_note_of_a_proxy_stays_beside_them(estate: Estate, sold: dict[str, int]) -> None:
    estate.plan(
        "visit",
        ("home", sold["home"]),
        status="held",
        due=at("2026-04-01T09:00"),
        why="plan.plugin_off",
        note="move-in unknown",
    )
    assert steps(estate)["visit"]["why"] == "the plugin is off here; move-in unknown"


def test_an_unknown_contract_is_an_error_and_one_number_in_two_projects_asks_which(estate: Estate) -> None:
    estate.contract("HT-001", estate.project("云璟一期"))
    second = estate.contract("HT-001", estate.project("云璟二期"))
    estate.plan("welcome", ("contract", second))
    with pytest.raises(InputError, match=r"no such contract.*HT-9"):
        steps(estate, "HT-9")
    with pytest.raises(InputError, match=r"several projects.*云璟一期, 云璟二期"):
        steps(estate)
    assert list(steps(estate, project="云璟二期")) == ["welcome"]
    assert list(steps(estate, project="云璟一期")) == []


def test_after_a_resale_each_contract_shows_the_home_while_its_buyers_owned_it(estate: Estate) -> None:
    project = estate.project()
    home = estate.home(project)
    first, second = estate.person(), estate.person()
    estate.contract("HT-OLD", project, home, [first], status="transferred", owned_until=date(2026, 2, 10))
    estate.contract("HT-NEW", project, home, [second])
    estate.plan("visit", ("home", home), due=at("2026-02-10T18:00"))
    estate.plan("warranty", ("home", home), due=at("2026-02-11T09:00"))
    assert list(steps(estate, "HT-OLD")) == ["visit"]
    assert "warranty" in steps(estate, "HT-NEW")


def test_without_plugins_loaded_a_step_is_null_and_not_absent(estate: Estate, sold: dict[str, int]) -> None:
    estate.plan("welcome", ("contract", sold["contract"]), due=at("2026-04-01T09:30"), clause="")
    step = steps(estate)["welcome"]
    assert {name for name, value in step.items() if value is None} == {
        "step",
        "step_name",
        "label",
        "kind",
        "follows",
        "clause",
        "until",
        "done_at",
        "done_by",
        "result",
        "why",
        "line",
        "department",
    }


# --- What the area says ---------------------------------------------------------------------------------------


def test_a_default_of_ours_is_seen_with_the_step_it_belongs_to(estate: Estate, sold: dict[str, int]) -> None:
    estate.plan("visit", ("home", sold["home"]), due=at("2026-04-01T09:00"))

    def remarks(city: str, clause: str, language: Language) -> Remarks:
        return Remarks(ours=(f"due: {city} {clause} {language}",), step="5", step_name="Asking", department="物业")

    step = steps(estate, areas=areas(Action("visit", lambda _: [], step="4", remarks=remarks)))["visit"]
    assert step["ours"] == ["due: shenzhen 6+2指引 5.2.1 en"]
    assert (step["step"], step["step_name"], step["department"]) == ("5", "Asking", "物业")


def test_a_follow_up_names_what_it_follows(estate: Estate, sold: dict[str, int]) -> None:
    estate.plan("visit_follow_ups", ("home", sold["home"]), kind="after")
    follow_up = Action("visit_follow_ups", lambda _: [], after="visit")
    assert steps(estate, areas=areas(follow_up))["visit_follow_ups"]["follows"] == "visit"


# --- What the project did ----------------------------------------------------------------------------------------


def from_signing_on(contract: Contract, day: date) -> bool:
    """Meant for whoever had bought by then."""
    return contract.contract_no == "HT-001" and day >= date(2026, 2, 1)


LETTER = Action("letter", lambda _: [], touches=from_signing_on)


def test_promises_to_the_project_are_shown_only_where_they_touch_the_buyers(
    estate: Estate, sold: dict[str, int]
) -> None:
    project = ("project", sold["project"])
    estate.plan("letter", project, due=at("2026-01-31T09:00"), project_id=sold["project"])
    estate.plan("letter", project, due=at("2026-02-01T09:00"), project_id=sold["project"], occurrence=202602)
    estate.plan("review_of_staff", project, due=at("2026-02-01T09:00"))
    estate.plan("letter", ("project", sold["project"] + 1), due=at("2026-02-01T09:00"))
    journey = read_journey(estate.reader(), "HT-001", areas=areas(LETTER))
    assert [(step["about"], step["touchpoint"], step["occurrence"]) for step in journey["steps"]] == [
        ("project", "letter", 202602)
    ]


def test_of_a_letter_to_everybody_only_that_to_the_buyers_counts(estate: Estate, sold: dict[str, int]) -> None:
    other = estate.person("王五", "+8613900139000")
    plan = estate.plan("letter", ("project", sold["project"]), status="done", due=at("2026-03-01T09:00"))
    estate.message(other, "dead", plan=plan, to_masked="139****9000")
    estate.message(sold["buyer"], "sent", plan=plan, sent_at=at("2026-03-01T09:30"), to_masked="138****8000")
    step = steps(estate, areas=areas(LETTER))["letter"]
    assert (step["status"], step["result"]) == ("kept", "SMS at 2026-03-01 09:30 to 138****8000")


def test_a_letter_that_never_went_to_the_buyers_says_so(estate: Estate, sold: dict[str, int]) -> None:
    other = estate.person("王五", "+8613900139000")
    plan = estate.plan("letter", ("project", sold["project"]), status="done", due=at("2026-03-01T09:00"))
    estate.message(other, "sent", plan=plan, sent_at=at("2026-03-01T09:30"))
    step = steps(estate, areas=areas(LETTER))["letter"]
    assert (step["status"], step["why"]) == ("waived", "nothing of it went to the owners of this home")


@pytest.mark.parametrize(
    ("listed", "line"),
    [
        ({"home": "3-1-1201", "outcome": "checked"}, {"listed": True, "said": "Outcome all in order"}),
        ({"home": "3-1-1201"}, {"listed": True, "said": None}),
        ({"home": "3-1-1202", "outcome": "checked"}, {"listed": False, "said": None}),
    ],
)
def test_a_campaign_says_whether_the_home_was_drawn_and_what_came_of_it(
    estate: Estate, sold: dict[str, int], listed: dict[str, str], line: dict[str, Any]
) -> None:
    plan = estate.plan("house_check", ("project", sold["project"]), status="done", due=at("2026-03-01T09:00"))
    task = estate.task(plan=plan, form="sixplustwo.check", status="done", closed_at=at("2026-03-01T10:00"))
    estate.entry(task, "sixplustwo.check", lines=[listed], filled_by="李小满")
    check = Action("house_check", lambda _: [], needs="homes", touches=from_signing_on)
    step = steps(estate, areas=areas(check, forms={"sixplustwo.check": CHECK}))["house_check"]
    assert step["line"] == line
    assert [(piece["kind"], piece["name"], piece["by"]) for piece in step["evidence"]] == [
        ("form", "House check", "李**")
    ]


CHECK = Form.model_validate(
    {
        "name": "check",
        "title": {"zh": "房屋体检", "en": "House check"},
        "fields": [{"name": "plan", "type": "text", "label": {"zh": "方案", "en": "Plan"}}],
        "lines": {
            "label": {"zh": "住户", "en": "Homes"},
            "key": "home",
            "fields": [
                {"name": "home", "type": "text", "label": {"zh": "房号", "en": "Home"}, "required": True},
                {
                    "name": "outcome",
                    "type": "choice",
                    "label": {"zh": "结果", "en": "Outcome"},
                    "choices": [{"name": "checked", "label": {"zh": "无问题", "en": "all in order"}}],
                },
            ],
        },
    }
)


def test_names_are_shown_only_when_asked_for(estate: Estate, sold: dict[str, int]) -> None:
    plan = estate.plan("visit", ("home", sold["home"]), status="done")
    task = estate.task(
        plan=plan, status="done", closed_at=at("2026-03-01T10:00"), closed_by="李小满", result="回电13912345678"
    )
    estate.proof(task, "张先生13912345678.jpg")

    def seen(**more: Any) -> tuple[Any, ...]:
        journey = read_journey(estate.reader(), "HT-001", **more)
        [step] = journey["steps"]
        return journey["customers"], step["done_by"], step["evidence"][0]["name"], step["result"][-11:]

    masked = ([{"name": "张**", "phone": "138****8000"}], "李**", "张先生139****5678.jpg", "139****5678")
    assert seen() == masked
    shown = ([{"name": "张小满", "phone": "+8613800138000"}], "李小满", "张先生13912345678.jpg", "13912345678")
    assert seen(unmask=True) == shown


def test_what_comes_next_is_what_is_open_the_oldest_first(estate: Estate, sold: dict[str, int]) -> None:
    home = ("home", sold["home"])
    for day in ("2026-05-01", "2026-04-01", "2026-06-01", "2026-07-01"):
        estate.plan("visit", home, due=at(f"{day}T09:00"))
    overdue = estate.plan("call", home, due=at("2026-02-01T09:00"), status="done")
    estate.task(plan=overdue, due=at("2026-02-01T18:00"))
    journey = read_journey(estate.reader(), "HT-001")
    assert [(step["touchpoint"], step["due_at"].month, step["status"]) for step in journey["next"]] == [
        ("call", 2, "late"),
        ("visit", 4, "planned"),
        ("visit", 5, "planned"),
    ]
    assert {name: count for name, count in journey["totals"].items() if count} == {"planned": 4, "late": 1}
