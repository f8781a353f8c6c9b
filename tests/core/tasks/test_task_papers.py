"""A task with a form is done when the form is; half a form is kept, and a wrong answer is named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from tests.core.forms.conftest import CALL, CAMPAIGN
from tests.support.estate import Estate

from keguan import Form
from keguan.errors import InputError, Refusals
from keguan.store.schema import evidence, form_entries, task_log, tasks
from keguan.tasks.desk import finish
from keguan.tasks.evidence import KeptFile
from keguan.tasks.papers import GivenLine, Paper, fill_paper, open_papers

TODAY = date(2026, 3, 2)
PHOTO = KeptFile("照片.jpg", "a" * 64, 10, "image/jpeg", "c" * 64)
SHEET = KeptFile("签到表.pdf", "b" * 64, 20, "application/pdf", "b" * 64)


@pytest.fixture
def forms() -> Mapping[str, Form]:
    return {f"probe.{each['name']}": Form.model_validate(each) for each in (CALL, CAMPAIGN)}


def fill(
    estate: Estate,
    forms: Mapping[str, Form],
    task: int,
    *,
    by: str = "li",
    lines: Any = (),
    files: Any = (),
    **answers: Any,
) -> Paper:
    return fill_paper(
        estate.store,
        forms,
        task,
        now=estate.now,
        today=TODAY,
        by=by,
        language="en",
        answers=answers,
        lines=lines,
        files=files,
    )


def close(estate: Estate, task: int, **more: Any) -> None:
    finish(estate.store, [task], now=estate.now, by="li", **more)


def test_half_a_form_is_kept_and_the_task_stays_open_until_it_is_whole(
    estate: Estate, forms: Mapping[str, Form]
) -> None:
    task = estate.task(form="probe.call")
    paper = fill(estate, forms, task, called_on="2026-03-02")
    assert ([one.field for one in paper.missing], paper.entry.complete) == (["mood"], False)
    with pytest.raises(Refusals) as refused:
        close(estate, task)
    assert [error.key for error in refused.value.errors] == ["tasks.form_incomplete"]
    paper = fill(estate, forms, task, mood="Good", again="yes", phone="13900139000")
    assert paper.entry.complete
    close(estate, task)
    row = estate.one(tasks, task)
    assert (row.status, row.result) == ("done", "Mood: Good; Again: yes"), "the journey says what came of it"
    [entry] = estate.rows(form_entries)
    assert entry.answers == {"called_on": "2026-03-02", "mood": "good", "again": True, "phone": "+8613900139000"}
    assert [(log.what, log.detail["complete"]) for log in estate.rows(task_log, what="form")] == [
        ("form", False),
        ("form", True),
    ]


def test_a_result_given_by_hand_wins_over_the_forms(estate: Estate, forms: Mapping[str, Form]) -> None:
    task = estate.task(form="probe.call")
    fill(estate, forms, task, called_on="2026-03-02", mood="good")
    close(estate, task, result="wants a call in May")
    assert estate.one(tasks, task).result == "wants a call in May"


def test_every_mistake_is_named_and_then_nothing_is_saved(estate: Estate, forms: Mapping[str, Form]) -> None:
    task = estate.task(form="probe.call")
    with pytest.raises(Refusals) as refused:
        fill(estate, forms, task, called_on="yesterday", mood="good", phone="13800138", colour="red")
    lines = [str(error) for error in refused.value.errors]
    assert len(lines) == 3
    assert all(
        f"task {task}, field {name}" in line for name, line in zip(("called_on", "phone", "colour"), lines, strict=True)
    )
    assert "13800138" not in "".join(lines)
    assert estate.rows(form_entries) == []


def test_files_answer_the_fields_that_ask_for_them(estate: Estate, forms: Mapping[str, Form]) -> None:
    task = estate.task(form="probe.call")
    with pytest.raises(Refusals) as refused:
        fill(estate, forms, task, files=[("photo", SHEET), ("plan", PHOTO)])
    assert [error.key for error in refused.value.errors] == ["forms.other_kind", "forms.no_such_file"]
    bad = {"called_on": "2026-03-02", "mood": "bad", "why": "noise"}
    paper = fill(estate, forms, task, files=[("photo", PHOTO)], **bad)
    assert [one.field for one in paper.missing] == ["photo"], "two photos are asked for"
    fill(estate, forms, task, files=[("photo", PHOTO)])
    assert len(estate.rows(evidence, task_id=task)) == 1, "the same photo twice is one"
    other = KeptFile("b.jpg", "d" * 64, 10, "image/jpeg", "e" * 64)
    assert fill(estate, forms, task, files=[("photo", other)]).entry.complete


def test_lines_are_there_for_each_home_and_are_found_by_their_key(estate: Estate, forms: Mapping[str, Form]) -> None:
    project = estate.project()
    for room in ("101", "102"):
        estate.home(project, "3", "1", room)
    task = estate.task(form="probe.campaign", subject=("project", project), project_id=project)
    with estate.store.read() as connection:
        [paper] = open_papers(connection, forms, [task])
    assert paper.entry.lines == [{"home": "3-1-101"}, {"home": "3-1-102"}]
    given = [
        GivenLine({"home": "3-1-102", "came": "yes"}),
        GivenLine({"home": "guest", "came": "no"}),
        GivenLine({"came": "no"}, 1),
    ]
    paper = fill(estate, forms, task, held_on="2026-03-02", lines=given)
    assert paper.entry.complete
    assert [line["came"] for line in paper.entry.lines] == [False, True, False]
    paper = fill(estate, forms, task, lines=[GivenLine({}, 2)])
    assert paper.entry.lines[1] == {}, "the others keep their numbers"
    with pytest.raises(Refusals) as refused:
        fill(estate, forms, task, lines=[GivenLine({"came": "yes"}, 9)])
    assert refused.value.errors[0].key == "forms.line_unknown"
    with pytest.raises(Refusals) as refused:
        fill(estate, forms, estate.task(form="probe.call"), lines=[GivenLine({"a": "b"})])
    assert refused.value.errors[0].key == "forms.no_lines"


def test_only_those_departments_fill_it_in_that_the_form_names(estate: Estate, forms: Mapping[str, Form]) -> None:
    estate.employee("周敏", "物业")
    estate.employee("李晓燕", "客关")
    task = estate.task(form="probe.call", department="物业")
    for by in ("周敏", "somebody at the keyboard"):
        with pytest.raises(InputError) as refused:
            fill(estate, forms, task, by=by, mood="good")
        assert refused.value.key == "forms.not_theirs"
    assert fill(estate, forms, task, by="李晓燕", mood="good").entry.filled_by == "李晓燕"


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda estate: 404, "tasks.unknown"),
        (lambda estate: estate.task(), "forms.task_without"),
        (lambda estate: estate.task(form="off.paper"), "forms.gone"),
        (lambda estate: estate.task(form="probe.call", status="done"), "tasks.closed"),
    ],
)
def test_what_cannot_be_filled_in_says_why(estate: Estate, forms: Mapping[str, Form], make: Any, key: str) -> None:
    with pytest.raises(Refusals) as refused:
        fill(estate, forms, make(estate), mood="good")
    assert [error.key for error in refused.value.errors] == [key]


def test_the_same_answers_again_change_nothing(estate: Estate, forms: Mapping[str, Form]) -> None:
    task = estate.task(form="probe.call")
    for _ in range(2):
        fill(estate, forms, task, mood="good")
    assert len(estate.rows(task_log)) == 1


def test_without_evidence_a_reason_closes_a_task_with_half_a_form(estate: Estate, forms: Mapping[str, Form]) -> None:
    task = estate.task(form="probe.call")
    close(estate, task, without_evidence="the paper was lost")
    assert (estate.one(tasks, task).status, estate.one(tasks, task).reason) == ("done", "the paper was lost")
