"""Deliver through one adapter: claim, judge, start, send, mark. One of these per adapter, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from keguan.adapters.base import Adapter, ConcurrentAdapter, InquiringAdapter, PollingAdapter
from keguan.clock import Clock
from keguan.outbox import queue
from keguan.outbox.desk import Desk, Tally
from keguan.outbox.handover import Handover, Unsubscribe
from keguan.outbox.inquiries import Inquiries
from keguan.outbox.knowledge import Rules
from keguan.outbox.pace import Pace
from keguan.outbox.polling import Listen, Poller
from keguan.outbox.retry import RetryPolicy
from keguan.outbox.routes import Routes
from keguan.outbox.serial import OneByOne
from keguan.outbox.window import HARD_LIMIT, Window
from keguan.store.engine import Store
from keguan.texts import Language

__all__ = ["POLL_EVERY", "Delivery", "Tally"]

POLL_EVERY = timedelta(seconds=30)


class Delivery:
    """The way out of one or more channels through one adapter.

    Args:
        name: as in the configuration.
        adapter: handles one message at a time, or several if it is a ``ConcurrentAdapter``.
        channels: what leaves through it, unless ``routes`` say more exactly who serves which channel.
        routes: the adapters of every channel in order of preference.
        rate: how many messages leave a second at most; ``None``: as many as it takes.
        listen: keeps what a ``PollingAdapter`` heard; without it nothing is polled.
        unsubscribe: tells the addresses by which a recipient can opt out.
        hard_limit: after that long without an answer a submitted message is in doubt.
    """

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
        routes: Routes | None = None,
        rate: float | None = None,
        listen: Listen | None = None,
        poll_every: timedelta = POLL_EVERY,
        unsubscribe: Unsubscribe | None = None,
        hard_limit: timedelta = HARD_LIMIT,
    ) -> None:
        self.name = name
        self.channels = tuple(channels)
        self.routes = routes if routes is not None else Routes(dict.fromkeys(self.channels, (name,)))
        self.policy = replace(policy, inquires=True) if isinstance(adapter, InquiringAdapter) else policy
        self.on_handed_on: Callable[[], None] = _nothing
        """Called when messages were left to other adapters, so that they need not wait for their next look."""
        self.adapter = adapter
        self._store = store
        self.clock = clock
        self._resumed = False
        stop = stop or threading.Event()
        self._stop = stop
        self._desk = Desk(
            handover=Handover(name, adapter, rules.approvals, unsubscribe),
            routes=self.routes,
            pace=Pace(rate),
            clock=clock,
            rules=rules,
            policy=self.policy,
            language=language,
            batch=batch,
            lease=lease,
        )
        self._way: OneByOne | Window
        if isinstance(adapter, ConcurrentAdapter):
            self._way = Window(self._desk, adapter, store, stop, hard_limit)
        else:
            self._way = OneByOne(self._desk, store, stop)
        self._inquiries = Inquiries(self._desk, adapter, store) if isinstance(adapter, InquiringAdapter) else None
        self._poller: Poller | None = None
        if isinstance(adapter, PollingAdapter) and listen is not None:
            self._poller = Poller(name, adapter, listen, store=store, clock=clock, every=poll_every, stop=stop)

    def run(self) -> Tally:
        """Deliver everything that is due and may leave now; return what happened. Ends early when told to stop.

        Before that, the gateway is asked about what is in doubt, and for receipts and replies.
        """
        desk = self._desk
        desk.tally = tally = Tally()
        if self._stop.is_set():
            return tally
        if not self._resumed:
            with self._store.write() as connection:
                desk.resume(connection, self.clock.now())
            self._resumed = True
        if self._poller is not None:
            self._poller.run()
        if self._inquiries is not None:
            self._inquiries.run()
        try:
            self._way.run()
        finally:
            if desk.doubtful:
                desk.doubtful = False
                self.look_again()
            if desk.handed_on:
                desk.handed_on = False
                self.on_handed_on()
        desk.finish(self._store)
        return tally

    def has_errand(self, now: datetime) -> bool:
        """Return whether the gateway is to be asked something although no message may be due."""
        errands = (self._poller, self._inquiries)
        return any(each is not None and each.is_due(now) for each in errands)

    def wakes_at(self, now: datetime) -> datetime | None:
        """Return when there may be more to do although no message falls due; ``None`` when there is no such time."""
        question = None if self._inquiries is None else self._inquiries.next_at
        times = (self.slot_at(now), self._desk.paused_until(now), question)
        return min((at for at in times if at is not None and at > now), default=None)

    def slot_at(self, now: datetime) -> datetime | None:
        """Return when the next message may leave by the adapter's rate; ``None`` when one may leave now."""
        pace = self._desk.pace
        return None if pace.ready(now, 1) else pace.next_at

    def look_again(self) -> None:
        """Ask at the next pass about what came into doubt behind this delivery's back."""
        if self._inquiries is not None:
            self._inquiries.look_again()

    def take_back(self) -> None:
        """Queue again what a failed pass had claimed and not started."""
        with self._store.write() as connection:
            queue.release(connection, self._desk.worker)

    def close(self) -> None:
        """End the adapter's session."""
        self.adapter.close()


def _nothing() -> None:
    pass
