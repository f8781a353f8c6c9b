"""Ask the plugins: which plans does each want for a subject, because of what it has been through?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, cast

from keguan import hookspecs
from keguan.errors import PluginError
from keguan.model import Branch, Contract, Event, EventType, Home, Plan, Project, Record
from keguan.plugins import Failure, Plugins, Result, check_plans

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["Place", "Wants", "ask_for_tick", "ask_plugins", "hook_for", "kinds_in_force"]

_OWN_HOOKS = {
    "contract_signed": "on_contract_signed",
    "handover": "on_handover",
    "tick": "daily_tick",
}


def hook_for(event_type: str) -> str:
    """Return the name of the hook that events of this type are given to."""
    return _OWN_HOOKS.get(event_type, "on_event")


@dataclass(slots=True)
class Wants:
    """What one plugin answered for one subject."""

    plans: dict[str, list[Plan]] = field(default_factory=dict)
    """By kind of event."""
    failures: dict[str, Failure] = field(default_factory=dict)
    """Kinds whose hook failed: what it wants there is unknown."""


class Place(NamedTuple):
    """What a tick tells of its city."""

    branch: Branch
    projects: tuple[Project, ...]


def kinds_in_force(history: Iterable[Event], types: Mapping[str, EventType]) -> dict[str, list[Event]]:
    """Return the newest event of each kind the subject has been through and that was not taken back.

    Of kinds of which each counts by itself it is all of them, oldest first.
    """
    kinds: dict[str, list[Event]] = {}
    for event in history:
        kind = types.get(event.type)
        if kind is not None:
            for taken_back in kind.retracts:
                kinds.pop(taken_back, None)
            if kind.each:
                kinds.setdefault(event.type, []).append(event)
                continue
        kinds[event.type] = [event]
    return kinds


def ask_plugins(
    installation: Installation,
    record: Record,
    kinds: Mapping[str, Sequence[Event]],
    only: Collection[str] | None = None,
) -> Iterator[tuple[str, Wants]]:
    """Yield what every plugin in scope wants for ``record``, one plugin after the other.

    A plugin that has no hook for any of ``kinds`` still appears when it is in scope, with nothing wanted, so
    that plans it wanted earlier are taken back.
    """
    plugins = installation.plugins
    city = record.project.city
    for plugin in plugins.names:
        if (only is not None and plugin not in only) or not plugins.active(plugin, city):
            continue
        wants = Wants()
        hooks = plugins.hooks_of(plugin)
        for kind, events in kinds.items():
            if hook_for(kind) in hooks:
                for event in events:
                    _ask(installation, plugin, record, event, wants)
        if len(wants.plans) > 1:
            _refuse_doubles(installation, plugin, wants)
        yield plugin, wants


def _ask(installation: Installation, plugin: str, record: Record, event: Event, wants: Wants) -> None:
    """Call the one hook of ``plugin`` that ``event`` goes to and check what it returns."""
    plugins: Plugins = installation.plugins
    context = installation.context(plugin, record.project.city)
    if event.type == "contract_signed":
        answer = plugins.call_one(
            plugin, hookspecs.on_contract_signed, contract=cast("Contract", record), context=context
        )
    elif event.type == "handover":
        answer = plugins.call_one(plugin, hookspecs.on_handover, home=cast("Home", record), context=context)
    else:
        answer = plugins.call_one(plugin, hookspecs.on_event, event=event, record=record, context=context)
    _keep(plugins, plugin, event.type, answer, wants)


def _refuse_doubles(installation: Installation, plugin: str, wants: Wants) -> None:
    """Fail a kind that wants what another kind wants already: nobody could say which date counts."""
    seen: dict[tuple[str, int], str] = {}
    for kind in list(wants.plans):
        for plan in wants.plans[kind]:
            first = seen.setdefault((plan.action, plan.occurrence), kind)
            if first != kind:
                label = installation.plugins.installed[plugin].label
                wrong = PluginError("plan.wanted_twice", action=plan.action, first=first, second=kind, **label)
                wants.failures[kind] = Failure(plugin, hook_for(kind), wrong)
                del wants.plans[kind]
                break


def ask_for_tick(
    installation: Installation, event: Event, place: Place, only: Collection[str] | None = None
) -> Iterator[tuple[str, Wants]]:
    """Yield what every plugin in scope wants because of one city's business day; ``place`` is that city."""
    plugins = installation.plugins
    today = date.fromordinal(event.subject.id)
    for plugin in plugins.names:
        if only is not None and plugin not in only:
            continue
        if "daily_tick" not in plugins.hooks_of(plugin) or not plugins.active(plugin, event.city):
            continue
        wants = Wants()
        context = installation.context(plugin, event.city)
        answer = plugins.call_one(
            plugin,
            hookspecs.daily_tick,
            today=today,
            branch=place.branch,
            projects=place.projects,
            context=context,
        )
        _keep(plugins, plugin, "tick", answer, wants)
        yield plugin, wants


def _keep(plugins: Plugins, plugin: str, kind: str, answer: object, wants: Wants) -> None:
    """Put a checked answer, or its failure, where reconciling looks for it."""
    if isinstance(answer, Result):
        answer = check_plans(plugins, plugin, hook_for(kind), answer.value, subjects=kind == "tick")
    if isinstance(answer, Failure):
        wants.failures[kind] = answer
        wants.plans.pop(kind, None)
    elif answer is not None and kind not in wants.failures:
        plans = cast("list[Plan]", answer)
        wants.plans[kind] = [*wants.plans[kind], *plans] if kind in wants.plans else plans
