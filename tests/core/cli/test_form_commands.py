"""Forms on the command line: asked for, filled in, written out as a workbook and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import openpyxl
import pytest
from tests.support.estate import Estate, at
from tests.support.papers import PDF, photo

from keguan.store.schema import accesses, evidence, form_entries, tasks

FAR = at("2099-03-05T18:00")
CALL = "sixplustwo.signing_callback"
VISIT = "sixplustwo.housewarming_visit"


class Terminal(Protocol):
    """See ``conftest.Desk``."""

    folder: Path

    def __call__(self, *words: object) -> Any: ...

    def json(self, *words: object) -> Any: ...


@pytest.fixture
def call(estate: Estate) -> int:
    """A call-back about a contract."""
    project = estate.project()
    contract = estate.contract("YJ-1", project, estate.home(project), [estate.person("王小明", "+8613800138001")])
    return estate.task("call back", ("contract", contract), due=FAR, form=CALL, project_id=project)


def test_forms_are_listed_and_shown(desk: Terminal) -> None:
    rows = {row["form"]: row for row in desk.json("forms", "list")}
    assert rows[VISIT]["lines"] == "Problems and answers"
    shown = desk.json("forms", "show", CALL)
    satisfaction = next(field for field in shown["fields"] if field["field"] == "satisfaction")
    assert satisfaction["choices"][0] == "very_satisfied"
    assert satisfaction["required"] == "if reached is answered"
    human = desk("forms", "show", VISIT).out
    assert "Lines: Problems and answers (0 to 50)" in human
    wrong = desk("forms", "show", "sixplustwo.signing_calback")
    assert (wrong.status, f"known is {CALL}" in wrong.err) == (2, True)


def test_a_form_is_filled_in_step_by_step_and_closes_its_task(desk: Terminal, estate: Estate, call: int) -> None:
    first = desk("tasks", "fill", call, "called_on=2026-03-02", "reached=answered", "right_phone=13800138001")
    assert first.status == 0
    assert f"Form of task {call}: saved; still missing:" in first.out
    assert "satisfaction (Satisfaction with the signing): no answer yet: write one of very_satisfied" in first.out
    assert "13800138001" not in first.out
    refused = desk("tasks", "done", call)
    assert refused.status == 1
    assert refused.err.startswith(f"error: its form {CALL} is not completely filled in (task {call})")
    rest = ("terms_explained=是", "drawbacks_told=no", "service_contact_known=yes", "satisfaction=满意", "follow_up=no")
    answer = desk.json("tasks", "fill", call, *rest, "--done", "--by", "周敏")
    assert (answer["complete"], answer["missing"], answer["filled_by"]) == (True, [], "周*")
    assert answer["answers"]["right_phone"] == "138****8001"
    assert answer["answers"]["satisfaction"] == "satisfied"
    row = estate.one(tasks, call)
    assert (row.status, row.closed_by) == ("done", "周敏")
    assert (
        row.result == "Reached: answered; Satisfaction with the signing: satisfied; Something must be followed up: no"
    )


def test_each_wrong_answer_has_a_line_of_its_own(desk: Terminal, estate: Estate, call: int) -> None:
    answer = desk("tasks", "fill", call, "called_on=yesterday", "reached=perhaps", "right_phone=1380013", "colour=red")
    assert answer.status == 1
    lines = answer.err.splitlines()
    assert [line.partition("field ")[2].partition(")")[0] for line in lines] == [
        "called_on", "reached", "right_phone", "colour",
    ]  # fmt: skip
    assert "1380013" not in answer.err
    assert estate.rows(form_entries) == []
    assert desk("tasks", "fill", call, "called_on").status == 2


def test_personal_answers_are_shown_in_full_only_when_asked_for_which_is_recorded(
    desk: Terminal, estate: Estate, call: int
) -> None:
    desk("tasks", "fill", call, "reached=wrong_number", "right_phone=13900139000")
    assert "139****9000" in desk("tasks", "form", call).out
    assert estate.rows(accesses) == []
    assert desk.json("tasks", "form", call, "--unmask")["answers"]["right_phone"] == "+8613900139000"
    assert [row.what for row in estate.rows(accesses)] == ["tasks form"]


def test_lines_and_photos_are_given_on_the_command_line(desk: Terminal, estate: Estate, tmp_path: Path) -> None:
    task = estate.task("visit", due=FAR, form=VISIT)
    picture = tmp_path / "王小明家.jpg"
    picture.write_bytes(photo())
    line = "what=厨房漏水; department=维修; by=2026-03-20; answered=no"
    told = ("visited_on=2026-03-17", "met=yes", "received_by=王小明", "said=hotline,gift", "problems=1")
    answer = desk.json("tasks", "fill", task, *told, "--line", line, "--evidence", f"visit_photo={picture}")
    assert answer["complete"]
    assert answer["lines"] == [
        {"line": 1, "what": "厨房漏水", "department": "维修", "by": "2026-03-20", "answered": False}
    ]
    answer = desk.json("tasks", "fill", task, "--line", "1: answered=yes")
    assert [(one["field"], one["line"]) for one in answer["missing"]] == [("answer", 1)]
    assert desk("tasks", "fill", task, "--line", "1: answer=3月20日前修好", "--done").status == 0
    [row] = desk.json("tasks", "evidence", task)
    assert row["media_type"] == "image/jpeg"
    out = tmp_path / "copies"
    [copied] = desk.json("tasks", "evidence", task, "--out", out)
    assert (out / copied["file"]).read_bytes().startswith(b"\xff\xd8")
    assert b"SECRETPHONE" not in (out / copied["file"]).read_bytes()
    assert [entry.what for entry in estate.rows(accesses)] == ["tasks evidence"]
    again = desk("tasks", "evidence", task, "--out", out)
    assert (again.status, "name an empty folder" in again.err) == (1, True)


def test_evidence_that_was_altered_is_not_given_out(desk: Terminal, estate: Estate, tmp_path: Path) -> None:
    task = estate.task("visit", due=FAR)
    page = tmp_path / "a.pdf"
    page.write_bytes(PDF)
    desk("tasks", "done", task, "--evidence", page)
    digest = estate.rows(evidence)[0].sha256
    kept = desk.folder / "var" / "evidence" / digest[:2] / digest
    kept.chmod(0o640)
    kept.write_bytes(b"other")
    answer = desk("tasks", "evidence", task, "--out", tmp_path / "copies")
    assert (answer.status, f"task {task}, file 1" in answer.err) == (1, True)
    assert list((tmp_path / "copies").iterdir()) == []


def test_a_workbook_goes_out_and_comes_back(desk: Terminal, estate: Estate, call: int, tmp_path: Path) -> None:
    file = tmp_path / "calls.xlsx"
    assert desk.json("tasks", "sheet", "--form", CALL, "--out", file)["tasks"] == [call]
    assert [entry.what for entry in estate.rows(accesses)] == ["tasks sheet"]
    assert (desk("tasks", "sheet", call, "--out", file).status, desk("tasks", "sheet", "--out", file).status) == (1, 2)
    book = openpyxl.load_workbook(file)
    sheet = book["Signing call-back"]
    assert sheet["D2"].value == "王小明"
    titles = {str(cell.value).removesuffix(" *"): cell.column_letter for cell in sheet[1]}
    sheet[f"{titles['Day of the call']}2"] = "02.03.2026"
    sheet[f"{titles['Reached']}2"] = "no answer in three tries"
    book.save(file)
    wrong = desk("tasks", "sheet-in", file)
    place = f"Signing call-back!{titles['Day of the call']}2 (task {call})"
    assert wrong.status == 1
    assert "0 saved, 0 unchanged, 1 mistakes" in wrong.out
    assert place in wrong.out
    sheet[f"{titles['Day of the call']}2"] = "2026-03-02"
    book.save(file)
    report = desk.json("tasks", "sheet-in", file, "--done")
    assert (report["saved"], report["rejected"], report["closed"]) == (1, [], [call])
    assert desk.json("tasks", "sheet-in", file)["unchanged"] == 1
    assert estate.one(tasks, call).result == "Reached: no answer in three tries"


def test_a_file_that_came_to_nothing_is_not_kept(desk: Terminal, estate: Estate, call: int, tmp_path: Path) -> None:
    picture, page = tmp_path / "home.jpg", tmp_path / "a.pdf"
    picture.write_bytes(photo())
    page.write_bytes(PDF)
    task = estate.task("visit", due=FAR, form=VISIT)
    assert desk("tasks", "fill", task, "met=perhaps", "--evidence", f"visit_photo={picture}").status == 1
    assert desk("tasks", "done", call, "--evidence", page).status == 1
    assert [file for file in (desk.folder / "var" / "evidence").rglob("*") if file.is_file()] == []
    assert desk("tasks", "fill", task, "--evidence", f"visit_photo={picture}").status == 0
    assert desk("tasks", "fill", task, "met=perhaps", "--evidence", f"visit_photo={picture}").status == 1
    assert len([file for file in (desk.folder / "var" / "evidence").rglob("*") if file.is_file()]) == 1, "it is proof"
