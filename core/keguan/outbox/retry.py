"""What an attempt's report means for the message. Pure: report in, new state out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from keguan.adapters.base import Outcome, Report

__all__ = ["FIRST_QUESTION", "Next", "RetryPolicy", "Way", "after_attempt", "pause_after"]

FIRST_QUESTION = timedelta(minutes=1)
"""A message in doubt is asked about that long after, when the gateway can be asked."""
_SHORTEST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(days=1)
"""No gateway makes us wait for longer, whatever it says."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How one adapter's failures are answered."""

    first_delay: timedelta = timedelta(minutes=1)
    growth: float = 4.0
    longest_delay: timedelta = timedelta(hours=4)
    attempts: int = 8
    """Rounds through the channel's adapters after which a message is dead."""
    in_doubt: Literal["hold", "resend"] = "hold"
    inquires: bool = False
    """The adapter can be asked what became of a message, so it is asked before the policy counts."""

    def delay(self, attempts: int) -> timedelta:
        """Return the pause after the ``attempts``-th failed attempt: 1, 4, 16, 64 minutes, then four hours."""
        try:
            seconds = self.first_delay.total_seconds() * self.growth ** (attempts - 1)
        except OverflowError:
            return self.longest_delay
        return min(timedelta(seconds=min(seconds, 1e9)), self.longest_delay)


class Way(NamedTuple):
    """Where a message stands among the adapters of its channel."""

    name: str | None = None
    """The adapter that made the attempt."""
    via: str | None = None
    """As the message says: whom it was handed on to."""
    on: str | None = None
    """Whom it can be handed on to; ``None`` when the round is over."""
    ways: int = 1
    """How many adapters the channel has."""
    free_at: datetime | None = None
    """When the first of the paused ones goes on."""


ALONE = Way()


class Next(NamedTuple):
    """The state a message is in after an attempt."""

    status: str
    attempts: int
    doubts: int
    next_at: datetime | None
    error: str | None
    sent_at: datetime | None = None
    provider_id: str | None = None
    via: str | None = None


def pause_after(report: Report, policy: RetryPolicy, now: datetime) -> datetime | None:
    """Return until when nothing may leave through the adapter that reported so; ``None`` when it may go on."""
    if report.outcome is Outcome.CONFIGURATION:
        return now + policy.longest_delay / 24
    if report.outcome is Outcome.LIMIT and report.pauses:
        return now + _wait(report, policy.first_delay)
    return None


def after_attempt(
    report: Report, attempts: int, doubts: int, policy: RetryPolicy, now: datetime, way: Way = ALONE
) -> Next:
    """Return what becomes of a message that had ``attempts`` earlier attempts and ``doubts`` earlier doubts.

    A wrong configuration and a limit are nobody's attempt. What certainly was not accepted is handed on at once
    to the next adapter of its channel, and when there is none it waits and begins anew at the first; what may
    have left before stays with its adapter, for another one would not know the repeat.
    """
    detail = report.detail or None
    count = attempts + 1
    match report.outcome:
        case Outcome.SENT:
            return Next("sent", count, doubts, None, None, now, report.provider_id, way.via)
        case Outcome.PERMANENT:
            return Next("dead", count, doubts, None, detail, via=way.via)
        case Outcome.IN_DOUBT:
            return _in_doubt(report, count, doubts + 1, policy, now, way)
        case Outcome.LIMIT if not report.pauses:
            until = now + _wait(report, policy.longest_delay / 24)
            return Next("queued", attempts, doubts, until, detail, via=way.name if doubts else way.via)
    if report.outcome is not Outcome.TEMPORARY:
        count = attempts
    if way.on is not None and not doubts:
        return Next("queued", count, doubts, now, detail, via=way.on)
    stays = way.name if doubts else None
    if report.outcome is Outcome.TEMPORARY:
        return _round_over(report, count, doubts, policy, now, way)
    until = pause_after(report, policy, now) or now
    if way.free_at is not None and not doubts:
        until = min(until, way.free_at)
    return Next("queued", count, doubts, until, detail, via=stays)


def _round_over(report: Report, count: int, doubts: int, policy: RetryPolicy, now: datetime, way: Way) -> Next:
    """Every adapter had its turn and took it not: wait longer each time, and give up in the end."""
    detail = report.detail or None
    rounds = math.ceil(count / way.ways)
    if rounds >= policy.attempts:
        return Next("dead", count, doubts, None, detail, via=way.via)
    pause = max(policy.delay(rounds), min(report.retry_after or timedelta(), _LONGEST_WAIT))
    return Next("queued", count, doubts, now + pause, detail, via=way.name if doubts else None)


def _in_doubt(report: Report, count: int, doubts: int, policy: RetryPolicy, now: datetime, way: Way) -> Next:
    """It may have left: from now on it is this adapter's, which is asked first if it can be."""
    number, detail = report.provider_id, report.detail or None
    if policy.inquires:
        status, at = "in_doubt", now + FIRST_QUESTION
    elif policy.in_doubt == "hold" or count >= policy.attempts:
        status, at = "in_doubt", None
    else:
        status, at = "queued", now + policy.delay(count)
    return Next(status, count, doubts, at, detail, None, number, way.name)


def _wait(report: Report, otherwise: timedelta) -> timedelta:
    if report.retry_after is None:
        return otherwise
    return min(max(report.retry_after, _SHORTEST_WAIT), _LONGEST_WAIT)
