"""May this message leave now? Every rule, at the moment of sending."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keguan.model import City
from keguan.outbox.gate import RULES, Candidate, HandOn, Hold, Left, Limits, Pass, Refuse, judge
from keguan.settings import Settings
from keguan.texts import LANGUAGES, text

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
    per_day, per_week = candidate.limits.per_day, candidate.limits.per_week
    if per_day:
        assert sum(CITY.today(one) == CITY.today(now) for one in same) < per_day
    if per_week:
        assert sum(one > now - timedelta(days=7) for one in same) < per_week


# --- Promotion and codes -------------------------------------------------------------------------------------------

ALLOWED = {("*", "promotion"): True}
PROMOTION = replace(PLAIN, message_class="promotion", permissions=ALLOWED)
CODE = replace(PLAIN, message_class="code", limits=Limits(code_per_minute=1, code_per_hour=5, code_per_day=10))


@pytest.mark.parametrize(
    ("quiet", "hours", "now", "verdict"),
    [
        ("20:00-09:00", "08:00-20:00", "2026-03-02 08:30", Hold(at("2026-03-02 09:00"), "gate.quiet_hours")),
        ("20:00-09:00", "08:00-20:00", "2026-03-02 09:00", Pass()),
        ("20:00-09:00", "10:00-18:00", "2026-03-02 09:30", Hold(at("2026-03-02 10:00"), "gate.promotion_hours")),
        ("20:00-09:00", "10:00-18:00", "2026-03-02 07:00", Hold(at("2026-03-02 10:00"), "gate.quiet_hours")),
        ("20:00-09:00", "10:00-18:00", "2026-03-02 18:00", Hold(at("2026-03-03 10:00"), "gate.promotion_hours")),
        ("00:00-00:00", "08:00-20:00", "2026-03-02 21:00", Hold(at("2026-03-03 08:00"), "gate.promotion_hours")),
        ("22:00-07:00", "08:00-08:00", "2026-03-02 21:00", Pass()),
        ("12:00-14:00", "10:00-13:00", "2026-03-02 12:30", Hold(at("2026-03-03 10:00"), "gate.quiet_hours")),
    ],
)
def test_promotion_leaves_in_its_hours_and_never_in_quiet_hours(
    quiet: str, hours: str, now: str, verdict: Hold | Pass
) -> None:
    table = {"cities": {"shenzhen": {"quiet_hours": quiet, "promotion_hours": hours}}}
    assert judge(PROMOTION, Settings.model_validate(table).city("shenzhen"), at(now)) == verdict


def test_promotion_is_never_urgent() -> None:
    urgent = replace(PROMOTION, urgent=True, recent=left("2026-03-02 09:00", "2026-03-02 10:00", "2026-03-02 11:00"))
    assert judge(urgent, CITY, NOON) == Hold(at("2026-03-03 09:00"), "gate.per_day")
    assert judge(urgent, CITY, at("2026-03-02 23:00")) == Hold(at("2026-03-03 09:00"), "gate.quiet_hours")


def test_a_mail_of_promotion_needs_a_way_out_of_it() -> None:
    mail = replace(PROMOTION, channel="email", can_unsubscribe=False)
    assert judge(mail, CITY, NOON) == Hold(NOON + timedelta(days=1), "gate.no_unsubscribe")
    assert judge(replace(mail, can_unsubscribe=True), CITY, NOON) == Pass()
    assert judge(replace(mail, message_class="service"), CITY, NOON) == Pass()
    assert judge(replace(mail, channel="sms"), CITY, NOON) == Pass()


def test_codes_wait_for_the_longest_of_their_limits() -> None:
    def codes(*ago: timedelta) -> tuple[Left, ...]:
        return tuple(Left(NOON - each, "sms", late=False, message_class="code") for each in ago)

    minutes = [timedelta(minutes=n) for n in (50, 40, 30, 20, 10)]
    assert judge(replace(CODE, recent=codes(timedelta(seconds=20))), CITY, NOON) == Hold(
        NOON + timedelta(seconds=40), "gate.code_per_minute"
    )
    assert judge(replace(CODE, recent=codes(*minutes)), CITY, NOON) == Hold(
        NOON + timedelta(minutes=10), "gate.code_per_hour"
    )
    hours = [timedelta(hours=n) for n in range(2, 12)]
    assert judge(replace(CODE, recent=codes(*hours)), CITY, NOON) == Hold(
        NOON + timedelta(hours=13), "gate.code_per_day"
    )
    assert judge(replace(CODE, recent=codes(*minutes, *hours)[:4]), CITY, NOON) == Pass()


def test_codes_and_other_messages_do_not_count_against_each_other() -> None:
    service = left("2026-03-02 11:57", "2026-03-02 11:58", "2026-03-02 11:59:59")
    assert judge(replace(CODE, recent=service), CITY, NOON) == Pass()
    codes = tuple(one._replace(message_class="code") for one in service)
    assert judge(replace(PLAIN, recent=codes), CITY, NOON) == Pass()


def test_a_template_that_is_not_approved_goes_to_another_adapter_whatever_the_hour() -> None:
    night = at("2026-03-02 23:00")
    assert judge(replace(PLAIN, approved=False), CITY, night) == HandOn("gate.template_not_approved")
    out = replace(PLAIN, approved=False, permissions={("*", "*"): False})
    assert judge(out, CITY, night) == Refuse("suppressed", "gate.opted_out")


# --- Laws of every verdict -----------------------------------------------------------------------------------------

everything = st.builds(
    Candidate,
    channel=st.sampled_from(["sms", "email", "chat"]),
    message_class=st.sampled_from(["code", "service", "promotion"]),
    urgent=st.booleans(),
    late=st.booleans(),
    has_address=st.booleans(),
    expires_at=st.none() | instants,
    permissions=st.dictionaries(
        st.tuples(st.sampled_from(["sms", "email", "*"]), st.sampled_from(["code", "service", "promotion", "*"])),
        st.booleans(),
        max_size=3,
    ),
    recent=st.lists(
        st.builds(
            Left,
            instants,
            st.sampled_from(["sms", "email"]),
            st.booleans(),
            st.sampled_from(["code", "service", "promotion"]),
        ),
        max_size=12,
    ),
    limits=st.builds(Limits, *(st.integers(0, 4) for _ in Limits._fields)),
    plugin_on=st.booleans(),
    staff=st.booleans(),
    admitted=st.booleans(),
    bounced=st.booleans(),
    approved=st.booleans(),
    can_unsubscribe=st.booleans(),
)


@settings(max_examples=400)
@given(everything, instants)
def test_every_verdict_names_a_rule_that_both_languages_can_tell(candidate: Candidate, now: datetime) -> None:
    verdict = judge(candidate, CITY, now)
    why = verdict.note if isinstance(verdict, Pass) else verdict.why
    if why is None:
        assert isinstance(verdict, Pass)
        return
    assert why in RULES
    for language in LANGUAGES:
        assert text(language, why)


def test_every_rule_has_its_sentence() -> None:
    assert len(set(RULES)) == len(RULES)
    for language in LANGUAGES:
        assert len({text(language, rule) for rule in RULES}) == len(RULES)


@settings(max_examples=400)
@given(everything, instants)
def test_what_is_held_waits_into_the_future_and_not_beyond_what_it_waits_for(
    candidate: Candidate, now: datetime
) -> None:
    verdict = judge(candidate, CITY, now)
    if isinstance(verdict, Hold):
        assert verdict.until > now
        again = judge(candidate, CITY, verdict.until)
        assert again != verdict  # judged differently, or until later


@settings(max_examples=400)
@given(everything, instants, st.sampled_from(["sms", "email", "*"]), st.sampled_from(["service", "promotion", "*"]))
def test_an_answer_of_yes_lets_no_fewer_messages_leave_than_an_answer_of_no(
    candidate: Candidate, now: datetime, channel: str, message_class: str
) -> None:
    def answered(*, granted: bool) -> Candidate:
        return replace(candidate, permissions={**candidate.permissions, (channel, message_class): granted})

    if isinstance(judge(answered(granted=False), CITY, now), Pass):
        assert isinstance(judge(answered(granted=True), CITY, now), Pass)


@settings(max_examples=400)
@given(everything, instants)
def test_nothing_that_a_rule_for_good_forbids_ever_leaves(candidate: Candidate, now: datetime) -> None:
    for worse in (
        replace(candidate, admitted=False),
        replace(candidate, bounced=True),
        replace(candidate, has_address=False),
    ):
        assert not isinstance(judge(worse, CITY, now), Pass)


@settings(max_examples=400)
@given(everything, instants, st.builds(Left, instants, st.sampled_from(["sms", "email"]), st.booleans()))
def test_one_message_more_in_the_past_lets_nothing_leave_that_would_have_waited(
    candidate: Candidate, now: datetime, more: Left
) -> None:
    if not isinstance(judge(candidate, CITY, now), Pass):
        assert not isinstance(judge(replace(candidate, recent=[*candidate.recent, more]), CITY, now), Pass)


def test_the_guide_for_operations_explains_every_rule() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "operating.md").read_text(encoding="utf-8")
    table = guide.partition("## What holds a message back")[2].partition("\n## ")[0]
    assert [rule for rule in RULES if f"`{rule}`" not in table] == []
