"""Deliver many messages at a time: a window that rolls on, one transaction for what ended and what starts next."""

from __future__ import annotations

import queue as queues
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from keguan.adapters.base import ConcurrentAdapter, Outcome, OutgoingMessage, Report
from keguan.errors import DatabaseError
from keguan.outbox import queue
from keguan.outbox.desk import Desk, Ended, Kept
from keguan.outbox.handover import damaged, masked
from keguan.store.engine import Store

__all__ = ["HARD_LIMIT", "Window"]

HARD_LIMIT = timedelta(seconds=30)
"""An adapter answers within 20 s; one that has not by then never will."""
_LOOK_EVERY = 0.25
"""Seconds after which a window that waits looks up: at a stop, at the hard limit, at new messages."""
_GATHER = 0.004
"""Seconds in which further answers may join the first, so that they share its transaction."""
_SHARE = 4
"""It is waited for them while fewer than this part of the window have answered."""


class _Flying(NamedTuple):
    """A message on its way: handed over, not known to have arrived."""

    row: Row[Any]
    masked: str | None
    note: str | None
    since: float


@dataclass(slots=True)
class _Begun:
    """What one transaction started, and what it did not."""

    started: list[tuple[OutgoingMessage, _Flying]] = field(default_factory=list)
    damaged: list[Ended] = field(default_factory=list)
    kept: Sequence[Kept] = ()
    backs: Sequence[queue.KeptBack] = ()
    claimed: int = 0


class Window:
    """For adapters that have several messages on the way at once.

    Each start is on disk before its message is submitted, so a crash leaves in doubt what is in the window and
    nothing else.
    """

    def __init__(
        self,
        desk: Desk,
        adapter: ConcurrentAdapter,
        store: Store,
        stop: threading.Event,
        hard_limit: timedelta = HARD_LIMIT,
    ) -> None:
        self._desk = desk
        self._adapter = adapter
        self._store = store
        self._stop = stop
        self._limit = hard_limit.total_seconds()
        self._flying: dict[int, _Flying] = {}
        self._answers: queues.SimpleQueue[tuple[int, float, object]] = queues.SimpleQueue()
        self._ended: list[Ended] = []
        self._most = 0
        self._idle_until = 0.0
        self._pause = 0.0

    def run(self) -> None:
        """Deliver everything that is due and may leave now, and wait for what is on its way.

        Told to stop, it submits no more and waits for the rest.
        """
        self._idle_until = 0.0
        while True:
            begun = self._turn()
            for message, flying in begun.started:
                self._submit(message, flying)
            if not (begun.claimed or self._flying or self._ended):
                return
            self._listen()

    # --- One turn ------------------------------------------------------------------------------------------------

    def _turn(self) -> _Begun:
        """Write what ended and start what fits, in one transaction; return what is to be submitted."""
        desk, room, ended = self._desk, self._room(), self._ended
        if not ended and not room:
            return _Begun()
        try:
            with self._store.write() as connection:
                desk.write(connection, ended)
                begun = self._start(connection, room) if room else _Begun()
        except DatabaseError as error:
            self._not_written(error)
            return _Begun()
        self._ended, self._pause = begun.damaged, 0.0
        desk.written(ended)
        desk.tell_kept(begun.kept, begun.backs)
        desk.pace.take(len(begun.started), desk.clock.now())
        self._flying.update((flying.row.id, flying) for _, flying in begun.started)
        return begun

    def _room(self) -> int:
        """Return how many messages may be started now."""
        desk, now = self._desk, self._desk.clock.now()
        if self._stop.is_set() or desk.paused_until(now) is not None:
            return 0
        if not self._ended and monotonic() < self._idle_until:
            return 0
        return desk.pace.ready(now, max(0, self._adapter.in_flight - len(self._flying)))

    def _start(self, connection: Connection, room: int) -> _Begun:
        """Claim, judge and start up to ``room`` messages."""
        desk, now = self._desk, self._desk.clock.now()
        asked = max(room, self._most)
        batch = desk.look(connection, now, asked)
        self._idle_until = monotonic() + 1.0 if len(batch) < asked else 0.0
        if not batch:
            return _Begun()
        known = desk.know(connection, batch, now)
        passed, kept = desk.sort_out(batch, known, now)
        # What is held takes nobody's turn: where all is, more is looked at at once.
        self._most = 0 if passed else min(desk.batch, 2 * len(batch))
        del passed[room:]
        desk.take(connection, [(row, None) for row, _ in kept], now, started=False)
        begun = _Begun(kept=kept, backs=desk.keep_back(connection, kept, now), claimed=len(batch))
        since = monotonic()
        for row, note in passed:
            recipient = known.recipient(row)
            flying = _Flying(row, masked(row, recipient), note, since)
            try:
                begun.started.append((desk.handover.message(row, recipient), flying))
            except Exception as error:  # noqa: BLE001 - a damaged row must not stop the others
                begun.damaged.append(desk.end(row, damaged(error), flying.masked, None))
        desk.take(connection, passed, now, started=True)
        return begun

    def _not_written(self, error: DatabaseError) -> None:
        """Try again after a while, for only this thread knows the outcomes; told to stop, leave them in doubt."""
        if not self._ended or (self._stop.is_set() and self._pause):
            raise error
        self._pause = min(self._pause * 2 or 0.25, 30.0)
        count = len(self._ended)
        self._desk.log.error("outcome not recorded yet", messages=count, error=str(error), again_in=self._pause)
        self._stop.wait(self._pause)

    # --- The adapter ---------------------------------------------------------------------------------------------

    def _submit(self, message: OutgoingMessage, flying: _Flying) -> None:
        """Hand a message over whose start is on disk."""
        key, since, answers = flying.row.id, flying.since, self._answers

        def done(report: Report) -> None:
            answers.put((key, since, report))

        try:
            self._adapter.submit(message, self._desk.clock.now(), done)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code: nobody knows what had left
            done(self._desk.handover.failed(error))

    def _listen(self) -> None:
        """Wait for answers for a while, and take all there are."""
        if self._flying:
            try:
                self._take(*self._answers.get(timeout=self._patience()))
            except queues.Empty:
                self._give_up()
                return
            if self._answers.qsize() < len(self._flying) // _SHARE:
                self._stop.wait(_GATHER)
        while not self._answers.empty():
            self._take(*self._answers.get_nowait())
        self._give_up()

    def _take(self, key: int, since: float, report: object) -> None:
        """Note an answer; a second one, and one that nobody waits for any more, says nothing."""
        flying = self._flying.get(key)
        if flying is not None and flying.since == since:
            del self._flying[key]
            checked = self._desk.handover.checked(report)
            self._ended.append(self._desk.end(flying.row, checked, flying.masked, flying.note))

    def _patience(self) -> float:
        """Return for how many seconds to wait for an answer: not beyond the moment when more may leave."""
        now, slot = self._desk.clock.now(), self._desk.pace.next_at
        if slot is None or slot <= now:
            return _LOOK_EVERY
        return min(_LOOK_EVERY, (slot - now).total_seconds())

    def _give_up(self) -> None:
        """Take what never got an answer for in doubt; the longest on its way stands first."""
        limit = monotonic() - self._limit
        for key, flying in list(self._flying.items()) if self._flying else ():
            if flying.since > limit:
                break
            self._take(key, flying.since, Report(Outcome.IN_DOUBT, f"no answer from adapter {self._desk.name}"))
