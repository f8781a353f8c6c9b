"""What leaves keguan is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan.export import csv_lines, safe_cell, unguarded, write_xlsx

FORMULAS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "  =1",
    "＝1+1",
    "＠SUM",
    '=HYPERLINK("http://example.com")',
    "'=1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_looks_like_a_formula_is_guarded_in_csv(text: str) -> None:
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["-5", "+8613800138000", "-1234.50", "张三", "HT-001", "3-1-1201", "a=b", "", "007"])
def test_plain_numbers_and_texts_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == text


def test_nothing_is_an_empty_cell() -> None:
    assert safe_cell(None) == ""
    assert safe_cell(Decimal("-1.5")) == "-1.5"


@given(st.text(alphabet="=+-@'\t\r\n ＝0aé\u200b\ufeff", max_size=8) | st.text(max_size=20))
def test_the_import_takes_off_what_the_export_put_on(text: str) -> None:
    assert unguarded(safe_cell(text)) == text


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=10), min_size=1, max_size=4),
        min_size=1,
        max_size=5,
    )
)
def test_csv_reads_back_as_written_and_no_cell_begins_like_a_formula(rows: list[list[str]]) -> None:
    text = "".join(csv_lines(rows))
    assert text.startswith("\ufeff")
    read = list(csv.reader(io.StringIO(text[1:], newline="")))
    assert [[unguarded(cell) for cell in row] for row in read] == [row if row != [""] else [""] for row in rows]
    for row in read:
        for cell in row:
            assert not cell.lstrip().startswith(("=", "@"))


@pytest.mark.parametrize("text", FORMULAS)
def test_what_looks_like_a_formula_is_a_text_in_xlsx(text: str, tmp_path: Path) -> None:
    write_xlsx(tmp_path / "out.xlsx", [("客户", [["姓名"], [text]])])
    cell = openpyxl.load_workbook(tmp_path / "out.xlsx").active.cell(2, 1)
    assert cell.data_type == "s"
    assert cell.hyperlink is None


def test_a_workbook_keeps_numbers_dates_and_leading_zeros(tmp_path: Path) -> None:
    write_xlsx(
        tmp_path / "out.xlsx", [("a", [["0301", Decimal("1.5"), date(2026, 3, 5), None, True]]), ("b", [["\x00x"]])]
    )
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    first = [cell.value for cell in book["a"][1]]
    assert first[:2] == ["0301", 1.5]
    assert first[2].date() == date(2026, 3, 5)
    assert first[3:] == [None, True]
    assert book["b"]["A1"].value == "x"


def test_a_large_export_is_written_in_little_memory(tmp_path: Path) -> None:
    def rows() -> Iterator[list[str]]:
        for number in range(3_000):
            yield [f"{number} " + "x" * 1_000]

    tracemalloc.start()
    try:
        size = sum(len(line) for line in csv_lines(rows()))
        write_xlsx(tmp_path / "out.xlsx", [("a", rows())])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 3_000_000
    assert peak < 2_000_000
