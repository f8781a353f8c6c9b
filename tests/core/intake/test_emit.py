"""Single events: typed in, or as CloudEvents."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from tests.support.front_desk import PROJECT, FrontDesk

from keguan.errors import InputError
from keguan.intake.event_fields import InputMistakes
from keguan.model import EventType
from keguan.store.schema import events

SOLD = "合同编号,楼栋,单元,房号,客户姓名,手机号,签约日期\nHT-1,3,1,1201,王伟,13800138000,2026-03-05"


def test_a_signing_that_is_typed_in_makes_the_record(desk: FrontDesk) -> None:
    said = desk.emit(
        "contract_signed",
        id="s-1",
        contract_no="HT-1",
        project=PROJECT,
        city="深圳",
        customer="王伟",
        phone="138 0013 8000",
        signed_on="2026年3月5日",
    )
    contract = desk.contract("HT-1")
    assert (contract.status, contract.signed_on, contract.project.city) == ("signed", date(2026, 3, 5), "shenzhen")
    assert said == {
        "id": "s-1",
        "type": "contract_signed",
        "source": "cli",
        "time": "2026-03-05T00:00:00+08:00",
        "subject": {"type": "contract", "id": contract.id},
        "city": "shenzhen",
        "repeated": False,
    }


def test_the_same_id_again_changes_nothing(desk: FrontDesk) -> None:
    first = desk.emit("contract_signed", id="s-1", contract_no="HT-1", project=PROJECT, signed_on="2026-03-05")
    before = desk.state()
    again = desk.emit("contract_signed", id="s-1", contract_no="HT-1", project=PROJECT, signed_on="2026-04-05")
    assert again == {**first, "repeated": True}
    assert desk.state() == before


def test_without_a_date_the_day_of_the_event_counts(desk: FrontDesk) -> None:
    desk.emit("contract_signed", contract_no="HT-1", project=PROJECT)
    desk.emit("deposit", contract_no="HT-2", project=PROJECT, time="2026-05-30 23:30")
    assert desk.contract("HT-1").signed_on == date(2026, 6, 1)
    assert desk.contract("HT-2").deposit_on == date(2026, 5, 30)
    assert desk.contract("HT-2").status == "reserved"
    (deposit,) = desk.events("deposit")
    assert deposit.time == datetime(2026, 5, 30, 15, 30, tzinfo=UTC)


def test_what_follows_from_an_event_is_told_under_its_id(desk: FrontDesk) -> None:
    desk.emit(
        "contract_signed",
        id="s-1",
        contract_no="HT-1",
        project=PROJECT,
        deposit_on="2026-03-01",
        signed_on="2026-03-05",
    )
    assert desk.told() == ["deposit", "contract_signed"]
    assert [row.source for row in desk.rows(select(events))] == ["cli", "cli"]
    assert desk.events("deposit")[0].id.startswith("s-1/")


def test_a_contract_is_cancelled_and_found_without_its_project(desk: FrontDesk) -> None:
    desk.contracts(SOLD)
    desk.emit("contract_cancelled", subject="HT-1")
    assert desk.contract("HT-1").status == "cancelled"
    assert desk.told() == ["contract_signed", "contract_cancelled"]


@pytest.mark.parametrize("subject", ["HT-1", "contract:HT-1", f"home:{PROJECT}/3-1-1201"])
def test_a_home_is_named_by_its_contract_or_its_place(desk: FrontDesk, subject: str) -> None:
    desk.contracts(SOLD)
    desk.emit("handover", subject=subject, handed_over_on="2026-05-20")
    assert desk.home("1201").handed_over_on == date(2026, 5, 20)
    assert desk.told(since=1) == ["handover", "contract_changed"]


def test_a_resale_gives_the_home_to_the_new_owner(desk: FrontDesk) -> None:
    desk.contracts(SOLD)
    desk.emit("handover", contract_no="HT-1", handed_over_on="2026-05-20")
    desk.emit("ownership_transferred", contract_no="HT-1", customer="赵敏", phone="13900139000", time="2026-05-25")
    assert desk.contract("HT-1").status == "transferred"
    assert desk.buyers("HT-1") == ["王伟"]
    assert desk.owners_of("1201") == ["赵敏"]
    assert desk.told()[-2:] == ["ownership_transferred", "contract_transferred"]
    (sale,) = desk.events("ownership_transferred")
    assert sale.time == datetime(2026, 5, 24, 16, tzinfo=UTC)
    assert set(sale.data) == {"before", "owner"}


def test_a_sales_export_that_still_lists_the_first_buyer_changes_nothing_after_a_resale(desk: FrontDesk) -> None:
    desk.contracts(SOLD)
    desk.emit("ownership_transferred", contract_no="HT-1", customer="赵敏", phone="13900139000")
    assert desk.contracts(SOLD).unchanged == 1
    assert desk.owners_of("1201") == ["赵敏"]


def test_a_home_is_resold_more_than_once(desk: FrontDesk) -> None:
    desk.contracts(SOLD)
    for name, phone in (("赵敏", "13900139000"), ("孙丽", "13900139001")):
        desk.emit("ownership_transferred", subject=f"home:{PROJECT}/3-1-1201", customer=name, phone=phone)
    assert desk.owners_of("1201") == ["孙丽"]
    assert desk.told().count("ownership_transferred") == 2
    assert desk.told().count("contract_transferred") == 1


def test_a_customer_is_named_by_number_or_contact(desk: FrontDesk) -> None:
    desk.contracts(SOLD)
    number = desk.contract("HT-1").owners[0].id
    desk.emit("customer_changed", subject=f"customer:{number}", phone="13900139000")
    desk.emit("customer_changed", customer="王伟", phone="13900139000", email="wang@example.com")
    assert desk.people() == [("王伟", "+8613900139000")]
    assert desk.told(since=1) == ["customer_changed", "customer_changed"]
    assert desk.events("customer_changed")[0].city == "shenzhen"
    assert desk.events("customer_changed")[0].data == {"changed": ["phone"]}


def test_a_milestone_is_told_of_the_project(desk: FrontDesk) -> None:
    desk.emit("project_milestone", project=PROJECT, city="武汉", launch_on="2026-09-01")
    (event,) = desk.events("project_milestone")
    assert (event.subject_type, event.city, event.data["milestone"]) == ("project", "wuhan", "launch")


def test_all_mistakes_are_named_and_nothing_personal(desk: FrontDesk) -> None:
    with pytest.raises(InputMistakes) as caught:
        desk.emit("contract_signed", contract_no="HT-1", project=PROJECT, phone="12345", sigend_on="2026-03-05")
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert "signed_on" in lines[1]
    assert "12345" not in str(caught.value)
    assert desk.told() == []


@pytest.mark.parametrize(
    ("event_type", "fields"),
    [
        ("contract_singed", {}),
        ("tick", {}),
        ("contract_signed", {"contract_no": "HT-1"}),
        ("contract_cancelled", {"contract_no": "HT-1", "project": PROJECT}),
        ("contract_signed", {"contract_no": "HT-1", "project": PROJECT, "signed_on": "2062-03-05"}),
        ("contract_signed", {"contract_no": "HT-1", "project": PROJECT, "time": "2062-03-05T00:00+08:00"}),
        ("handover", {"contract_no": "HT-1", "handed_over_on": "2026-05-20"}),
        ("handover", {"subject": "customer:1"}),
        ("contract_cancelled", {"subject": "HT-1", "contract_no": "HT-2"}),
        ("ownership_transferred", {"subject": "home:nowhere"}),
        ("customer_changed", {"customer": "王伟"}),
        ("customer_changed", {"subject": "customer:99"}),
        ("project_milestone", {"launch_on": "2026-09-01"}),
    ],
)
def test_what_cannot_be_recorded_leaves_nothing_behind(
    desk: FrontDesk, event_type: str, fields: dict[str, str]
) -> None:
    before = desk.state()
    with pytest.raises(InputError) as caught:
        desk.emit(event_type, **fields)
    assert "王伟" not in str(caught.value)
    assert desk.state() == before


def test_a_cloudevent_is_recorded_once(desk: FrontDesk) -> None:
    document = {
        "specversion": "1.0",
        "id": "A234",
        "source": "/crm/shenzhen",
        "type": "contract_signed",
        "time": "2026-03-05T10:00:00+08:00",
        "data": {"contract_no": "HT-1", "project": PROJECT, "city": "深圳", "customer": "王伟", "phone": 13800138000},
    }
    said = desk.cloudevent(json.dumps(document))
    assert (said["source"], said["time"]) == ("/crm/shenzhen", "2026-03-05T10:00:00+08:00")
    assert desk.contract("HT-1").signed_on == date(2026, 3, 5)
    assert desk.contract("HT-1").owners[0].phone == "+8613800138000"
    assert desk.cloudevent(document)["repeated"] is True
    assert desk.cloudevent({**document, "source": "/crm/wuhan"})["repeated"] is False


def test_a_cloudevent_that_does_not_fit_names_each_mistake(desk: FrontDesk) -> None:
    with pytest.raises(InputError):
        desk.cloudevent("{")
    with pytest.raises(InputMistakes) as caught:
        desk.cloudevent({"specversion": "0.3", "id": "1", "type": "handover", "data": ["王伟"]})
    text = str(caught.value)
    assert {"(specversion)", "(source)", "(data)"} <= set(text.replace(":", " ").split())
    assert "王伟" not in text


def test_events_of_plugins_are_kept_with_their_data(desk: FrontDesk) -> None:
    desk.contracts(SOLD)
    types = {"survey_answered": EventType("survey_answered", "contract"), "case_moved": EventType("case_moved", "case")}
    desk.emit("survey_answered", event_types=types, subject="HT-1", score="9", remark="很好")
    desk.emit("case_moved", event_types=types, subject="case:7", to="closed")
    assert desk.events("survey_answered")[0].data == {"score": "9", "remark": "很好"}
    assert desk.events("case_moved")[0].subject_id == 7
    for fields in ({"phone": "x"}, {"客户姓名": "x"}, {"remark": "13800138000"}, {"remark": "wang@example.com"}):
        with pytest.raises(InputError, match="personal"):
            desk.emit("survey_answered", event_types=types, subject="HT-1", **fields)
