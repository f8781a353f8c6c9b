"""Turns a playbook into promises, and promises into plans for one record.

Everything that can be decided without the record is decided at start. What is left, per plan, is reading a
date, adding to it, and asking the city for two instants: planning is the hot path of every import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from keguan.errors import PluginError
from keguan.model import Context, Contract, Home, Plan
from keguan.texts import Language
from keguan_sixplustwo.playbook import Playbook
from keguan_sixplustwo.timing import DayOf, anchors_of, compile_moment, counts_workdays
from keguan_sixplustwo.touchpoint import Kind, Touchpoint, Trigger

if TYPE_CHECKING:
    from keguan.calendar import WorkCalendar

__all__ = ["MORNING", "Promise", "Schedule", "plans", "schedule"]

MORNING = time(9, 30)
"""When a message leaves on its day, unless its timing names a time. Ours. Tasks begin when the office opens."""

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)

_CONTRACT: Mapping[str, Callable[[Contract, WorkCalendar], date | None]] = {
    "deposit": lambda contract, _: contract.deposit_on,
    "contract_signed": lambda contract, _: contract.signed_on,
    "planned_handover": lambda contract, _: contract.planned_handover_on,
    "handover": lambda contract, _: contract.home.handed_over_on if contract.home else None,
}
_HOME: Mapping[str, Callable[[Home, WorkCalendar], date | None]] = {
    "handover": lambda home, _: home.handed_over_on,
    "move_in": lambda home, _: home.move_in_on,
}
_ANCHORS: Mapping[Trigger, Mapping[str, DayOf]] = {
    Trigger.DEPOSIT: _CONTRACT,
    Trigger.CONTRACT_SIGNED: _CONTRACT,
    Trigger.HANDOVER: _HOME,
}
"""The dates that can be counted from, per trigger: its hook gets a record that knows these."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One touchpoint, ready to be planned for any record of its trigger."""

    action: str
    day: DayOf
    clock: time | None
    """When it runs on its day; ``None``: when the office opens."""
    until: DayOf | None
    until_clock: time | None
    clause: str
    rolls: bool
    """A limit for staff that ends on a day off ends on the next working day."""
    by_calendar: bool
    proxies: tuple[tuple[DayOf, Mapping[Language, str]], ...]
    """Readers of dates that a proxy stands in for, each with the note to show when it does."""

    def end(self, record: object, context: Context) -> datetime | None:
        """Return when the window ends (UTC), or ``None`` when it does not or not yet."""
        if self.until is None or (last := self.until(record, context.calendar)) is None:
            return None
        if self.until_clock is None:
            return context.city.at(last + _DAY, _MIDNIGHT)
        return context.city.at(last, self.until_clock)


Schedule = Mapping[Trigger, tuple[Promise, ...]]
"""All promises of one playbook, by what brings them about."""


def schedule(playbook: Playbook) -> Schedule:
    """Return the promises of ``playbook``.

    Raises ``PluginError`` when a timing counts from a date that the touchpoint's trigger does not offer.
    """
    promises = [(entry.trigger, _promise(entry, playbook)) for entry in playbook.touchpoints.values()]
    return {trigger: tuple(made for of, made in promises if of is trigger) for trigger in Trigger}


def plans(promises: tuple[Promise, ...], record: Contract | Home, context: Context) -> list[Plan]:
    """Return a plan for each promise whose date is known; the others come when ``record`` gets theirs.

    A window that closed before the due time makes an empty window: such a plan is missed, never run.
    """
    wanted = []
    city, calendar, language = context.city, context.calendar, context.language
    for promise in promises:
        day = promise.day(record, calendar)
        if day is None:
            continue
        if promise.rolls:
            day = calendar.roll_forward(day)
        due = city.at(day, promise.clock or calendar.office_hours[0][0])
        end = promise.end(record, context)
        if end is not None and end < due:
            due = end
        note = ""
        for read, notes in promise.proxies:
            if read(record, calendar) is None:
                note = notes[language]
        wanted.append(Plan(promise.action, due, end, promise.clause, by_calendar=promise.by_calendar, note=note))
    return wanted


def _promise(entry: Touchpoint, playbook: Playbook) -> Promise:
    recorded = _ANCHORS[entry.trigger]
    timings = [timing for timing in (entry.due, entry.until) if timing]
    for timing in timings:
        for anchor in sorted(anchors_of(timing.moment) - recorded.keys()):
            raise PluginError(
                "sixplustwo.anchor_unknown",
                expression=timing,
                anchor=anchor,
                touchpoint=entry.id,
                trigger=entry.trigger,
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
    rolls = entry.kind is Kind.TASK
    return Promise(
        action=entry.id,
        day=compile_moment(entry.due.moment, anchors),
        clock=entry.due.clock or (None if rolls else MORNING),
        until=compile_moment(entry.until.moment, anchors) if entry.until else None,
        until_clock=entry.until.clock if entry.until else None,
        clause=str(entry.clause or ""),
        rolls=rolls,
        by_calendar=rolls or any(counts_workdays(timing.moment) for timing in counted),
        proxies=tuple(
            (recorded[name], {"zh": proxies[name].note.zh, "en": proxies[name].note.en})
            for name in sorted(anchors_of(entry.due.moment) & proxies.keys())
        ),
    )


def _either(recorded: DayOf, proxy: DayOf) -> DayOf:
    """Return the date that is recorded, else the one that stands in for it."""
    return lambda record, calendar: recorded(record, calendar) or proxy(record, calendar)
