"""Lunar birthdays: where they lie in the common calendar, year after year."""

from __future__ import annotations

from datetime import date

import pytest
from borax.calendars.lunardate import LCalendars, LunarDate
from hypothesis import given
from hypothesis import strategies as st

from keguan.calendar.lunar import LunarDay, birthday_in, to_lunar, to_solar
from keguan.errors import InputError

solar_days = st.dates(date(1900, 1, 31), date(2101, 1, 28))
years = st.integers(1900, 2100)


@pytest.mark.parametrize(
    ("lunar", "solar"),
    [
        ((1900, 1, 1, False), "1900-01-31"),
        ((1980, 5, 5, False), "1980-06-17"),  # the Dragon Boat Festival
        ((1933, 5, 30, True), "1933-07-22"),  # simpler tables give this leap month 29 days
        ((2020, 4, 1, True), "2020-05-23"),
        ((2023, 12, 30, False), "2024-02-09"),  # New Year's Eve
        ((2026, 1, 1, False), "2026-02-17"),
        ((2033, 11, 1, True), "2033-12-22"),  # the leap month that simple rules put elsewhere
    ],
)
def test_known_days(lunar: tuple[int, int, int, bool], solar: str) -> None:
    assert to_solar(*lunar).isoformat() == solar
    assert to_lunar(date.fromisoformat(solar)) == LunarDay(*lunar)


@pytest.mark.parametrize(
    "lunar",
    [(1899, 12, 1, False), (2101, 1, 1, False), (2026, 4, 1, True), (2026, 13, 1, False), (2026, 1, 31, False)],
)
def test_days_that_do_not_exist_are_refused(lunar: tuple[int, int, int, bool]) -> None:
    with pytest.raises(InputError, match="lunar years 1900 to 2100"):
        to_solar(*lunar)


def test_days_outside_the_tables_are_refused() -> None:
    for day in (date(1900, 1, 30), date(2101, 1, 29)):
        with pytest.raises(InputError, match="lunar years 1900 to 2100"):
            to_lunar(day)
    with pytest.raises(InputError):
        birthday_in(date(1980, 6, 17), 2101, lunar=True)
    with pytest.raises(InputError):
        birthday_in(date(1900, 1, 1), 2026, lunar=True)


@pytest.mark.parametrize(
    ("born", "year", "celebrated"),
    [
        ("1980-06-17", 2026, "2026-06-19"),  # fifth day of the fifth month
        ("1985-02-19", 2026, "2027-02-05"),  # twelfth month, 30th: that month has 29 days, in the next common year
        ("2020-05-25", 2026, "2026-05-19"),  # of a leap fourth month: the ordinary one …
        ("2020-05-25", 2039, "2039-04-25"),  # … also in a year with another leap month
        ("1974-05-24", 2020, "2020-05-25"),  # leap fourth month in a year that has it: 2020
    ],
)
def test_lunar_birthdays_worked_out_by_hand(born: str, year: int, celebrated: str) -> None:
    assert birthday_in(date.fromisoformat(born), year, lunar=True).isoformat() == celebrated


def test_a_birthday_by_the_common_calendar() -> None:
    assert birthday_in(date(1980, 6, 17), 2026, lunar=False) == date(2026, 6, 17)
    assert birthday_in(date(1980, 2, 29), 2026, lunar=False) == date(2026, 2, 28)
    assert birthday_in(date(1980, 2, 29), 2028, lunar=False) == date(2028, 2, 29)


@given(solar_days)
def test_there_and_back_as_the_library_has_it(day: date) -> None:
    lunar = to_lunar(day)
    assert to_solar(*lunar) == day
    theirs = LunarDate.from_solar(day)
    assert lunar == (theirs.year, theirs.month, theirs.day, bool(theirs.leap))


@given(solar_days, years)
def test_every_lunar_year_has_one_birthday_in_the_month_of_birth(born: date, year: int) -> None:
    mine, found = to_lunar(born), to_lunar(birthday_in(born, year, lunar=True))
    assert (found.year, found.month) == (year, mine.month)
    assert found.leap == (mine.leap and LCalendars.leap_month(year) == mine.month)
    assert found.day == min(mine.day, LCalendars.ndays(year, found.month, int(found.leap)))


@given(solar_days)
def test_the_first_birthday_is_the_day_of_birth(born: date) -> None:
    assert birthday_in(born, to_lunar(born).year, lunar=True) == born
    assert birthday_in(born, born.year, lunar=False) == born
