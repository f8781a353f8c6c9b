"""The gate before every adapter: may this message leave now? One place, judged at the moment of sending.

Pure: what is known of the message and its recipient in, a verdict out. Nothing is swallowed: whatever does not
pass names its rule, a key of the catalogues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from keguan.model import City
from keguan.outbox.hours import Hours, hours_of

__all__ = [
    "NO_LIMITS",
    "RULES",
    "WEEK",
    "Candidate",
    "HandOn",
    "Hold",
    "Left",
    "Limits",
    "Pass",
    "Permissions",
    "Refuse",
    "Verdict",
    "judge",
]

LATE_PER_DAY = 2
"""Never more than this many messages to one person on the day of a late entry (a default of ours)."""

WEEK = timedelta(days=7)
_LOOK_AGAIN = timedelta(days=1)
"""How often a message is judged again that waits for an administrator; ``keguan outbox release`` does it at once."""

RULES = (
    "gate.window_passed",
    "plan.plugin_off",
    "gate.no_address",
    "gate.allow_list",
    "gate.bounced",
    "gate.no_consent",
    "gate.opted_out",
    "gate.template_not_approved",
    "gate.value_length",
    "gate.value_link",
    "gate.no_unsubscribe",
    "gate.code_per_minute",
    "gate.code_per_hour",
    "gate.code_per_day",
    "gate.urgent_in_quiet_hours",
    "gate.quiet_hours",
    "gate.promotion_hours",
    "gate.late_burst",
    "gate.per_day",
    "gate.per_week",
    "gate.promotion_per_day",
    "gate.promotion_per_week",
)
"""Every rule that a verdict can name, in the order in which they are asked."""

Permissions = dict[tuple[str, str], bool]
"""What one person granted (``True``) or withdrew: by channel and message class, ``*`` standing for all."""


class Left(NamedTuple):
    """A message that left, or is leaving, to the same person; urgent ones do not count, unless they are codes."""

    at: datetime
    channel: str
    late: bool
    message_class: str = "service"


class Limits(NamedTuple):
    """How many messages one person gets on one channel; 0 means no limit.

    Service and promotion count together in ``per_day`` (a day of the city) and ``per_week`` (seven times 24
    hours), promotion in limits of its own besides. Codes have only their own; their day is 24 hours.
    """

    per_day: int = 0
    per_week: int = 0
    promotion_per_day: int = 0
    promotion_per_week: int = 0
    code_per_minute: int = 0
    code_per_hour: int = 0
    code_per_day: int = 0


NO_LIMITS = Limits()


@dataclass(slots=True)
class Candidate:
    """What judging needs to know of a message. Not frozen: what left meanwhile changes while a batch leaves."""

    channel: str
    message_class: str
    urgent: bool
    late: bool
    has_address: bool
    expires_at: datetime | None
    permissions: Permissions
    recent: Sequence[Left] = ()
    """What left to this person in the past week, on any channel."""
    limits: Limits = NO_LIMITS
    plugin_on: bool = True
    """Whether the plugin that promised it is on in its city."""
    staff: bool = False
    """Work for our own people, such as a digest: no customer's consent, hours or limits are asked for."""
    admitted: bool = True
    """Whether the allow list of a test installation has the address, or there is none."""
    bounced: bool = False
    """Whether the address is known not to exist."""
    refused: bool = False
    """Whether somebody answered from the address that it is enough; codes, which are asked for, go on."""
    approved: bool = True
    """Whether the adapter that asks may send this template in this class, or needs no approval."""
    refused_value: str | None = None
    """The rule by which the provider of the adapter that asks would refuse a value in it, if one would."""
    can_unsubscribe: bool = True
    """Whether an e-mail can carry a way out of it."""


@dataclass(frozen=True, slots=True)
class Pass:
    """It may leave; ``note`` names a rule that was set aside, such as quiet hours for an urgent message."""

    note: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """It waits until ``until`` because of the rule ``why``, then is judged again."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """It will not leave: ``status`` (suppressed, expired, dead) because of the rule ``why``."""

    status: str
    why: str


@dataclass(frozen=True, slots=True)
class HandOn:
    """It may leave, but not through this adapter, because of ``why``: another one of the channel is to take it.

    When there is no other one, it is held until something changes, or dead where nothing can.
    """

    why: str
    otherwise: Literal["held", "dead"] = "held"


Verdict = Pass | Hold | Refuse | HandOn
_PASS = Pass()
_URGENT = Pass("gate.urgent_in_quiet_hours")


def judge(candidate: Candidate, city: City, now: datetime, hours: Hours | None = None) -> Verdict:
    """Return what happens to a message at ``now`` (UTC). Nothing is swallowed: every verdict names its rule.

    ``hours`` is what the clock of the city says at ``now``, where it was looked up before.

    Rules in order: the window of the promise; the plugin that promised it is on; what can never leave (no
    address, not on the allow list, bounced, consent); the adapter's approved templates and the values its provider
    takes; a way out of advertising mail; then, for customers, the hours and limits of the message's class. Codes
    pass all hours and have limits of their own; urgent service messages pass hours and limits, and in quiet hours
    that is noted.
    """
    ends = candidate.expires_at
    if ends is not None and ends <= now:
        return Refuse("expired", "gate.window_passed")
    if not candidate.plugin_on:
        return _wait(candidate, now, "plan.plugin_off")
    never = _never(candidate)
    if never is not None:
        return never
    if not candidate.approved:
        return HandOn("gate.template_not_approved")
    if candidate.refused_value is not None:
        return HandOn(candidate.refused_value, otherwise="dead")
    if candidate.staff:
        return _PASS
    if candidate.message_class == "code":
        return _too_many_codes(candidate, now) or _PASS
    return _by_the_clock(candidate, city, now, hours or hours_of(city, now))


def _by_the_clock(candidate: Candidate, city: City, now: datetime, hours: Hours) -> Verdict:
    """Judge what has hours and limits: all but codes."""
    if candidate.message_class == "promotion":
        return _promotion(candidate, city, now, hours)
    if candidate.urgent:
        return _URGENT if hours.closed else _PASS
    if hours.closed is not None:
        return Hold(hours.closed, "gate.quiet_hours")
    return (_too_many(candidate, city, now, hours) if candidate.recent else None) or _PASS


def _promotion(candidate: Candidate, city: City, now: datetime, hours: Hours) -> Verdict:
    """Advertising is never urgent, and a mail of it needs a way out."""
    if candidate.channel == "email" and not candidate.can_unsubscribe:
        return _wait(candidate, now, "gate.no_unsubscribe")
    if hours.opening is not None:
        return Hold(hours.opening, "gate.quiet_hours" if hours.closed else "gate.promotion_hours")
    return (_too_many(candidate, city, now, hours) if candidate.recent else None) or _PASS


def _wait(candidate: Candidate, now: datetime, why: str) -> Hold:
    """Look again in a day, or when the message expires: an administrator may have changed something."""
    until = now + _LOOK_AGAIN
    ends = candidate.expires_at
    return Hold(until if ends is None else min(ends, until), why)


def _never(candidate: Candidate) -> Refuse | None:
    """Return why no later time would let it leave."""
    if not candidate.has_address:
        return Refuse("dead", "gate.no_address")
    if not candidate.admitted:
        return Refuse("suppressed", "gate.allow_list")
    if candidate.bounced:
        return Refuse("suppressed", "gate.bounced")
    if candidate.refused and not candidate.staff and candidate.message_class != "code":
        return Refuse("suppressed", "gate.opted_out")
    if not candidate.staff and not _permitted(candidate):
        promotion = candidate.message_class == "promotion"
        return Refuse("suppressed", "gate.no_consent" if promotion else "gate.opted_out")
    return None


def _permitted(candidate: Candidate) -> bool:
    """The most exact answer of the person counts; without any, only promotion needs consent."""
    permissions, channel, message_class = candidate.permissions, candidate.channel, candidate.message_class
    if permissions:
        for key in ((channel, message_class), (channel, "*"), ("*", message_class), ("*", "*")):
            answer = permissions.get(key)
            if answer is not None:
                return answer
    return message_class != "promotion"


def _too_many_codes(candidate: Candidate, now: datetime) -> Hold | None:
    limits, channel = candidate.limits, candidate.channel
    times = [one.at for one in candidate.recent if one.message_class == "code" and one.channel == channel]
    return (
        _over(times, limits.code_per_day, timedelta(days=1), now, "gate.code_per_day")
        or _over(times, limits.code_per_hour, timedelta(hours=1), now, "gate.code_per_hour")
        or _over(times, limits.code_per_minute, timedelta(minutes=1), now, "gate.code_per_minute")
    )


def _too_many(candidate: Candidate, city: City, now: datetime, hours: Hours) -> Hold | None:
    """Hold what would be too much for one person; days are those of the city, a week is seven times 24 hours."""
    _, _, _, _, begins, ends = hours
    limits, own_channel, promotion = candidate.limits, candidate.channel, candidate.message_class == "promotion"
    late = today_all = today_promotion = 0
    times: list[datetime] = []
    promotions: list[datetime] = []
    for at, channel, was_late, message_class in candidate.recent:
        if message_class == "code":
            continue
        is_today = begins <= at < ends
        if was_late and is_today:
            late += 1
        if channel == own_channel:
            times.append(at)
            today_all += is_today
            if message_class == "promotion":
                promotions.append(at)
                today_promotion += is_today
    if candidate.late and late >= LATE_PER_DAY:
        return _until_tomorrow(city, now, "gate.late_burst", promotion=promotion)
    if promotion and 0 < limits.promotion_per_day <= today_promotion:
        return _until_tomorrow(city, now, "gate.promotion_per_day", promotion=True)
    if 0 < limits.per_day <= today_all:
        return _until_tomorrow(city, now, "gate.per_day", promotion=promotion)
    own = _over(promotions, limits.promotion_per_week, WEEK, now, "gate.promotion_per_week") if promotion else None
    return own or _over(times, limits.per_week, WEEK, now, "gate.per_week")


def _over(times: Sequence[datetime], limit: int, span: timedelta, now: datetime, why: str) -> Hold | None:
    """Hold when ``times`` already has ``limit`` in the ``span`` before now, until one leaves it."""
    if not limit or len(times) < limit:
        return None
    free_at = sorted(times)[-limit] + span
    return Hold(free_at, why) if free_at > now else None


def _until_tomorrow(city: City, now: datetime, why: str, *, promotion: bool) -> Hold:
    """Hold until messages of this class may leave again on the next business day."""
    tomorrow = city.at(city.today(now) + timedelta(days=1), city.quiet_until)
    return Hold(city.opening(tomorrow, promotion=promotion), why)
