"""Turns a playbook into promises, and promises into plans for one record.

Everything that can be decided without the record is decided at start. Of the record only its dates count, and
many homes share them (a launch signs a hundred contracts a day, a building is handed over in a week): plans are
worked out once for the dates they hang on. Planning is the hot path of every import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from operator import attrgetter, itemgetter
from typing import NamedTuple

from keguan.errors import PluginError
from keguan.model import Context, Contract, Home, Plan
from keguan.texts import Language
from keguan_sixplustwo.playbook import Playbook
from keguan_sixplustwo.timing import DayOf, anchors_of, compile_moment, counts_workdays
from keguan_sixplustwo.touchpoint import Kind, Touchpoint, Trigger

__all__ = ["MORNING", "Dates", "Promise", "Promises", "Schedule", "dates_of", "schedule"]

MORNING = time(9, 30)
"""When a message leaves on its day, unless its timing names a time. Ours."""

_BEFORE_WORK = timedelta(hours=1)
"""How long before the office opens tasks come up, so that the morning's digest names what is due that day. Ours."""

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)
_REMEMBERED = 4096
"""How many dates are kept for promises that hang on the same ones: more than ten years of signing days."""


class Dates(NamedTuple):
    """What can be counted from: the dates of a contract or of a home, ``None`` where not known."""

    deposit: date | None = None
    contract_signed: date | None = None
    planned_handover: date | None = None
    handover: date | None = None
    move_in: date | None = None


_ANCHORS: Mapping[Trigger, tuple[str, ...]] = {
    Trigger.DEPOSIT: ("deposit", "contract_signed", "planned_handover", "handover"),
    Trigger.CONTRACT_SIGNED: ("deposit", "contract_signed", "planned_handover", "handover"),
    Trigger.HANDOVER: ("handover", "move_in"),
}
"""The dates that can be counted from, per trigger: its hook gets a record that knows these."""


def dates_of(record: Contract | Home) -> Dates:
    """Return the dates that promises for ``record`` are counted from."""
    if isinstance(record, Home):
        return Dates(handover=record.handed_over_on, move_in=record.move_in_on)
    home = record.home
    return Dates(
        record.deposit_on,
        record.signed_on,
        record.planned_handover_on,
        None if home is None else home.handed_over_on,
    )


@dataclass(frozen=True, slots=True)
class Promise:
    """One touchpoint, ready to be planned for any record of its trigger."""

    action: str
    day: DayOf
    clock: time | None
    """When it runs on its day; ``None``: an hour before the office opens."""
    until: DayOf | None
    until_clock: time | None
    clause: str
    rolls: bool
    """A limit for staff that ends on a day off ends on the next working day."""
    by_calendar: bool
    proxies: tuple[tuple[DayOf, Mapping[Language, str]], ...]
    """Readers of dates that a proxy stands in for, each with the note to show when it does."""
    anchors: frozenset[str]
    """The names of all dates that it hangs on."""

    def end(self, dates: Dates, context: Context) -> datetime | None:
        """Return when the window ends (UTC), or ``None`` when it does not or not yet."""
        if self.until is None or (last := self.until(dates, context.calendar)) is None:
            return None
        if self.until_clock is None:
            return context.city.at(last + _DAY, _MIDNIGHT)
        return context.city.at(last, self.until_clock)

    def plan(self, dates: Dates, context: Context) -> Plan | None:
        """Return the plan for a record with these dates; ``None`` while the date it is due on is not known.

        A window that closed before the due time makes an empty window: such a plan is missed, never run.
        """
        city, calendar = context.city, context.calendar
        day = self.day(dates, calendar)
        if day is None:
            return None
        if self.rolls:
            day = calendar.roll_forward(day)
        due = city.at(day, self.clock or calendar.office_hours[0][0])
        if self.clock is None:
            due -= _BEFORE_WORK
        end = self.end(dates, context)
        if end is not None and end < due:
            due = end
        note = ""
        for read, notes in self.proxies:
            if read(dates, calendar) is None:
                note = notes[context.language]
        return Plan(self.action, due, end, self.clause, by_calendar=self.by_calendar, note=note)


class _Group(NamedTuple):
    """Promises that hang on the same dates."""

    read: Callable[[Dates], object]
    """Returns just these dates."""
    promises: Sequence[Promise]


class _Memory(NamedTuple):
    """The plans worked out in one context: for each group by the dates they were counted from."""

    context: Context
    plans: Sequence[dict[object, Sequence[Plan]]]


class Promises:
    """What one trigger brings about; it remembers the plans it worked out last."""

    def __init__(self, promises: Iterable[Promise]) -> None:
        self.each: Mapping[str, Promise] = {promise.action: promise for promise in promises}
        """By action."""
        groups: dict[frozenset[str], list[Promise]] = {}
        for promise in self.each.values():
            groups.setdefault(promise.anchors, []).append(promise)
        places = {name: place for place, name in enumerate(Dates._fields)}
        self._groups = [
            _Group(itemgetter(*sorted(places[anchor] for anchor in anchors)), promises)
            for anchors, promises in groups.items()
        ]
        self._memories: dict[str, _Memory] = {}

    def plans(self, record: Contract | Home, context: Context) -> list[Plan]:
        """Return a plan for each promise whose date is known; the others come when ``record`` gets theirs."""
        memory = self._memories.get(context.city.key)
        if memory is None or memory.context is not context:
            # the core makes a new context when the calendar changes: it may count to other days
            memory = self._memories[context.city.key] = _Memory(context, [{} for _ in self._groups])
        dates = dates_of(record)
        wanted: list[Plan] = []
        for (read, promises), known in zip(self._groups, memory.plans, strict=True):
            key = read(dates)
            found = known.get(key)
            if found is None:
                if len(known) >= _REMEMBERED:
                    known.clear()
                made = (promise.plan(dates, context) for promise in promises)
                found = known[key] = [plan for plan in made if plan is not None]
            wanted += found
        return wanted


Schedule = Mapping[Trigger, Promises]
"""All promises of one playbook, by what brings them about."""


def schedule(playbook: Playbook) -> Schedule:
    """Return the promises of ``playbook``.

    Raises ``PluginError`` when a timing counts from a date that the touchpoint's trigger does not offer.
    """
    promises = [(entry.trigger, _promise(entry, playbook)) for entry in playbook.touchpoints.values() if entry.due]
    return {trigger: Promises(promise for of, promise in promises if of is trigger) for trigger in Trigger}


def _reader(anchor: str) -> DayOf:
    """Return the function that reads one of the ``Dates``."""
    read = attrgetter(anchor)
    return lambda dates, _: read(dates)


def _trigger(entry: Touchpoint) -> Trigger:
    assert entry.trigger is not None
    return entry.trigger


def _promise(entry: Touchpoint, playbook: Playbook) -> Promise:
    recorded = {anchor: _reader(anchor) for anchor in _ANCHORS[_trigger(entry)]}
    timings = [timing for timing in (*entry.due, entry.until) if timing]
    for timing in timings:
        for anchor in sorted(anchors_of(timing.moment) - recorded.keys()):
            raise PluginError(
                "sixplustwo.anchor_unknown",
                expression=timing,
                anchor=anchor,
                touchpoint=entry.id,
                trigger=entry.trigger or "-",
                known=", ".join(recorded),
            )
    proxies = {
        name: proxy
        for name, proxy in playbook.proxies.items()
        if name in recorded and recorded.keys() >= anchors_of(proxy.timing.moment)
    }
    anchors = {**recorded}
    for name, proxy in proxies.items():
        anchors[name] = _either(recorded[name], compile_moment(proxy.timing.moment, recorded))
    counted = [*timings, *(proxy.timing for proxy in proxies.values())]
    named = frozenset().union(*(anchors_of(timing.moment) for timing in timings))
    rolls = entry.kind is Kind.TASK
    return Promise(
        action=entry.id,
        day=compile_moment(entry.due[0].moment, anchors),
        clock=entry.due[0].clock or (None if rolls else MORNING),
        until=compile_moment(entry.until.moment, anchors) if entry.until else None,
        until_clock=entry.until.clock if entry.until else None,
        clause=str(entry.clause or ""),
        rolls=rolls,
        by_calendar=rolls or any(counts_workdays(timing.moment) for timing in counted),
        proxies=tuple(
            (recorded[name], {"zh": proxies[name].note.zh, "en": proxies[name].note.en})
            for name in sorted(anchors_of(entry.due[0].moment) & proxies.keys())
        ),
        anchors=named.union(*(anchors_of(proxies[name].timing.moment) for name in named & proxies.keys())),
    )


def _either(recorded: DayOf, proxy: DayOf) -> DayOf:
    """Return the date that is recorded, else the one that stands in for it."""
    return lambda record, calendar: recorded(record, calendar) or proxy(record, calendar)
