"""Fetch receipts and replies from a gateway that does not call us."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog

from keguan.adapters.base import Heard, PollingAdapter
from keguan.clock import Clock
from keguan.outbox import gateways
from keguan.store.engine import Store

__all__ = ["Listen", "Poller"]

Listen = Callable[[str, Heard, datetime], object]
"""Keeps what an adapter (by name) heard; hearing it again must change nothing."""
_AT_ONCE = 20
"""Polls that may follow one another without a rest: what waits to leave must not wait for ever."""


class Poller:
    """The polls of one adapter. Used by its thread only."""

    def __init__(
        self,
        name: str,
        adapter: PollingAdapter,
        listen: Listen,
        *,
        store: Store,
        clock: Clock,
        every: timedelta,
        stop: threading.Event,
    ) -> None:
        self._name = name
        self._adapter = adapter
        self._listen = listen
        self._store = store
        self._clock = clock
        self._every = every
        self._stop = stop
        self._next_at: datetime | None = None
        self._log = structlog.get_logger("keguan.outbox").bind(adapter=name)

    def is_due(self, now: datetime) -> bool:
        """Return whether it is time to poll."""
        return self._next_at is None or now >= self._next_at

    def run(self) -> None:
        """Poll if it is time. What was heard is kept before the cursor moves, so that a crash loses nothing."""
        now = self._clock.now()
        if not self.is_due(now):
            return
        self._next_at = now + self._every
        with self._store.read() as connection:
            cursor = gateways.read_cursor(connection, self._name)
        for _ in range(_AT_ONCE):
            if self._stop.is_set():
                return
            heard = self._poll(cursor, now)
            if heard is None:
                return
            if heard.receipts or heard.replies:
                self._listen(self._name, heard, now)
            cursor = heard.cursor
            self._note({"polled_at": now, "cursor": cursor})
            if not heard.more:
                return
        self._next_at = now

    def _poll(self, cursor: Any, now: datetime) -> Heard | None:
        try:
            return self._adapter.poll(cursor, now)
        except Exception as error:  # noqa: BLE001 - an adapter is foreign code: one that fails is polled again later
            what = str(error) if isinstance(error, OSError) else type(error).__name__
            self._log.warning("not polled", error=" ".join(what.split()))
            self._note({"last_error_at": now, "last_error": " ".join(what.split()) or type(error).__name__})
            return None

    def _note(self, values: dict[str, Any]) -> None:
        with self._store.write() as connection:
            gateways.note(connection, self._name, values)
