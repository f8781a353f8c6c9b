"""What an attempt's report means for the message. Pure: report in, new state out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from keguan.adapters.base import Outcome, Report

__all__ = ["Next", "RetryPolicy", "after_attempt"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How one adapter's failures are answered."""

    first_delay: timedelta = timedelta(minutes=1)
    growth: float = 4.0
    longest_delay: timedelta = timedelta(hours=4)
    attempts: int = 8
    in_doubt: Literal["hold", "resend"] = "hold"

    def delay(self, attempts: int) -> timedelta:
        """Return the pause after the ``attempts``-th failed attempt: 1, 4, 16, 64 minutes, then four hours."""
        try:
            seconds = self.first_delay.total_seconds() * self.growth ** (attempts - 1)
        except OverflowError:
            return self.longest_delay
        return min(timedelta(seconds=min(seconds, 1e9)), self.longest_delay)


@dataclass(frozen=True, slots=True)
class Next:
    """The state a message is in after an attempt."""

    status: str
    attempts: int
    doubts: int
    next_at: datetime | None
    error: str | None
    sent_at: datetime | None = None
    provider_id: str | None = None


def after_attempt(report: Report, attempts: int, doubts: int, policy: RetryPolicy, now: datetime) -> Next:
    """Return what becomes of a message that had ``attempts`` earlier attempts and ``doubts`` earlier doubts.

    A wrong configuration is nobody's attempt: the message waits until an administrator has mended it. An
    answer that never came is recorded as a doubt before any policy resends it.
    """
    detail = report.detail or None
    count = attempts + 1
    match report.outcome:
        case Outcome.SENT:
            return Next("sent", count, doubts, None, None, sent_at=now, provider_id=report.provider_id)
        case Outcome.PERMANENT:
            return Next("dead", count, doubts, None, detail)
        case Outcome.CONFIGURATION:
            return Next("queued", attempts, doubts, now + policy.longest_delay / 24, detail)
        case Outcome.TEMPORARY:
            if count >= policy.attempts:
                return Next("dead", count, doubts, None, detail)
            return Next("queued", count, doubts, now + policy.delay(count), detail)
        case Outcome.IN_DOUBT:
            if policy.in_doubt == "hold" or count >= policy.attempts:
                return Next("in_doubt", count, doubts + 1, None, detail)
            return Next("queued", count, doubts + 1, now + policy.delay(count), detail)
