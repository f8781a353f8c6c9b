"""Months and years on business dates."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan.calendar.dates import add_months, add_years, day_of_month, in_year
from keguan.errors import InputError

dates = st.dates(date(1900, 1, 1), date(2200, 1, 1))
months = st.integers(-600, 600)


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-03-31", -1, "2026-02-28"),
        ("2028-03-31", -1, "2028-02-29"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-01-31", 2, "2026-03-31"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2026-11-15", 3, "2027-02-15"),
        ("2026-11-15", 0, "2026-11-15"),
        ("2024-02-29", 12, "2025-02-28"),
    ],
)
def test_months_later(start: str, count: int, end: str) -> None:
    assert add_months(date.fromisoformat(start), count) == date.fromisoformat(end)


def test_a_leap_day_in_other_years() -> None:
    leap = date(2024, 2, 29)
    assert [in_year(leap, year) for year in (2025, 2028)] == [date(2025, 2, 28), date(2028, 2, 29)]
    assert add_years(leap, 1) == date(2025, 2, 28)
    assert add_years(leap, 4) == date(2028, 2, 29)
    assert add_years(leap, -1) == date(2023, 2, 28)


@pytest.mark.parametrize(
    ("year", "month", "day", "expected"),
    [
        (2026, 2, 30, "2026-02-28"),
        (2028, 2, 30, "2028-02-29"),
        (2026, 4, 31, "2026-04-30"),
        (2026, 6, 30, "2026-06-30"),
    ],
)
def test_by_the_thirtieth(year: int, month: int, day: int, expected: str) -> None:
    assert day_of_month(year, month, day) == date.fromisoformat(expected)


@pytest.mark.parametrize("count", [12 * 9000, -12 * 9000, 10**12])
def test_dates_beyond_the_calendar_are_refused(count: int) -> None:
    with pytest.raises(InputError, match="years 1 to 9999"):
        add_months(date(2026, 1, 1), count)
    with pytest.raises(InputError, match="years 1 to 9999"):
        add_years(date(2026, 1, 1), count)


@given(dates, months)
def test_the_month_is_always_the_one_that_was_counted_to(day: date, count: int) -> None:
    end = add_months(day, count)
    assert (end.year * 12 + end.month) - (day.year * 12 + day.month) == count
    assert end.day == day.day or (end.day < day.day and add_months(end, 0).day >= 28)


@given(dates, dates, months)
def test_later_starts_never_end_earlier(a: date, b: date, count: int) -> None:
    early, late = sorted((a, b))
    assert add_months(early, count) <= add_months(late, count)


@given(dates, st.integers(-50, 50))
def test_a_year_is_twelve_months(day: date, years: int) -> None:
    assert add_years(day, years) == add_months(day, 12 * years) == in_year(day, day.year + years)
