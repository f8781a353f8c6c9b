"""Projects, customers, staff and files of events come in."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import select
from tests.support.front_desk import FrontDesk

from keguan.model import EventType
from keguan.store.schema import departments, people, projects, staff

SOLD = "合同编号,房号,客户姓名,手机号,签约日期\nHT-1,1201,王伟,13800138000,2026-03-05"


def test_milestones_of_projects_are_told_when_set_and_when_moved(desk: FrontDesk) -> None:
    rows = "项目,城市,首次开放日期,开盘日期,建筑面积\n一期,深圳,2026-08-01,2026-09-01,120000"
    assert desk.import_text("projects", rows).accepted == 1
    assert [event.data for event in desk.events("project_milestone")] == [
        {"milestone": "first_show", "first_show_on": "2026-08-01"},
        {"milestone": "launch", "launch_on": "2026-09-01"},
    ]
    assert desk.import_text("projects", rows).unchanged == 1
    desk.import_text("projects", rows.replace("2026-09-01", "2026-10-01"))
    assert desk.milestones()[2:] == [("launch", "2026-10-01")]
    desk.import_text("projects", "项目,城市\n一期,武汉")
    assert desk.events("project_changed")[0].data == {"changed": ["city"]}
    assert desk.rows(select(projects.c.city, projects.c.launch_on)) == [("wuhan", date(2026, 10, 1))]


def test_customers_are_found_by_number_or_by_name_and_phone(desk: FrontDesk) -> None:
    desk.contracts(SOLD)
    rows = "客户姓名,手机号,邮箱,生日\n王伟,13800138000,wang@example.com,1990-03-07\n孙丽,13800138009,,"
    assert desk.import_text("customers", rows).accepted == 2
    (owner,) = desk.contract("HT-1").owners
    assert (owner.email, owner.birthday) == ("wang@example.com", date(1990, 3, 7))
    assert desk.told() == ["contract_signed", "customer_changed"]  # nobody owes anything to who owns nothing
    assert desk.events("customer_changed")[0].data == {"changed": ["birthday", "email"]}
    assert desk.import_text("customers", rows).unchanged == 2


def test_a_customer_cannot_be_described_twice(desk: FrontDesk) -> None:
    report = desk.import_text(
        "customers", "客户姓名,手机号,邮箱\n王伟,13800138000,a@example.com\n王伟,13800138000,b@example.com"
    )
    assert report.rejected_rows == 2
    assert desk.people() == []


def test_staff_have_departments_and_leave(desk: FrontDesk) -> None:
    rows = "姓名,部门,邮箱,手机号,离职日期\n陈静,客服部,chen@corp.example,13700137000,\n周强,工程部,,,"
    assert desk.import_text("staff", rows).accepted == 2
    assert desk.import_text("staff", rows).unchanged == 2
    desk.import_text("staff", "姓名,部门,邮箱,离职日期\n陈静,物业部,chen@corp.example,2026-05-31\n周强,工程部,,")
    found = desk.rows(
        select(people.c.name, departments.c.name, staff.c.left_on)
        .select_from(staff.join(people).join(departments))
        .order_by(staff.c.id)
    )
    assert found == [("陈静", "物业部", date(2026, 5, 31)), ("周强", "工程部", None)]
    assert desk.told() == ["staff_left"]


def test_new_staff_need_a_department(desk: FrontDesk) -> None:
    report = desk.import_text("staff", "姓名,部门\n陈静,")
    assert [one.reason_key for one in report.problems] == ["apply.department_missing"]


def test_two_members_of_staff_may_have_one_name(desk: FrontDesk) -> None:
    rows = "姓名,部门,手机号\n陈静,客服部,13700137000\n陈静,客服部,13700137001"
    desk.import_text("staff", rows)
    assert desk.import_text("staff", rows).unchanged == 2
    assert len(desk.rows(select(staff.c.id))) == 2


def test_a_file_of_events_is_recorded_in_its_order(desk: FrontDesk) -> None:
    rows = (
        "事件类型,编号,时间,合同编号,项目,城市,客户姓名,手机号,交付日期\n"
        "contract_signed,e-1,2026-03-05 10:00,HT-1,一期,深圳,王伟,13800138000,\n"
        "handover,e-2,2026-05-20,HT-1,一期,,,,2026-05-20\n"
        "contract_cancelled,,2026-05-21,HT-9,一期,,,,"
    )
    report = desk.import_text("events", rows)
    assert (report.accepted, report.rejected_rows) == (2, 1)
    assert report.problems[0].reason_key == "apply.contract_unknown"
    assert desk.told() == ["contract_signed", "handover", "contract_changed"]
    (signed,) = desk.events("contract_signed")
    assert (signed.id, signed.time) == ("e-1", datetime(2026, 3, 5, 2, tzinfo=UTC))
    assert desk.contract("HT-1", "一期").signed_on == date(2026, 3, 5)
    assert desk.import_text("events", rows).unchanged == 2


def test_a_dry_run_of_events_sees_one_build_on_another_and_writes_nothing(desk: FrontDesk) -> None:
    rows = (
        "事件类型,合同编号,项目,城市,时间\n"
        "contract_signed,HT-1,一期,深圳,2026-03-05\n"
        "contract_cancelled,HT-1,一期,深圳,2026-03-06"
    )
    before = desk.state()
    report = desk.import_text("events", rows, dry_run=True)
    assert (report.accepted, report.rejected_rows) == (2, 0)
    assert desk.state() == before


def test_two_events_cannot_have_one_id(desk: FrontDesk) -> None:
    report = desk.import_text("events", "事件类型,编号,合同编号,项目\ndeposit,e-1,HT-1,一期\ndeposit,e-1,HT-2,一期")
    assert [(one.row, one.reason_values) for one in report.problems] == [(2, {"other": 3}), (3, {"other": 2})]


def test_events_that_plugins_know_are_kept_without_personal_values(desk: FrontDesk) -> None:
    desk.contracts(SOLD)
    types = {"key_lent": EventType("key_lent", "home")}
    report = desk.import_text(
        "events",
        "事件类型,对象,钥匙,备注\nkey_lent,HT-1,A-7,门卫\nkey_lent,home:云璟一期/1201,A-8,13800138000",
        event_types=types,
    )
    assert [(one.row, one.reason_key) for one in report.problems] == [(3, "apply.personal_data")]
    (event,) = desk.events("key_lent")
    assert (event.subject_type, event.data) == ("home", {"钥匙": "A-7", "备注": "门卫"})


def test_events_that_plugins_know_may_be_about_a_project_or_the_company_in_a_city(desk: FrontDesk) -> None:
    desk.contracts(SOLD)
    types = {"design_changed": EventType("design_changed", "project"), "audit": EventType("audit", "branch")}
    desk.emit("design_changed", subject="project:云璟一期", event_types=types, 内容="外立面", 日期="2026-05-20")
    (event,) = desk.events("design_changed")
    assert (event.subject_type, event.subject_id, event.city) == ("project", desk.project().id, "shenzhen")
    assert event.data == {"内容": "外立面", "日期": "2026-05-20"}
    report = desk.import_text(
        "events",
        "事件类型,对象,结论\naudit,branch:武汉市,A\naudit,branch:wuhan,B\naudit,branch:武汉,A",
        event_types=types,
    )
    assert [(one.row, one.reason_key) for one in report.problems] == [(2, "apply.branch_unknown")]
    first, second = desk.events("audit")
    assert (first.subject_type, first.city, first.data) == ("branch", "wuhan", {"结论": "B"})
    assert second.subject_id == first.subject_id


BORN = "合同编号,房号,客户姓名,手机号,签约日期,生日"


def test_the_birthday_of_a_new_owner_is_told_once(desk: FrontDesk) -> None:
    desk.contracts(BORN + "\nHT-1,101,王伟,13800138000,2026-03-05,1990-03-07\nHT-2,102,李四,13800138001,2026-03-05,")
    (event,) = desk.events("customer_changed")
    assert (event.subject_id, event.city) == (desk.contract("HT-1").owners[0].id, "shenzhen")
    assert event.data == {"changed": ["birthday"]}
    desk.contracts(BORN + "\nHT-3,103,王伟,13800138000,2026-05-05,1990-03-07")  # who owns a home already
    assert len(desk.events("customer_changed")) == 1


def test_the_birthday_of_somebody_known_counts_once_they_own_a_home(desk: FrontDesk) -> None:
    desk.import_text("customers", "客户姓名,手机号,生日\n王伟,13800138000,1990-03-07\n李四,13800138001,")
    assert desk.told() == []
    desk.contracts(SOLD + "\nHT-2,1202,李四,13800138001,2026-03-05")
    assert [event.data for event in desk.events("customer_changed")] == [{"changed": ["birthday"]}]
    desk.contracts(SOLD.replace("2026-03-05", "2026-03-05,已退房").replace("签约日期", "签约日期,状态"))
    desk.contracts(SOLD.replace("HT-1", "HT-3").replace("1201", "1203"))
    first, again = desk.events("customer_changed")
    assert first.id != again.id


def test_a_second_owner_has_a_birthday_too(desk: FrontDesk) -> None:
    desk.contracts(SOLD)
    desk.emit("ownership_transferred", contract_no="HT-1", customer="孙丽", phone="13800138009", birthday="1985-04-19")
    (event,) = desk.events("customer_changed")
    assert (event.subject_id, event.city) == (desk.home("1201").owners[0].id, "shenzhen")


def test_a_lunar_birthday_is_kept_as_the_day_of_birth(desk: FrontDesk) -> None:
    desk.contracts(SOLD)
    rows = "客户姓名,手机号,生日,生日历法\n王伟,13800138000,1985-02-30,农历"
    assert desk.import_text("customers", rows).accepted == 1
    (owner,) = desk.contract("HT-1").owners
    assert (owner.birthday, owner.lunar) == (date(1985, 4, 19), True)
    assert desk.events("customer_changed")[0].data == {"changed": ["birthday", "lunar"]}
    assert desk.import_text("customers", rows).unchanged == 1
    assert desk.import_text("customers", "客户姓名,手机号,生日\n王伟,13800138000,1985年4月19日").unchanged == 1
    assert desk.import_text("customers", "客户姓名,手机号,生日\n王伟,13800138000,公历1985-04-19").accepted == 1
    assert [person.lunar for person in desk.contract("HT-1").owners] == [False]
    desk.emit("customer_changed", customer="王伟", phone="13800138000", 生日="1985-02-30", 生日历法="农历")
    assert [person.lunar for person in desk.contract("HT-1").owners] == [True]


def test_a_lunar_birthday_that_never_was_is_rejected(desk: FrontDesk) -> None:
    report = desk.import_text("customers", "客户姓名,手机号,生日\n王伟,13800138000,农历1899-05-05")
    assert [(one.row, one.column, one.reason_key) for one in report.problems] == [(2, "生日", "import.date_lunar")]


def test_co_owners_may_celebrate_by_different_calendars(desk: FrontDesk) -> None:
    desk.contracts(
        "合同编号,房号,客户姓名,手机号,签约日期,生日,生日历法\n"
        "HT-1,101,王伟,13800138000,2026-03-05,1980-05-05,农历\n"
        "HT-1,101,李四,13800138001,2026-03-05,1980-05-05,公历"
    )
    found = [(person.birthday, person.lunar) for person in desk.contract("HT-1").owners]
    assert found == [(date(1980, 6, 17), True), (date(1980, 5, 5), False)]
