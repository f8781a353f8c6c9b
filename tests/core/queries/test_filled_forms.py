"""What checks can read of forms: what was filled in, by whom it is asked, with the task that it belongs to."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import update
from tests.support.estate import Estate, at

from keguan.errors import InputError
from keguan.forms.entries import Entry, save_entry
from keguan.model import Subject
from keguan.queries.view import RecordsView
from keguan.store.schema import form_entries


def fill(
    estate: Estate,
    form: str = "visits.round",
    *,
    when: str = "2026-03-01T10:00",
    task: int | None = None,
    project: int | None = None,
    complete: bool = True,
) -> int:
    instant: datetime = at(when)
    entry = Entry(
        form,
        Subject("home", 7),
        project,
        "shenzhen",
        task,
        {"met": True},
        [{"what": "door"}, {}, {"what": "tap"}],
        complete=complete,
        filled_at=instant,
        filled_by="李",
    )
    with estate.store.write() as connection:
        return save_entry(connection, entry)


def test_a_check_sees_answers_and_lines_with_the_task_they_belong_to(estate: Estate) -> None:
    task = estate.task(
        plan=estate.plan("round", occurrence=3, status="done"), due=at("2026-03-05T18:00"), status="done"
    )
    fill(estate, task=task, project=estate.project())
    [form] = RecordsView(estate.reader()).forms("visits", ["round"])
    assert (form.form, form.subject, form.project, form.city) == ("round", Subject("home", 7), "云璟一期", "shenzhen")
    assert form.answers == {"met": True}
    assert form.lines == [{"what": "door"}, {"what": "tap"}]
    assert (form.task, form.task_status, form.occurrence) == (task, "done", 3)
    assert f"{form.at:%H:%M%z} {form.due_at:%d %H:%M}" == "10:00+0800 05 18:00"


def test_forms_come_in_the_order_of_time_the_half_filled_ones_too(estate: Estate) -> None:
    fill(estate, when="2026-03-01T12:00")
    fill(estate, when="2026-03-01T11:00", complete=False)
    found = RecordsView(estate.reader()).forms("visits", ["round"])
    assert [(form.at.hour, form.complete, form.task) for form in found] == [(11, False, None), (12, True, None)]


def test_other_forms_and_what_was_taken_out_of_a_register_are_left_out(estate: Estate) -> None:
    fill(estate, "visits.other")
    fill(estate, "elsewhere.round")
    taken_out = fill(estate)
    with estate.store.write() as connection:
        connection.execute(
            update(form_entries).where(form_entries.c.id == taken_out).values(removed_at=at("2026-03-02T08:00"))
        )
    assert list(RecordsView(estate.reader()).forms("visits", ["round"])) == []


def test_forms_are_narrowed_to_the_project_that_was_asked_for(estate: Estate) -> None:
    for name in ("云璟一期", "云璟二期"):
        fill(estate, project=estate.project(name))
    assert [form.project for form in RecordsView(estate.reader(), "云璟二期").forms("visits", ["round"])] == [
        "云璟二期"
    ]
    with pytest.raises(InputError, match="no project"):
        list(RecordsView(estate.reader(), "云璟三期").forms("visits", ["round"]))
