"""Workbooks, written by two libraries and read by a third."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keguan.errors import InputError, KeguanError
from keguan.intake.cells import CellError
from keguan.intake.columns import ColumnMap
from keguan.intake.kinds import KINDS
from keguan.intake.rows import parse_row
from keguan.intake.tables import Table, open_table
from keguan.intake.xlsx_inspect import XlsxLimits

CONTRACTS = KINDS["contracts"]
HEADER = ["合同编号", "项目", "客户姓名", "手机号", "签约日期", "总价"]

Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write a workbook with xlsxwriter; ``fill`` gets the workbook and its first sheet."""

    def _save(fill: Callable[[Any, Any], object], **options: object) -> Path:
        path = tmp_path / "export.csv"  # the name says nothing
        with xlsxwriter.Workbook(str(path), options) as book:
            fill(book, book.add_worksheet("合同"))
        return path

    return _save


def table(path: Path, **limits: int) -> Table:
    return open_table(path, columns=ColumnMap.of(CONTRACTS), limits=XlsxLimits(**limits))


def values(path: Path) -> list[dict[str, object]]:
    parsed = [parse_row(CONTRACTS, row) for row in table(path)]
    assert not [row.problems for row in parsed if row.problems]
    return [row.values for row in parsed]


def refused(path: Path, **limits: int) -> str:
    with pytest.raises(InputError) as error:
        list(table(path, **limits))
    assert path.name in str(error.value)
    return error.value.key.removeprefix("import.")


def test_numbers_dates_and_texts_are_what_they_show(save: Save) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ["007", "云璟", "张三", 13800138000, 46086, 1234567.89])
        sheet.write_row(2, 0, [1001, "云璟", "李四", "13900139000", "2026年3月5日", "1,234"])
        sheet.write_datetime(3, 4, date(2026, 3, 5), book.add_format({"num_format": "yyyy/m/d"}))
        sheet.write_row(3, 0, ["HT-3", "云璟", "王五"])

    result = table(save(fill))
    assert (result.encoding, result.delimiter, result.sheet, result.header_row) == ("xlsx", None, "合同", 1)
    found = values(result.path)
    assert [row["contract_no"] for row in found] == ["007", "1001", "HT-3"]
    assert [row["phone"] for row in found] == ["+8613800138000", "+8613900139000", None]
    assert {row["signed_on"] for row in found} == {date(2026, 3, 5)}
    assert str(found[0]["price"]) == "1234567.89"


def test_the_table_may_stand_anywhere_in_the_sheet(save: Save) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.merge_range("C3:H3", "云璟花园合同台账")
        sheet.write_row(4, 2, HEADER)
        sheet.write_row(5, 2, ["HT-1", "云璟"])
        sheet.write_row(7, 2, ["HT-2", "云璟"])

    result = table(save(fill))
    assert result.header_row == 5
    assert [(row.number, row.cells["contract_no"]) for row in result] == [(6, "HT-1"), (8, "HT-2")]


def test_merged_headers_of_two_rows_are_read(save: Save) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.merge_range("A1:F1", "2026年3月签约明细")
        sheet.merge_range("A2:A3", "合同编号")
        sheet.merge_range("B2:B3", "项目")
        sheet.merge_range("C2:D2", "买受人")
        sheet.write_row(2, 2, ["姓名", "电话"])
        sheet.merge_range("E2:F2", "经办人")
        sheet.write_row(2, 4, ["姓名", "电话"])
        sheet.write_row(3, 0, ["HT-1", "云璟", "张三", "13800138000", "李四", "13900139000"])

    result = table(save(fill))
    assert result.header_row == 3
    assert result.dropped_columns == ["经办人姓名", "经办人电话"]
    (row,) = result
    assert row.cells == {"contract_no": "HT-1", "project": "云璟", "customer": "张三", "phone": "13800138000"}


def test_cells_merged_downwards_belong_to_each_of_their_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        HEADER,
        ["HT-1", "云璟", "张三", "1"],
        [None, None, "李四", "2"],
        ["HT-2", None, "王五", "3"],
        [None, "云台", "赵六", "4"],
    ):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    sheet.merge_cells("B2:B4")
    book.save(tmp_path / "merged.xlsx")
    found = [
        (row.cells["contract_no"], row.cells["project"], row.cells["customer"])
        for row in table(tmp_path / "merged.xlsx")
    ]
    assert found == [("HT-1", "云璟", "张三"), ("HT-1", "云璟", "李四"), ("HT-2", "云璟", "王五"), ("", "云台", "赵六")]


def test_subtotals_and_notes_between_rows_are_passed_over(save: Save) -> None:
    def fill(book: Any, sheet: Any) -> None:
        for number, row in enumerate(
            [HEADER, ["HT-1", "云璟"], ["小计", None, None, None, None, 99], HEADER, ["HT-2", "云璟"], ["制表人：王五"]]
        ):
            sheet.write_row(number, 0, row)

    result = table(save(fill))
    assert [row.cells["contract_no"] for row in result] == ["HT-1", "HT-2"]
    assert {notice.key for notice in result.notices} == {
        "import.notice_headers",
        "import.notice_notes",
        "import.notice_subtotals",
    }


def test_a_workbook_of_the_other_date_system_shows_the_same_days(save: Save) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ["HT-1", "x", "y", "13800138000", 44624])
        sheet.write_row(2, 0, ["HT-2", "x", "y", "13800138000"])
        sheet.write_datetime(2, 4, date(2026, 3, 5), book.add_format({"num_format": "yyyy-mm-dd"}))

    assert {row["signed_on"] for row in values(save(fill, date_1904=True))} == {date(2026, 3, 5)}


def test_cells_that_a_spreadsheet_spoiled_are_refused_one_by_one(save: Save) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, [*HEADER, "房号", "证件号码"])
        sheet.write_string(1, 0, "HT-1")
        sheet.write_number(1, 3, 1.38e10)
        sheet.write_formula(1, 4, "=1/0", None, "#DIV/0!")
        sheet.write_boolean(1, 5, True)
        sheet.write_datetime(1, 6, date(2026, 3, 1), book.add_format({"num_format": "m-d"}))
        sheet.write_number(1, 7, 110105194912310021)

    (row,) = table(save(fill))
    assert row.cells["signed_on"] == CellError("#DIV/0!")
    parsed = parse_row(CONTRACTS, row)
    assert {problem.column: problem.reason_key.removeprefix("import.") for problem in parsed.problems} == {
        "手机号": "phone_destroyed",
        "签约日期": "cell_error",
        "总价": "money_unreadable",
        "房号": "identifier_became_date",
        "证件号码": "digits_lost",
    }
    assert parsed.values["contract_no"] == "HT-1"


def test_percentages_are_numbers_and_formulas_are_their_results(save: Save) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_formula(1, 0, '="HT-"&1', None, "HT-1")
        sheet.write_number(1, 5, 0.5, book.add_format({"num_format": "0.00%"}))
        sheet.write_string(2, 0, "=HT-2")

    assert [(row["contract_no"], str(row["price"])) for row in values(save(fill))] == [
        ("HT-1", "0.50"),
        ("=HT-2", "None"),
    ]


def test_the_first_visible_sheet_with_a_header_is_read_and_the_others_named(save: Save) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write(0, 0, "封面")
        hidden = book.add_worksheet("隐藏")
        hidden.write_row(0, 0, HEADER)
        hidden.hide()
        for name, number in (("一期", "HT-1"), ("二期", "HT-2")):
            other = book.add_worksheet(name)
            other.write_row(0, 0, HEADER)
            other.write_row(1, 0, [number, "云璟"])

    result = table(save(fill))
    assert result.sheet == "一期"
    assert [row.cells["contract_no"] for row in result] == ["HT-1"]
    (notice,) = result.notices
    assert notice.values == {"sheet": "一期", "others": "隐藏, 二期"}


def test_a_workbook_without_a_header_or_without_anything_is_refused(save: Save) -> None:
    assert refused(save(lambda _book, sheet: sheet.write(0, 0, "封面"))) == "no_header"
    assert refused(save(lambda _book, _sheet: None)) == "file_empty"


def test_too_large_a_workbook_is_refused_before_it_is_loaded(save: Save) -> None:
    def rows(_book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        for number in range(1, 40):
            sheet.write_row(number, 0, [f"HT-{number}", "云璟"])

    path = save(rows)
    assert refused(path, rows=20) == "xlsx_too_many_rows"
    assert refused(path, cells=100) == "xlsx_too_many_rows"
    assert refused(path, sheet_bytes=1_000) == "xlsx_too_large"
    assert len(list(table(path, rows=40))) == 39


def test_one_cell_far_away_does_not_take_the_memory_of_the_sheet_between(save: Save) -> None:
    def far(_book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write("XFD200000", "x")

    assert refused(save(far)) == "xlsx_too_many_rows"


def test_a_bomb_is_refused_by_its_unpacked_size(save: Save, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as part,
    ):
        for _ in range(300):
            part.write(b" " * 1_000_000)
    assert path.stat().st_size < 1_000_000
    assert refused(path) == "xlsx_too_large"


def rewritten(source: Path, target: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry.filename, change(content) if entry.filename == part else content)
    return target


def test_damaged_and_crafted_workbooks_are_refused(save: Save, tmp_path: Path) -> None:
    def fill(_book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ["HT-1", "云璟"])

    path, sheet = save(fill), "xl/worksheets/sheet1.xml"
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(path.read_bytes()[:-200])
    assert refused(cut) == "xlsx_damaged"
    entity = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet/>'
    for number, change in enumerate(
        [
            lambda content: content[:-30],
            lambda _: entity,
            lambda content: content.replace(b'r="A2"', b'r="2A"'),
            lambda content: content.replace(b'r="A2"', b'r="A\xef\xbc\x92"'),
            lambda content: content.replace(b'<row r="2"', b'<row r="x"'),
            lambda content: content.replace(b'r="A2"', b'r="AAAAAAAA2"'),
        ]
    ):
        assert refused(rewritten(path, tmp_path / f"bad{number}.xlsx", sheet, change)) in (
            "xlsx_damaged",
            "xlsx_too_many_rows",
        )


def test_other_archives_are_no_workbooks(tmp_path: Path) -> None:
    path = tmp_path / "other.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert refused(path) == "file_is_other"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 6_000), by=st.binary(min_size=1, max_size=4), part=st.integers(0, 3))
def test_no_damage_makes_the_reader_raise_anything_but_a_clear_error(
    tmp_path: Path, position: int, by: bytes, part: int
) -> None:
    source, target = tmp_path / "source.xlsx", tmp_path / "target.xlsx"
    if not source.exists():
        book = openpyxl.Workbook()
        book.active.append(HEADER)
        book.active.append(["HT-1", "云璟", "张三", 13800138000, date(2026, 3, 5)])
        book.active.merge_cells("A2:A3")
        book.save(source)
    name = ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "xl/_rels/workbook.xml.rels"][part]

    def change(content: bytes) -> bytes:
        place = position % len(content)
        return content[:place] + by + content[place + len(by) :]

    with suppress(KeguanError):
        for row in table(rewritten(source, target, name, change)):
            assert parse_row(CONTRACTS, row).number == row.number
