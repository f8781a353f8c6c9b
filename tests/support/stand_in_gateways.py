"""Gateways of the test's own that stand in for one another, on a virtual clock."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from keguan.adapters.base import Adapter, Heard, OutgoingMessage, Report
from keguan.adapters.memory import MemoryAdapter
from keguan.building import build_rules
from keguan.intake.facts import PersonFacts
from keguan.outbox.approvals import Approval, Approvals
from keguan.outbox.delivery import Delivery
from keguan.outbox.polling import Listen
from keguan.outbox.retry import RetryPolicy
from keguan.outbox.routes import Routes
from keguan.runner.engine import Engine
from keguan.testing import SampleCity

__all__ = ["Asked", "Polled", "Rolling", "approval", "copies", "fleet", "sell"]


class Asked(MemoryAdapter):
    """A gateway that can be asked what became of a message."""

    def __init__(self) -> None:
        super().__init__()
        self.knows: Report | None = None
        """What it says of every message."""
        self.questions: list[tuple[OutgoingMessage, datetime]] = []

    def inquire(self, message: OutgoingMessage, now: datetime) -> Report | None:
        """Say what it knows."""
        self.questions.append((message, now))
        return self.knows


class Polled(MemoryAdapter):
    """A gateway whose receipts and replies have to be fetched."""

    def __init__(self, *heard: Heard | Exception) -> None:
        super().__init__()
        self.heard = list(heard)
        self.cursors: list[Any] = []

    def poll(self, cursor: Any, now: datetime) -> Heard:
        """Give the next of what there is to hear."""
        self.cursors.append(cursor)
        one = self.heard.pop(0) if self.heard else Heard(cursor=cursor)
        if isinstance(one, Exception):
            raise one
        return one


class Rolling(MemoryAdapter):
    """A gateway that has several messages on the way; each is answered when ``in_flight`` are, or by ``answer``."""

    def __init__(self, in_flight: int = 4, on_submit: Callable[[OutgoingMessage], None] | None = None) -> None:
        super().__init__()
        self.in_flight = in_flight
        self.on_the_way: list[tuple[OutgoingMessage, datetime, Callable[[Report], None]]] = []
        self.most = 0
        """How many were on the way at once."""
        self._on_submit = on_submit
        self._lock = threading.Lock()

    def submit(self, message: OutgoingMessage, now: datetime, done: Callable[[Report], None]) -> None:
        """Take the message; answer when as many are there as it takes, or when nobody sends another one."""
        with self._lock:
            self.on_the_way.append((message, now, done))
            self.most = max(self.most, len(self.on_the_way))
        if self._on_submit is not None:
            self._on_submit(message)
        if len(self.on_the_way) >= self.in_flight:
            self.answer()
        else:
            timer = threading.Timer(0.02, self.answer)  # a real gateway answers in time, whether or not more comes
            timer.daemon = True
            timer.start()

    def answer(self) -> None:
        """Answer everything that is on the way, the last one first."""
        with self._lock:
            waiting, self.on_the_way = self.on_the_way, []
        for message, now, done in reversed(waiting):
            done(self.send(message, now))


def approval(adapter: str, template: str = "hello", variables: tuple[str, ...] = ("name",)) -> Approval:
    """Return an entry of the registry that is in force."""
    return Approval(adapter, "area", template, f"SMS_{adapter}", variables, approved_on=date(2026, 1, 1))


def fleet(
    city: SampleCity,
    gateways: Mapping[str, Adapter],
    *,
    in_doubt: Literal["hold", "resend"] = "hold",
    rate: float | None = None,
    attempts: int = 8,
    approving: tuple[str, ...] = (),
    approvals: tuple[Approval, ...] = (),
    providers: Mapping[str, str] | None = None,
    listen: Listen | None = None,
    stop: threading.Event | None = None,
    hard_limit: timedelta = timedelta(seconds=30),
    batch: int = 50,
) -> Engine:
    """Let the city's messages leave through ``gateways``, preferred in this order; return its new engine."""
    rules = build_rules(city.installation)
    rules = replace(rules, approving=frozenset(approving), approvals=Approvals(approvals), providers=providers or {})
    routes = Routes(dict.fromkeys(("email", "sms"), tuple(gateways)))
    city.engine = Engine(
        city.installation,
        [
            Delivery(
                name=name,
                adapter=adapter,
                channels=("email", "sms"),
                store=city.store,
                clock=city.clock,
                rules=rules,
                policy=RetryPolicy(in_doubt=in_doubt, attempts=attempts),
                language="en",
                batch=batch,
                stop=stop,
                routes=routes,
                rate=rate,
                listen=listen,
                hard_limit=hard_limit,
            )
            for name, adapter in gateways.items()
        ],
        stop,
    )
    return city.engine


def sell(city: SampleCity, count: int = 1) -> None:
    """Sign ``count`` contracts with as many new customers; each brings what the plugin promises, due now."""
    for number in itertools.islice(_numbers, count):
        city.sign(f"{number}", buyer=PersonFacts("王小明", f"+86138{number:08d}"))


_numbers = itertools.count(10_000_000)


def copies(*gateways: MemoryAdapter) -> Counter[str]:
    """Return how often each message was handed over to some gateway and accepted."""
    return Counter(sent.message.key for gateway in gateways for sent in gateway.sent)
