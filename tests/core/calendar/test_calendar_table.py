"""The table of days that operators load."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keguan.calendar import CalendarTable, DayRow, TableError, WorkCalendar, parse_table, read_table
from keguan.errors import InputError, KeguanError
from keguan.texts import text

NOTICE = """日期,类型,名称
2061-01-01,休息日,元旦
2061-01-24,放假,春节
2061/1/30,工作日,
2061年10月9日,上班,调休上班
"""
ROWS = (
    DayRow(date(2061, 1, 1), False, "元旦"),
    DayRow(date(2061, 1, 24), False, "春节"),
    DayRow(date(2061, 1, 30), True, None),
    DayRow(date(2061, 10, 9), True, "调休上班"),
)


def parse(content: str) -> CalendarTable:
    return parse_table(content.encode(), "days.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_notice_is_read_however_it_was_saved(tmp_path: Path, encoding: str, newline: str) -> None:
    path = tmp_path / "2061.csv"
    path.write_bytes(NOTICE.replace("\n", newline).encode(encoding))
    table = read_table(path)
    assert table.rows == ROWS
    assert table.announced_years == {2061}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_seen_in_the_header(delimiter: str) -> None:
    assert parse(NOTICE.replace(",", delimiter)).rows == ROWS


@pytest.mark.parametrize(
    "content",
    [
        "date,working,name\n2061-05-01,no,劳动节\n",
        "date,working,name\n2061-05-01,FALSE,劳动节\n",
        "Date, Kind ,Name\n2061.5.1,holiday,劳动节\n",
        "name,kind,date,remark\n劳动节,off,2061-5-1,x\n",
        "# the notice\n\ndate,working,name\n\n# May\n2061-05-01,0,劳动节\n,,\n",
        "date,working,name\n２０６１－０５－０１,0,劳动节\n",
        'date,working,name\n"2061-05-01","0","劳动节"\n',
        "date,working,name\n2061-05-01,0,劳动节\n2061-05-01,no,劳动节\n",
    ],
)
def test_the_ways_to_write_one_day(content: str) -> None:
    assert parse(content).rows == (DayRow(date(2061, 5, 1), False, "劳动节"),)


def test_the_name_column_may_be_missing() -> None:
    assert parse("date,working\n2061-05-01,no\n").rows == (DayRow(date(2061, 5, 1), False),)


def test_rows_come_in_the_order_of_dates() -> None:
    assert [row.date.day for row in parse("date,working\n2061-05-03,no\n2061-05-01,no\n").rows] == [1, 3]


def test_a_year_is_announced_by_a_day_off_of_the_nation_only() -> None:
    content = b"date,working\n2060-12-26,yes\n2061-01-01,no\n"
    assert parse_table(content, "t").announced_years == {2061}
    city = parse_table(content, "t", scope="city")
    assert city.announced_years == frozenset()
    assert {row.scope for row in city.rows} == {"city"}


def test_a_loaded_table_decides_the_days() -> None:
    table = parse(NOTICE)
    office = WorkCalendar(zone=ZoneInfo("Asia/Shanghai"), rows=table.rows, announced_years=table.announced_years)
    assert office.is_working(date(2061, 10, 9))
    assert office.day(date(2061, 10, 9)).name == "调休上班"
    assert not office.is_provisional(date(2061, 7, 1))


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("2061-02-30,no,x", "calendar.table_date", "2061-02-30"),
        ("01/02/2061,no,x", "calendar.table_date", "01/02/2061"),
        ("2061-01/02,no,x", "calendar.table_date", "2061-01/02"),
        ("61-01-02,no,x", "calendar.table_date", "61-01-02"),
        ("9999-01-02,no,x", "calendar.table_date", "9999-01-02"),
        ("46327,no,x", "calendar.table_date", "46327"),
        (",no,x", "calendar.table_date", ""),
        ("2061-01-02,,x", "calendar.table_working", ""),
        ("2061-01-02", "calendar.table_working", ""),
        ("2061-01-02,调休,x", "calendar.table_working", "调休"),
        ("2061-01-02,maybe,x", "calendar.table_working", "maybe"),
    ],
)
def test_a_wrong_line_is_named_with_its_value_and_its_mend(line: str, key: str, value: str) -> None:
    with pytest.raises(TableError) as caught:
        parse(f"date,working,name\n2061-01-01,no,元旦\n{line}\n")
    (error,) = caught.value.errors
    assert (error.key, error.values["line"], error.values["value"]) == (key, 3, value)
    assert "days.csv, line 3" in str(error)


def test_every_wrong_line_is_reported_and_nothing_is_loaded() -> None:
    with pytest.raises(TableError) as caught:
        parse("date,working\n2061-13-01,no\n2061-01-01,no\n2061-01-02,?\n2061-01-01,yes\n")
    assert [(error.key, error.values["line"]) for error in caught.value.errors] == [
        ("calendar.table_date", 2),
        ("calendar.table_working", 4),
        ("calendar.table_contradiction", 5),
    ]
    assert "line 3" in str(caught.value.errors[-1]), "the line it contradicts"
    assert "3 wrong lines" in str(caught.value)


def test_the_line_is_the_one_where_the_record_begins() -> None:
    with pytest.raises(TableError) as caught:
        parse('date,working,name\n\n2061-01-01,no,"元\n旦"\n\n2061-01-02,?,x\n')
    assert caught.value.errors[0].values["line"] == 6


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "calendar.table_empty"),
        (b"# nothing\n", "calendar.table_empty"),
        (b"date,working,name\n", "calendar.table_empty"),
        ("合同编号,客户姓名\nA-1,张三\n".encode(), "calendar.table_header"),
        (b"2061-01-01,no,x\n", "calendar.table_header"),
        (b"date,date,working\n", "calendar.table_header"),
        (b"date,working,kind\n", "calendar.table_header"),
        (b'date,working\n2061-01-01,no\n"2061-01-02,no\n2061-01-03,no\n', "calendar.table_csv"),
        (b"date,working\n2061-01-01,no\x00\n", "calendar.table_encoding"),
        (b"PK\x03\x04\xff\xff\xff\xff\x80", "calendar.table_encoding"),
    ],
)
def test_a_file_that_is_no_table_is_refused(content: bytes, key: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_table(content, "days.csv")
    assert caught.value.key == key
    assert "days.csv" in str(caught.value)


def test_a_quotation_mark_left_open_is_reported_where_it_stands() -> None:
    with pytest.raises(InputError, match="line 3"):
        parse('date,working\n2061-01-01,no\n"2061-01-02,no\n2061-01-03,no\n')


def test_a_customer_file_loaded_by_mistake_shows_nobodys_name() -> None:
    with pytest.raises(InputError) as caught:
        parse("张三,13800138000\n李四,13900139000\n")
    assert "张三" not in str(caught.value) + repr(caught.value)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.csv, No such file"):
        read_table(tmp_path / "missing.csv")
    with pytest.raises(InputError, match="table cannot be read"):
        read_table(tmp_path)


def test_every_error_has_its_sentence_in_both_languages() -> None:
    with pytest.raises(TableError) as caught:
        parse("date,working\n2061-13-01,no\n2061-01-02,?\n2061-01-03,no\n2061-01-03,yes\n")
    problems: list[KeguanError] = [caught.value, *caught.value.errors]
    for problem in problems:
        assert "days.csv" in text("zh", problem.key, **problem.values)
        assert "days.csv" in text("en", problem.key, **problem.values)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_clear_error(content: bytes) -> None:
    try:
        outcome: CalendarTable | str = parse_table(b"date,working\n" + content, "t")
    except InputError as error:
        outcome = str(error)
    assert "(t" in outcome if isinstance(outcome, str) else outcome.rows


@settings(deadline=None)
@given(st.dictionaries(st.dates(date(1950, 1, 1), date(2100, 12, 31)), st.booleans(), min_size=1, max_size=30))
def test_what_was_written_is_read(days: dict[date, bool]) -> None:
    lines = [f"{day},{'工作日' if working else '休息日'}" for day, working in days.items()]
    table = parse("日期,类型\n" + "\n".join(lines))
    assert {row.date: row.working for row in table.rows} == days
