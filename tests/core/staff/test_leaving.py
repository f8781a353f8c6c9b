"""Whoever leaves hands over: to the deputy who is named, else to nobody in particular, and the head is told."""

from __future__ import annotations

from datetime import date

from sqlalchemy import update
from tests.support.office import Office

from keguan.intake.emitting import emit
from keguan.store.schema import events, staff


def leaves(office: Office, who: int, on: str) -> None:
    """Tell that somebody leaves, as the command does."""
    city = office.city
    emit(office.store, city.installation.settings, city.clock, "staff_left", {"left_on": on}, subject=f"staff:{who}")


def test_without_a_deputy_tasks_are_nobodys_and_the_head_is_told_once(office: Office) -> None:
    tasks = [office.task("2026-03-20 11:00", office.zhang) for _ in range(2)]
    done = office.task("2026-03-20 11:00", office.zhang, status="done")
    leaves(office, office.zhang, "2026-03-02")
    office.until("2026-03-05 12:00")
    assert [office.row(task).assignee_id for task in tasks] == [None, None]
    assert office.row(done).assignee_id == office.zhang, "what is done stays whose it was"
    assert [note.to for note in office.notes("handed_over")] == ["李四"]
    assert all(f"[{task}]" in office.notes("handed_over")[0].text for task in tasks)
    assert [row.detail for row in office.log(tasks[0])] == [{"from": office.zhang, "to": None}]


def test_a_deputy_who_is_named_gets_them(office: Office) -> None:
    office.away(office.zhang, office.zhou, "2026-03-01", "2026-03-31")
    task = office.task("2026-03-20 11:00", office.zhang)
    leaves(office, office.zhang, "2026-03-02")
    office.until("2026-03-02 12:00")
    assert office.row(task).assignee_id == office.zhou
    assert f"Number {office.zhou} has the open tasks now" in office.notes("handed_over")[0].text


def test_who_leaves_later_hands_over_on_that_day(office: Office) -> None:
    task = office.task("2026-03-20 11:00", office.zhang)
    leaves(office, office.zhang, "2026-03-10")
    office.until("2026-03-09 23:00")
    assert office.row(task).assignee_id == office.zhang
    office.until("2026-03-10 07:00")
    assert office.row(task).assignee_id is None


def test_a_task_that_a_plugin_gives_to_somebody_who_has_left_is_handed_over_too(office: Office) -> None:
    leaves(office, office.zhang, "2026-03-02")
    office.until("2026-03-02 12:00")
    task = office.task("2026-03-20 11:00", office.zhang)
    office.until("2026-03-03 07:00")
    assert office.row(task).assignee_id is None


def test_the_fact_is_an_event_that_plugins_may_hear_of(office: Office) -> None:
    leaves(office, office.zhang, "2026-03-10")
    event = office.estate.rows(events, type="staff_left")[0]
    assert (event.subject_type, event.subject_id, event.data) == ("staff", office.zhang, {"left_on": "2026-03-10"})
    assert office.estate.one(staff, office.zhang).left_on == date(2026, 3, 10)


def test_the_head_who_leaves_hands_over_and_the_department_is_told(office: Office) -> None:
    task = office.task("2026-03-20 11:00", office.li)
    with office.store.write() as connection:
        connection.execute(update(staff).where(staff.c.id == office.li).values(left_on=date(2026, 3, 2)))
    office.until("2026-03-02 12:00")
    assert office.row(task).assignee_id is None
    assert [note.to for note in office.notes("handed_over")] == ["客关"]
