"""What people do with tasks, at the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.support.estate import SHANGHAI, Estate, at

from keguan.errors import InputError, KeguanError, Refusals
from keguan.store.schema import evidence, tasks
from keguan.tasks.desk import assign, finish, postpone, skip
from keguan.tasks.evidence import KeptFile

PHOTO = KeptFile("照片.jpg", "a" * 64, 10)
SHEET = KeptFile("签到表.pdf", "b" * 64, 20)
NOW = at("2026-03-02T09:00")
TODAY = date(2026, 3, 2)


def done(estate: Estate, *ids: int, **more: Any) -> None:
    finish(estate.store, ids, now=NOW, by="li", **more)


def move(estate: Estate, *ids: int, to: date, reason: str = "abroad") -> None:
    postpone(estate.store, ids, to=to, reason=reason, now=NOW, by="li", zone=lambda _: SHANGHAI)


def reasons(failed: pytest.ExceptionInfo[Refusals]) -> list[str]:
    return [error.key for error in failed.value.errors]


def test_a_task_is_done_with_its_result_and_by_whom(estate: Estate) -> None:
    task = estate.task()
    done(estate, task, result="satisfied")
    row = estate.one(tasks, task)
    assert (row.status, row.result, row.closed_by, row.closed_at) == ("done", "satisfied", "li", NOW)


def test_each_required_piece_needs_a_file_those_attached_earlier_included(estate: Estate) -> None:
    task = estate.task(required=["照片", "签到表"])
    with pytest.raises(Refusals) as failed:
        done(estate, task, files=[PHOTO])
    assert failed.value.errors[0].values == {"task": task, "missing": 1, "required": "照片, 签到表"}
    assert estate.one(tasks, task).status == "open"
    assert estate.rows(evidence) == []
    estate.proof(task, sha256=SHEET.sha256)
    done(estate, task, files=[PHOTO])
    assert {row.sha256 for row in estate.rows(evidence, task_id=task)} == {PHOTO.sha256, SHEET.sha256}


def test_the_same_file_twice_is_one_piece_of_evidence(estate: Estate) -> None:
    task = estate.task(required=["照片", "签到表"])
    with pytest.raises(Refusals):
        done(estate, task, files=[PHOTO, KeptFile("另一个名字.jpg", PHOTO.sha256, 10)])


def test_without_evidence_a_reason_is_kept(estate: Estate) -> None:
    task = estate.task(required=["照片"])
    done(estate, task, without_evidence="camera broken")
    assert (estate.one(tasks, task).status, estate.one(tasks, task).reason) == ("done", "camera broken")


def test_of_several_tasks_all_are_closed_or_none_and_every_reason_is_given(estate: Estate) -> None:
    fine, closed = estate.task(), estate.task(status="skipped")
    with pytest.raises(Refusals) as failed:
        done(estate, fine, closed, 999_999)
    assert reasons(failed) == ["tasks.closed", "tasks.unknown"]
    assert estate.one(tasks, fine).status == "open"
    other = estate.task()
    done(estate, fine, other, files=[PHOTO])
    assert [estate.one(tasks, task).status for task in (fine, other)] == ["done", "done"]
    assert len(estate.rows(evidence)) == 2


def test_a_skipped_task_keeps_its_reason(estate: Estate) -> None:
    task = estate.task()
    skip(estate.store, [task], reason="moved abroad", now=NOW, by="li")
    row = estate.one(tasks, task)
    assert (row.status, row.reason, row.closed_by) == ("skipped", "moved abroad", "li")


@pytest.mark.parametrize(
    "again",
    [
        done,
        lambda estate, task: skip(estate.store, [task], reason="x", now=NOW, by="li"),
        lambda estate, task: move(estate, task, to=date(2026, 4, 1)),
        lambda estate, task: assign(estate.store, [task], department="客关", today=TODAY, now=NOW, by="li"),
    ],
    ids=["done", "skip", "postpone", "assign"],
)
def test_what_is_closed_stays_closed(estate: Estate, again: Callable[[Estate, int], None]) -> None:
    task = estate.task(status="done")
    with pytest.raises(Refusals) as failed:
        again(estate, task)
    assert reasons(failed) == ["tasks.closed"]


def test_postponing_moves_the_day_keeps_the_hour_and_is_counted(estate: Estate) -> None:
    task = estate.task(due=at("2026-03-05T18:00"))
    move(estate, task, to=date(2026, 3, 9))
    move(estate, task, to=date(2026, 3, 20), reason="still abroad")
    row = estate.one(tasks, task)
    assert (row.due_at, row.postponed, row.reason) == (at("2026-03-20T18:00"), 2, "still abroad")


@pytest.mark.parametrize("day", [date(2026, 3, 5), date(2026, 3, 4), date(2025, 1, 1)])
def test_postponing_to_a_day_that_is_not_later_is_refused(estate: Estate, day: date) -> None:
    task = estate.task(due=at("2026-03-05T18:00"))
    with pytest.raises(Refusals) as failed:
        move(estate, task, to=day)
    assert reasons(failed) == ["tasks.postpone_earlier"]
    assert estate.one(tasks, task).postponed == 0


def test_a_late_task_is_not_postponed_into_the_past(estate: Estate) -> None:
    task = estate.task(due=at("2026-02-01T18:00"))
    with pytest.raises(Refusals):
        move(estate, task, to=date(2026, 3, 1))
    move(estate, task, to=date(2026, 3, 2))
    assert estate.one(tasks, task).due_at == at("2026-03-02T18:00")


def test_a_task_is_assigned_by_number_or_by_name(estate: Estate) -> None:
    li, wang = estate.employee("李晓燕"), estate.employee("王强", "物业")
    task = estate.task()
    assign(estate.store, [task], to="李晓燕", today=TODAY, now=NOW, by="li")
    assert estate.one(tasks, task).assignee_id == li
    assign(estate.store, [task], to=str(wang), department="物业", today=TODAY, now=NOW, by="li")
    assert (estate.one(tasks, task).assignee_id, estate.one(tasks, task).department) == (wang, "物业")


def test_given_to_a_department_a_task_is_nobodys_in_particular(estate: Estate) -> None:
    task = estate.task(assignee_id=estate.employee("李晓燕"))
    estate.employee("王强", "物业")
    assign(estate.store, [task], department="物业", today=TODAY, now=NOW, by="li")
    assert (estate.one(tasks, task).assignee_id, estate.one(tasks, task).department) == (None, "物业")


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"to": "赵六"}, "staff.unknown"),
        ({"to": "李晓燕"}, "staff.several"),
        ({"to": "周舟"}, "staff.left"),
        ({"department": "物叶"}, "tasks.department_unknown"),
    ],
)
def test_nobody_gets_a_task_by_guessing(estate: Estate, values: dict[str, str], key: str) -> None:
    estate.employee("李晓燕")
    estate.employee("李晓燕", "物业")
    estate.employee("周舟", left_on=date(2026, 2, 1))
    task = estate.task()
    with pytest.raises(InputError) as failed:
        assign(estate.store, [task], today=TODAY, now=NOW, by="li", **values)
    assert failed.value.key == key
    assert not any(name in str(failed.value) for name in ("赵六", "李晓燕", "周舟"))


def test_somebody_who_leaves_tomorrow_can_still_work_today(estate: Estate) -> None:
    leaving = estate.employee("周舟", left_on=date(2026, 3, 3))
    task = estate.task()
    assign(estate.store, [task], to="周舟", today=TODAY, now=NOW, by="li")
    assert estate.one(tasks, task).assignee_id == leaving


def test_every_refusal_is_a_sentence(estate: Estate, tmp_path: Path) -> None:
    with pytest.raises(KeguanError) as failed:
        done(estate, 999_999)
    assert str(failed.value).startswith("there is no such task (task 999999): ")
