"""The 6+2 steps: what a buyer is promised from the deposit to the fourth year in the home.

This module is the plugin: the hooks below turn records into plans. Everything a variant or a command needs is
imported from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from types import ModuleType
from typing import TYPE_CHECKING

from keguan.hookspecs import hookimpl
from keguan.model import (
    Action,
    Branch,
    Check,
    City,
    Context,
    Contract,
    Customer,
    Event,
    EventType,
    Form,
    Home,
    Plan,
    Project,
    Record,
)
from keguan_sixplustwo import hookspecs as _hookspecs
from keguan_sixplustwo.checks import checks as _checks
from keguan_sixplustwo.doing import actions as _actions
from keguan_sixplustwo.library import forms, playbooks
from keguan_sixplustwo.planning.dates import EVENTS, dates_of
from keguan_sixplustwo.planning.rules import MIDNIGHT
from keguan_sixplustwo.playbook import Playbook
from keguan_sixplustwo.prepared import Prepared
from keguan_sixplustwo.prepared import prepare as _prepare
from keguan_sixplustwo.report import coverage, playbook_rows
from keguan_sixplustwo.settings import Settings
from keguan_sixplustwo.touchpoint import Touchpoint

if TYPE_CHECKING:
    import click

    from keguan.texts import Language

__all__ = [
    "Playbook",
    "Prepared",
    "Settings",
    "Touchpoint",
    "coverage",
    "daily_tick",
    "describe",
    "expected_actions",
    "on_contract_signed",
    "on_event",
    "on_handover",
    "playbook_rows",
    "playbooks",
    "prepare",
    "register_actions",
    "register_checks",
    "register_commands",
    "register_event_types",
    "register_forms",
    "register_hookspecs",
    "register_pins",
    "register_settings",
]


_SUBJECTS: Mapping[str, type[Record]] = {
    "deposit": Contract,
    "customer_changed": Customer,
    "project_milestone": Project,
    **dict.fromkeys(EVENTS.values(), Project),
}
"""What the events are about that have no hook of their own."""


@hookimpl
def on_contract_signed(contract: Contract, context: Context) -> list[Plan]:
    """Plan what a signed contract promises: messages, the call-back, the home pack before handover."""
    return _prepared(context.prepared).plans("contract_signed", contract, context)


@hookimpl
def on_handover(home: Home, context: Context) -> list[Plan]:
    """Plan what the handover of a home promises: the call-back, the visits after moving in, the warranties."""
    return _prepared(context.prepared).plans("handover", home, context)


@hookimpl
def on_event(event: Event, record: Record, context: Context) -> list[Plan]:
    """Plan what hangs on a deposit, on the milestones of a project, on a birthday, and on single events."""
    expected = _SUBJECTS.get(event.type)
    if expected is None or not isinstance(record, expected):
        return []
    dates = None
    if event.type in EVENTS.values():
        day = context.calendar.date_of(event.time)
        dates = dates_of(record, context)._replace(event=day, number=event.seq)
    return _prepared(context.prepared).plans(event.type, record, context, dates)


@hookimpl
def daily_tick(today: date, branch: Branch, context: Context) -> list[Plan]:
    """Plan what the company promises in one city, this year and next; what was due before today began earlier."""
    since = context.city.at(today, MIDNIGHT)
    wanted = _prepared(context.prepared).plans("tick", branch, context)
    return [replace(plan, subject=branch.ref) for plan in wanted if plan.due >= since]


@hookimpl
def register_event_types() -> list[EventType]:
    """Offer the single events of a project that promises hang on: each of them counts by itself."""
    return [EventType(name, "project", each=True) for name in sorted(EVENTS.values())]


@hookimpl
def register_pins(settings: object) -> dict[str, str]:
    """Say which edition is in force where: what began under one keeps it."""
    assert isinstance(settings, Settings)
    return {"": settings.edition, **settings.project_editions}


@hookimpl
def register_settings() -> type[Settings]:
    """Say which settings ``[plugins.sixplustwo]`` may hold."""
    return Settings


@hookimpl
def register_hookspecs() -> ModuleType:
    """Publish ``sixplustwo_adjust``, by which a city's variant adjusts the playbook."""
    return _hookspecs


@hookimpl
def prepare(settings: object, cities: Mapping[str, City], ask: Callable[..., list[tuple[str, object]]]) -> Prepared:
    """Read the playbooks and fold each city's variants into them."""
    assert isinstance(settings, Settings)
    return _prepare(settings, cities, ask)


@hookimpl
def register_actions(prepared: object) -> list[Action]:
    """Offer one action per touchpoint."""
    assert isinstance(prepared, Prepared)
    return _actions(prepared)


@hookimpl
def register_forms() -> list[Form]:
    """Offer what call-backs ask and what visits write down."""
    return list(forms().values())


@hookimpl
def register_commands() -> list[click.Command]:
    """Offer ``keguan sixplustwo playbook`` and ``keguan sixplustwo coverage``."""
    from keguan_sixplustwo.commands import commands  # noqa: PLC0415 - the command line is not needed to plan

    return commands()


@hookimpl
def register_checks(prepared: object) -> list[Check]:
    """Offer questions: was every promise kept, was everybody reached, did letters leave in time."""
    assert isinstance(prepared, Prepared)
    return _checks(prepared, {action.name: action.label or {} for action in _actions(prepared)})


@hookimpl
def expected_actions(prepared: object, city: str) -> set[str]:
    """Expect whatever is planned in ``city`` and not left to its choice."""
    ready = _prepared(prepared)
    chosen = ready.settings.optional
    entries = ready.playbook(city).touchpoints.values()
    return {entry.id for entry in entries if entry.kind.planned and (not entry.optional or entry.id in chosen)}


@hookimpl
def describe(prepared: object, city: str, language: Language) -> list[Mapping[str, object]]:
    """Say which touchpoints are in force in ``city``."""
    rows = playbook_rows(_prepared(prepared).playbook(city), language)
    return [{"id": row["touchpoint"], **row} for row in rows if row["touchpoint"] is not None]


def _prepared(prepared: object) -> Prepared:
    assert isinstance(prepared, Prepared)
    return prepared
