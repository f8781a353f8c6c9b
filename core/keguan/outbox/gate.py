"""The gate before every adapter: may this message leave now? One place, judged at the moment of sending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from keguan.model import City

__all__ = ["Candidate", "Hold", "Pass", "Permissions", "Refuse", "Verdict", "judge"]

LATE_PER_DAY = 2
"""Never more than this many messages to one person on the day of a late entry (a default of ours)."""

Permissions = dict[tuple[str, str], bool]
"""What one person granted (``True``) or withdrew: by channel and message class, ``*`` standing for all."""


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
    late_today: int
    """Messages of late entries that went to this person today already."""


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

    Rules in order: the window of the promise; an address; consent (``promotion`` needs one, ``service`` and
    ``code`` stop at an opt-out); at most two late messages a person and day; the city's quiet hours, which
    urgent messages and codes pass.
    """
    if candidate.expires_at is not None and candidate.expires_at <= now:
        return Refuse("expired", "gate.window_passed")
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
    if candidate.late and candidate.late_today >= LATE_PER_DAY:
        return Hold(_next_morning(city, now), "gate.late_burst")
    return Pass()


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
