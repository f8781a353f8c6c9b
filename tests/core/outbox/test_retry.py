"""What an attempt's report means for the message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan.adapters.base import Outcome, Report
from keguan.outbox.retry import RetryPolicy, after_attempt

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
HOLD = RetryPolicy(first_delay=timedelta(minutes=1), growth=4, longest_delay=timedelta(hours=4), attempts=5)
RESEND = RetryPolicy(first_delay=timedelta(minutes=1), growth=4, attempts=5, in_doubt="resend")


@pytest.mark.parametrize(
    ("outcome", "policy", "attempts", "status", "counted", "doubts", "pause"),
    [
        (Outcome.SENT, HOLD, 0, "sent", 1, 0, None),
        (Outcome.PERMANENT, HOLD, 0, "dead", 1, 0, None),
        (Outcome.TEMPORARY, HOLD, 0, "queued", 1, 0, timedelta(minutes=1)),
        (Outcome.TEMPORARY, HOLD, 1, "queued", 2, 0, timedelta(minutes=4)),
        (Outcome.TEMPORARY, HOLD, 3, "queued", 4, 0, timedelta(minutes=64)),
        (Outcome.TEMPORARY, HOLD, 4, "dead", 5, 0, None),
        (Outcome.IN_DOUBT, HOLD, 0, "in_doubt", 1, 1, None),
        (Outcome.IN_DOUBT, RESEND, 0, "queued", 1, 1, timedelta(minutes=1)),
        (Outcome.IN_DOUBT, RESEND, 4, "in_doubt", 5, 1, None),
        (Outcome.CONFIGURATION, HOLD, 0, "queued", 0, 0, timedelta(minutes=10)),
        (Outcome.CONFIGURATION, HOLD, 99, "queued", 99, 0, timedelta(minutes=10)),
    ],
)
def test_each_outcome(
    outcome: Outcome,
    policy: RetryPolicy,
    attempts: int,
    status: str,
    counted: int,
    doubts: int,
    pause: timedelta | None,
) -> None:
    after = after_attempt(Report(outcome, "why"), attempts, 0, policy, NOW)
    assert (after.status, after.attempts, after.doubts) == (status, counted, doubts)
    assert after.next_at == (None if pause is None else NOW + pause)
    assert after.sent_at == (NOW if outcome is Outcome.SENT else None)


@given(st.integers(1, 10_000), st.floats(1, 10), st.integers(1, 3600))
def test_pauses_grow_and_never_exceed_the_longest(attempts: int, growth: float, first: int) -> None:
    policy = RetryPolicy(timedelta(seconds=first), growth, timedelta(hours=4))
    assert policy.delay(attempts) <= policy.delay(attempts + 1) <= timedelta(hours=4)


@given(st.sampled_from(Outcome), st.integers(0, 20), st.integers(0, 5), st.sampled_from([HOLD, RESEND]))
def test_a_message_that_waits_knows_until_when_and_any_other_does_not_wait(
    outcome: Outcome, attempts: int, doubts: int, policy: RetryPolicy
) -> None:
    after = after_attempt(Report(outcome), attempts, doubts, policy, NOW)
    assert (after.next_at is not None) == (after.status == "queued")
    assert after.doubts == doubts + (outcome is Outcome.IN_DOUBT)
    assert after.attempts - attempts == (outcome not in (Outcome.CONFIGURATION, Outcome.LIMIT))
