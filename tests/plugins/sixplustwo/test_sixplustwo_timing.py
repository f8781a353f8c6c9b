"""The language of timings: what it says, what it refuses, and its laws."""

from __future__ import annotations

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keguan.calendar import WorkCalendar
from keguan_sixplustwo.timing import (
    DayOf,
    Earliest,
    Moment,
    Shift,
    Timing,
    UnreadableTiming,
    anchors_of,
    compile_moment,
    parse,
)

CALENDAR = WorkCalendar(zone=ZoneInfo("Asia/Shanghai"))
ANCHORS: dict[str, DayOf] = {
    "handover": lambda days, _: days.get("handover"),
    "launch": lambda days, _: days.get("launch"),
}


def day(expression: str, **known: date) -> date | None:
    return compile_moment(parse(expression).moment, ANCHORS)(known, CALENDAR)


@pytest.mark.parametrize(
    ("expression", "handover", "expected"),
    [
        ("handover", "2026-03-02", "2026-03-02"),
        ("handover + 1 day", "2025-12-31", "2026-01-01"),
        ("handover + 1 day", "2028-02-28", "2028-02-29"),
        ("handover - 15 days", "2026-03-15", "2026-02-28"),
        ("handover + 1 week", "2026-02-25", "2026-03-04"),
        ("handover - 1 month", "2026-03-31", "2026-02-28"),
        ("handover - 1 month", "2028-03-31", "2028-02-29"),
        ("handover + 3 months", "2025-11-30", "2026-02-28"),
        ("handover + 1 year", "2028-02-29", "2029-02-28"),
        ("handover + 4 years", "2024-02-29", "2028-02-29"),
        ("handover + 1 year - 1 month", "2025-03-31", "2026-02-28"),
        ("handover + 3 workdays", "2025-09-26", "2025-09-30"),  # Sunday the 28th is worked for National Day
        ("handover + 3 workdays", "2025-09-30", "2025-10-11"),  # off until the 8th; Saturday the 11th is worked
        ("handover - 1 workday", "2026-02-24", "2026-02-14"),  # Spring Festival from the 15th to the 23rd
    ],
)
def test_dates_worked_out_by_hand(expression: str, handover: str, expected: str) -> None:
    assert day(expression, handover=date.fromisoformat(handover)) == date.fromisoformat(expected)


def test_the_earlier_of_two_dates_counts() -> None:
    both = {"handover": date(2026, 5, 1), "launch": date(2026, 4, 20)}
    assert day("min(handover, launch) - 3 days", **both) == date(2026, 4, 17)
    assert day("min(handover - 20 days, launch)", **both) == date(2026, 4, 11)


def test_of_two_dates_the_known_one_counts() -> None:
    assert day("min(handover, launch) - 3 days", handover=date(2026, 5, 1)) == date(2026, 4, 28)
    assert day("min(handover, launch) - 3 days") is None


@pytest.mark.parametrize("shift", ["", " + 1 day", " - 2 weeks", " + 3 months", " + 1 year", " + 3 workdays"])
def test_what_counts_from_an_unknown_date_is_unknown(shift: str) -> None:
    assert day(f"handover{shift}") is None


def test_a_time_of_day_may_be_named() -> None:
    assert parse("handover + 1 day at 09:30").clock == time(9, 30)
    assert parse("handover + 1 day").clock is None


@pytest.mark.parametrize(
    ("expression", "rest"),
    [
        ("", ""),
        ("+ 3 days", "+ 3 days"),
        ("handover +", ""),
        ("handover + three days", "three days"),
        ("handover + 3 dayz", "dayz"),
        ("handover + 0 days", "0 days"),
        ("handover + 3", ""),
        ("handover 3 days", "3 days"),
        ("handover + 12345 days", "12345 days"),
        ("handover at 24:30", "24:30"),
        ("handover at 9:30", "9:30"),
        ("handover at 09:30 + 1 day", "+ 1 day"),
        ("min(handover, launch", ""),
        ("min()", ")"),
        ("at + 1 day", "at + 1 day"),
        ("days - 1 day", "days - 1 day"),
        ("交付 + 1 day", "交付 + 1 day"),
    ],
)
def test_what_cannot_be_read_is_refused_where_reading_stopped(expression: str, rest: str) -> None:
    with pytest.raises(UnreadableTiming) as refused:
        parse(expression)
    assert refused.value.rest == rest
    assert refused.value.expression == expression


anchors = st.sampled_from(sorted(ANCHORS))
units = st.sampled_from(["day", "week", "month", "year", "workday"])
counts = st.integers(-60, 60).filter(bool)
shifts = st.lists(st.builds(Shift, counts, units), max_size=3).map(tuple)
moments = st.recursive(
    st.builds(Moment, anchors, shifts),
    lambda inner: st.builds(Moment, st.builds(Earliest, st.lists(inner, min_size=1, max_size=3).map(tuple)), shifts),
    max_leaves=4,
)
clocks = st.none() | st.builds(time, st.integers(0, 23), st.integers(0, 59))
near = st.dates(date(2024, 1, 1), date(2027, 12, 31))


@given(st.builds(Timing, moments, clocks))
def test_what_is_written_is_read_again(timing: Timing) -> None:
    assert parse(str(timing)) == timing


@settings(max_examples=50, deadline=None)  # the calendar works a year out when it is first asked for
@given(moments, near, near, near)
def test_a_later_date_never_gives_an_earlier_one(moment: Moment, one: date, two: date, launch: date) -> None:
    count = compile_moment(moment, ANCHORS)
    earlier, later = sorted([one, two])
    first = count({"handover": earlier, "launch": launch}, CALENDAR)
    second = count({"handover": later, "launch": launch}, CALENDAR)
    assert first is not None
    assert second is not None
    assert first <= second


@given(moments)
def test_every_date_that_is_read_is_named(moment: Moment) -> None:
    read: set[str] = set()

    def reader(name: str) -> DayOf:
        def read_it(_record: object, _calendar: WorkCalendar) -> date:
            read.add(name)
            return date(2026, 1, 1)

        return read_it

    compile_moment(moment, {name: reader(name) for name in ANCHORS})(None, CALENDAR)
    assert read == anchors_of(moment)
