"""Overdue tasks climb from the person to the head to the manager: each step once, and in working time only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from tests.support.estate import SHANGHAI
from tests.support.office import DEPARTMENT, Office, when

from keguan.calendar import WorkCalendar
from keguan.settings.staff import After
from keguan.staff.hours import step_at
from keguan.tasks.desk import finish, postpone

OURS = [("张三", "2026-03-02 11:00"), ("李四", "2026-03-03 11:00"), ("王五", "2026-03-05 11:00")]


def later(office: Office, task: int, to: str) -> None:
    """Postpone a task."""
    postpone(
        office.store,
        [task],
        to=date.fromisoformat(to),
        reason="abroad",
        now=office.city.clock.now(),
        by="li",
        zone=lambda _: SHANGHAI,
    )


def test_the_person_then_the_head_then_the_manager_are_told_each_once(office: Office) -> None:
    task = office.task("2026-03-02 11:00", office.zhang, "Call 13800138000")
    office.until("2026-03-20 18:00")
    assert office.told("escalation") == OURS
    assert [note.key for note in office.notes("escalation")] == [f"escalation/{task}/{step}" for step in (1, 2, 3)]
    person, head, _ = office.notes("escalation")
    assert "13800138000" in person.text
    assert "13800138000" not in head.text
    assert office.row(task).escalated == 3
    assert [(row.what, row.detail["step"], row.detail["staff"]) for row in office.log(task)] == [
        ("escalated", 1, office.zhang),
        ("escalated", 2, office.li),
        ("escalated", 3, office.wang),
    ]


def test_what_is_done_in_time_climbs_nowhere_and_what_is_done_late_stops(office: Office) -> None:
    good, late = office.task("2026-03-02 11:00", office.zhang), office.task("2026-03-02 11:00", office.zhou)
    finish(office.store, [good], now=office.city.clock.now(), by="li")
    office.until("2026-03-02 15:00")
    finish(office.store, [late], now=office.city.clock.now(), by="li")
    office.until("2026-03-20 18:00")
    assert office.told("escalation") == [("周六", "2026-03-02 11:00")]


@pytest.mark.parametrize(
    ("due", "person", "head"),
    [
        ("2026-03-02 18:00", "2026-03-03 09:00", "2026-03-04 09:00"),  # when the office closes
        ("2026-03-06 15:00", "2026-03-06 15:00", "2026-03-09 15:00"),  # over a weekend
        ("2026-03-07 12:00", "2026-03-09 09:00", "2026-03-10 09:00"),  # on a Saturday
        ("2026-02-27 15:00", "2026-02-27 15:00", "2026-02-28 15:00"),  # Saturday makes up for the festival
        ("2026-02-14 15:00", "2026-02-14 15:00", "2026-02-24 15:00"),  # the week of Spring Festival lies between
        ("2026-02-17 12:00", "2026-02-24 09:00", "2026-02-25 09:00"),  # New Year's Day itself
    ],
)
def test_nobody_is_told_outside_working_time(
    open_office: Callable[..., Office], due: str, person: str, head: str
) -> None:
    office = open_office(f"{due[:10]} 07:00")
    office.task(due, office.zhang)
    office.until(f"{head[:10]} 18:00")
    assert office.told("escalation") == [("张三", person), ("李四", head)]


def test_a_step_may_be_counted_in_working_hours(open_office: Callable[..., Office]) -> None:
    office = open_office(config='[[staff.ladder]]\nafter = "4 working hours"\nto = "head"\n')
    office.task("2026-03-06 16:00", office.zhang)
    office.until("2026-03-12 18:00")
    assert office.told("escalation") == [("李四", "2026-03-09 11:00")]


def test_several_tasks_of_one_recipient_at_one_moment_are_one_message(office: Office) -> None:
    first, second = (office.task("2026-03-02 20:00", office.zhang) for _ in range(2))
    other = office.task("2026-03-02 21:00", office.zhou)
    office.until("2026-03-04 12:00")
    assert office.told("escalation") == [
        ("张三", "2026-03-03 09:00"),
        ("周六", "2026-03-03 09:00"),
        ("李四", "2026-03-04 09:00"),
    ]
    head = office.notes("escalation")[-1].text
    assert all(f"[{task}]" in head for task in (first, second, other))
    keys = {office.log(task)[-1].detail["messages"][0] for task in (first, second, other)}
    assert keys == {f"escalation/{first}/2"}


def test_tasks_of_nobody_in_particular_begin_with_the_head(office: Office) -> None:
    office.task("2026-03-02 11:00")
    office.until("2026-03-02 18:00")
    assert office.told("escalation") == [("李四", "2026-03-02 11:00")]


def test_without_a_head_the_department_is_told(open_office: Callable[..., Office]) -> None:
    office = open_office(department='[departments."客关"]\nemail = "a@example.com"\nhead = "nobody"\n')
    office.task("2026-03-02 11:00")
    office.until("2026-03-02 18:00")
    assert office.told("escalation") == [(DEPARTMENT, "2026-03-02 11:00")]


def test_where_nobody_can_be_told_the_step_says_so(open_office: Callable[..., Office]) -> None:
    office = open_office(department="")
    task = office.task("2026-03-02 11:00")
    office.until("2026-03-02 18:00")
    assert office.notes() == []
    assert [(row.detail["staff"], row.detail["messages"]) for row in office.log(task)] == [(None, [])]


def test_where_nobody_works_nothing_climbs_until_somebody_is_known(open_office: Callable[..., Office]) -> None:
    office = open_office(department="", people=False)
    task = office.task("2026-03-02 11:00")
    office.until("2026-03-03 18:00")
    assert office.row(task).escalated == 0
    office.hire("张三")
    office.until("2026-03-04 18:00")
    assert office.row(task).escalated == 2


def test_a_postponed_task_counts_from_the_new_deadline_and_climbs_on_where_it_stood(office: Office) -> None:
    task = office.task("2026-03-02 11:00", office.zhang)
    office.until("2026-03-02 12:00")
    later(office, task, "2026-03-09")
    office.until("2026-03-20 18:00")
    assert office.told("escalation") == [OURS[0], ("李四", "2026-03-10 11:00"), ("王五", "2026-03-12 11:00")]


def test_after_days_on_which_nobody_ran_the_steps_are_made_up_for_in_order(office: Office) -> None:
    task = office.task("2026-03-02 11:00", office.zhang)
    office.city.clock.set(when("2026-03-06 20:00"))
    office.city.settle()
    assert office.told("escalation") == [], "nobody is told at night"
    office.until("2026-03-09 09:00")
    assert office.told("escalation") == [(name, "2026-03-09 09:00") for name in ("张三", "李四", "王五")]
    assert [row.detail["step"] for row in office.log(task)] == [1, 2, 3]


def test_running_again_at_the_same_moment_tells_nobody_twice(office: Office) -> None:
    office.task("2026-03-02 11:00", office.zhang)
    office.until("2026-03-03 11:01")
    for _ in range(3):
        office.city.settle()
    assert office.told("escalation") == OURS[:2]


def test_a_robot_is_told_where_the_step_says_chat(open_office: Callable[..., Office]) -> None:
    office = open_office(
        config='[[staff.ladder]]\nafter = "0 workdays"\nto = "head"\nchannels = ["email", "chat"]\n',
        department='[departments."客关"]\nhead = "李四"\nchat = "robot"\n',
    )
    task = office.task("2026-03-02 11:00", office.zhang)
    office.until("2026-03-02 12:00")
    assert [(note.to, note.key) for note in office.notes("escalation")] == [
        ("李四", f"escalation/{task}/1"),
        (DEPARTMENT, f"escalation/{task}/1/chat"),
    ]


def test_an_own_ladder_replaces_ours(open_office: Callable[..., Office]) -> None:
    office = open_office(config="[staff]\nladder = []\n")
    task = office.task("2026-03-02 11:00", office.zhang)
    office.until("2026-03-20 18:00")
    assert (office.told("escalation"), office.row(task).escalated) == ([], 0)


def test_clocks_that_change_keep_the_hour_of_the_office() -> None:
    calendar = WorkCalendar(zone=ZoneInfo("Europe/Berlin"), country=None)
    due = when("2026-03-28 02:00")  # the evening before, in Berlin; on Sunday the clocks go forward
    assert f"{step_at(calendar, After(1), due).astimezone(calendar.zone):%Y-%m-%d %H:%M}" == "2026-03-31 09:00"
