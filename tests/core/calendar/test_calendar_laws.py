"""Laws of counting that hold for every office, whatever its week, hours, zone, holidays and pauses."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keguan.calendar import DayRow, Pause, Window, WorkCalendar

FIRST, LAST = date(2025, 1, 1), date(2028, 12, 31)
ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
)

dates = st.dates(FIRST, LAST)
instants = st.datetimes(
    datetime(2025, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2028, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
amounts = st.timedeltas(timedelta(0), timedelta(hours=60))
counts = st.integers(1, 400)
rows = st.lists(
    st.builds(DayRow, dates, st.booleans(), st.none(), st.sampled_from(["national", "company", "city"])), max_size=20
)


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, ...]:
    """One to four windows, made of the minutes at which doors open and close; 00:00 at the end is midnight."""
    minutes = sorted(draw(st.sets(st.integers(0, 24 * 60), min_size=2, max_size=8)))
    clocks = [time(minute // 60 % 24, minute % 60) for minute in minutes]
    return tuple(zip(clocks[0::2], clocks[1::2], strict=False))


calendars = st.builds(
    WorkCalendar,
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    rows=rows,
    work_week=st.frozensets(st.integers(0, 6), min_size=1),
    office_hours=windows(),
    country=st.sampled_from(["CN", None]),
)


@st.composite
def some_pauses(draw: st.DrawFn) -> list[Pause]:
    """Up to five pauses of up to a week, which may overlap."""
    starts = draw(st.lists(instants, max_size=5))
    return [(start, start + draw(st.timedeltas(timedelta(0), timedelta(days=7)))) for start in starts]


thorough = settings(deadline=None)


# --- Working days --------------------------------------------------------------------------------------------


@thorough
@given(calendars, dates, counts)
def test_counting_to_the_nth_working_day_gives_n(office: WorkCalendar, day: date, n: int) -> None:
    end = office.add_workdays(day, n)
    assert office.is_working(end)
    assert office.workdays_between(day, end) == n
    assert office.workdays_between(end, day) == -n


@thorough
@given(calendars, dates, counts)
def test_going_back_undoes_going_forward(office: WorkCalendar, day: date, n: int) -> None:
    working = office.roll_forward(day)
    assert office.add_workdays(office.add_workdays(working, n), -n) == working
    assert office.add_workdays(office.add_workdays(working, -n), n) == working


@thorough
@given(calendars, dates, counts, counts)
def test_steps_add_up(office: WorkCalendar, day: date, m: int, n: int) -> None:
    assert office.add_workdays(office.add_workdays(day, m), n) == office.add_workdays(day, m + n)
    assert office.add_workdays(office.add_workdays(day, -m), -n) == office.add_workdays(day, -m - n)


@thorough
@given(calendars, dates, dates, dates)
def test_working_days_between_are_additive(office: WorkCalendar, a: date, b: date, c: date) -> None:
    assert office.workdays_between(a, b) + office.workdays_between(b, c) == office.workdays_between(a, c)


@thorough
@given(calendars, dates, st.integers(0, 60))
def test_working_days_between_are_those_that_are_worked(office: WorkCalendar, start: date, length: int) -> None:
    after = [start + timedelta(days=n) for n in range(1, length + 1)]
    assert office.workdays_between(start, start + timedelta(days=length)) == sum(map(office.is_working, after))
    assert [office.day(day).working for day in after] == [office.is_working(day) for day in after]


@thorough
@given(calendars, dates, dates, st.integers(-50, 50), st.integers(-50, 50))
def test_later_starts_and_longer_counts_never_end_earlier(
    office: WorkCalendar, a: date, b: date, m: int, n: int
) -> None:
    early, late = sorted((a, b))
    assert office.add_workdays(early, n) <= office.add_workdays(late, n)
    less, more = sorted((m, n))
    assert office.add_workdays(a, less) <= office.add_workdays(a, more)


@thorough
@given(calendars, dates)
def test_rolling_again_changes_nothing(office: WorkCalendar, day: date) -> None:
    ahead, back = office.roll_forward(day), office.roll_back(day)
    assert back <= day <= ahead
    assert office.roll_forward(ahead) == ahead == office.roll_back(ahead)
    assert office.roll_back(back) == back
    assert office.add_workdays(day, 0) == ahead
    assert (back == ahead) is office.is_working(day)


@thorough
@given(calendars, rows, dates)
def test_a_row_of_the_city_always_counts(office: WorkCalendar, more: list[DayRow], day: date) -> None:
    for working in (True, False):
        decided = WorkCalendar(
            zone=office.zone, rows=[*office.rows, DayRow(day, working, None, "city")], work_week=office.work_week
        )
        assert decided.is_working(day) is working
        assert not decided.is_provisional(day)


# --- Working time --------------------------------------------------------------------------------------------


@thorough
@given(calendars, instants, amounts, some_pauses())
def test_the_time_between_start_and_end_is_what_was_added(
    office: WorkCalendar, start: datetime, amount: timedelta, pauses: list[Pause]
) -> None:
    end = office.add_worktime(start, amount, pauses)
    assert end is not None
    assert office.worktime_between(start, end, pauses) == amount
    assert office.worktime_between(end, start, pauses) == -amount


@thorough
@given(calendars, instants, amounts, some_pauses())
def test_no_earlier_instant_would_do(
    office: WorkCalendar, start: datetime, amount: timedelta, pauses: list[Pause]
) -> None:
    end = office.add_worktime(start, amount, pauses)
    assert end is not None
    assume(end > start)
    moment = timedelta(microseconds=1)
    assert office.worktime_between(start, end - moment, pauses) == amount - moment


@thorough
@given(calendars, instants, amounts, amounts, some_pauses())
def test_amounts_add_up(office: WorkCalendar, start: datetime, s: timedelta, t: timedelta, pauses: list[Pause]) -> None:
    middle = office.add_worktime(start, s, pauses)
    assert middle is not None
    assert office.add_worktime(middle, t, pauses) == office.add_worktime(start, s + t, pauses)


@thorough
@given(calendars, st.tuples(instants, instants, instants), some_pauses())
def test_working_time_between_is_additive(
    office: WorkCalendar, abc: tuple[datetime, datetime, datetime], pauses: list[Pause]
) -> None:
    a, b, c = abc
    parts = office.worktime_between(a, b, pauses) + office.worktime_between(b, c, pauses)
    assert parts == office.worktime_between(a, c, pauses)


@thorough
@given(calendars, instants, instants, amounts, amounts)
def test_later_starts_and_longer_amounts_never_end_earlier(
    office: WorkCalendar, a: datetime, b: datetime, s: timedelta, t: timedelta
) -> None:
    early, late = sorted((a, b))
    assert office.add_worktime(early, t) <= office.add_worktime(late, t)
    less, more = sorted((s, t))
    assert office.add_worktime(a, less) <= office.add_worktime(a, more)


@thorough
@given(calendars, instants, amounts, some_pauses(), some_pauses())
def test_more_pauses_only_lengthen(
    office: WorkCalendar, start: datetime, amount: timedelta, pauses: list[Pause], more: list[Pause]
) -> None:
    without, few, many = (office.add_worktime(start, amount, taken) for taken in ([], pauses, pauses + more))
    assert without is not None
    assert few is not None
    assert many is not None
    assert without <= few <= many
    assert without == office.add_worktime(start, amount)
    assert office.worktime_between(start, many, pauses + more) <= office.worktime_between(start, many, pauses)


@thorough
@given(calendars, instants, amounts, some_pauses(), instants)
def test_an_open_pause_hides_the_end_or_comes_after_it(
    office: WorkCalendar, start: datetime, amount: timedelta, pauses: list[Pause], since: datetime
) -> None:
    known = office.add_worktime(start, amount, pauses)
    assert known is not None
    still_open = office.add_worktime(start, amount, [*pauses, (since, None)])
    left = office.worktime_between(start, since, pauses) if since > start else timedelta(0)
    assert still_open == (known if left >= amount else None)


@thorough
@given(calendars, instants, some_pauses())
def test_the_order_and_repetition_of_pauses_carry_no_meaning(
    office: WorkCalendar, start: datetime, pauses: list[Pause]
) -> None:
    amount = timedelta(hours=10)
    assert office.add_worktime(start, amount, pauses) == office.add_worktime(start, amount, (pauses * 2)[::-1])


@thorough
@given(calendars, dates)
def test_a_working_day_holds_all_its_time_between_opening_and_closing(office: WorkCalendar, day: date) -> None:
    working = office.roll_forward(day)
    opened, closed = office.opening(working), office.closing(working)
    whole = office.worktime_between(opened, closed)
    assert timedelta(0) <= whole <= closed - opened
    assert office.add_worktime(closed, timedelta(0)) == closed
    if whole:
        assert office.add_worktime(opened, whole) == closed


@thorough
@given(calendars, instants, st.integers(1, 30))
def test_a_limit_in_working_days_ends_when_its_last_day_closes(office: WorkCalendar, start: datetime, n: int) -> None:
    end = office.workday_limit(start, n)
    last = office.add_workdays(office.date_of(start), n)
    assert office.opening(last) <= end == office.closing(last)
    assert start < office.workday_limit(start, n + 1)
    assert end < office.workday_limit(start, n + 1)
