"""Deliver through one adapter: claim, judge, start, send, mark. One of these per adapter, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar

import structlog
from sqlalchemy import Connection, Row

from keguan.adapters.base import Adapter, Outcome, OutgoingMessage, Report
from keguan.clock import Clock
from keguan.errors import DatabaseError
from keguan.masking import mask_email, mask_phone
from keguan.model import Attachment
from keguan.outbox import queue
from keguan.outbox.gate import Hold, Pass, Refuse
from keguan.outbox.knowledge import Knowledge, Recipient, Rules
from keguan.outbox.retry import Next, RetryPolicy, after_attempt
from keguan.store.engine import Store
from keguan.texts import Language, text

__all__ = ["Delivery", "Tally"]

T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """What one pass did."""

    claimed: int = 0
    sent: int = 0
    held: int = 0
    refused: int = 0
    failed: int = 0


class _Ended(NamedTuple):
    """A message that was handed over, and what is to be written about it."""

    row: Row[Any]
    outcome: Next
    masked: str | None
    note: str | None


class Delivery:
    """The way out of one or more channels through one adapter."""

    def __init__(
        self,
        *,
        name: str,
        adapter: Adapter,
        channels: Sequence[str],
        store: Store,
        clock: Clock,
        rules: Rules,
        policy: RetryPolicy,
        language: Language,
        batch: int = 16,
        lease: timedelta = queue.LEASE,
        stop: threading.Event | None = None,
    ) -> None:
        self.name = name
        self.channels = tuple(channels)
        self.policy = policy
        self._adapter = adapter
        self._store = store
        self._clock = clock
        self._rules = rules
        self._language = language
        self._batch = batch
        self._lease = lease
        self._stop = stop or threading.Event()
        self._worker = f"{queue.worker_name()}/{name}"
        self._paused_until: datetime | None = None
        self._log = structlog.get_logger("keguan.outbox").bind(adapter=name)

    def run(self) -> Tally:
        """Deliver everything that is due now; return what happened. Ends early when told to stop."""
        tally = Tally()
        while not self._stop.is_set():
            now = self._clock.now()
            if self._paused_until is not None:
                if now < self._paused_until:
                    break
                self._paused_until = None
            with self._store.write() as connection:
                batch = queue.claim(connection, self.channels, self.name, self._worker, now, self._batch, self._lease)
                known = Knowledge.load(connection, self._rules, batch, now)
            if not batch:
                break
            tally.claimed += len(batch)
            self._deliver(batch, known, tally)
        return tally

    def take_back(self) -> None:
        """Queue again what a failed pass had claimed and not started."""
        with self._store.write() as connection:
            queue.release(connection, self._worker)

    def close(self) -> None:
        """End the adapter's session."""
        self._adapter.close()

    def _deliver(self, batch: Sequence[Row[Any]], known: Knowledge, tally: Tally) -> None:
        waiting = {row.id for row in batch}
        ended: _Ended | None = None
        try:
            passed, kept = _sorted_out(batch, known.copy(), self._clock.now())
            self._keep_back(None, kept, tally)
            waiting -= {row.id for row, _ in kept}
            for row in passed:
                if self._stop.is_set() or self._paused_until is not None:
                    break
                verdict = known.judge(row, self._clock.now())  # again: the ones before may have taken their time
                if not isinstance(verdict, Pass):
                    self._keep_back(ended, [(row, verdict)], tally)
                    ended = None
                elif self._settle(ended, partial(self._start, row)):
                    known.leaves(row, self._clock.now())
                    ended = self._send(row, known.recipient(row), verdict, tally)
                else:
                    ended = None
                    continue
                waiting.remove(row.id)
        finally:
            if ended or waiting:
                self._settle(ended, lambda connection: queue.release(connection, self._worker, waiting))

    def _start(self, row: Row[Any], connection: Connection) -> bool:
        """Record that the message leaves now; ``False`` when it must not: the lease is lost, or all is to stop."""
        return not self._stop.is_set() and queue.start(connection, row.id, self._worker, self._clock.now(), self._lease)

    def _send(self, row: Row[Any], recipient: Recipient, verdict: Pass, tally: Tally) -> _Ended:
        """Hand one message over whose start is on disk."""
        address = recipient.address(row.channel)
        assert address  # the gate has seen to that
        report = self._attempt(row, recipient, address)
        outcome = after_attempt(report, row.attempts, row.doubts, self.policy, self._clock.now())
        masked = mask_email(address) if row.channel == "email" else mask_phone(address)
        if report.outcome is Outcome.CONFIGURATION:
            self._paused_until = outcome.next_at
        if outcome.status == "sent":
            tally.sent += 1
        else:
            tally.failed += 1
        return _Ended(row, outcome, masked, verdict.note)

    def _settle(self, ended: _Ended | None, then: Callable[[Connection], T]) -> T:
        """Write what became of the last message and do ``then`` in one transaction, for each waits for the disk.

        An outcome is written again and again while the database is locked or full: only this thread knows it.
        Told to stop, it tries once more; then the message is in doubt for the next process.
        """
        pause = 0.25
        while True:
            last = ended is None or self._stop.is_set()
            try:
                with self._store.write() as connection:
                    if ended is not None:
                        queue.mark(connection, ended.row.id, self._worker, ended.outcome, ended.masked)
                    result = then(connection)
            except DatabaseError as error:
                if last or ended is None:
                    raise
                self._log.error("outcome not recorded yet", key=ended.row.key, error=str(error), again_in=pause)
                self._stop.wait(pause)
                pause = min(pause * 2, 30.0)
            else:
                if ended is not None:
                    self._tell(ended)
                return result

    def _tell(self, ended: _Ended) -> None:
        row, outcome = ended.row, ended.outcome
        self._log.info(
            "message",
            status=outcome.status,
            plugin=row.plugin,
            action=row.action,
            clause=row.clause,
            key=row.key,
            to=ended.masked,
            attempts=outcome.attempts,
            error=outcome.error,
            note=text(self._language, ended.note) if ended.note else None,
        )

    def _attempt(self, row: Row[Any], recipient: Recipient, address: str) -> Report:
        message = OutgoingMessage(
            key=row.key,
            channel=row.channel,
            to_address=address,
            to_name=recipient.name,
            title=row.title,
            text=row.body,
            html=row.html,
            attachments=_attachments(row.attachments),
            segments=row.segments,
        )
        try:
            report: object = self._adapter.send(message, self._clock.now())
        except (Exception, SystemExit) as error:  # noqa: BLE001 - an adapter is foreign code: nobody knows what had left
            return Report(Outcome.IN_DOUBT, f"{type(error).__name__} in adapter {self.name}")
        if not isinstance(report, Report):
            return Report(Outcome.IN_DOUBT, f"{type(report).__name__} as report of adapter {self.name}")
        return report

    def _keep_back(self, ended: _Ended | None, kept: Sequence[_Kept], tally: Tally) -> None:
        """Write in one transaction what the gate did not let pass."""
        if not kept:
            return
        rows = [
            queue.KeptBack(row.id, "held", verdict.why, verdict.until)
            if isinstance(verdict, Hold)
            else queue.KeptBack(row.id, verdict.status, verdict.why, row.next_at)
            for row, verdict in kept
        ]
        self._settle(ended, lambda connection: queue.put_back(connection, self._worker, rows))
        for (row, verdict), back in zip(kept, rows, strict=True):
            tally.held += isinstance(verdict, Hold)
            tally.refused += isinstance(verdict, Refuse)
            self._log.info(
                "message",
                status=back.status,
                plugin=row.plugin,
                action=row.action,
                clause=row.clause,
                key=row.key,
                why=text(self._language, back.why),
            )


_Kept = tuple[Row[Any], Hold | Refuse]


def _sorted_out(batch: Sequence[Row[Any]], known: Knowledge, now: datetime) -> tuple[list[Row[Any]], list[_Kept]]:
    """Return which messages may leave now, and which not and why, on the assumption that the others arrive."""
    passed: list[Row[Any]] = []
    kept: list[_Kept] = []
    for row in batch:
        verdict = known.judge(row, now)
        if isinstance(verdict, Pass):
            known.leaves(row, now)
            passed.append(row)
        else:
            kept.append((row, verdict))
    return passed, kept


def _attachments(stored: list[dict[str, str]] | None) -> tuple[Attachment, ...]:
    import base64  # noqa: PLC0415 - few messages carry files

    return tuple(
        Attachment(item["filename"], base64.b64decode(item["content"]), item["media_type"]) for item in stored or ()
    )
