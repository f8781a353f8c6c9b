"""The journey of a contract: what was promised and what became of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.support.estate import Estate, at

from keguan.errors import InputError
from keguan.model import Action
from keguan.queries.journey import read_journey


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
    )
    estate.message(sold["buyer"], "sent", plan=plan, sent_at=at("2026-03-01T09:31"), to_masked="138****8000")
    journey = read_journey(
        estate.reader(),
        "HT-001",
        actions={
            ("sixplustwo", "sms_congratulation"): Action(
                "sms_congratulation",
                lambda _: [],
                step="2",
                label={"en": "Congratulation", "zh": "恭贺"},
                kind="message",
            )
        },
    )
    assert (journey["contract"], journey["subject"]) == ("HT-001", {"type": "contract", "id": "HT-001"})
    [step] = journey["steps"]
    assert step == {
        "step": "2",
        "touchpoint": "sms_congratulation",
        "label": "Congratulation",
        "plugin": "sixplustwo",
        "clause": "6+2 guide 5.2.1",
        "kind": "message",
        "due_at": at("2026-03-01T09:30"),
        "status": "kept",
        "late_at_creation": True,
        "result": "SMS at 2026-03-01 09:31 to 138****8000",
        "why": None,
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
        "label",
        "kind",
        "clause",
        "result",
        "why",
    }
