"""Dates and times in cells."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan.intake.cells import Cell, CellError, Number1904
from keguan.intake.dates import parse_date, parse_datetime
from keguan.intake.fields import FieldError

DAY = date(2026, 3, 5)


def at(*parts: int) -> datetime:
    """Return a moment on the clock of the city."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - naive on purpose, and never an offset


@pytest.mark.parametrize(
    "cell",
    [
        "2026-03-05",
        "2026-3-5",
        "2026/3/5",
        "2026.3.5",
        "2026.03.05",
        "2026年3月5日",
        "2026年03月05号",
        "2026 年 3 月 5 日",
        "20260305",
        "２０２６－０３－０５",
        "２０２６年３月５日",
        " 2026-03-05\u200b",
        "2026-03-05 00:00:00",
        "2026-03-05T14:30:00",
        "2026/3/5 14:30",
        "2026年3月5日14时30分",
        "2026年3月5日 下午2:30",
        "2026-03-05 02:30:00 PM",
        "2026-03-05 14:30:00.000",
        "2026年3月5日 星期四",
        "2026-03-05T00:30:00+08:00",
        "46086",
        '="2026-03-05"',
        46086.0,
        46086.604,
        20260305.0,
        Number1904(44624.0),
        at(2026, 3, 5, 23, 59),
        DAY,
    ],
)
def test_every_form_with_one_meaning_is_read(cell: Cell) -> None:
    assert parse_date(cell) == DAY


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("3/5/2026", "date_ambiguous"),
        ("05-03-2026", "date_ambiguous"),
        ("26-3-5", "date_two_digit_year"),
        ("3/5/26", "date_two_digit_year"),
        ("26年3月5日", "date_two_digit_year"),
        ("2026-02-30", "date_impossible"),
        ("2026-13-05", "date_impossible"),
        ("2025年2月29日", "date_impossible"),
        ("20261305", "date_impossible"),
        ("32/13/2026", "date_impossible"),
        ("2026-03-05 25:00", "date_impossible"),
        ("2026-03-05 下午14:30", "date_impossible"),
        ("2026年3月", "date_incomplete"),
        ("2026-03", "date_incomplete"),
        ("202603", "date_incomplete"),
        ("3月5日", "date_incomplete"),
        ("2026", "date_incomplete"),
        ("0206-03-05", "date_implausible"),
        ("9999-12-31", "date_implausible"),
        ("12345", "date_serial_implausible"),
        (12345.0, "date_serial_implausible"),
        (-1.0, "date_serial_implausible"),
        (1e300, "date_serial_implausible"),
        (float("nan"), "date_serial_implausible"),
        (float("inf"), "date_serial_implausible"),
        ("2026-3/5", "date_unreadable"),
        ("待定", "date_unreadable"),
        ("2026-03-05至2026-03-08", "date_unreadable"),
        (True, "date_unreadable"),
        (time(7, 12), "date_unreadable"),
        (timedelta(days=2), "date_unreadable"),
        (CellError("#VALUE!"), "cell_error"),
        ("2026-03-05T23:00:00Z", "date_offset"),
        ("2026-03-05T23:00:00-05:00", "date_offset"),
    ],
)
def test_what_has_no_meaning_or_two_is_refused_with_its_reason(cell: Cell, reason: str) -> None:
    with pytest.raises(FieldError) as refused:
        parse_date(cell)
    assert refused.value.key == f"import.{reason}"


def test_a_day_before_the_month_is_read_where_it_has_one_meaning() -> None:
    assert parse_date("13/5/2026") == parse_date("5/13/2026") == date(2026, 5, 13)
    assert parse_date("05.05.2026") == date(2026, 5, 5)


def test_the_two_meanings_are_named() -> None:
    with pytest.raises(FieldError) as refused:
        parse_date("3/5/2026")
    assert refused.value.values == {"one": "2026-03-05", "other": "2026-05-03"}


FORMS = [
    "{0:%Y-%m-%d}",
    "{0:%Y/%m/%d}",
    "{0:%Y.%m.%d}",
    "{0:%Y%m%d}",
    "{0.year}-{0.month}-{0.day}",
    "{0.year}/{0.month}/{0.day}",
    "{0.year}.{0.month}.{0.day}",
    "{0.year}年{0.month}月{0.day}日",
    "{0:%Y年%m月%d日}",
    "{0:%Y-%m-%d} 00:00:00",
    "{0:%Y-%m-%dT09:30:00+08:00}",
]


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.sampled_from(FORMS), st.booleans())
def test_a_day_written_in_any_form_is_read_as_itself(day: date, form: str, wide: bool) -> None:
    text = form.format(day)
    if wide:
        text = text.translate({code: code + 0xFEE0 for code in range(0x30, 0x3A)})
    assert parse_date(text) == day


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)))
def test_a_serial_number_of_a_spreadsheet_is_the_day_it_shows(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    assert parse_date(float(serial)) == parse_date(str(serial)) == day
    assert parse_date(Number1904(serial - 1462)) == day


@given(st.datetimes(at(1990, 1, 1), at(2100, 1, 1)))
def test_a_serial_number_with_a_fraction_is_exact_to_the_second(moment: datetime) -> None:
    serial = (moment - at(1899, 12, 30)) / timedelta(days=1)
    assert abs(parse_datetime(serial) - moment) <= timedelta(seconds=1)


@given(st.text(max_size=30) | st.floats() | st.integers())
def test_nothing_else_than_a_reason_is_raised(cell: Cell) -> None:
    with suppress(FieldError):
        assert type(parse_date(cell)) is date


def test_a_moment_is_on_the_clock_of_the_city_unless_it_says_otherwise() -> None:
    assert parse_datetime("2026-03-05 14:30:15") == at(2026, 3, 5, 14, 30, 15)
    assert parse_datetime("2026年3月5日 14:30") == at(2026, 3, 5, 14, 30)
    assert parse_datetime("2026-03-05") == at(2026, 3, 5)
    assert parse_datetime("2026-03-05T14:30:00+08:00") == datetime(2026, 3, 5, 6, 30, tzinfo=UTC)
    assert parse_datetime("2026-03-05T14:30Z") == datetime(2026, 3, 5, 14, 30, tzinfo=UTC)
    assert parse_datetime("2026-03-05 12:05 AM") == at(2026, 3, 5, 0, 5)
