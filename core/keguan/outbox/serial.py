"""Deliver one message after the other: each start is on disk before the message leaves, and nothing else with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Row

from keguan.errors import DatabaseError
from keguan.outbox import queue
from keguan.outbox.desk import Desk, Ended, Kept
from keguan.outbox.gate import Pass
from keguan.outbox.handover import masked
from keguan.outbox.knowledge import Knowledge
from keguan.store.engine import Store

__all__ = ["OneByOne"]

T = TypeVar("T")


class OneByOne:
    """For adapters that take one message at a time, on one connection."""

    def __init__(self, desk: Desk, store: Store, stop: threading.Event) -> None:
        self._desk = desk
        self._store = store
        self._stop = stop

    def run(self) -> None:
        """Deliver everything that is due and may leave now. Ends early when told to stop."""
        desk = self._desk
        most = 0
        while not self._stop.is_set():
            now = desk.clock.now()
            ready = desk.pace.ready(now, desk.batch)
            if desk.paused_until(now) is not None or not ready:
                break
            with self._store.write() as connection:
                batch = desk.claim(connection, now, max(ready, most))
                known = desk.know(connection, batch, now)
            if not batch:
                break
            left = self._deliver(batch, known)
            # What is held takes nobody's turn: where all is, more is looked at at once.
            most = 0 if left else min(desk.batch, 2 * len(batch))

    def _deliver(self, batch: Sequence[Row[Any]], known: Knowledge) -> int:
        """Deliver what may leave of a batch; return how many were handed over."""
        desk = self._desk
        waiting = {row.id for row in batch}
        ended: Ended | None = None
        left = 0
        try:
            passed, kept = desk.sort_out(batch, known.copy(), desk.clock.now())
            self._keep_back(None, kept)
            waiting -= {row.id for row, _ in kept}
            for row, _ in passed:
                now = desk.clock.now()
                if self._stop.is_set() or desk.paused_until(now) is not None or not desk.pace.ready(now, 1):
                    break
                verdict = known.judge(row, now)  # again: the ones before may have taken their time
                if not isinstance(verdict, Pass):
                    self._keep_back(ended, [(row, verdict)])
                    ended = None
                elif self._settle(ended, partial(self._start, row, verdict.note)):
                    known.leaves(row, desk.clock.now())
                    ended = self._send(row, known, verdict)
                    left += 1
                else:
                    ended = None
                    continue
                waiting.remove(row.id)
        finally:
            if ended or waiting:
                self._settle(ended, lambda connection: queue.release(connection, desk.worker, waiting))
        return left

    def _start(self, row: Row[Any], note: str | None, connection: Connection) -> bool:
        """Record that the message leaves now; ``False`` when it must not: the lease is lost, or all is to stop."""
        desk = self._desk
        if self._stop.is_set():
            return False
        return queue.start(connection, row.id, desk.worker, desk.clock.now(), desk.lease, note)

    def _send(self, row: Row[Any], known: Knowledge, verdict: Pass) -> Ended:
        """Hand one message over whose start is on disk."""
        desk, recipient = self._desk, known.recipient(row)
        now = desk.clock.now()
        desk.pace.take(1, now)
        report = desk.handover.send(row, recipient, now)
        return desk.end(row, report, masked(row, recipient), verdict.note)

    def _keep_back(self, ended: Ended | None, kept: Sequence[Kept]) -> None:
        """Write in one transaction what the gate did not let pass."""
        if kept:
            now = self._desk.clock.now()
            backs = self._settle(ended, lambda connection: self._desk.keep_back(connection, kept, now))
            self._desk.tell_kept(kept, backs)

    def _settle(self, ended: Ended | None, then: Callable[[Connection], T]) -> T:
        """Write what became of the last message and do ``then`` in one transaction, for each waits for the disk.

        An outcome is written again and again while the database is locked or full: only this thread knows it.
        Told to stop, it tries once more; then the message is in doubt for the next process.
        """
        known = [] if ended is None else [ended]
        pause = 0.25
        while True:
            last = not known or self._stop.is_set()
            try:
                with self._store.write() as connection:
                    self._desk.write(connection, known)
                    result = then(connection)
            except DatabaseError as error:
                if last:
                    raise
                self._desk.log.error("outcome not recorded yet", messages=1, error=str(error), again_in=pause)
                self._stop.wait(pause)
                pause = min(pause * 2, 30.0)
            else:
                self._desk.written(known)
                return result
