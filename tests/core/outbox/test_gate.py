"""May this message leave now? Every rule, at the moment of sending."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keguan.model import City
from keguan.outbox.gate import Candidate, Hold, Left, Limits, Pass, Refuse, judge
from keguan.settings import Settings

SHANGHAI = ZoneInfo("Asia/Shanghai")
CITY: City = Settings().city("shenzhen")  # quiet from 20:00 to 09:00
PLAIN = Candidate(
    channel="sms",
    message_class="service",
    urgent=False,
    late=False,
    has_address=True,
    expires_at=None,
    permissions={},
    limits=Limits(per_day=3, per_week=10),
)


def at(text: str) -> datetime:
    """Return the instant that Shenzhen's clocks show so."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


NOON = at("2026-03-02 12:00")


def left(*texts: str, channel: str = "sms", late: bool = False) -> tuple[Left, ...]:
    return tuple(Left(at(text), channel, late) for text in texts)


def test_an_ordinary_message_at_noon_passes() -> None:
    assert judge(PLAIN, CITY, NOON) == Pass()


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-02 20:00", "2026-03-03 09:00"),
        ("2026-03-02 23:59", "2026-03-03 09:00"),
        ("2026-03-03 00:00", "2026-03-03 09:00"),
        ("2026-03-03 08:59", "2026-03-03 09:00"),
    ],
)
def test_quiet_hours_hold_until_they_end(now: str, until: str) -> None:
    assert judge(PLAIN, CITY, at(now)) == Hold(at(until), "gate.quiet_hours")


@pytest.mark.parametrize("now", ["2026-03-02 09:00", "2026-03-02 19:59"])
def test_the_minute_in_which_quiet_hours_end_is_not_quiet(now: str) -> None:
    assert judge(PLAIN, CITY, at(now)) == Pass()


def test_urgent_messages_pass_quiet_hours_and_that_is_noted() -> None:
    urgent = replace(PLAIN, urgent=True)
    assert judge(urgent, CITY, at("2026-03-02 23:00")) == Pass("gate.urgent_in_quiet_hours")
    assert judge(urgent, CITY, NOON) == Pass()


def test_codes_pass_quiet_hours() -> None:
    assert isinstance(judge(replace(PLAIN, message_class="code"), CITY, at("2026-03-02 23:00")), Pass)


def test_from_the_end_of_its_window_on_a_message_is_expired() -> None:
    ends = replace(PLAIN, expires_at=NOON)
    assert judge(ends, CITY, NOON) == Refuse("expired", "gate.window_passed")
    assert judge(ends, CITY, NOON - timedelta(seconds=1)) == Pass()


def test_without_an_address_it_is_dead() -> None:
    assert judge(replace(PLAIN, has_address=False), CITY, NOON) == Refuse("dead", "gate.no_address")


@pytest.mark.parametrize(
    ("message_class", "permissions", "why"),
    [
        ("service", {}, None),
        ("code", {}, None),
        ("promotion", {}, "gate.no_consent"),
        ("promotion", {("sms", "promotion"): True}, None),
        ("promotion", {("email", "promotion"): True}, "gate.no_consent"),
        ("promotion", {("*", "*"): True}, None),
        ("service", {("*", "*"): False}, "gate.opted_out"),
        ("service", {("sms", "*"): False}, "gate.opted_out"),
        ("service", {("email", "*"): False}, None),
        ("service", {("*", "*"): False, ("sms", "service"): True}, None),
        ("code", {("sms", "*"): False}, "gate.opted_out"),
    ],
)
def test_consent(message_class: str, permissions: dict[tuple[str, str], bool], why: str | None) -> None:
    verdict = judge(replace(PLAIN, message_class=message_class, permissions=permissions), CITY, NOON)
    assert verdict == (Pass() if why is None else Refuse("suppressed", why))


def test_an_urgent_message_stops_at_an_opt_out_all_the_same() -> None:
    out = replace(PLAIN, urgent=True, permissions={("*", "*"): False})
    assert judge(out, CITY, NOON) == Refuse("suppressed", "gate.opted_out")


def test_the_third_message_of_late_entries_waits_until_the_next_day() -> None:
    late = replace(PLAIN, late=True, recent=left("2026-03-02 10:00", "2026-03-02 11:00", late=True))
    assert judge(late, CITY, NOON) == Hold(at("2026-03-03 09:00"), "gate.late_burst")
    assert judge(late, CITY, NOON + timedelta(days=1)) == Pass()
    assert judge(replace(late, late=False), CITY, NOON) == Pass()


def test_late_messages_count_on_every_channel() -> None:
    recent = (*left("2026-03-02 10:00", late=True), *left("2026-03-02 11:00", late=True, channel="email"))
    assert isinstance(judge(replace(PLAIN, late=True, recent=recent), CITY, NOON), Hold)


def test_more_than_the_limit_of_a_day_waits_until_the_next_opening() -> None:
    full = replace(PLAIN, recent=left("2026-03-02 09:00", "2026-03-02 10:00", "2026-03-02 11:00"))
    assert judge(full, CITY, NOON) == Hold(at("2026-03-03 09:00"), "gate.per_day")
    assert judge(full, CITY, at("2026-03-03 09:00")) == Pass()


def test_the_day_is_the_citys() -> None:
    eve = left("2026-03-01 23:00", "2026-03-01 23:10", "2026-03-01 23:20")  # one UTC day with noon of 2 March
    assert judge(replace(PLAIN, recent=eve), CITY, NOON) == Pass()


def test_more_than_the_limit_of_a_week_waits_until_the_oldest_is_a_week_old() -> None:
    oldest = NOON - timedelta(days=6, hours=22)
    week = tuple(Left(oldest + timedelta(minutes=n), "sms", False) for n in range(10))
    full = replace(PLAIN, limits=Limits(per_day=0, per_week=10), recent=week)
    assert judge(full, CITY, NOON) == Hold(oldest + timedelta(days=7), "gate.per_week")
    assert judge(full, CITY, oldest + timedelta(days=7)) == Pass()


def test_limits_are_counted_by_channel_and_pass_urgent_messages_and_codes() -> None:
    full = replace(PLAIN, recent=left("2026-03-02 09:00", "2026-03-02 10:00", "2026-03-02 11:00"))
    assert judge(replace(full, channel="email"), CITY, NOON) == Pass()
    assert judge(replace(full, urgent=True), CITY, NOON) == Pass()
    assert judge(replace(full, message_class="code"), CITY, NOON) == Pass()


def test_no_limit_is_no_limit() -> None:
    many = tuple(Left(NOON - timedelta(minutes=n), "sms", False) for n in range(100))
    assert judge(replace(PLAIN, limits=Limits(0, 0), recent=many), CITY, NOON) == Pass()


def test_what_a_plugin_promised_that_is_off_waits_and_expires_in_time() -> None:
    off = replace(PLAIN, plugin_on=False)
    assert judge(off, CITY, NOON) == Hold(NOON + timedelta(days=1), "plan.plugin_off")
    ends = replace(off, expires_at=NOON + timedelta(hours=1))
    assert judge(ends, CITY, NOON) == Hold(NOON + timedelta(hours=1), "plan.plugin_off")
    assert judge(ends, CITY, NOON + timedelta(hours=1)) == Refuse("expired", "gate.window_passed")


# --- Laws ---------------------------------------------------------------------------------------------------------

instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda value: value.replace(tzinfo=UTC))  # noqa: DTZ001
recents = st.lists(
    st.builds(
        lambda minutes, channel, late: (timedelta(minutes=minutes), channel, late),
        st.integers(0, 8 * 24 * 60),
        st.sampled_from(["sms", "email"]),
        st.booleans(),
    ),
    max_size=25,
)
candidates = st.builds(
    lambda urgent, late, message_class, per_day, per_week, on: replace(
        PLAIN,
        urgent=urgent,
        late=late,
        message_class=message_class,
        limits=Limits(per_day, per_week),
        plugin_on=on,
    ),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["service", "code"]),
    st.integers(0, 3),
    st.integers(0, 10),
    st.booleans(),
)


@settings(max_examples=200)
@given(candidates, instants, recents)
def test_a_message_that_is_held_is_judged_again_later_and_leaves_some_day(
    candidate: Candidate, now: datetime, history: list[tuple[timedelta, str, bool]]
) -> None:
    recent = tuple(Left(now - ago, channel, late) for ago, channel, late in history)
    waiting = replace(candidate, recent=recent, plugin_on=True)
    moment = now
    for _ in range(30):
        verdict = judge(waiting, CITY, moment)
        if isinstance(verdict, Pass):
            break
        assert isinstance(verdict, Hold)
        assert verdict.until > moment
        moment = verdict.until
    assert isinstance(verdict, Pass)
    assert moment - now <= timedelta(days=8)


@settings(max_examples=200)
@given(candidates, instants, recents)
def test_nobody_gets_more_than_the_limits_allow(
    candidate: Candidate, now: datetime, history: list[tuple[timedelta, str, bool]]
) -> None:
    recent = tuple(Left(now - ago, channel, late) for ago, channel, late in history)
    verdict = judge(replace(candidate, recent=recent), CITY, now)
    if not isinstance(verdict, Pass) or candidate.urgent or candidate.message_class == "code":
        return
    same = [one.at for one in recent if one.channel == "sms"]
    per_day, per_week = candidate.limits
    if per_day:
        assert sum(CITY.today(one) == CITY.today(now) for one in same) < per_day
    if per_week:
        assert sum(one > now - timedelta(days=7) for one in same) < per_week
