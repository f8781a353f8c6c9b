"""Contracts come in: what becomes of them, and what is told."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import select
from tests.support.front_desk import FrontDesk

from keguan.store.schema import contracts, events, owners, people

HEADER = "合同编号,楼栋,单元,房号,客户姓名,手机号,落定日期,签约日期,约定交付日期,装修标准,状态,总价"
WANG = "HT-1,3,1,1201,王伟,13800138000,2026-03-01,2026-03-05,2027-06-30,精装,已签约,1234567.5"


def test_a_signed_contract_becomes_a_record_with_its_home_and_buyer(desk: FrontDesk) -> None:
    report = desk.contracts(f"{HEADER}\n{WANG}")
    assert (report.accepted, report.unchanged, report.rejected_rows) == (1, 0, 0)
    contract = desk.contract("HT-1")
    assert contract.status == "signed"
    assert (contract.deposit_on, contract.signed_on) == (date(2026, 3, 1), date(2026, 3, 5))
    assert contract.planned_handover_on == date(2027, 6, 30)
    assert contract.home is not None
    assert (contract.home.label, contract.home.fitting) == ("3-1-1201", "fitted")
    assert [(one.name, one.phone) for one in contract.owners] == [("王伟", "+8613800138000")]
    assert contract.project.city == "shenzhen"
    assert desk.rows(select(contracts.c.price_fen)) == [(123456750,)]


def test_deposit_and_signing_are_told_at_midnight_of_their_day_in_the_city(desk: FrontDesk) -> None:
    desk.contracts(f"{HEADER}\n{WANG}")
    assert desk.told() == ["deposit", "contract_signed"]
    (signed,) = desk.events("contract_signed")
    assert signed.time == datetime(2026, 3, 4, 16, tzinfo=UTC)
    assert (signed.source, signed.city, signed.subject_type) == ("import", "shenzhen", "contract")
    assert signed.data == {"contract_no": "HT-1", "signed_on": "2026-03-05"}


def test_importing_the_same_file_again_changes_nothing(desk: FrontDesk) -> None:
    desk.contracts(f"{HEADER}\n{WANG}")
    before = desk.state()
    report = desk.contracts(f"{HEADER}\n{WANG}")
    assert (report.accepted, report.unchanged) == (0, 1)
    assert desk.state() == before


def test_only_contract_number_and_project_are_needed(desk: FrontDesk) -> None:
    report = desk.import_text("contracts", "contract_no,project\nHT-9,云璟二期")
    assert report.accepted == 1
    assert desk.contract("HT-9", "云璟二期").status == "reserved"
    assert desk.told() == []


def test_a_deposit_without_a_signing_is_a_reservation(desk: FrontDesk) -> None:
    desk.contracts("合同编号,客户姓名,落定日期\nHT-1,王伟,2026-05-01")
    assert desk.contract("HT-1").status == "reserved"
    assert desk.told() == ["deposit"]
    desk.contracts("合同编号,客户姓名,签约日期\nHT-1,王伟,2026-05-09")
    assert desk.contract("HT-1").status == "signed"
    assert desk.told() == ["deposit", "contract_signed"]


def test_a_moved_date_is_a_change_with_an_id_of_its_own(desk: FrontDesk) -> None:
    desk.contracts(f"{HEADER}\n{WANG}")
    for day in ("2027-07-31", "2027-06-30"):  # there and back again: two changes
        report = desk.contracts(f"{HEADER}\n{WANG.replace('2027-06-30', day)}")
        assert report.accepted == 1
    assert desk.told(since=2) == ["contract_changed", "contract_changed"]
    first, second = desk.events("contract_changed")
    assert first.data == {"contract_no": "HT-1", "changed": ["planned_handover_on"]}
    assert first.id != second.id
    assert first.time == desk.clock.now()


def test_an_empty_cell_says_nothing(desk: FrontDesk) -> None:
    desk.contracts(f"{HEADER}\n{WANG}")
    report = desk.contracts(f"{HEADER}\nHT-1,,,,,,,,,,,")
    assert report.unchanged == 1
    assert desk.buyers("HT-1") == ["王伟"]
    assert desk.contract("HT-1").planned_handover_on == date(2027, 6, 30)


def test_a_cancelled_contract_ends_ownership_and_keeps_its_history(desk: FrontDesk) -> None:
    desk.contracts(f"{HEADER}\n{WANG}")
    desk.contracts(f"{HEADER}\n{WANG.replace('已签约', '已退房')}")
    assert desk.contract("HT-1").status == "cancelled"
    assert desk.buyers("HT-1") == ["王伟"]
    assert desk.owners_of("1201") == []
    assert desk.told(since=2) == ["contract_cancelled"]
    assert desk.rows(select(owners.c.until)) == [(date(2026, 6, 1),)]


def test_a_cancelled_contract_that_is_signed_again_counts_again(desk: FrontDesk) -> None:
    for status in ("已签约", "已退房", "已签约"):
        desk.contracts(f"{HEADER}\n{WANG.replace('已签约', status)}")
    assert desk.told() == ["deposit", "contract_signed", "contract_cancelled", "deposit", "contract_signed"]
    assert desk.owners_of("1201") == ["王伟"]


def test_a_contract_first_seen_as_cancelled_promises_nothing(desk: FrontDesk) -> None:
    desk.contracts(f"{HEADER}\n{WANG.replace('已签约', '已退房')}")
    assert desk.told() == ["contract_cancelled"]
    assert desk.owners_of("1201") == []


def test_a_file_without_a_status_column_does_not_revive_a_cancelled_contract(desk: FrontDesk) -> None:
    plain = "合同编号,客户姓名,签约日期\nHT-1,王伟,2026-03-05"
    desk.contracts(plain)
    desk.emit("contract_cancelled", contract_no="HT-1")
    assert desk.contracts(plain).unchanged == 1
    assert desk.contract("HT-1").status == "cancelled"
    desk.contracts(plain.replace("2026-03-05", "2026-05-20"))  # signed anew
    assert desk.contract("HT-1").status == "signed"


def test_what_cannot_be_is_rejected_with_its_reason(desk: FrontDesk) -> None:
    report = desk.contracts(
        "合同编号,签约日期,状态\n"
        "HT-1,2062-03-05,\n"  # a typo: it has not come yet
        "HT-2,2026-03-05,已认购\n"
        "HT-3,2026-06-02,\n"  # tomorrow, as in a time zone ahead of us
    )
    assert report.accepted == 1
    assert [(one.row, one.column, one.value_masked, one.reason_key) for one in report.problems] == [
        (2, "签约日期", "2062-03-05", "apply.date_in_future"),
        (3, "状态", "reserved", "apply.reserved_but_signed"),
    ]
    assert desk.rows(select(contracts.c.contract_no)) == [("HT-3",)]


def test_a_signed_contract_does_not_go_back_to_reserved(desk: FrontDesk) -> None:
    desk.contracts("合同编号,签约日期\nHT-1,2026-03-05")
    report = desk.contracts("合同编号,状态\nHT-1,认购")
    assert [one.reason_key for one in report.problems] == ["apply.signed_before"]
    assert desk.contract("HT-1").status == "signed"


def test_odd_dates_are_accepted_with_a_warning(desk: FrontDesk) -> None:
    report = desk.contracts("合同编号,落定日期,签约日期,约定交付日期\nHT-1,2026-03-09,2026-03-05,2026-01-01")
    assert report.accepted == 1
    lines = report.warnings.sentences("en")
    assert [line for line in lines if "HT-1" in line and "deposit" in line]
    assert [line for line in lines if "HT-1" in line and "planned handover" in line]


def test_another_room_is_another_home(desk: FrontDesk) -> None:
    desk.contracts(f"{HEADER}\n{WANG}")
    desk.contracts(f"{HEADER}\n{WANG.replace('1201', '1301')}")
    assert desk.home("1201").owners == ()
    assert desk.owners_of("1301") == ["王伟"]
    assert desk.events("contract_changed")[0].data["changed"] == ["home"]


def test_a_home_that_is_sold_twice_is_named(desk: FrontDesk) -> None:
    desk.contracts(f"{HEADER}\n{WANG}")
    report = desk.contracts(f"{HEADER}\n{WANG.replace('HT-1', 'HT-2').replace('王伟', '李娜')}")
    assert report.accepted == 1
    assert [line for line in report.warnings.sentences("zh") if "HT-1, HT-2" in line]
    report = desk.contracts(
        f"{HEADER}\n{WANG.replace('HT-1', 'HT-2').replace('已签约', '已退房')}\n{WANG.replace('HT-1', 'HT-3')}"
    )
    assert [line for line in report.warnings.sentences("zh") if "HT-1, HT-3" in line]


def test_the_same_number_in_two_projects_is_two_contracts(desk: FrontDesk) -> None:
    desk.import_text("contracts", "合同编号,项目,城市\nHT-1,一期,深圳\nHT-1,二期,武汉")
    assert desk.contract("HT-1", "一期").project.city == "shenzhen"
    assert desk.contract("HT-1", "二期").project.city == "wuhan"


def test_a_project_stands_in_one_city(desk: FrontDesk) -> None:
    report = desk.import_text("contracts", "合同编号,项目,城市\nHT-1,一期,深圳\nHT-2,一期,武汉\nHT-3,一期,")
    assert [(one.row, one.reason_values["other"]) for one in report.problems] == [(2, 3), (3, 2)]
    assert report.accepted == 1
    desk.import_text("projects", "项目,城市\n一期,深圳")
    report = desk.import_text("contracts", "合同编号,项目,城市\nHT-2,一期,武汉\nHT-1,一期,")
    assert [(one.row, one.reason_key) for one in report.problems] == [(2, "apply.project_elsewhere")]
    assert report.accepted == 1


def test_a_city_that_is_not_configured_gets_the_defaults_and_a_warning(desk: FrontDesk) -> None:
    report = desk.import_text("contracts", "合同编号,项目,城市\nHT-1,西湖一期,杭州")
    assert desk.contract("HT-1", "西湖一期").project.city == "杭州"
    assert [line for line in report.warnings.sentences("zh") if "杭州" in line]


def test_a_row_without_a_project_is_rejected(desk: FrontDesk) -> None:
    report = desk.import_text("contracts", "合同编号,项目,城市\nHT-1,,深圳")
    assert [one.reason_key for one in report.problems] == ["apply.project_missing"]


def test_events_hold_nothing_personal(desk: FrontDesk) -> None:
    desk.contracts(f"{HEADER}\n{WANG}")
    desk.contracts(f"{HEADER}\n{WANG.replace('13800138000', '13900139000').replace('王伟', '王伟')}")
    desk.contracts(f"{HEADER}\n{WANG.replace('王伟', '李娜')}")
    for row in desk.rows(select(events)):
        text = f"{row.id} {row.data}"
        assert not [word for word in ("王伟", "李娜", "1380013", "1390013") if word in text]
    assert len(desk.rows(select(people))) == 2
