"""Who bought: co-owners, changed phones, one person with several homes."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update
from tests.support.front_desk import FrontDesk

from keguan.store.schema import people

H = "合同编号,房号,客户姓名,手机号,证件号码,签约日期"
ID_1, ID_2 = "110101199003070038", "G12345678"


def line(no: str = "HT-1", room: str = "1201", name: str = "王伟", phone: str = "13800138000", id_no: str = "") -> str:
    return f"{no},{room},{name},{phone},{id_no},2026-03-05"


def test_rows_of_one_contract_with_different_names_are_co_owners(desk: FrontDesk) -> None:
    report = desk.contracts("\n".join([H, line(), line(name="李娜", phone="13800138001")]))
    assert report.accepted == 2
    assert desk.buyers("HT-1") == ["王伟", "李娜"]
    assert desk.told() == ["contract_signed"]


def test_co_owners_of_one_name_are_told_apart_by_their_numbers(desk: FrontDesk) -> None:
    desk.contracts("\n".join([H, line(id_no=ID_1), line(id_no=ID_2, phone="13800138001")]))
    assert desk.buyers("HT-1") == ["王伟", "王伟"]


def test_a_co_owner_who_comes_later_is_added(desk: FrontDesk) -> None:
    desk.contracts("\n".join([H, line()]))
    report = desk.contracts("\n".join([H, line(), line(name="李娜", phone="13800138001")]))
    assert (report.accepted, report.unchanged) == (1, 1)
    assert desk.buyers("HT-1") == ["王伟", "李娜"]
    assert desk.events("contract_changed")[0].data["changed"] == ["owners"]


def test_an_owner_no_longer_named_is_taken_off(desk: FrontDesk) -> None:
    desk.contracts("\n".join([H, line(), line(name="李娜", phone="13800138001")]))
    desk.contracts("\n".join([H, line(name="李娜", phone="13800138001")]))
    assert desk.buyers("HT-1") == ["李娜"]
    assert desk.owners_of("1201") == ["李娜"]


def test_an_owner_whose_row_was_rejected_is_not_taken_off(desk: FrontDesk) -> None:
    good = "\n".join([H, line(), line(name="李娜", phone="13800138001")])
    desk.contracts(good)
    bad = good.replace("13800138001", "1.38E+10")
    report = desk.contracts(bad)
    assert (report.rejected_rows, report.unchanged) == (1, 1)
    assert desk.buyers("HT-1") == ["王伟", "李娜"]


def test_correcting_the_rejected_row_of_a_co_owner_adds_them(desk: FrontDesk) -> None:
    report = desk.contracts("\n".join([H, line(), line(name="李娜", phone="1.38E+10")]))
    assert desk.buyers("HT-1") == ["王伟"]
    assert report.rejected_file is not None
    file = desk.folder / "export.csv.rejected.csv"
    corrected = file.read_text("utf-8-sig").replace("1.38E+10", "13800138001")
    file.write_text(corrected, "utf-8")
    options = {"project": "云璟一期", "city": "深圳"}
    assert desk.import_path("contracts", file, **options).accepted == 1
    assert desk.buyers("HT-1") == ["王伟", "李娜"]


def test_one_person_with_several_homes_is_one_person(desk: FrontDesk) -> None:
    desk.contracts("\n".join([H, line(), line("HT-2", "1202"), line("HT-3", "1203", id_no=ID_1)]))
    assert desk.people() == [("王伟", "+8613800138000")]
    assert desk.rows(select(people.c.id_no)) == [(ID_1,)]


def test_two_people_may_share_a_phone(desk: FrontDesk) -> None:
    desk.contracts("\n".join([H, line(), line("HT-2", "1202", name="李娜")]))
    assert desk.people() == [("李娜", "+8613800138000"), ("王伟", "+8613800138000")]


@pytest.mark.parametrize("id_no", ["", ID_1])
def test_a_new_phone_of_an_owner_is_a_change_of_the_person(desk: FrontDesk, id_no: str) -> None:
    desk.contracts("\n".join([H, line(id_no=id_no)]))
    report = desk.contracts("\n".join([H, line(phone="13900139000", id_no=id_no)]))
    assert report.accepted == 1
    assert desk.people() == [("王伟", "+8613900139000")]
    assert desk.told() == ["contract_signed", "customer_changed"]
    assert desk.events("customer_changed")[0].data == {"changed": ["phone"]}


def test_somebody_with_another_number_is_somebody_else(desk: FrontDesk) -> None:
    desk.contracts("\n".join([H, line(id_no=ID_1)]))
    desk.contracts("\n".join([H, line(id_no=ID_2)]))
    assert len(desk.people()) == 2
    assert desk.told() == ["contract_signed", "contract_changed"]


def test_an_owner_without_phone_and_number_is_known_again_by_the_contract(desk: FrontDesk) -> None:
    rows = "\n".join([H, line(phone=""), line("HT-2", "1202", phone="")])
    desk.contracts(rows)
    assert desk.contracts(rows).unchanged == 2
    assert len(desk.people()) == 2  # nobody can tell whether they are one


def test_a_phone_that_differs_between_two_contracts_makes_two_people(desk: FrontDesk) -> None:
    desk.contracts("\n".join([H, line(), line("HT-2", "1202")]))
    rows = "\n".join([H, line(phone="13900139000"), line("HT-2", "1202")])
    desk.contracts(rows)
    assert desk.people() == [("王伟", "+8613800138000"), ("王伟", "+8613900139000")]
    assert desk.contracts(rows).unchanged == 2


def test_a_phone_that_changes_in_all_contracts_is_one_change(desk: FrontDesk) -> None:
    desk.contracts("\n".join([H, line(), line("HT-2", "1202")]))
    rows = "\n".join([H, line(phone="13900139000"), line("HT-2", "1202", phone="13900139000")])
    desk.contracts(rows)
    assert desk.people() == [("王伟", "+8613900139000")]
    assert desk.contracts(rows).unchanged == 2


def test_one_number_with_two_phones_is_rejected_with_both_rows(desk: FrontDesk) -> None:
    report = desk.contracts(
        "\n".join([H, line(id_no=ID_1), line("HT-2", "1202", phone="13900139000", id_no=ID_1), line("HT-3", "1203")])
    )
    assert [(one.row, one.column, one.value_masked, one.reason_values) for one in report.problems] == [
        (2, "手机号", "138****8000", {"other": 3}),
        (3, "手机号", "139****9000", {"other": 2}),
    ]
    assert report.accepted == 1


def test_staff_are_people_apart(desk: FrontDesk) -> None:
    desk.import_text("staff", "姓名,部门,手机号,邮箱\n王伟,客服部,13800138000,wang@corp.example")
    desk.contracts("\n".join([H, line()]))
    assert len(desk.people()) == 2


def test_who_was_erased_does_not_come_back_with_the_next_export(desk: FrontDesk) -> None:
    rows = "\n".join([H, line()])
    desk.contracts(rows)
    with desk.store.write() as connection:
        connection.execute(update(people).values(name=None, phone=None, erased_at=desk.clock.now()))
    report = desk.contracts(rows)
    assert (report.unchanged, report.rejected_rows) == (1, 0)
    assert desk.people() == [(None, None)]
    assert [text for text in report.warnings.sentences("zh") if "HT-1" in text]
