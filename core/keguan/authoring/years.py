"""Six years of a small invented city under a configuration: what became of every promise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select

from keguan.adapters.memory import MemoryAdapter
from keguan.authoring.diligence import DiligentStaff
from keguan.authoring.quiet import next_new_tick
from keguan.authoring.witness import Witness
from keguan.building import WayOut, build_engine, build_installation
from keguan.clock import VirtualClock
from keguan.demo.city import Purchase, SyntheticCity, make_city
from keguan.demo.feed import feed
from keguan.demo.hurry import hurry
from keguan.demo.ledger import Entry, contract_entries, handover_entries, project_entries
from keguan.errors import KeguanError
from keguan.events.log import NewEvent, append
from keguan.events.types import CORE_EVENT_TYPES
from keguan.hookspecs import expected_actions
from keguan.installation import Installation
from keguan.model import Subject
from keguan.plugins.answers import Result
from keguan.plugins.discovery import Installed
from keguan.queries.promises import read_promises
from keguan.queries.reader import Reader
from keguan.runner.scopes import apply_scopes
from keguan.settings import Settings
from keguan.store.engine import open_store
from keguan.store.migrate import upgrade
from keguan.store.schema import branches, contracts, homes, plans, projects

__all__ = ["Fate", "Lived", "live"]

Name = tuple[str, str]
"""A plugin and one of its actions."""
_START, _END = date(2026, 1, 1), date(2031, 12, 31)
_AHEAD = timedelta(days=92)
"""So long before the first of these years the projects are known: a launch is planned, and much is due before it."""
_HOMES = 12
_EVENING = time(18)
_SUBJECTS = {"contract": contracts, "home": homes, "project": projects, "branch": branches}


@dataclass(slots=True)
class Fate:
    """What became of the promises of one action."""

    promised: int = 0
    done: int = 0
    past: int = 0
    """Due by the end of the years."""
    late_from_the_start: int = 0
    """Due before their fact came in, which was always on the day itself."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why they came to nothing."""


@dataclass(slots=True)
class Lived:
    """What six years brought."""

    fates: dict[Name, Fate]
    expected: frozenset[Name]
    """What should come up sooner or later: not optional, not switched off."""
    stuck: Mapping[Name, KeguanError]
    """Tasks that cannot be done."""
    unrenderable: Mapping[tuple[str, ...], KeguanError]
    """Templates by language, plugin, name and channel."""
    departments: Mapping[str, Name]
    """Those that have tasks, with the first action that gave them one."""
    named: frozenset[str]
    """The departments that forms are for."""


def live(settings: Settings, city: str, installed: Mapping[str, Installed] | None = None) -> Lived:
    """Return what six years in ``city`` bring under ``settings``, on a temporary database.

    Twelve homes, fitted and bare; the dates of a project are known a quarter ahead, every other fact comes in on the
    evening of its day; each event of a plugin happens once; staff do every task as soon as it comes up. Raises what a
    start of the daemon would raise.
    """
    invented = _punctual(make_city(_HOMES, _START, _END, [city]))
    with TemporaryDirectory(prefix="keguan-check-") as place:
        folder = Path(place)
        store = open_store(f"sqlite:///{folder / 'check.db'}", folder)
        try:
            hurry(store)
            upgrade(store)
            clock = VirtualClock(datetime.combine(_START - _AHEAD, time(), tzinfo=UTC))
            alone = settings.model_copy(update={"departments": {}})
            installation = build_installation(alone, store, clock, installed=installed)
            templates = installation.templates = Witness(installation)
            staff = DiligentStaff(installation, folder / "evidence")
            apply_scopes(installation)
            _let_pass(installation, clock, invented, staff)
            return Lived(
                _fates(installation),
                frozenset(_expected(installation, city)),
                staff.stuck,
                templates.unrenderable(),
                staff.departments,
                frozenset(name for form in installation.plugins.forms.values() for name in form.departments),
            )
        finally:
            store.close()


def _punctual(city: SyntheticCity) -> SyntheticCity:
    """Return the city with every fact entered on its day, and every second home fitted."""

    def made(number: int, purchase: Purchase) -> Purchase:
        return replace(
            purchase,
            place=replace(purchase.place, fitted=number % 2 == 0),
            signed_entered_on=purchase.signed_on,
            handover_entered_on=purchase.handed_over_on,
            move_in_entered_on=purchase.move_in_on,
        )

    return replace(city, purchases=tuple(made(number, each) for number, each in enumerate(city.purchases)))


def _let_pass(installation: Installation, clock: VirtualClock, city: SyntheticCity, staff: DiligentStaff) -> None:
    engine = build_engine(installation, ways=[WayOut("memory", MemoryAdapter(), ("email", "sms"), "hold")])
    zone = installation.city(city.projects[0].city)
    early = [replace(entry, on=_START - _AHEAD) for entry in project_entries(city)]
    entries = [*early, *contract_entries(city), *handover_entries(city)]
    middle = _START + (_END - _START) * 0.6
    told = False
    for day, group in groupby(sorted(entries, key=_on), key=_on):
        if not told and day >= middle:
            _tell_events(installation, zone.key)
            told = True
        engine.fast_forward(clock, zone.at(day, _EVENING), staff.work, ticks=next_new_tick)
        feed(installation, group)
    engine.fast_forward(clock, zone.at(_END, time(23, 59)), staff.work, ticks=next_new_tick)


def _on(entry: Entry) -> date:
    return entry.on


def _tell_events(installation: Installation, city: str) -> None:
    """Let each event that plugins brought along happen once, about the first record that it can be about."""
    now, store = installation.clock.now(), installation.store
    with store.write() as connection:
        told = []
        for name, kind in installation.plugins.event_types.items():
            table = _SUBJECTS.get(kind.subject)
            if name in CORE_EVENT_TYPES or table is None:
                continue
            number = connection.execute(select(table.c.id).order_by(table.c.id).limit(1)).scalar()
            if number is not None:
                told.append(NewEvent("check", name, name, now, Subject(kind.subject, number), city, {}))
        append(store, connection, told, now)


def _fates(installation: Installation) -> dict[Name, Fate]:
    found: dict[Name, Fate] = {}
    now = installation.clock.now()
    reader = Reader(installation.store, installation.settings, now, installation.language)
    with installation.store.read() as connection:
        for promised in read_promises(reader, connection, plans.c.status != "cancelled"):
            if installation.plugins.actions[promised.plugin, promised.action].after is not None:
                continue  # what follows on a task hangs on what people found there
            fate = found.setdefault((promised.plugin, promised.action), Fate())
            fate.promised += 1
            fate.late_from_the_start += promised.late_at_creation
            if promised.done_at is not None or promised.status == "kept":
                fate.done += 1
            elif promised.due_at <= now and promised.status != "due":
                fate.reasons[promised.why or promised.status] += 1
            fate.past += promised.due_at <= now
    return found


def _expected(installation: Installation, city: str) -> Iterator[Name]:
    """Yield what plugins say should come up; of those that do not say, every action."""
    plugins = installation.plugins
    for name in plugins.names:
        answer = plugins.door.call_one(name, expected_actions, prepared=plugins.prepared.get(name), city=city)
        if isinstance(answer, Result):
            chosen = {(name, action) for action in answer.value or ()}
        else:
            chosen = {key for key in plugins.actions if key[0] == name}
        # What follows on a task hangs on what people found there.
        yield from (key for key in chosen if key not in plugins.actions or plugins.actions[key].after is None)
