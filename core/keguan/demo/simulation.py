"""Years of an invented city on the virtual clock: how much work a configuration makes, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, func, select, type_coerce

from keguan.adapters.base import Outcome, OutgoingMessage, Report
from keguan.building import build_installation, build_rules
from keguan.clock import VirtualClock
from keguan.demo.city import SyntheticCity, make_city
from keguan.demo.feed import feed
from keguan.demo.hurry import hurry
from keguan.demo.ledger import contract_entries, handover_entries
from keguan.outbox.delivery import Delivery
from keguan.outbox.retry import RetryPolicy
from keguan.runner.engine import Engine, Settled
from keguan.runner.scopes import apply_scopes
from keguan.store.engine import open_store
from keguan.store.migrate import upgrade
from keguan.store.schema import messages, plans, tasks
from keguan.store.types import from_stored

if TYPE_CHECKING:
    from keguan.installation import Installation
    from keguan.settings import Settings

__all__ = ["Load", "simulate"]

_EVENING = time(18, 0)
_QUARTER = 900_000_000  # microseconds: no time zone's offset is finer than a quarter of an hour
_BATCH = 500


@dataclass(slots=True)
class Load:
    """What the years brought: counts by day (of the city where it happened) and by channel or department."""

    settled: Settled
    homes: int
    contracts: int
    messages: Counter[tuple[date, str]] = field(default_factory=Counter)
    """Messages that left, by day and channel."""
    segments: Counter[date] = field(default_factory=Counter)
    """SMS as the operator bills them, by day."""
    tasks: Counter[tuple[date, str]] = field(default_factory=Counter)
    """Tasks by the day of their deadline and department."""
    plans: dict[str, int] = field(default_factory=dict)
    """How the promises stand at the end: status to number."""


class _Nowhere:
    """An adapter that takes every message and lets it vanish."""

    def send(self, _message: OutgoingMessage, _now: datetime) -> Report:
        return Report(Outcome.SENT)

    def check(self) -> str | None:
        return None

    def close(self) -> None:
        pass


def simulate(
    settings: Settings,
    start: date,
    end: date,
    homes: int,
    seed: int = 1,
    progress: Callable[[int], None] = lambda _days: None,
) -> Load:
    """Run ``homes`` homes of an invented city from ``start`` to ``end`` under ``settings`` and count the work.

    Configuration, plugins and engine are the real ones; the database is a temporary file and messages vanish.
    ``progress`` is told how many more days are over. Raises what a start of the daemon would raise.
    """
    keys = list(settings.cities) or ["shenzhen"]
    city = make_city(homes, start, end, keys, seed)
    with TemporaryDirectory(prefix="keguan-simulate-") as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'simulate.db'}", Path(folder))
        try:
            hurry(store)
            upgrade(store)
            clock = VirtualClock(datetime.combine(start, time(), tzinfo=UTC) - timedelta(days=1))
            # Nobody works there, so nothing would climb but reminders to departments.
            alone = settings.model_copy(update={"departments": {}})
            installation = build_installation(alone, store, clock)
            apply_scopes(installation)
            settled = _live(installation, clock, city, progress)
            return _count(installation, Load(settled, homes, len(city.purchases)))
        finally:
            store.close()


def _live(
    installation: Installation, clock: VirtualClock, city: SyntheticCity, progress: Callable[[int], None]
) -> Settled:
    """Let the days pass, each evening's entries coming in on their evening."""
    entries = sorted([*contract_entries(city), *handover_entries(city)], key=lambda entry: entry.on)
    zone = installation.city(next(iter(installation.cities), "shenzhen"))
    engine = _engine(installation)
    total = Settled()
    reached = city.start
    for day, group in groupby(entries, key=lambda entry: entry.on):
        total.merge(engine.fast_forward(clock, zone.at(day, _EVENING)))
        feed(installation, group)
        progress((day - reached).days)
        reached = day
    total.merge(engine.fast_forward(clock, zone.at(city.end + timedelta(days=1), time())))
    return total


def _engine(installation: Installation) -> Engine:
    channels = sorted({"email", "sms", *installation.settings.channels})
    nowhere = Delivery(
        name="nowhere",
        adapter=_Nowhere(),
        channels=channels,
        store=installation.store,
        clock=installation.clock,
        rules=build_rules(installation),
        policy=RetryPolicy(),
        language=installation.language,
        batch=_BATCH,
    )
    return Engine(installation, [nowhere])


def _count(installation: Installation, load: Load) -> Load:
    """Add up what is in the tables: by quarters of an hour there, by each city's own days here."""
    m, t = messages.c, tasks.c
    with installation.store.read() as connection:
        sent, due = _quarter(m.sent_at), _quarter(t.due_at)
        for row in connection.execute(
            select(m.city, m.channel, sent, func.count(), func.sum(m.segments))
            .where(m.sent_at.is_not(None))
            .group_by(m.city, m.channel, sent)
        ):
            day = _day(installation, row[0], row[2])
            load.messages[day, row[1]] += row[3]
            load.segments[day] += row[4] or 0
        for row in connection.execute(
            select(t.city, t.department, due, func.count()).group_by(t.city, t.department, due)
        ):
            load.tasks[_day(installation, row[0], row[2]), row[1]] += row[3]
        status = plans.c.status
        by_status = select(status, func.count()).group_by(status).order_by(status)
        load.plans.update((row[0], row[1]) for row in connection.execute(by_status))
    return load


def _quarter(column: ColumnElement[Any]) -> ColumnElement[int]:
    """Return which quarter of an hour since 1970 an instant falls in."""
    return type_coerce(column, BigInteger) // _QUARTER


def _day(installation: Installation, city: str, quarter: int) -> date:
    return installation.city(city).today(from_stored(quarter * _QUARTER))
