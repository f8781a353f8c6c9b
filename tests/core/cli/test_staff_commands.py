"""Who is there, who is away, who leaves; and the story of a task."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.estate import Estate, at

from keguan.store.schema import absences, accesses, staff, task_log, tasks


def test_an_absence_is_recorded_listed_and_ended(desk: Any, estate: Estate) -> None:
    zhang, zhou = estate.employee("张三"), estate.employee("周六")
    estate.task("late", due=at("2020-03-02T09:00"), assignee_id=zhang)
    answer = desk.json("staff", "away", "张三", "--until", "2099-12-31", "--deputy", zhou)
    assert (answer["staff"], answer["deputy"], answer["until"]) == (zhang, zhou, "2099-12-31")
    first, second = desk.json("staff", "list")
    assert (first["name"], first["open"], first["overdue"]) == ("张*", 1, 1)
    assert (first["away"]["until"], first["deputy"], first["deputy_id"]) == ("2099-12-31", "周*", zhou)
    assert (second["away"], second["deputy"]) == (None, None)
    assert [row["id"] for row in desk.json("tasks", "list", "--assignee", "周六")] == [1]
    assert desk.json("tasks", "list")[0]["deputy"] == "周*"
    assert desk.json("staff", "back", zhang) == {"staff": zhang}
    assert desk.json("tasks", "list", "--assignee", "周六") == []
    assert estate.rows(absences) == []


def test_people_read_tables_with_masked_names(desk: Any, estate: Estate) -> None:
    estate.employee("张三")
    assert "张*" in desk("staff", "list").out
    assert "张三" not in desk("staff", "list").out
    assert "张三" in desk("staff", "list", "--unmask").out
    assert [(row.who, row.what, row.rows) for row in estate.rows(accesses)] == [("li", "staff list", 1)]


def test_who_leaves_is_recorded_for_that_day(desk: Any, estate: Estate) -> None:
    zhang = estate.employee("张三")
    assert desk.json("staff", "leaves", "张三", "--on", "2099-03-02") == {"staff": zhang, "left_on": "2099-03-02"}
    assert f"{estate.one(staff, zhang).left_on}" == "2099-03-02"
    assert len(desk.json("staff", "list")) == 1
    desk.json("staff", "leaves", "张三", "--on", "2020-03-02")
    assert desk.json("staff", "list") == []
    assert [row["left_on"] for row in desk.json("staff", "list", "--left")] == ["2020-03-02"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("away", "nobody", "--until", "2099-01-01", "--deputy", "1"), "no such member of staff (WHO)"),
        (("away", "1", "--until", "2099-01-01", "--deputy", "nobody"), "no such member of staff (--deputy)"),
        (("back", "1"), "not away today"),
        (("leaves", "7"), "no such member of staff"),
    ],
)
def test_a_mistake_is_one_line_with_its_mend(desk: Any, estate: Estate, words: tuple[str, ...], part: str) -> None:
    estate.employee("张三")
    answer = desk("staff", *words)
    assert answer.status == 1
    assert part in answer.err
    assert answer.err.count("\n") == 1
    assert "nobody" not in answer.err, "what was given may be a name"


def test_the_event_says_who_leaves_too(desk: Any, estate: Estate) -> None:
    zhang = estate.employee("张三")
    desk.json("emit", "staff_left", "--subject", f"staff:{zhang}", "left_on=2026-03-09")
    assert f"{estate.one(staff, zhang).left_on}" == "2026-03-09"
    answer = desk("emit", "staff_left", "--subject", "staff:99", "left_on=2026-03-09")
    assert (answer.status, "no such member of staff" in answer.err) == (1, True)


def test_the_story_of_a_task_is_told_masked(desk: Any, estate: Estate) -> None:
    project = estate.project()
    home = estate.home(project)
    buyer = estate.person("王小明", "+8613800138000", email="wang@example.com")
    contract = estate.contract("HT-1", project, home, [buyer])
    task = estate.task("Call 13800138000", ("contract", contract), due=at("2099-03-02T18:00"), required=["照片"])
    zhang = estate.employee("张三")
    desk.json("tasks", "assign", task, "--to", "张三")
    desk.json("tasks", "postpone", task, "--to", "2099-04-01", "--reason", "abroad, 13800138000")
    desk.json("tasks", "skip", task, "--reason", "moved away")
    story = desk.json("tasks", "show", task)
    assert [(row["what"], row["who"], row["reason"]) for row in story["log"]] == [
        ("assigned", "l*", None),
        ("postponed", "l*", "abroad, 138****8000"),
        ("skipped", "l*", "moved away"),
    ]
    assert story["log"][0]["detail"] == {"from": None, "to": zhang, "department": None}
    assert story["customers"] == [{"name": "王**", "phone": "138****8000", "email": "w***@example.com"}]
    assert (story["postponed"], story["status"], story["reason"]) == (1, "skipped", "moved away")
    assert "王小明" not in desk("tasks", "show", task).out
    assert estate.rows(accesses) == []
    open_story = desk.json("tasks", "show", task, "--unmask")
    assert open_story["customers"][0]["phone"] == "+8613800138000"
    assert [(row.what, row.rows) for row in estate.rows(accesses)] == [(f"tasks show {task}", 1)]


def test_a_story_reads_well_for_people(desk: Any, estate: Estate) -> None:
    task = estate.task(due=at("2099-03-02T18:00"), required=["照片"])
    estate.proof(task, "签到表.pdf")
    desk.json("tasks", "postpone", task, "--to", "2099-04-01", "--reason", "abroad")
    out = desk("tasks", "show", task).out
    assert "Evidence: 签到表.pdf" in out
    assert "postponed" in out
    assert "abroad" in out
    assert (desk("tasks", "show", 99).status, desk("tasks", "show", 99).out) == (1, "")


@pytest.mark.parametrize("command", ["skip", "postpone"])
def test_without_a_reason_nothing_is_skipped_or_postponed(desk: Any, estate: Estate, command: str) -> None:
    task = estate.task(due=at("2099-03-02T18:00"))
    more = ("--to", "2099-04-01") if command == "postpone" else ()
    assert desk("tasks", command, task, *more).status == 2
    answer = desk("tasks", command, task, "--reason", "  ", *more)
    assert (answer.status, "the reason is empty" in answer.err) == (1, True)
    assert estate.one(tasks, task).status == "open"
    assert estate.rows(task_log) == []


def test_statistics_count_per_department_and_person(desk: Any, estate: Estate) -> None:
    zhang = estate.employee("张三")
    due = at("2026-03-02T18:00")
    estate.task(due=due, assignee_id=zhang, status="done", closed_at=at("2026-03-02T18:00"))
    estate.task(due=due, assignee_id=zhang, status="done", closed_at=at("2026-03-02T18:01"), postponed=2)
    estate.task(due=due, assignee_id=zhang)
    estate.task(due=at("2099-03-02T18:00"))
    estate.task(due=due, status="skipped")
    estate.task(due=due, status="cancelled")
    estate.task(due=due, department="工程")
    mine = {"open": 1, "overdue": 1, "done_on_time": 1, "done_late": 1, "skipped": 0, "postponed": 2}
    nobodys = {"open": 1, "overdue": 0, "done_on_time": 0, "done_late": 0, "skipped": 1, "postponed": 0}
    place = {"department": "客关"}
    rows = desk.json("tasks", "stats", "--department", "客关")
    assert rows == [
        {**place, "assignee": None, "assignee_id": None, "kind": "department"}
        | {name: mine[name] + nobodys[name] for name in mine},
        {**place, "assignee": "张*", "assignee_id": zhang, "kind": "person", **mine},
        {**place, "assignee": None, "assignee_id": None, "kind": "person", **nobodys},
    ]
    assert [
        row["open"] for row in desk.json("tasks", "stats", "--to", "2026-03-31") if row["kind"] == "department"
    ] == [
        1,
        1,
    ]
    assert "nobody in particular" in desk("tasks", "stats").out
