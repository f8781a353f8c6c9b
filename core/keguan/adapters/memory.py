"""A way out that ends in a list: for tests."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import NamedTuple

from keguan.adapters.base import Outcome, OutgoingMessage, Report

__all__ = ["MemoryAdapter", "Sent"]


class Sent(NamedTuple):
    """A message that left, as the other side got it."""

    message: OutgoingMessage
    at: datetime

    @property
    def text(self) -> str:
        """The text of the message."""
        return self.message.text


class MemoryAdapter:
    """A way out that ends in a list. ``answer_next`` makes the next attempts come out otherwise."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        """What was accepted, in order."""
        self.attempts: list[Sent] = []
        """What was handed over, accepted or not."""
        self._answers: deque[Report | BaseException] = deque()

    def answer_next(self, *answers: Report | Outcome | BaseException) -> None:
        """Answer the next attempts so, one after the other; an exception is raised. Later ones are accepted."""
        self._answers.extend(Report(one) if isinstance(one, Outcome) else one for one in answers)

    def send(self, message: OutgoingMessage, now: datetime) -> Report:
        """Take the message; see ``Adapter.send``."""
        self.attempts.append(Sent(message, now))
        answer = self._answers.popleft() if self._answers else Report(Outcome.SENT)
        if isinstance(answer, BaseException):
            raise answer
        if answer.outcome is Outcome.SENT:
            self.sent.append(Sent(message, now))
        return answer

    def check(self) -> str | None:
        """Find nothing wrong; see ``Adapter.check``."""
        return None

    def close(self) -> None:
        """Do nothing."""
