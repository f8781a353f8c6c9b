"""Forms go out as a workbook and come back: right rows are saved, wrong cells are named, formulas do nothing."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from datetime import date, time
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.support.estate import SHANGHAI, Estate

from keguan import Form
from keguan.errors import InputError
from keguan.forms.sheet_writing import write_sheets
from keguan.store.schema import form_entries, task_log, tasks
from keguan.tasks.papers import fill_paper
from keguan.tasks.sheets import SheetReport, open_tasks_with, read_in, sheet_rows, write_privately

Edit = Callable[[openpyxl.Workbook], None]


class Sheets:
    """Writes workbooks, lets people edit them, and reads them in."""

    def __init__(self, estate: Estate, forms: Mapping[str, Form], file: Path) -> None:
        self.estate, self.forms, self.file = estate, forms, file

    def write(self, *ids: int) -> openpyxl.Workbook:
        rows = sheet_rows(self.estate.store, self.forms, ids, {"shenzhen": SHANGHAI})
        self.file.write_bytes(write_sheets(rows, self.forms, "en"))
        return openpyxl.load_workbook(self.file)

    def edit(self, cells: Mapping[str, object]) -> None:
        """Type values into cells, such as ``Call-back!F2``."""
        book = openpyxl.load_workbook(self.file)
        for place, value in cells.items():
            sheet, _, cell = place.rpartition("!")
            book[sheet][cell] = value
        book.save(self.file)

    def read(self, forms: Mapping[str, Form] | None = None, *, close: bool = False) -> SheetReport:
        return read_in(
            self.estate.store,
            forms or self.forms,
            self.file,
            now=self.estate.now,
            today=date(2026, 3, 2),
            by="li",
            language="en",
            close=close,
        )


@pytest.fixture
def sheets(estate: Estate, forms: Mapping[str, Form], tmp_path: Path) -> Sheets:
    return Sheets(estate, forms, tmp_path / "papers.xlsx")


@pytest.fixture
def calls(estate: Estate) -> list[int]:
    """Three call-backs about a contract whose buyer is known."""
    project = estate.project()
    buyer = estate.person("王小明", "+8613800138001")
    contract = estate.contract("YJ-1", project, estate.home(project), [buyer])
    return [estate.task(f"call {n}", ("contract", contract), form="probe.call", project_id=project) for n in range(3)]


def column(book: openpyxl.Workbook, title: str, sheet: str = "Call-back") -> str:
    return str(next(cell.column_letter for cell in book[sheet][1] if str(cell.value).removesuffix(" *") == title))


def test_a_workbook_says_whom_to_call_and_comes_back_with_the_answers(
    sheets: Sheets, calls: list[int], estate: Estate
) -> None:
    book = sheets.write(*calls)
    sheet = book["Call-back"]
    assert [cell.value for cell in sheet[2]][:5] == [
        str(calls[0]),
        "call 0",
        sheet["C2"].value,
        "王小明",
        "+8613800138001",
    ]
    place = {
        title: f"Call-back!{column(book, title)}2"
        for title in ("Day", "Time", "Mood", "Topics", "New phone", "Room", "Area (m2)", "Fee", "Mark")
    }
    given = [date(2026, 3, 2), time(9, 30), "Good", "Lift, Noise", "13900139000", "0301", 88.5, 12.5, 4]
    sheets.edit(dict(zip(place.values(), given, strict=True)))
    report = sheets.read()
    assert (report.saved, report.unchanged, report.mistakes, report.complete) == (1, 0, [], [calls[0]])
    [entry] = estate.rows(form_entries)
    assert entry.answers == {
        "called_on": "2026-03-02",
        "at": "09:30",
        "mood": "good",
        "topics": ["noise", "lift"],
        "phone": "+8613900139000",
        "room": "0301",
        "mark": 4,
        "area": "88.5",
        "fee": "12.50",
    }
    again = sheets.read()
    assert (again.saved, again.unchanged, again.mistakes) == (0, 1, [])
    assert len(estate.rows(task_log)) == 1


def test_what_was_written_out_comes_back_the_same(sheets: Sheets, calls: list[int], estate: Estate) -> None:
    answers = {
        "called_on": "2026-03-02", "at": "23:59", "mood": "bad", "topics": "noise,garden", "why": "=1+1\nand more",
        "again": "no", "phone": "0755-26000000", "mail": "a@example.com", "who": "王小明", "room": "007", "mark": "1",
        "area": "499.9", "fee": "9999.99",
    }  # fmt: skip
    fill_paper(
        estate.store,
        sheets.forms,
        calls[0],
        now=estate.now,
        today=date(2026, 3, 2),
        by="li",
        language="en",
        answers=answers,
    )
    before = estate.rows(form_entries)[0].answers
    book = sheets.write(calls[0])
    why = book["Call-back"][f"{column(book, 'Why')}2"]
    assert (why.value, why.data_type) == ("=1+1\nand more", "s"), "a text, and no formula"
    report = sheets.read()
    assert (report.saved, report.unchanged, report.mistakes) == (0, 1, [])
    assert estate.rows(form_entries)[0].answers == before


def test_choices_are_lists_keys_are_locked_and_required_is_marked(sheets: Sheets, calls: list[int]) -> None:
    book = sheets.write(*calls)
    sheet = book["Call-back"]
    assert sheet.protection.sheet
    assert sheet["A2"].protection.locked
    mood = column(book, "Mood")
    assert not sheet[f"{mood}2"].protection.locked
    assert sheet[f"{mood}1"].value == "Mood *"
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    rule = rules[f"{mood}2:{mood}4"]
    assert (rule.type, rule.formula1) == ("list", "'_lists'!$A$1:$A$2")
    assert [cell.value for cell in book["_lists"]["A"]] == ["Good", "Bad"]
    day = column(book, "Day")
    assert rules[f"{day}2:{day}4"].type == "date"
    assert sheet[f"{column(book, 'New phone')}2"].number_format == "@"
    assert book["_keguan"].sheet_state == "veryHidden"
    assert "Photo" not in [cell.value for cell in sheet[1]], "files are attached, not typed"


def test_every_wrong_cell_is_named_and_the_other_rows_are_saved(
    sheets: Sheets, calls: list[int], estate: Estate
) -> None:
    book = sheets.write(*calls)
    day, mood, phone = (column(book, title) for title in ("Day", "Mood", "New phone"))
    sheets.edit(
        {
            f"Call-back!{day}2": "3/5/2026",
            f"Call-back!{mood}2": "so so",
            f"Call-back!{phone}2": "138001380",
            f"Call-back!{mood}3": "Good",
            f"Call-back!{mood}4": "=NO()",
        }
    )
    report = sheets.read()
    assert [(one.cell, one.task, one.field, one.reason.key) for one in report.mistakes] == [
        (f"{day}2", calls[0], "called_on", "import.date_ambiguous"),
        (f"{mood}2", calls[0], "mood", "forms.choice_unknown"),
        (f"{phone}2", calls[0], "phone", "import.phone_invalid"),
    ]
    assert "138001380" not in str(report.to_json("en"))
    assert (report.saved, [row.task_id for row in estate.rows(form_entries)]) == (1, [calls[1]]), (
        "no formula is evaluated"
    )
    sheets.edit({f"Call-back!{day}2": date(2026, 3, 5), f"Call-back!{mood}2": "Bad", f"Call-back!{phone}2": None})
    report = sheets.read()
    assert (report.saved, report.unchanged, report.mistakes) == (1, 1, [])


def test_lines_come_back_by_their_numbers_and_a_wrong_one_stays_out(sheets: Sheets, estate: Estate) -> None:
    project = estate.project()
    for room in ("101", "102", "103"):
        estate.home(project, "3", "1", room)
    task = estate.task("fair", ("project", project), form="probe.campaign", project_id=project)
    book = sheets.write(task)
    name = "Campaign·Homes"
    sheet = book[name]
    home, _, came = (column(book, title, name) for title in ("Home", "Phone", "Came"))
    assert [sheet[f"{home}{row}"].value for row in (2, 3, 4, 5)] == ["3-1-101", "3-1-102", "3-1-103", None]
    assert sheet[f"{home}2"].protection.locked
    assert not sheet[f"{home}5"].protection.locked
    held = column(book, "Held on", "Campaign")
    sheets.edit(
        {
            f"Campaign!{held}2": date(2026, 3, 1),
            f"{name}!{came}2": "yes",
            f"{name}!{came}3": "perhaps",
            f"{name}!{came}4": "no",
            f"{name}!{home}6": "a guest",
            f"{name}!{came}6": "yes",
        }
    )
    report = sheets.read()
    assert [(one.sheet, one.cell) for one in report.mistakes] == [(name, f"{came}3")]
    [entry] = estate.rows(form_entries)
    assert entry.lines == [
        {"home": "3-1-101", "came": True},
        {"home": "3-1-102"},
        {"home": "3-1-103", "came": False},
        {},
        {"home": "a guest", "came": True},
    ]
    assert not entry.complete
    sheets.edit({f"{name}!{came}3": "no"})
    report = sheets.read(close=True)
    assert (report.saved, report.mistakes, report.closed) == (1, [], [task])
    assert estate.one(tasks, task).status == "done"
    assert sheets.read(close=True).unchanged == 1, "the same workbook again, after the task was closed"


def test_a_row_of_a_closed_or_strange_task_is_reported(sheets: Sheets, calls: list[int], estate: Estate) -> None:
    book = sheets.write(*calls)
    mood = column(book, "Mood")
    with estate.store.write() as connection:
        connection.execute(tasks.update().where(tasks.c.id == calls[0]).values(status="skipped"))
    sheets.edit(
        {f"Call-back!{mood}{row}": "Good" for row in (2, 3, 4)} | {"Call-back!A3": "404", "Call-back!A4": str(calls[1])}
    )
    report = sheets.read()
    assert [(one.cell, one.reason.key) for one in report.mistakes] == [("A2", "tasks.closed"), ("A3", "sheets.key")]
    assert report.saved == 1
    sheets.edit({"Call-back!A3": str(calls[1])})
    assert [one.reason.key for one in sheets.read().mistakes] == ["tasks.closed", "sheets.twice"]


def test_a_workbook_for_an_older_form_is_refused_and_nothing_is_saved(
    sheets: Sheets, calls: list[int], estate: Estate
) -> None:
    book = sheets.write(*calls)
    sheets.edit({f"Call-back!{column(book, 'Mood')}2": "Good"})
    newer = {full: form.model_copy(update={"version": 2}) for full, form in sheets.forms.items()}
    for forms, key in ((newer, "sheets.version"), ({"x.y": newer["probe.call"]}, "sheets.form_gone")):
        with pytest.raises(InputError) as refused:
            sheets.read(forms)
        assert refused.value.key == key
    assert estate.rows(form_entries) == []


def break_digest(book: openpyxl.Workbook) -> None:
    book["_keguan"]["B3"] = "7"


def drop_meta(book: openpyxl.Workbook) -> None:
    del book["_keguan"]


def drop_sheet(book: openpyxl.Workbook) -> None:
    book["Call-back"].title = "My calls"


@pytest.mark.parametrize(
    ("edit", "key"),
    [(break_digest, "sheets.altered"), (drop_meta, "sheets.foreign"), (drop_sheet, "sheets.sheet_missing")],
)
def test_a_workbook_that_is_not_ours_any_more_is_refused(
    sheets: Sheets, calls: list[int], edit: Edit, key: str
) -> None:
    sheets.write(*calls)
    book = openpyxl.load_workbook(sheets.file)
    edit(book)
    book.save(sheets.file)
    with pytest.raises(InputError) as refused:
        sheets.read()
    assert refused.value.key == key


def bomb(size: int) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * size)
    return out.getvalue()


def far_cell(sheets: Sheets) -> bytes:
    """A hidden sheet with a value in its last cell: loading its rectangle would take every byte there is."""
    book = openpyxl.load_workbook(sheets.file)
    book["_keguan"]["XFD1048576"] = "x"
    book.save(sheets.file)
    return sheets.file.read_bytes()


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (lambda _: b"not a workbook", "import.xlsx_damaged"),
        (lambda _: bomb(70_000_000), "import.xlsx_too_large"),
        (far_cell, "import.xlsx_too_many_rows"),
        (lambda sheets: sheets.file.read_bytes()[:-200], "import.xlsx_damaged"),
    ],
    ids=["no workbook", "bomb", "far cell", "cut off"],
)
def test_a_file_that_is_no_workbook_or_a_bomb_is_refused(
    sheets: Sheets, calls: list[int], content: Any, key: str
) -> None:
    sheets.write(*calls)
    sheets.file.write_bytes(content(sheets))
    with pytest.raises(InputError) as refused:
        sheets.read()
    assert refused.value.key == key


def test_a_file_that_is_there_already_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    write_privately(file, b"answers")
    assert file.stat().st_mode & 0o777 == 0o600
    for path, key in ((file, "sheets.exists"), (tmp_path / "gone" / "a.xlsx", "sheets.unwritable")):
        with pytest.raises(InputError) as refused:
            write_privately(path, b"nothing")
        assert refused.value.key == key
    assert file.read_bytes() == b"answers"


def test_open_tasks_are_found_by_their_form_and_department(estate: Estate, calls: list[int]) -> None:
    other = estate.task(form="probe.campaign", department="物业")
    estate.task()
    estate.task(form="probe.call", status="done")
    assert sorted(open_tasks_with(estate.store, None, None)) == sorted([*calls, other])
    assert open_tasks_with(estate.store, "probe.campaign", None) == [other]
    assert open_tasks_with(estate.store, "probe.call", "物业") == []
