"""The 6+2 steps: what a buyer is promised from the deposit to the fourth year in the home.

This module is the plugin: the hooks below turn records into plans. Everything a variant or a command needs is
imported from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from keguan.forms import load_forms
from keguan.hookspecs import hookimpl
from keguan.model import Action, Check, City, Context, Contract, Event, Form, Home, Plan, Record
from keguan_sixplustwo import hookspecs as _hookspecs
from keguan_sixplustwo.actions import actions as _actions
from keguan_sixplustwo.checks import checks as _checks
from keguan_sixplustwo.library import playbooks
from keguan_sixplustwo.playbook import Playbook
from keguan_sixplustwo.prepared import Prepared
from keguan_sixplustwo.prepared import prepare as _prepare
from keguan_sixplustwo.report import coverage, playbook_rows
from keguan_sixplustwo.settings import Settings
from keguan_sixplustwo.touchpoint import Touchpoint, Trigger

if TYPE_CHECKING:
    import click

__all__ = [
    "Playbook",
    "Prepared",
    "Settings",
    "Touchpoint",
    "coverage",
    "on_contract_signed",
    "on_event",
    "on_handover",
    "playbook_rows",
    "playbooks",
    "prepare",
    "register_actions",
    "register_checks",
    "register_commands",
    "register_forms",
    "register_hookspecs",
    "register_settings",
]


@hookimpl
def on_contract_signed(contract: Contract, context: Context) -> list[Plan]:
    """Plan what a signed contract promises: messages, the call-back, the home pack before handover."""
    return _wanted(Trigger.CONTRACT_SIGNED, contract, context)


@hookimpl
def on_handover(home: Home, context: Context) -> list[Plan]:
    """Plan what the handover of a home promises: the call-back, the visit after moving in."""
    return _wanted(Trigger.HANDOVER, home, context)


@hookimpl
def on_event(event: Event, record: Record, context: Context) -> list[Plan]:
    """Plan what a deposit promises, in the edition that counts from it."""
    if event.type == Trigger.DEPOSIT and isinstance(record, Contract):
        return _wanted(Trigger.DEPOSIT, record, context)
    return []


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
    return load_forms(__name__)


@hookimpl
def register_commands() -> list[click.Command]:
    """Offer ``keguan sixplustwo playbook`` and ``keguan sixplustwo coverage``."""
    from keguan_sixplustwo.commands import commands  # noqa: PLC0415 - the command line is not needed to plan

    return commands()


@hookimpl
def register_checks(prepared: object) -> list[Check]:
    """Offer the question whether every promise that fell due was kept."""
    assert isinstance(prepared, Prepared)
    return _checks({action.name: action.label or {} for action in _actions(prepared)})


def _wanted(trigger: Trigger, record: Contract | Home, context: Context) -> list[Plan]:
    prepared = context.prepared
    assert isinstance(prepared, Prepared)
    return prepared.schedule(context.city.key, record.project.name)[trigger].plans(record, context)
