"""Every hook a plugin may implement, and nothing else.

A hook says what is wanted; the core makes it so. Hooks are functions from values to values: no database, no
network, no clock. Take only the arguments you need. Which plugin answers first carries no meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from types import ModuleType

    import click
    from pydantic import BaseModel

    from keguan.adapters.base import AdapterType
    from keguan.model import (
        Action,
        Branch,
        Check,
        City,
        Context,
        Contract,
        Event,
        EventType,
        Form,
        Home,
        Plan,
        Project,
        Record,
    )
    from keguan.texts import Language

__all__ = [
    "PROJECT",
    "daily_tick",
    "describe",
    "expected_actions",
    "hookimpl",
    "hookspec",
    "on_contract_signed",
    "on_event",
    "on_handover",
    "prepare",
    "register_actions",
    "register_adapters",
    "register_checks",
    "register_commands",
    "register_event_types",
    "register_forms",
    "register_hookspecs",
    "register_pins",
    "register_settings",
]

PROJECT = "keguan"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


# --- Events: return all plans you want for that subject because of that kind of event ---------------------


@hookspec
def on_contract_signed(contract: Contract, context: Context) -> list[Plan]:  # type: ignore[empty-body]  # a spec
    """Return all plans you want for ``contract`` because it is signed.

    The core compares them with what is stored and inserts, moves or cancels; what runs or is done stays. So
    return everything each time, however late it is, and never look at today's date.

    Called when the contract is signed, and again whenever its record changes, on replay and on backfill. Not
    called for a contract that was cancelled or whose home was resold: the core then wants nothing for you.
    """


@hookspec
def on_handover(home: Home, context: Context) -> list[Plan]:  # type: ignore[empty-body]  # a spec
    """Return all plans you want for ``home`` because it was handed over (``home.handed_over_on``).

    ``home.owners`` are the owners of today: after a resale the new ones. Called when the home is handed over
    and again whenever its record changes (a move-in date, a corrected date, a new owner), on replay and on
    backfill.
    """


@hookspec
def daily_tick(  # type: ignore[empty-body]  # a spec
    today: date, branch: Branch, projects: Sequence[Project], context: Context
) -> list[Plan]:
    """Return the plans that you want because it is ``today`` in ``context.city``, each with its ``subject``.

    ``branch`` is the company in this city, ``projects`` are all of the city's as they are now.

    Such plans are added and moved, never taken back by a later tick. Called once per city and business day,
    in order, also for days on which the daemon was down (30 at most); again only on replay.
    """


@hookspec
def on_event(event: Event, record: Record, context: Context) -> list[Plan]:  # type: ignore[empty-body]  # a spec
    """Return all plans you want for ``record`` because of events of this type.

    For every type without a hook of its own: ``deposit``, ``contract_cancelled``, ``move_in``,
    ``ownership_transferred``, ``customer_changed``, ``project_milestone`` and what plugins register. The
    record is the current one; of several events of one type the newest is given, or all of them one after the other
    when each counts by itself. Return an empty list for
    types that are not yours. Called as the hooks above are.
    """


# --- Registrations: called once at every start, after all plugins are loaded -------------------------------


@hookspec
def register_settings() -> type[BaseModel]:  # type: ignore[empty-body]  # a spec
    """Return the pydantic model of your table ``[plugins.NAME]``, with ``extra="forbid"``.

    The keys ``enabled``, ``cities`` and ``except_cities`` belong to the core and are taken out first.
    """


@hookspec
def register_pins(settings: object) -> Mapping[str, str]:  # type: ignore[empty-body]  # a spec
    """Return what of your settings stays as it is for what has begun under it, by the project's name.

    The empty name stands for all projects that are not named. The core keeps a log of the values; ``context.pins``
    tells which of them holds for what began on some day.
    """


@hookspec
def register_hookspecs() -> ModuleType:  # type: ignore[empty-body]  # a spec
    """Return a module with hookspecs of your own, by which variants adjust your area."""


@hookspec
def prepare(
    settings: object,
    cities: Mapping[str, City],
    ask: Callable[..., list[tuple[str, object]]],
) -> object:
    """Return whatever you want to find in ``context.prepared``: playbooks, tables, parsed data.

    ``settings`` is your own model's instance; ``cities`` are those configured. ``ask(spec, city=KEY,
    **arguments)`` calls a hookspec that you published on every plugin in scope for that city, one after the
    other in name order, and returns ``[(plugin, answer), …]``; a failure stops the start with one clear line.
    A spec that takes ``settings`` gets the answering plugin's own.
    """


@hookspec
def register_actions(settings: object, prepared: object) -> list[Action]:  # type: ignore[empty-body]  # a spec
    """Return every action that your plans may name. The core prefixes the names with yours."""


@hookspec
def register_checks(settings: object, prepared: object) -> list[Check]:  # type: ignore[empty-body]  # a spec
    """Return the checks of your area: named questions about the records, each yielding what is broken.

    A check asks its view set by set and returns findings; it never walks record by record, and it changes
    nothing. Called once at start; the checks run whenever somebody asks for them.
    """


@hookspec
def register_forms(settings: object, prepared: object) -> list[Form]:  # type: ignore[empty-body]  # a spec
    """Return the forms by which people give your area data; the core prefixes their names with yours.

    ``keguan.forms.load_forms(PACKAGE)`` reads them from files. A ``Task`` names one as ``form="NAME"``, and is
    done only when it is filled in.
    """


@hookspec
def register_event_types() -> list[EventType]:  # type: ignore[empty-body]  # a spec
    """Return the event types that your area adds. Two plugins that claim one name are refused, both named.

    Of a type with ``each=True`` every event counts by itself: ``on_event`` is called for all of them, and each wants
    plans of its own, with ``event.seq`` as their occurrence.
    """


@hookspec
def register_adapters() -> list[AdapterType]:  # type: ignore[empty-body]  # a spec
    """Return the kinds of adapter that ``[adapters.NAME] type`` may name beside the built-in ones."""


@hookspec
def register_commands() -> list[click.Command]:  # type: ignore[empty-body]  # a spec
    """Return click commands; they appear as ``keguan YOURNAME COMMAND``. Called only when one is asked for."""


# --- For authors -------------------------------------------------------------------------------------------


@hookspec
def describe(  # type: ignore[empty-body]  # a spec
    prepared: object, city: str, language: Language
) -> list[Mapping[str, object]]:
    """Return what of your standard is in force in ``city``: a row for each thing you promise there.

    Each row has an ``id``, and may have its ``name``, its ``clause``, and in ``from`` whose some of its values are, by
    field: a plugin's name. All else are fields, of values that JSON has. Only ``keguan diff`` asks: with and without a
    variant, to show what that changes.
    """


@hookspec
def expected_actions(prepared: object, city: str) -> Collection[str]:  # type: ignore[empty-body]  # a spec
    """Return the names of your actions that should come up sooner or later in ``city``: none that is switched off.

    Called only by ``keguan plugins check``, which lives through six years and names those that nothing brought about.
    Without it all your actions are expected.
    """
