"""The yearly plan on paper: the calendar for the wall, the list, and the page."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from keguan.calendar import DayRow, WorkCalendar
from keguan.reports.year_grid import colours_of, places_of
from keguan.reports.year_page import year_page
from keguan.reports.year_workbook import year_workbook

CALENDAR = WorkCalendar(
    zone=ZoneInfo("Asia/Shanghai"),
    rows=[
        DayRow(date(2026, 1, 1), False, "元旦", "national"),
        DayRow(date(2026, 1, 4), True, "元旦调休", "national"),
    ],
    announced_years=frozenset({2026}),
)


HERE = {"type": "project", "id": "云璟一期"}


def entry(day: date, what: str = "Festival", **values: Any) -> dict[str, Any]:
    """Something that 云璟一期 has to do."""
    return {
        "date": day,
        "place": HERE,
        "city": "shenzhen",
        "what": what,
        "clause": "6+2指引 5.7",
        "department": "物业",
        "status": "planned",
        "done_at": None,
        "gathering": None,
    } | values


def plan(*entries: dict[str, Any], clashes: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """Return a plan of 2026."""
    return {"year": 2026, "entries": list(entries), "clashes": list(clashes)}


CLASH = plan(
    entry(date(2026, 6, 1), "Festival", gathering="festival"),
    entry(date(2026, 6, 1), "Opening", gathering="opening", department="客关"),
    clashes=({"date": date(2026, 6, 1), "place": HERE, "what": ["Festival", "Opening"]},),
)


@pytest.fixture
def written() -> Any:
    """Return a function that writes a plan in English and reads the workbook back."""

    def write(of: dict[str, Any]) -> Any:
        return load_workbook(BytesIO(year_workbook(of, {"shenzhen": CALENDAR}, "en")))

    return write


def cell(book: Any, sheet: str, day: date) -> Any:
    """Return the cell of a day beside its number."""
    return book[sheet].cell(row=3 + day.day, column=2 * day.month)


def test_each_place_has_a_calendar_for_one_a3_page_and_all_have_one_list(written: Any) -> None:
    company = entry(date(2026, 2, 1), place={"type": "branch", "id": "深圳"})
    book = written(plan(company, entry(date(2026, 6, 1))))
    assert book.sheetnames == ["深圳", "云璟一期", "List"]
    wall = book["云璟一期"]
    assert (wall.page_setup.orientation, wall.page_setup.paperSize) == ("landscape", 8)
    assert wall.sheet_properties.pageSetUpPr.fitToPage, "one page wide and one high unless said otherwise"
    assert (wall.page_setup.fitToWidth, wall.page_setup.fitToHeight) == (None, None)
    assert wall.print_area == "'云璟一期'!$A$1:$X$34"
    assert wall["A1"].value == "云璟一期: plan of the year 2026"


def test_every_day_of_the_year_stands_in_the_column_of_its_month(written: Any) -> None:
    wall = written(plan(entry(date(2026, 6, 1))))["云璟一期"]
    numbers = [
        [wall.cell(row=row, column=column).value for row in range(4, 35) if wall.cell(row=row, column=column).value]
        for column in range(1, 25, 2)
    ]
    assert [len(month) for month in numbers] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert (numbers[0][0], numbers[1][0], numbers[5][0]) == ("1 Th", "1 Su", "1 Mo")


def test_days_off_are_grey_and_make_up_workdays_are_not(written: Any) -> None:
    book = written(plan(entry(date(2026, 6, 1))))
    colours = {day: cell(book, "云璟一期", date(2026, 1, day)).fill.fgColor.rgb for day in (1, 2, 3, 4, 5)}
    assert colours[1] == colours[3] == "FFE5E7EB", "New Year, and a Saturday"
    assert colours[4] == "FFFEF3C7", "a Sunday that is worked"
    assert colours[5] == "00000000"
    assert cell(book, "云璟一期", date(2026, 1, 1)).value == "元旦"
    assert cell(book, "云璟一期", date(2026, 1, 4)).value == "元旦调休"


def test_a_clash_is_framed_and_marked(written: Any) -> None:
    book = written(CLASH)
    day = cell(book, "云璟一期", date(2026, 6, 1))
    assert day.value == "■ ⚠ Festival\n■ ⚠ Opening"
    assert (day.border.left.style, day.border.left.color.rgb) == ("thick", "FFB3142D")
    assert cell(book, "云璟一期", date(2026, 6, 2)).border.left.style == "thin"
    assert [row[7] for row in book["List"].iter_rows(min_row=2, values_only=True)] == ["clash", "clash"]


def test_the_list_has_everything_also_what_the_calendar_has_no_room_for(written: Any) -> None:
    crowded = [entry(date(2026, 6, 1), f"Work {number}") for number in range(6)]
    book = written(plan(*crowded, entry(date(2026, 7, 1), "Left out", status="waived", department=None)))
    day = cell(book, "云璟一期", date(2026, 6, 1)).value
    assert day.endswith("■ Work 3\n2 more, see the list")
    assert cell(book, "云璟一期", date(2026, 7, 1)).value is None
    rows = list(book["List"].iter_rows(min_row=2, values_only=True))
    assert [row[3] for row in rows] == [*(f"Work {number}" for number in range(6)), "Left out"]
    assert rows[0][:3] == (rows[0][0], "Mo", "云璟一期")
    assert rows[0][0].date() == date(2026, 6, 1)
    assert rows[0][4:7] == ("物业", "6+2指引 5.7", "to come")


def test_no_text_becomes_a_formula(written: Any) -> None:
    book = written(
        plan(
            entry(date(2026, 6, 1), "=1+1", clause="=HYPERLINK(1)", department="@SUM(1)"),
            entry(date(2026, 6, 2), "+1", place={"type": "project", "id": "=2+2"}),
        )
    )
    kinds = {one.data_type for sheet in book for row in sheet.iter_rows() for one in row if one.value is not None}
    assert kinds == {"s", "d"}
    assert [row[3] for row in book["List"].iter_rows(min_row=2, values_only=True)] == ["=1+1", "+1"]


def test_names_that_no_sheet_can_have_are_made_to_fit(written: Any) -> None:
    names = ["A/B", "A:B", "List", "長" * 40, "長" * 39]
    book = written(plan(*(entry(date(2026, 6, 1), place={"type": "project", "id": name}) for name in names)))
    assert book.sheetnames == ["A B", "A B 2", "List 2", "長" * 31, f"{'長' * 29} 2", "List"]


def test_a_year_without_anything_is_an_empty_list(written: Any) -> None:
    assert written(plan()).sheetnames == ["List"]


def test_departments_have_colours_of_their_own_the_busiest_first() -> None:
    entries = [entry(date(2026, 6, day), department=name) for day, name in ((1, "a"), (2, "b"), (3, "b"), (4, None))]
    colours = colours_of(entries)
    assert list(colours) == ["b", "a"]
    assert len(set(colours.values())) == 2


def test_a_year_whose_holidays_are_not_announced_is_marked() -> None:
    later = {"year": 2031, "entries": [entry(date(2031, 6, 2))], "clashes": []}
    assert places_of(later, {"shenzhen": CALENDAR})[0].provisional
    assert "not announced" in year_page(later, {"shenzhen": CALENDAR}, "en")


def test_the_page_shows_the_same_asks_nobody_and_escapes() -> None:
    html = year_page(CLASH, {"shenzhen": CALENDAR}, "en")
    assert "on 2026-06-01 two gatherings of 云璟一期 clash, move one of them: Festival ⟷ Opening" in html
    assert re.search(r'class="day clash"><span>1 Mo</span>', html)
    assert not re.search(r"https?://|\bsrc=|\bhref=|url\(|<script|<link", html)
    evil = plan(entry(date(2026, 6, 1), "<script>alert(1)</script>", department="<b>"))
    assert "<script" not in year_page(evil, {"shenzhen": CALENDAR}, "en")
