"""Ask the gateway what became of messages in doubt, before anybody or any policy sends them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Row, func, select, type_coerce, update

from keguan.adapters.base import InquiringAdapter, Outcome, Report
from keguan.outbox.desk import Desk
from keguan.outbox.handover import masked
from keguan.outbox.retry import FIRST_QUESTION, RetryPolicy
from keguan.store.engine import Store
from keguan.store.schema import messages
from keguan.store.types import Instant

__all__ = ["Inquiries"]

_LONGEST_PAUSE = timedelta(hours=4)
_GIVEN_UP = timedelta(days=3)
"""No gateway remembers a message for longer: from then on it is a person's."""
_SILENT = timedelta(hours=1)
"""A gateway that could say nothing for that long does not know the message: a policy of resending counts again."""
_AT_ONCE = 16
_BUDGET = 5.0
"""Seconds that the questions of one pass may take: what waits to leave must not wait for them."""
_LOOK_EVERY = timedelta(minutes=1)

_m = messages.c


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one message is to become; ``None`` leaves a column as it is."""

    row: Row[Any]
    values: dict[str, Any]


class Inquiries:
    """The questions of one adapter. Used by its thread only."""

    def __init__(self, desk: Desk, adapter: InquiringAdapter, store: Store) -> None:
        self._desk = desk
        self._adapter = adapter
        self._store = store
        self._look_at: datetime | None = None
        self.next_at: datetime | None = None
        """When a message has to be asked about next; ``None`` when there is none."""

    def is_due(self, now: datetime) -> bool:
        """Return whether there may be somebody to ask about."""
        return self._look_at is None or now >= self._look_at

    def run(self) -> None:
        """Ask about what is due, for a few seconds at most."""
        desk = self._desk
        now = desk.clock.now()
        if not self.is_due(now):
            return
        deadline = monotonic() + _BUDGET
        with self._store.read() as connection:
            rows = list(connection.execute(_own(desk.name, now).where(_m.next_at <= now).limit(_AT_ONCE)))
            known = desk.know(connection, rows, now) if rows else None
            if known is not None:
                known.meet(connection, {row.person_id for row in rows})
        answers = []
        for row in rows:
            assert known is not None  # there are rows
            answers.append(_Answer(row, self._ask(row, known.recipient(row), now)))
            if monotonic() > deadline:
                break
        desk.tally.asked += len(answers)
        if answers:
            with self._store.write() as connection:
                taken = [each for each in answers if _write(connection, each)]
            for each in taken:
                self._tell(each)
        with self._store.read() as connection:
            first = select(type_coerce(func.min(_m.next_at), Instant)).where(*_conditions(desk.name, now))
            self.next_at = connection.execute(first).scalar()
        self._look_at = min(self.next_at or now + _LOOK_EVERY, now + _LOOK_EVERY)

    def look_again(self) -> None:
        """Look into the table at the next pass: a message may have come into doubt."""
        self._look_at = None

    def _ask(self, row: Row[Any], recipient: Any, now: datetime) -> dict[str, Any]:
        """Return what becomes of a message by what the gateway says of it."""
        report: object
        try:
            report = self._adapter.inquire(self._desk.handover.message(row, recipient), now)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - an adapter is foreign code; it said nothing
            self._desk.log.warning("not answered", key=row.key, error=type(error).__name__)
            report = None
        answer = _answered(row, report, now) if isinstance(report, Report) else None
        if answer is None:
            return _unanswered(row, self._desk.policy, self._desk.name, now)
        return answer | {"to_masked": row.to_masked or masked(row, recipient)}

    def _tell(self, answer: _Answer) -> None:
        row, status = answer.row, answer.values.get("status", "in_doubt")
        self._desk.tally.sent += status == "sent"
        self._desk.log.info("asked about", status=status, plugin=row.plugin, action=row.action, key=row.key)


def _conditions(adapter: str, now: datetime) -> list[Any]:
    return [_m.status == "in_doubt", _m.adapter == adapter, _m.started_at > now - _GIVEN_UP]


def _own(adapter: str, now: datetime) -> Any:
    return select(messages).where(*_conditions(adapter, now)).order_by(_m.next_at)


def _write(connection: Connection, answer: _Answer) -> bool:
    """Write an answer, unless a person decided meanwhile."""
    row = answer.row
    mine = update(messages).where(_m.id == row.id, _m.status == "in_doubt", _m.started_at == row.started_at)
    return connection.execute(mine.values(answer.values)).rowcount == 1


def _answered(row: Row[Any], report: Report, now: datetime) -> dict[str, Any] | None:
    """Return what a clear answer makes of a message; ``None`` when it is none."""
    number = report.provider_id or row.provider_id
    detail = report.detail or None
    match report.outcome:
        case Outcome.SENT:
            return {"status": "sent", "sent_at": row.started_at, "provider_id": number, "error": None}
        case Outcome.PERMANENT:
            return {"status": "dead", "provider_id": number, "error": detail}
        case Outcome.TEMPORARY:  # certainly not there: nothing is in doubt any more
            doubts = max(0, row.doubts - 1)
            via = row.via if doubts else None
            again = {"status": "queued", "next_at": now, "started_at": None, "doubts": doubts, "via": via}
            return again | {"provider_id": None, "error": detail or row.error}
    return None


def _unanswered(row: Row[Any], policy: RetryPolicy, name: str, now: datetime) -> dict[str, Any]:
    """Ask again after as long as it has been in doubt; resend, where that is the policy, after an hour of silence."""
    silent = now - row.started_at
    if policy.in_doubt == "resend" and silent >= _SILENT and row.attempts < policy.attempts:
        return {"status": "queued", "next_at": now, "started_at": None, "via": name}
    pause = min(max(silent, FIRST_QUESTION), _LONGEST_PAUSE)
    if policy.in_doubt == "resend" and silent < _SILENT:
        pause = min(pause, _SILENT - silent)
    return {"next_at": now + pause}
