"""Birthdays are read by the calendar that the cell, or the column beside it, names."""

from __future__ import annotations

from datetime import date

import pytest

from keguan.intake.birthdays import Birthday, parse_birthday
from keguan.intake.cells import Cell
from keguan.intake.fields import FieldError

DRAGON_BOAT = Birthday(date(1980, 6, 17), lunar=True)  # the fifth day of the fifth lunar month


@pytest.mark.parametrize(
    "cell",
    [
        "农历1980-05-05",
        "农历 1980年5月5日",
        "阴历：1980/5/5",
        "1980-05-05(农历)",
        "1980年五月初五（农历）",
        "一九八〇年五月初五",
        "1980年五月初五",
        "lunar 1980-05-05",
        "19800505 Lunar",
        "(农历)1980.5.5",
    ],
)
def test_lunar_birthdays_as_people_write_them(cell: str) -> None:
    assert parse_birthday(cell) == DRAGON_BOAT


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("农历1980年正月初一", "1980-02-16"),
        ("1980年腊月廿九", "1981-02-03"),
        ("1980年冬月二十", "1980-12-26"),
        ("农历1982年十月三十", "1982-12-14"),
        ("2020年闰四月初三", "2020-05-25"),
        ("农历2020-闰4-3", "2020-05-25"),
        ("农历2020年闰4月3日", "2020-05-25"),
        ("农历1980年二月十", "1980-03-26"),
        ("1980年二月廿", "1980-04-05"),
    ],
)
def test_months_and_days_in_words(cell: str, day: str) -> None:
    assert parse_birthday(cell) == Birthday(date.fromisoformat(day), lunar=True)


@pytest.mark.parametrize("cell", ["1980-05-05", "1980年5月5日", date(1980, 5, 5), "1980.5.5"])
def test_the_column_beside_says_which_calendar_it_is(cell: Cell) -> None:
    assert parse_birthday(cell) == Birthday(date(1980, 5, 5))
    assert parse_birthday(cell, "公历") == Birthday(date(1980, 5, 5), lunar=False)
    assert parse_birthday(cell, "农历") == DRAGON_BOAT


def test_a_lunar_day_need_not_exist_in_the_common_calendar() -> None:
    assert parse_birthday("1981-02-30", "农历") == Birthday(date(1981, 4, 4), lunar=True)


@pytest.mark.parametrize(
    ("cell", "calendar", "reason"),
    [
        ("农历1980-13-05", "", "import.date_lunar"),
        ("农历1980-闰4-05", "", "import.date_lunar"),  # 1980 has no leap month
        ("农历1899-05-05", "", "import.date_lunar"),
        ("农历2101-05-05", "", "import.date_lunar"),
        ("农历1980-05-05", "公历", "import.birthday_calendars"),
        ("公历1980-05-05", "农历", "import.birthday_calendars"),
        ("1980-05-05", "星座", "import.value_unknown"),
        ("农历五月初五", "", "import.date_unreadable"),
        ("1980-02-30", "", "import.date_impossible"),
    ],
)
def test_what_is_no_day_is_refused(cell: str, calendar: str, reason: str) -> None:
    with pytest.raises(FieldError) as refusal:
        parse_birthday(cell, calendar)
    assert refusal.value.key == reason


@pytest.mark.parametrize("lunar", [None, True, False])
def test_a_birthday_waits_as_text(lunar: bool | None) -> None:
    birthday = Birthday(date(1980, 6, 17), lunar)
    assert Birthday.fromisoformat(birthday.isoformat()) == birthday
