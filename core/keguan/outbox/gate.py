"""The gate before every adapter: may this message leave now? One place, judged at the moment of sending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from keguan.model import City

__all__ = [
    "NO_LIMITS",
    "WEEK",
    "Candidate",
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
"""How often a message of a plugin that is off is judged again; switching it on lets go of it at once."""

Permissions = dict[tuple[str, str], bool]
"""What one person granted (``True``) or withdrew: by channel and message class, ``*`` standing for all."""


class Left(NamedTuple):
    """A message that left, or is leaving, to the same person; urgent ones and codes do not count."""

    at: datetime
    channel: str
    late: bool


class Limits(NamedTuple):
    """How many messages one person gets on one channel; 0 means no limit."""

    per_day: int = 0
    per_week: int = 0


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Candidate:
    """What judging needs to know of a message."""

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


Verdict = Pass | Hold | Refuse


def judge(candidate: Candidate, city: City, now: datetime) -> Verdict:
    """Return what happens to a message at ``now`` (UTC). Nothing is swallowed: every verdict names its rule.

    Rules in order: the window of the promise; the plugin that promised it is on; an address; consent
    (``promotion`` needs one, ``service`` and ``code`` stop at an opt-out); the city's quiet hours; at most two
    late messages a person and day; the limits per day and week. Urgent messages and codes pass the last three.
    """
    if candidate.expires_at is not None and candidate.expires_at <= now:
        return Refuse("expired", "gate.window_passed")
    if not candidate.plugin_on:
        return Hold(_not_after(candidate.expires_at, now + _LOOK_AGAIN), "plan.plugin_off")
    if not candidate.has_address:
        return Refuse("dead", "gate.no_address")
    if not _permitted(candidate):
        why = "gate.no_consent" if candidate.message_class == "promotion" else "gate.opted_out"
        return Refuse("suppressed", why)
    quiet_end = city.quiet_end(now)
    if candidate.urgent or candidate.message_class == "code":
        return Pass("gate.urgent_in_quiet_hours" if quiet_end else None)
    if quiet_end is not None:
        return Hold(quiet_end, "gate.quiet_hours")
    return _limited(candidate, city, now) or Pass()


def _limited(candidate: Candidate, city: City, now: datetime) -> Hold | None:
    """Hold what would be too much for one person; days are those of the city, a week is seven times 24 hours."""
    if not candidate.recent:
        return None
    today = city.today(now)
    if candidate.late and sum(left.late and city.today(left.at) == today for left in candidate.recent) >= LATE_PER_DAY:
        return Hold(_next_morning(city, now), "gate.late_burst")
    per_day, per_week = candidate.limits
    same = sorted(left.at for left in candidate.recent if left.channel == candidate.channel)
    if per_day and sum(city.today(at) == today for at in same) >= per_day:
        return Hold(_next_morning(city, now), "gate.per_day")
    week = [at for at in same if at > now - WEEK]
    if per_week and len(week) >= per_week:
        return Hold(week[-per_week] + WEEK, "gate.per_week")
    return None


def _not_after(end: datetime | None, until: datetime) -> datetime:
    return until if end is None else min(end, until)


def _permitted(candidate: Candidate) -> bool:
    """The most exact answer of the person counts; without any, only promotion needs consent."""
    for key in (
        (candidate.channel, candidate.message_class),
        (candidate.channel, "*"),
        ("*", candidate.message_class),
        ("*", "*"),
    ):
        answer = candidate.permissions.get(key)
        if answer is not None:
            return answer
    return candidate.message_class != "promotion"


def _next_morning(city: City, now: datetime) -> datetime:
    """Return when messages may leave again on the next business day."""
    tomorrow = city.today(now) + timedelta(days=1)
    opening = city.at(tomorrow, city.quiet_until)
    return city.quiet_end(opening) or opening
