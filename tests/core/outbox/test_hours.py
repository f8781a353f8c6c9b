"""What a city's clock says holds for the minutes that it says, on any day of any zone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from keguan.model import City
from keguan.outbox.hours import Hours, hours_of

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
CLOCKS = st.times()


def between(first: datetime, last: datetime) -> st.SearchStrategy[datetime]:
    """Instants to the microsecond."""
    return st.timedeltas(timedelta(), last - first).map(lambda ago: first + ago)


INSTANTS = st.one_of(
    between(datetime(2020, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)),
    between(datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 29, 3, tzinfo=UTC)),  # Berlin loses an hour
    between(datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 25, 3, tzinfo=UTC)),  # and has one twice
)


@st.composite
def cities(draw: st.DrawFn) -> City:
    """A city of any zone with any hours, those included that leave promotion the whole day."""
    zone, clocks = draw(st.sampled_from(ZONES)), [draw(CLOCKS) for _ in range(4)]
    if draw(st.booleans()):
        clocks[3] = clocks[2]
    return City("there", "那里", ZoneInfo(zone), *clocks)


def asked(city: City, now: datetime) -> tuple[object, ...]:
    """What the city itself says at ``now``."""
    opening = city.opening(now, promotion=True)
    today = city.today(now)
    begins, ends = city.at(today, time()), city.at(today + timedelta(days=1), time())
    return city.quiet_end(now), None if opening == now else opening, begins, ends


def told(hours: Hours) -> tuple[object, ...]:
    return hours.closed, hours.opening, hours.begins, hours.ends


@given(cities(), INSTANTS, st.floats(0, 1, exclude_max=True))
def test_what_the_clock_says_holds_until_it_says_something_else(city: City, now: datetime, part: float) -> None:
    hours = hours_of(city, now)
    assert hours.since == now < hours.until <= now + timedelta(minutes=15)
    assert told(hours) == asked(city, now)
    later = min(now + (hours.until - now) * part, hours.until - timedelta(microseconds=1))
    assert told(hours) == asked(city, later)


@given(cities(), INSTANTS)
def test_it_is_looked_up_again_at_the_minute_in_which_quiet_hours_begin_or_end(city: City, now: datetime) -> None:
    hours = hours_of(city, now)
    for clock in (city.quiet_from, city.quiet_until, city.promotion_from, city.promotion_until):
        turn = city.at(city.today(now), clock)
        if turn > now and turn.astimezone(city.zone).time() == clock:
            assert hours.until <= turn
