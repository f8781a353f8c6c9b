"""Years of an invented city on the virtual clock, in one process."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from keguan.adapters.base import Outcome, OutgoingMessage, Report
from keguan.building import build_installation, build_rules
from keguan.clock import VirtualClock
from keguan.demo.city import SyntheticCity, make_city
from keguan.demo.counting import count_load
from keguan.demo.feed import feed
from keguan.demo.hurry import hurry
from keguan.demo.ledger import contract_entries, handover_entries, project_entries
from keguan.demo.load import Load
from keguan.demo.prompt import PromptStaff
from keguan.outbox.delivery import Delivery
from keguan.outbox.retry import RetryPolicy
from keguan.runner.engine import Engine, Settled, Visit
from keguan.runner.scopes import apply_scopes
from keguan.store.engine import open_store
from keguan.store.migrate import upgrade

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keguan.installation import Installation
    from keguan.plugins.discovery import Installed
    from keguan.settings import Settings

__all__ = ["Part", "Period", "simulate_part"]

_EVENING = time(18, 0)
_IN_FLIGHT = 1000
_BATCH = 5000
"""Events, plans and messages in one transaction: nobody waits for the database beside the simulation."""


@dataclass(frozen=True, slots=True)
class Period:
    """What is simulated."""

    start: date
    end: date
    homes: int
    seed: int = 1
    cities: tuple[str, ...] = ()
    """Keys of the cities in which projects stand; all that are configured when empty."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which of the projects live in one process: every ``of``-th, from ``number`` on."""

    number: int = 0
    of: int = 1

    def of_city(self, city: SyntheticCity) -> tuple[str, ...]:
        """Return the names of its projects."""
        return tuple(project.name for project in city.projects[self.number :: self.of])


class _Nowhere:
    """An adapter that takes every message and lets it vanish."""

    in_flight = _IN_FLIGHT

    def submit(self, message: OutgoingMessage, now: datetime, done: Callable[[Report], None]) -> None:
        done(self.send(message, now))

    def send(self, _message: OutgoingMessage, _now: datetime) -> Report:
        return Report(Outcome.SENT)

    def check(self) -> str | None:
        return None

    def close(self) -> None:
        pass


def simulate_part(
    settings: Settings,
    period: Period,
    part: Part = Part(),
    progress: Callable[[int], None] = lambda _days: None,
    installed: Mapping[str, Installed] | None = None,
) -> Load:
    """Run the homes of ``part`` through ``period`` under ``settings`` and count the work.

    Configuration, plugins and engine are the real ones; the database is a temporary file and messages vanish. What
    belongs to no project, but to the company, is counted in the first part. ``progress`` is told how many more days are
    over. Raises what a start of the daemon would raise.
    """
    keys = period.cities or tuple(settings.cities) or ("shenzhen",)
    city = make_city(period.homes, period.start, period.end, keys, period.seed)
    mine = part.of_city(city)
    with TemporaryDirectory(prefix="keguan-simulate-") as folder, _quick_collector():
        store = open_store(f"sqlite:///{Path(folder) / 'simulate.db'}", Path(folder))
        try:
            hurry(store)
            upgrade(store)
            clock = VirtualClock(datetime.combine(period.start, time(), tzinfo=UTC) - timedelta(days=1))
            installation = build_installation(_alone(settings, keys), store, clock, installed=installed)
            apply_scopes(installation)
            installation.settle()
            settled = _live(installation, clock, city, mine, progress)
            load = count_load(installation, mine, company=part.number == 0)
            load.failures.update(settled.failures)
            _count_homes(load, city, mine)
            return load
        finally:
            store.close()


def _alone(settings: Settings, cities: Collection[str]) -> Settings:
    """Return ``settings`` for ``cities`` alone, without anybody who waits: no department, no other process."""
    runner = settings.runner.model_copy(update={"plan_batch": _BATCH, "dispatch_batch": _BATCH})
    kept = {key: city for key, city in settings.cities.items() if key in cities}
    return settings.model_copy(update={"departments": {}, "runner": runner, "cities": kept})


@contextmanager
def _quick_collector() -> Iterator[None]:
    """Let Python look for cyclic garbage seldom: rows come and go by the thousand, and hold no cycles."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _live(
    installation: Installation,
    clock: VirtualClock,
    city: SyntheticCity,
    mine: tuple[str, ...],
    progress: Callable[[int], None],
) -> Settled:
    """Let the days pass, each evening's entries coming in on their evening."""
    own = [entry for entry in [*contract_entries(city), *handover_entries(city)] if entry.project.name in mine]
    entries = sorted([*project_entries(city), *own], key=lambda entry: entry.on)
    zone = installation.city(next(iter(installation.cities), "shenzhen"))
    visits = [
        Visit(zone.at(day, _EVENING), partial(feed, installation, list(group)))
        for day, group in groupby(entries, key=lambda entry: entry.on)
    ]
    reached = city.start
    staff = PromptStaff(installation)

    def wake(now: datetime) -> bool:
        nonlocal reached
        worked = staff.work(now)
        today = min(zone.today(now), city.end)
        if today > reached:
            progress((today - reached).days)
            reached = today
        return worked

    return _engine(installation).fast_forward(clock, zone.at(city.end + timedelta(days=1), time()), wake, visits)


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


def _count_homes(load: Load, city: SyntheticCity, mine: tuple[str, ...]) -> None:
    own = [purchase for purchase in city.purchases if purchase.place.project.name in mine]
    load.contracts = len(own)
    load.homes = len({purchase.place for purchase in own})
