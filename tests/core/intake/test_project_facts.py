"""What is known of a project by its contracts and homes, and what a person states for it."""

from __future__ import annotations

from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from tests.support.front_desk import PROJECT, FrontDesk

from keguan.intake.entries import LIVE
from keguan.store.schema import contracts, homes, projects

HEADER = "合同编号,房号,客户姓名,手机号,签约日期,约定交付日期,装修标准,状态"
FIRST = "HT-1,101,王伟,13800138000,2026-03-05,2027-06-30,毛坯,已签约"
SECOND = "HT-2,102,李四,13800138001,2026-03-06,2027-05-31,精装,已签约"
HANDOVERS = "合同编号,交付日期\n"


def _import(desk: FrontDesk, *rows: str) -> None:
    assert desk.contracts("\n".join([HEADER, *rows])).ok


def test_a_project_is_planned_for_its_earliest_contract_and_fitted_if_any_home_is(desk: FrontDesk) -> None:
    _import(desk, FIRST, SECOND)
    project = desk.project()
    assert (project.planned_handover_on, project.fitting) == (date(2027, 5, 31), "fitted")
    assert desk.milestones() == [("planned_handover", "2027-05-31")]
    assert desk.events("project_changed") == []  # the project is as new as what is known of it
    _import(desk, FIRST, SECOND)
    assert len(desk.milestones()) == 1


def test_a_corrected_date_moves_the_project_both_ways(desk: FrontDesk) -> None:
    _import(desk, FIRST, SECOND)
    _import(desk, SECOND.replace("2027-05-31", "2027-07-31"))
    _import(desk, FIRST.replace("2027-06-30", "2027-06-15"))
    _import(desk, FIRST.replace("2027-06-30", "2027-08-31"))
    assert [day for _, day in desk.milestones()] == ["2027-05-31", "2027-06-30", "2027-06-15", "2027-07-31"]
    assert desk.project().planned_handover_on == date(2027, 7, 31)


def test_contracts_that_end_plan_nothing(desk: FrontDesk) -> None:
    _import(desk, FIRST, SECOND)
    _import(desk, SECOND.replace("已签约", "已退房"))
    assert desk.project().planned_handover_on == date(2027, 6, 30)
    _import(desk, FIRST.replace("已签约", "已退房"))
    assert desk.project().planned_handover_on is None
    assert desk.milestones()[1:] == [("planned_handover", "2027-06-30"), ("planned_handover", None)]
    _import(desk, FIRST.replace("2026-03-05", "2026-05-05"))
    assert desk.milestones()[-1] == ("planned_handover", "2027-06-30")


def test_a_project_is_handed_over_with_its_first_home(desk: FrontDesk) -> None:
    _import(desk, FIRST, SECOND)
    desk.import_text("handovers", HANDOVERS + "HT-1,2026-05-20\nHT-2,2026-05-10")
    desk.import_text("handovers", HANDOVERS + "HT-2,2026-05-25")
    assert desk.milestones()[1:] == [("handover", "2026-05-10"), ("handover", "2026-05-20")]
    assert desk.project().handed_over_on == date(2026, 5, 20)


def test_the_last_fitted_home_that_turns_out_bare_makes_the_project_bare(desk: FrontDesk) -> None:
    _import(desk, FIRST, SECOND)
    _import(desk, SECOND.replace("精装", "毛坯"))
    assert desk.project().fitting == "bare"
    assert [event.data for event in desk.events("project_changed")] == [{"changed": ["fitting"]}]


def test_what_a_person_states_for_the_project_holds(desk: FrontDesk) -> None:
    _import(desk, FIRST)
    stated = f"项目,约定交付日期,交付日期,装修标准\n{PROJECT},2027-09-30,,精装"
    assert desk.import_text("projects", stated).accepted == 1
    assert desk.import_text("projects", stated).unchanged == 1
    _import(desk, SECOND)
    _import(desk, FIRST.replace("已签约", "已退房"))
    desk.import_text("handovers", HANDOVERS + "HT-2,2026-05-10")
    project = desk.project()
    assert (project.planned_handover_on, project.fitting) == (date(2027, 9, 30), "fitted")
    assert project.handed_over_on == date(2026, 5, 10)  # of which nothing was stated
    assert desk.rows(select(projects.c.stated)) == [("planned_handover_on,fitting",)]
    assert desk.milestones() == [
        ("planned_handover", "2027-06-30"),
        ("planned_handover", "2027-09-30"),
        ("handover", "2026-05-10"),
    ]


def test_what_is_stated_as_it_is_known_already_holds_and_is_no_event(desk: FrontDesk) -> None:
    _import(desk, FIRST)
    assert desk.import_text("projects", f"项目,约定交付日期\n{PROJECT},2027-06-30").accepted == 1
    _import(desk, SECOND)
    assert desk.project().planned_handover_on == date(2027, 6, 30)
    assert len(desk.milestones()) == 1


def test_a_project_cannot_be_handed_over_in_the_future(desk: FrontDesk) -> None:
    report = desk.import_text("projects", f"项目,城市,交付日期\n{PROJECT},深圳,2026-06-03")
    assert [one.reason_key for one in report.problems] == ["apply.date_in_future"]
    assert desk.rows(select(projects.c.id)) == []


def test_a_handover_that_was_emitted_is_told_of_the_project_too(desk: FrontDesk) -> None:
    _import(desk, FIRST)
    desk.emit("handover", id="h-1", contract_no="HT-1", project=PROJECT, handed_over_on="2026-05-20")
    assert desk.milestones()[1:] == [("handover", "2026-05-20")]
    desk.emit("project_milestone", id="m-1", project=PROJECT, handed_over_on="2026-05-18")
    assert desk.milestones()[2:] == [("handover", "2026-05-18")]
    assert desk.events("project_milestone")[-1].id == "m-1"


def test_a_dry_run_leaves_the_project_alone(desk: FrontDesk) -> None:
    _import(desk, FIRST)
    before = desk.state()
    desk.contracts("\n".join([HEADER, SECOND]), dry_run=True)
    assert desk.state() == before


rows = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from(["2027-05-31", "2027-06-30", "2027-07-31"]),
        st.sampled_from(["精装", "毛坯", ""]),
        st.sampled_from(["已签约", "已退房", "已更名"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows)
def test_whatever_order_contracts_change_in_the_project_is_as_its_records_are(
    desk: FrontDesk, changes: list[tuple[int, str, str, str]]
) -> None:
    for number, planned, fitting, status in changes:
        _import(desk, f"HT-{number},{number:03},王伟,1380013800{number},2026-03-05,{planned},{fitting},{status}")
    in_force = contracts.c.status.in_(LIVE)
    ((planned_on,),) = desk.rows(select(func.min(contracts.c.planned_handover_on)).where(in_force))
    fittings = {row.fitting for row in desk.rows(select(homes.c.fitting))}
    project = desk.project()
    assert project.planned_handover_on == planned_on
    assert project.fitting == ("fitted" if "fitted" in fittings else "bare" if "bare" in fittings else None)
    told = desk.milestones()
    assert (told[-1][1] if told else None) == (planned_on.isoformat() if planned_on else None)
