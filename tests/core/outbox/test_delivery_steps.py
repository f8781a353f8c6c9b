"""What is on disk at the moment when a message leaves."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from tests.support.facts import Facts
from tests.support.passes import Out, make_engine

from keguan.adapters.base import OutgoingMessage, Report
from keguan.clock import VirtualClock
from keguan.outbox.delivery import Delivery
from keguan.outbox.knowledge import Rules
from keguan.outbox.retry import RetryPolicy
from keguan.store.engine import Store
from keguan.store.schema import messages

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 09:00 in Shenzhen


class Onlooker(Out):
    """Notes what another process would read while each message leaves, and may call a stop at one of them."""

    def __init__(self, store: Store, stop: threading.Event | None = None, stop_at: int = 0) -> None:
        super().__init__()
        self.seen: list[Counter[str]] = []
        self._store = store
        self._stop = stop
        self._stop_at = stop_at

    def send(self, message: OutgoingMessage, now: datetime) -> Report:
        with self._store.read() as connection:
            rows = connection.execute(select(messages.c.status, messages.c.started_at, messages.c.key)).all()
        self.seen.append(Counter(row.status for row in rows if row.started_at is not None))
        assert {row.key for row in rows if row.status == "sending" and row.started_at} == {message.key}
        if self._stop is not None and len(self.seen) == self._stop_at:
            self._stop.set()
        return super().send(message, now)


def delivery(store: Store, adapter: Out, tmp_path: Path, stop: threading.Event | None = None) -> Delivery:
    engine = make_engine(store, tmp_path, VirtualClock(NINE), Out())
    return Delivery(
        name="out",
        adapter=adapter,
        channels=("email", "sms"),
        store=store,
        clock=VirtualClock(NINE),
        rules=Rules(engine.installation.city),
        policy=RetryPolicy(),
        language="en",
        stop=stop,
    )


def queue_messages(store: Store, tmp_path: Path) -> int:
    Facts(store).sign(3)
    engine = make_engine(store, tmp_path, VirtualClock(NINE), Out())
    engine.plan_all()
    engine.run()
    with store.read() as connection:
        statuses = list(connection.execute(select(messages.c.status)).scalars())
    assert set(statuses) == {"queued"}
    return len(statuses)


def test_each_message_is_recorded_as_started_alone_after_the_one_before_was_recorded_as_sent(
    store: Store, tmp_path: Path
) -> None:
    count = queue_messages(store, tmp_path)
    onlooker = Onlooker(store)
    tally = delivery(store, onlooker, tmp_path).run()
    assert tally.sent == count >= 3
    assert onlooker.seen == [Counter({"sending": 1, "sent": number}) for number in range(count)]


def test_a_stop_leaves_nothing_half_done(store: Store, tmp_path: Path) -> None:
    count = queue_messages(store, tmp_path)
    stop = threading.Event()
    onlooker = Onlooker(store, stop, stop_at=2)
    delivery(store, onlooker, tmp_path, stop).run()
    with store.read() as connection:
        statuses = Counter(connection.execute(select(messages.c.status)).scalars())
    assert statuses == {"sent": 2, "queued": count - 2}
