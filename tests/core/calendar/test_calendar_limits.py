"""Limits in working days and working time, at the edges where they are usually got wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from keguan.calendar import DayRow, Pause, Window, WorkCalendar
from keguan.errors import ConfigError, InputError

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
OFFICE = WorkCalendar(zone=SHANGHAI, office_hours=((time(9), time(12)), (time(13, 30), time(18))))
NOON, NIGHT = time(12), time(0)


def at(text: str) -> datetime:
    """Return the instant that clocks in Shanghai read so."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def hours(amount: float) -> timedelta:
    return timedelta(hours=amount)


# --- Working days --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-03-04", 1, "2026-03-05"),  # the start day does not count
        ("2026-03-06", 1, "2026-03-09"),
        ("2026-03-07", 1, "2026-03-09"),  # nor does a Saturday
        ("2026-04-30", 1, "2026-05-06"),
        ("2026-05-08", 1, "2026-05-09"),  # a make-up Saturday
        ("2026-05-08", 3, "2026-05-12"),
        ("2026-02-13", 2, "2026-02-24"),
        ("2026-03-09", -1, "2026-03-06"),
        ("2026-03-08", -1, "2026-03-06"),
        ("2026-03-07", 0, "2026-03-09"),  # none rolls forward
        ("2026-03-06", 0, "2026-03-06"),
        ("2024-12-31", 250, "2026-01-05"),
    ],
)
def test_the_nth_working_day(start: str, count: int, end: str) -> None:
    assert OFFICE.add_workdays(date.fromisoformat(start), count) == date.fromisoformat(end)


def test_a_limit_that_ends_on_a_day_off_rolls_to_the_next_working_day() -> None:
    assert OFFICE.roll_forward(date(2026, 10, 1)) == date(2026, 10, 8)
    assert OFFICE.roll_forward(date(2026, 10, 10)) == date(2026, 10, 10)


def test_a_report_due_on_a_day_off_is_due_the_working_day_before() -> None:
    assert OFFICE.roll_back(date(2026, 2, 28)) == date(2026, 2, 28)
    assert OFFICE.roll_back(date(2026, 3, 1)) == date(2026, 2, 28)
    assert OFFICE.roll_back(date(2026, 10, 7)) == date(2026, 9, 30)


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        ("2026-03-06", "2026-03-06", 0),
        ("2026-03-06", "2026-03-09", 1),
        ("2026-03-09", "2026-03-06", -1),
        ("2026-09-30", "2026-10-07", 0),
        ("2025-12-31", "2026-12-31", 248),
    ],
)
def test_working_days_between(start: str, end: str, count: int) -> None:
    assert OFFICE.workdays_between(date.fromisoformat(start), date.fromisoformat(end)) == count


@pytest.mark.parametrize("started", ["2026-03-06T00:00", "2026-03-06T11:00", "2026-03-06T18:00", "2026-03-06T23:59"])
def test_one_working_day_ends_when_the_next_working_day_closes(started: str) -> None:
    assert OFFICE.workday_limit(at(started), 1) == at("2026-03-09T18:00")


def test_the_day_of_an_instant_is_that_of_the_city() -> None:
    instant = datetime(2026, 3, 5, 16, 30, tzinfo=UTC)  # half past midnight of the 6th in Shanghai
    assert OFFICE.date_of(instant) == date(2026, 3, 6)
    assert OFFICE.workday_limit(instant, 1) == at("2026-03-09T18:00")
    assert replace(OFFICE, zone=NEW_YORK, country=None).date_of(instant) == date(2026, 3, 5)


def test_no_working_day_at_all_ends_today_or_when_work_begins_again() -> None:
    assert OFFICE.workday_limit(at("2026-03-06T20:00"), 0) == at("2026-03-06T18:00")
    assert OFFICE.workday_limit(at("2026-03-07T20:00"), 0) == at("2026-03-09T18:00")


# --- Working time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "amount", "end"),
    [
        ("2026-03-05T09:00", hours(3), "2026-03-05T12:00"),  # exactly at the noon break
        ("2026-03-05T09:00", hours(7.5), "2026-03-05T18:00"),  # exactly at closing: today's
        ("2026-03-05T18:00", hours(0), "2026-03-05T18:00"),
        ("2026-03-05T18:00", hours(1), "2026-03-06T10:00"),
        ("2026-03-05T22:00", hours(0), "2026-03-05T22:00"),
        ("2026-03-05T11:00", hours(2), "2026-03-05T14:30"),
        ("2026-03-05T12:30", hours(1), "2026-03-05T14:30"),
        ("2026-03-06T17:00", hours(2), "2026-03-09T10:00"),
        ("2026-03-07T10:00", hours(7.5), "2026-03-09T18:00"),
        ("2026-05-08T17:59", timedelta(minutes=2), "2026-05-09T09:01"),
        ("2026-03-05T17:59:59.999999", timedelta(microseconds=1), "2026-03-05T18:00"),
        ("2026-03-05T17:59:59.999999", timedelta(microseconds=2), "2026-03-06T09:00:00.000001"),
    ],
)
def test_working_time_runs_only_in_office_hours(start: str, amount: timedelta, end: str) -> None:
    assert OFFICE.add_worktime(at(start), amount) == at(end)
    assert OFFICE.worktime_between(at(start), at(end)) == amount
    assert OFFICE.worktime_between(at(end), at(start)) == -amount


@pytest.mark.parametrize(
    ("pauses", "end"),
    [
        ([("10:00", "11:00")], "2026-03-05T14:30"),
        ([("10:00", "11:00"), ("10:30", "11:30")], "2026-03-05T15:00"),
        ([("10:00", "11:00"), ("10:00", "10:15"), ("11:00", "11:00")], "2026-03-05T14:30"),
        ([("12:00", "13:30")], "2026-03-05T12:00"),
        ([("07:00", "09:30")], "2026-03-05T14:00"),
        ([("08:00", "19:00")], "2026-03-06T12:00"),
        ([("12:00", None)], "2026-03-05T12:00"),  # the time ran out when the pause began
        ([("18:00", None), ("14:00", "14:10")], "2026-03-05T12:00"),
    ],
)
def test_pauses_are_taken_out(pauses: list[tuple[str, str | None]], end: str) -> None:
    day = "2026-03-05T"
    taken_out: list[Pause] = [(at(day + start), at(day + stop) if stop else None) for start, stop in pauses]
    start = at(day + "09:00")
    assert OFFICE.add_worktime(start, hours(3), taken_out) == at(end)
    assert OFFICE.add_worktime(start, hours(3), taken_out[::-1]) == at(end)
    assert OFFICE.worktime_between(start, at(end), taken_out) == hours(3)


@pytest.mark.parametrize("since", ["2026-03-05T08:00", "2026-03-05T11:59", "2026-02-01T00:00"])
def test_nobody_knows_the_end_while_a_pause_is_open(since: str) -> None:
    start = at("2026-03-05T09:00")
    assert OFFICE.add_worktime(start, hours(3), [(at(since), None)]) is None
    worked = max(at(since) - start, hours(0))
    assert OFFICE.worktime_between(start, at("2026-03-20T09:00"), [(at(since), None)]) == worked


def test_a_pause_over_the_noon_break_and_still_open_leaves_the_morning() -> None:
    open_pause: list[Pause] = [(at("2026-03-05T12:30"), None)]
    assert OFFICE.add_worktime(at("2026-03-05T09:00"), hours(3), open_pause) == at("2026-03-05T12:00")
    assert OFFICE.add_worktime(at("2026-03-05T09:00"), hours(3.1), open_pause) is None


def test_instants_need_a_zone_and_amounts_a_sign_and_pauses_an_order() -> None:
    naive = datetime(2026, 3, 5, 9)  # noqa: DTZ001 - what is refused
    for ask in (
        lambda: OFFICE.date_of(naive),
        lambda: OFFICE.add_worktime(naive, hours(1)),
        lambda: OFFICE.worktime_between(at("2026-03-05T09:00"), naive),
        lambda: OFFICE.add_worktime(at("2026-03-05T09:00"), hours(1), [(naive, None)]),
        lambda: OFFICE.add_worktime(at("2026-03-05T09:00"), hours(-1)),
        lambda: OFFICE.add_worktime(
            at("2026-03-05T09:00"), hours(1), [(at("2026-03-05T11:00"), at("2026-03-05T10:00"))]
        ),
    ):
        with pytest.raises(ValueError, match=r"time zone|negative|before it starts"):
            ask()


# --- Hours and zones -----------------------------------------------------------------------------------------


def test_a_day_opens_with_its_first_window_and_closes_with_its_last() -> None:
    shuffled = replace(OFFICE, office_hours=OFFICE.office_hours[::-1])
    assert shuffled == OFFICE
    assert shuffled.opening(date(2026, 3, 5)) == at("2026-03-05T09:00")
    assert shuffled.closing(date(2026, 3, 5)) == at("2026-03-05T18:00")
    assert shuffled.closing(date(2026, 3, 5)).tzinfo is UTC


def test_an_office_that_never_closes_on_working_days() -> None:
    desk = replace(OFFICE, office_hours=((NIGHT, NIGHT),))
    assert desk.closing(date(2026, 3, 6)) == at("2026-03-07T00:00")
    assert desk.add_worktime(at("2026-03-05T22:00"), hours(30)) == at("2026-03-09T04:00")
    assert desk.add_worktime(at("2026-03-05T22:00"), hours(2)) == at("2026-03-06T00:00")


def test_a_night_shift_is_written_as_two_windows() -> None:
    night = replace(OFFICE, office_hours=((time(22), NIGHT), (NIGHT, time(6))))
    assert night.add_worktime(at("2026-03-05T23:00"), hours(3)) == at("2026-03-06T02:00")


@pytest.mark.parametrize(
    "windows",
    [
        (),
        ((time(18), time(9)),),
        ((time(9), time(9)),),
        ((time(9), NOON), (time(11), time(18))),
        ((time(9), NIGHT), (time(20), time(21))),
        ((time(9, tzinfo=UTC), NOON),),
    ],
)
def test_office_hours_that_cannot_be_are_refused(windows: tuple[Window, ...]) -> None:
    with pytest.raises(ConfigError, match="calendar configuration"):
        replace(OFFICE, office_hours=windows)


def test_windows_may_touch() -> None:
    office = replace(OFFICE, office_hours=((time(9), NOON), (NOON, time(18))))
    assert office.add_worktime(at("2026-03-05T09:00"), hours(9)) == at("2026-03-05T18:00")


ALWAYS = frozenset(range(7))


def round_the_clock(zone: str, *windows: Window) -> WorkCalendar:
    return WorkCalendar(zone=ZoneInfo(zone), country=None, work_week=ALWAYS, office_hours=windows or ((NIGHT, NIGHT),))


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Asia/Shanghai", "2026-03-08", 24),
        ("Asia/Shanghai", "1991-04-14", 23),  # the last summer time of China
        ("America/Sao_Paulo", "2018-11-04", 23),  # midnight itself is skipped
        ("America/Havana", "2025-11-02", 25),
        ("America/St_Johns", "2010-11-07", 25),  # clocks go back over midnight
        ("Pacific/Apia", "2011-12-30", 0),  # a day that never was
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(zone: str, day: str, length: float) -> None:
    calendar, today = round_the_clock(zone), date.fromisoformat(day)
    opened, closed = calendar.opening(today), calendar.closing(today)
    assert closed - opened == hours(length)
    assert calendar.worktime_between(opened, closed) == hours(length)
    assert calendar.opening(today + timedelta(days=1)) == closed


@pytest.mark.parametrize(
    ("window", "length"),
    [
        ((time(1), time(4)), 2),
        ((time(2, 30), time(3, 15)), 0.25),  # opens in the skipped hour
        ((time(1, 30), time(2, 30)), 0.5),  # closes in it
        ((time(2, 10), time(2, 50)), 0),
        ((time(9), time(18)), 9),
    ],
)
def test_a_window_over_the_skipped_hour_is_shorter(window: Window, length: float) -> None:
    calendar = round_the_clock("America/New_York", window)
    day = date(2026, 3, 8)
    assert calendar.closing(day) - calendar.opening(day) == hours(length)
    start = datetime(2026, 3, 8, tzinfo=NEW_YORK)
    assert calendar.worktime_between(start, start + timedelta(days=1)) == hours(length)


def test_working_time_over_a_change_of_clocks_is_time_that_passed() -> None:
    calendar = replace(round_the_clock("America/New_York"), work_week=ALWAYS)
    start = datetime(2026, 10, 31, 12, tzinfo=NEW_YORK)
    assert calendar.add_worktime(start, hours(24)) == datetime(2026, 11, 1, 11, tzinfo=NEW_YORK)


def test_the_ends_of_the_calendar_are_errors_that_people_can_read() -> None:
    night = round_the_clock("Asia/Shanghai")
    asked: list[Callable[[], object]] = [
        lambda: night.closing(date.max),
        lambda: night.opening(date.min),
        lambda: night.date_of(datetime.max.replace(tzinfo=UTC)),
        lambda: OFFICE.add_worktime(at("9999-12-31T17:00"), hours(8)),
    ]
    for ask in asked:
        with pytest.raises(InputError, match="years 1 to 9999"):
            ask()


def test_a_whole_city_holiday_stops_the_clock() -> None:
    office = replace(OFFICE, rows=[DayRow(date(2026, 3, 6), False, "全市停工", "city")])
    assert office.add_worktime(at("2026-03-05T17:00"), hours(2)) == at("2026-03-09T10:00")
