"""The days of China's notices, and who may overrule them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from keguan.calendar import DayRow, WorkCalendar
from keguan.errors import ConfigError, InputError

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY_TO_SATURDAY = frozenset(range(6))
CHINA = WorkCalendar(zone=SHANGHAI)


def days(*texts: str) -> list[date]:
    return [date.fromisoformat(text) for text in texts]


def span(first: str, last: str) -> list[date]:
    start, end = days(first, last)
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


# The notice for 2026 of the General Office of the State Council, issued on 4 November 2025.
HOLIDAYS_2026 = [
    ("元旦", span("2026-01-01", "2026-01-03")),
    ("春节", span("2026-02-15", "2026-02-23")),
    ("清明节", span("2026-04-04", "2026-04-06")),
    ("劳动节", span("2026-05-01", "2026-05-05")),
    ("端午节", span("2026-06-19", "2026-06-21")),
    ("中秋节", span("2026-09-25", "2026-09-27")),
    ("国庆节", span("2026-10-01", "2026-10-07")),
]
MAKEUP_2026 = days("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10")


def test_china_works_in_2026_as_the_notice_says() -> None:
    off = {day for _, block in HOLIDAYS_2026 for day in block}
    for day in span("2026-01-01", "2026-12-31"):
        expected = day in MAKEUP_2026 or (day.weekday() < 5 and day not in off)
        assert CHINA.is_working(day) is expected, day
        assert CHINA.day(day).working is expected, day
        assert not CHINA.is_provisional(day)
    assert CHINA.workdays_between(date(2025, 12, 31), date(2026, 12, 31)) == 248


def test_a_six_day_week_rests_through_the_whole_holiday_and_works_on_other_saturdays() -> None:
    office = replace(CHINA, work_week=MONDAY_TO_SATURDAY)
    off = {day for _, block in HOLIDAYS_2026 for day in block}
    for day in span("2026-01-01", "2026-12-31"):
        assert office.is_working(day) is (day in MAKEUP_2026 or (day.weekday() < 6 and day not in off)), day


@pytest.mark.parametrize(("name", "block"), HOLIDAYS_2026)
def test_each_holiday_is_named_in_chinese(name: str, block: list[date]) -> None:
    assert name in {CHINA.day(day).name for day in block}
    for day in block:
        info = CHINA.day(day)
        assert (info.working, info.provisional, info.source) == (False, False, "library")
        assert info.name


@pytest.mark.parametrize("day", MAKEUP_2026)
def test_a_makeup_day_says_that_it_is_one(day: date) -> None:
    info = CHINA.day(day)
    assert (info.working, info.name, info.source) == (True, "调休上班", "library")


def test_an_ordinary_day_has_no_name() -> None:
    assert CHINA.day(date(2026, 3, 4)).name is None
    assert CHINA.day(date(2026, 3, 4)).source == "week"
    assert not CHINA.is_working(date(2026, 3, 7))


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2018-12-29", True),  # a make-up day for New Year's Day of the next year
        ("2018-12-31", False),
        ("2011-12-31", True),
        ("2020-01-31", False),  # prolonged in mid-holiday
        ("2015-09-03", False),  # proclaimed in mid-year
        ("2025-10-08", False),  # two festivals in one block
    ],
)
def test_odd_days_of_past_notices(day: str, working: bool) -> None:
    assert CHINA.is_working(date.fromisoformat(day)) is working


def test_six_days_rest_over_the_turn_of_the_year() -> None:
    """31 December 2022 was a Saturday of the New Year's holiday that the notice for 2023 gave."""
    office = replace(CHINA, work_week=MONDAY_TO_SATURDAY)
    assert not office.is_working(date(2022, 12, 31))
    assert office.is_working(date(2022, 12, 24))


# --- Not announced -------------------------------------------------------------------------------------------

FAR = 2061  # no notice for this year will be known to any library for a long time


def test_a_year_without_a_notice_is_provisional_and_keeps_only_statutory_festivals() -> None:
    year = [date(FAR, 1, 1) + timedelta(days=n) for n in range(365)]
    assert all(CHINA.day(day).provisional for day in year)
    named = [day for day in year if CHINA.day(day).name]
    assert len(named) == 13, "eleven festivals' thirteen statutory days, none observed, none made up"
    assert all(CHINA.is_working(day) is (day.weekday() < 5 and day not in named) for day in year)


def test_the_year_2027_has_none_of_the_invented_observed_days() -> None:
    """As the library stood without the notice; with a notice known this year is simply announced."""
    if not CHINA.is_provisional(date(2027, 6, 1)):
        pytest.skip("the installed library knows the notice for 2027")
    for day in days("2027-02-09", "2027-02-10", "2027-05-03", "2027-05-04", "2027-10-04", "2027-10-05"):
        assert CHINA.is_working(day)
        assert CHINA.day(day).name is None
    for day in days("2027-01-01", "2027-02-05", "2027-02-08", "2027-04-05", "2027-06-09", "2027-09-15", "2027-10-01"):
        assert not CHINA.is_working(day)


def test_a_count_is_provisional_when_any_day_it_passed_is() -> None:
    january = date(FAR, 1, 10)
    table = replace(CHINA, announced_years={FAR - 1})
    back = table.add_workdays(january, -20)
    assert back.year == FAR - 1
    assert not table.is_provisional(back)
    assert table.is_provisional(back, january)
    assert table.is_provisional(january, back)
    assert not table.is_provisional(date(FAR - 1, 3, 1), date(FAR - 1, 9, 1))


def test_a_loaded_table_ends_the_guessing() -> None:
    rows = [DayRow(date(FAR, 10, 4), False, "国庆节"), DayRow(date(FAR, 10, 9), True)]
    announced = replace(CHINA, rows=rows, announced_years={FAR})
    assert not announced.is_provisional(date(FAR, 1, 1), date(FAR, 12, 31))
    assert not announced.is_working(date(FAR, 10, 4))
    assert announced.is_working(date(FAR, 10, 9))

    one_day = replace(CHINA, rows=rows)
    assert not one_day.day(date(FAR, 10, 4)).provisional
    assert one_day.day(date(FAR, 10, 5)).provisional


# --- Amendments and overrides --------------------------------------------------------------------------------


def test_an_amended_notice_wins_over_the_library() -> None:
    amended = replace(
        CHINA,
        rows=[
            DayRow(date(2026, 5, 9), False),
            DayRow(date(2026, 5, 10), True),
            DayRow(date(2026, 9, 3), False, "纪念日"),
        ],
    )
    assert amended.day(date(2026, 5, 9)).source == "national"
    assert amended.add_workdays(date(2026, 5, 8), 1) == date(2026, 5, 10)
    assert CHINA.add_workdays(date(2026, 5, 8), 1) == date(2026, 5, 9)
    assert amended.day(date(2026, 9, 3)).name == "纪念日"


def test_a_row_without_a_name_keeps_the_librarys_name_only_where_both_agree() -> None:
    rows = [DayRow(date(2026, 5, 1), False), DayRow(date(2026, 5, 2), True)]
    office = replace(CHINA, rows=rows)
    assert office.day(date(2026, 5, 1)).name == "劳动节"
    assert office.day(date(2026, 5, 2)).name is None


def test_a_city_overrules_its_company_and_a_company_the_nation() -> None:
    day = date(2026, 4, 18)  # the third day of the third lunar month, a holiday in Guangxi
    rows = [
        DayRow(day, False, "三月三", "city"),
        DayRow(day, True, "加班", "company"),
        DayRow(day, False, "x", "national"),
    ]
    for order in (rows, rows[::-1]):
        assert replace(CHINA, rows=order).day(day).name == "三月三"
        assert replace(CHINA, rows=order).day(day).source == "city"
    assert replace(CHINA, rows=rows[1:]).is_working(day)


def test_of_two_rows_of_one_scope_the_later_one_counts() -> None:
    day = date(2026, 4, 20)
    office = replace(CHINA, rows=[DayRow(day, False, "三月三", "city"), DayRow(day, True, None, "city")])
    assert office.is_working(day)


def test_another_country_and_none() -> None:
    america = WorkCalendar(zone=ZoneInfo("America/New_York"), country="US")
    assert america.day(date(2027, 7, 5)).name == "Independence Day (observed)"
    assert not america.is_provisional(date(2027, 7, 5))
    nowhere = WorkCalendar(zone=SHANGHAI, country=None)
    assert nowhere.is_working(date(2026, 10, 1))
    assert not nowhere.is_provisional(date(FAR, 10, 1))
    with pytest.raises(ConfigError, match="ISO 3166"):
        WorkCalendar(zone=SHANGHAI, country="XX").is_working(date(2026, 1, 1))


@pytest.mark.parametrize("week", [frozenset[int](), frozenset({7}), frozenset({-1, 2})])
def test_a_week_that_cannot_be_is_refused(week: frozenset[int]) -> None:
    with pytest.raises(ConfigError, match="working week"):
        replace(CHINA, work_week=week)


# --- Values --------------------------------------------------------------------------------------------------


def test_an_instant_is_not_a_business_date() -> None:
    for ask in (CHINA.is_working, CHINA.day, CHINA.is_provisional, CHINA.roll_forward, CHINA.closing):
        with pytest.raises(TypeError, match="business date"):
            ask(datetime(2026, 3, 4, tzinfo=UTC))


def test_calendars_are_values() -> None:
    row = DayRow(date(2026, 3, 4), False)
    assert replace(CHINA, rows=[row]) == replace(CHINA, rows=(row,))
    assert hash(replace(CHINA, rows=[row])) == hash(replace(CHINA, rows=(row,)))
    assert replace(CHINA, rows=[row]) != CHINA


def test_counting_to_the_date_that_other_systems_write_for_never() -> None:
    """Far years are counted, not listed; the count agrees with the one that lists them."""
    never = date(9999, 12, 31)
    listed = replace(CHINA)
    weekdays = sum(
        listed.is_working(date.fromordinal(n)) for n in range(date(9990, 1, 1).toordinal(), never.toordinal() + 1)
    )
    assert CHINA.workdays_between(date(9989, 12, 31), never) == weekdays
    assert CHINA.roll_forward(never) == never
    for day, count in ((never, 1), (date(2026, 1, 1), 10**15), (date.min, -1)):
        with pytest.raises(InputError, match="years 1 to 9999"):
            CHINA.add_workdays(day, count)
