"""Handovers come in: which home is meant, and what is told."""

from __future__ import annotations

from datetime import date

import pytest
from tests.support.front_desk import FrontDesk

HEADER = "合同编号,楼栋,单元,房号,客户姓名,手机号,签约日期"
ONE = "HT-1,3,1,1201,王伟,13800138000,2024-03-05"
TWO = "HT-2,4,1,1201,李娜,13800138001,2024-03-05"


@pytest.fixture
def sold(desk: FrontDesk) -> FrontDesk:
    """Two homes are sold, rooms of the same number in two buildings."""
    desk.contracts(f"{HEADER}\n{ONE}\n{TWO}")
    return desk


def label_of(desk: FrontDesk, number: str) -> str:
    home = desk.contract(number).home
    assert home is not None
    return home.label


@pytest.mark.parametrize(
    "row",
    ["合同编号,交付日期\nHT-1,2026-05-20", "项目,楼栋,单元,房号,交付日期\n云璟一期,3,1,1201,2026-05-20"],
    ids=["by contract", "by room"],
)
def test_a_handover_is_told_of_the_home(sold: FrontDesk, row: str) -> None:
    assert sold.import_text("handovers", row).accepted == 1
    home = sold.contract("HT-1").home
    assert home is not None
    assert home.handed_over_on == date(2026, 5, 20)
    (event,) = sold.events("handover")
    assert (event.subject_type, event.subject_id, event.city) == ("home", home.id, "shenzhen")
    assert event.data == {"handed_over_on": "2026-05-20"}
    assert sold.import_text("handovers", row).unchanged == 1


def test_promises_of_the_contract_may_count_from_the_handover(sold: FrontDesk) -> None:
    sold.import_text("handovers", "合同编号,交付日期\nHT-1,2026-05-20")
    assert sold.told(since=2) == ["handover", "contract_changed"]


def test_move_in_and_corrected_dates_are_told(sold: FrontDesk) -> None:
    sold.import_text("handovers", "合同编号,交付日期\nHT-1,2026-05-20")
    sold.import_text("handovers", "合同编号,入住日期\nHT-1,2026-05-28")
    sold.import_text("handovers", "合同编号,交付日期\nHT-1,2026-05-21")
    assert [kind for kind in sold.told(since=2) if kind != "contract_changed"] == [
        "handover",
        "move_in",
        "home_changed",
    ]
    assert sold.events("home_changed")[0].data == {"changed": ["handed_over_on"]}


def test_what_cannot_be_found_is_rejected(sold: FrontDesk) -> None:
    report = sold.import_text(
        "handovers",
        "合同编号,项目,楼栋,房号,交付日期\n"
        "HT-404,,,,2026-05-20\n"
        ",云璟一期,,1201,2026-05-20\n"
        ",云璟一期,9,1201,2026-05-20\n"
        ",云璟九期,3,1201,2026-05-20\n"
        ",,3,1201,2026-05-20\n"
        "HT-1,,3,1301,2026-05-20\n"
        "HT-1,,,,2026-07-20",
    )
    assert [one.reason_key for one in report.problems] == [
        "apply.contract_unknown",
        "apply.home_ambiguous",
        "apply.home_unknown",
        "apply.project_unknown",
        "apply.project_missing",
        "apply.home_differs",
        "apply.date_in_future",
    ]
    assert sold.told(since=2) == []


def test_a_number_of_several_projects_is_rejected_naming_them(desk: FrontDesk) -> None:
    desk.import_text("contracts", "合同编号,项目,城市\nHT-1,一期,深圳\nHT-1,二期,武汉")
    report = desk.import_text("handovers", "合同编号,交付日期\nHT-1,2026-05-20")
    (problem,) = report.problems
    assert (problem.reason_key, problem.reason_values) == ("apply.contract_ambiguous", {"projects": "一期, 二期"})
    assert desk.import_text("handovers", "合同编号,交付日期\nHT-1,2026-05-20", project="二期").accepted == 1


def test_a_cancelled_contract_hands_nothing_over(sold: FrontDesk) -> None:
    sold.emit("contract_cancelled", contract_no="HT-1")
    report = sold.import_text("handovers", "合同编号,交付日期\nHT-1,2026-05-20")
    assert [one.reason_key for one in report.problems] == ["apply.contract_is_cancelled"]


def test_rows_that_mean_one_home_must_agree_however_they_call_it(sold: FrontDesk) -> None:
    report = sold.import_text(
        "handovers",
        "合同编号,项目,楼栋,房号,交付日期\nHT-1,,,,2026-05-20\nHT-2,,,,2026-05-20\n,云璟一期,3,1201,2026-05-21",
    )
    assert [(one.row, one.column, one.reason_values["other"]) for one in report.problems] == [
        (2, "交付日期", 4),
        (4, "交付日期", 2),
    ]
    assert report.accepted == 1


def test_a_contract_without_a_home_gets_one_until_the_room_is_told(desk: FrontDesk) -> None:
    desk.contracts("合同编号,签约日期\nHT-1,2024-03-05")
    desk.import_text("handovers", "合同编号,交付日期\nHT-1,2026-05-20")
    assert label_of(desk, "HT-1") == "HT-1"
    desk.contracts("合同编号,楼栋,房号\nHT-1,3,1201")
    assert label_of(desk, "HT-1") == "3-1201"
    assert desk.home("1201").handed_over_on == date(2026, 5, 20)
    assert desk.contracts("合同编号,楼栋,房号\nHT-1,3,1201").unchanged == 1


def test_a_handover_that_names_the_room_gives_the_contract_its_home(desk: FrontDesk) -> None:
    desk.contracts("合同编号,客户姓名,签约日期\nHT-1,王伟,2024-03-05")
    rows = "合同编号,楼栋,房号,交付日期\nHT-1,3,1201,2026-05-20"
    desk.import_text("handovers", rows)
    assert label_of(desk, "HT-1") == "3-1201"
    assert desk.owners_of("1201") == ["王伟"]
    assert desk.import_text("handovers", rows).unchanged == 1


def test_a_handover_before_the_signing_is_accepted_with_a_warning(sold: FrontDesk) -> None:
    report = sold.import_text("handovers", "合同编号,交付日期\nHT-1,2020-05-20")
    assert report.accepted == 1
    assert [line for line in report.warnings.sentences("zh") if "3-1-1201" in line]


def test_a_new_owner_of_a_home_that_was_handed_over_changes_the_home(sold: FrontDesk) -> None:
    sold.import_text("handovers", "合同编号,交付日期\nHT-1,2026-05-20")
    sold.contracts(f"{HEADER}\n{ONE.replace('王伟', '赵敏')}")
    assert sold.told()[-2:] == ["contract_changed", "home_changed"]
    assert [person.name for person in sold.contract("HT-1").owners] == ["赵敏"]
