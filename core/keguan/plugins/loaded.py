"""The loaded plugins of one installation: immutable, and everything that others ask about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from keguan.adapters.base import AdapterType
from keguan.errors import KeguanError, PluginError
from keguan.model import Action, Check, Effect, EventType, Form, Job, Skip
from keguan.plugins.answers import Failure, Result
from keguan.plugins.checks import effects_problem
from keguan.plugins.discovery import Installed
from keguan.plugins.door import Door, guarded
from keguan.plugins.scope import CityScope
from keguan.plugins.watchdog import Unwatched

__all__ = ["LoadRecord", "Plugins"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """What one load found out about one plugin: kept in the database, so that nothing need be imported to tell."""

    name: str
    distribution: str | None
    version: str | None
    requires: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    loaded: bool = False
    error: KeguanError | None = None
    """Why it is on and yet not at work."""


@dataclass(frozen=True, slots=True)
class Plugins:
    """The plugins that are on and at work."""

    installed: Mapping[str, Installed]
    """Those loaded, by name."""
    names: tuple[str, ...]
    """Those at work somewhere, sorted."""
    scopes: Mapping[str, CityScope]
    settings: Mapping[str, object]
    """Each plugin's own settings, where it declares some."""
    prepared: Mapping[str, object]
    """What each plugin's ``prepare`` returned, where it has one."""
    actions: Mapping[tuple[str, str], Action]
    """By plugin and the action's own name."""
    own_actions: Mapping[str, frozenset[str]]
    """The names of each plugin's actions."""
    checks: tuple[tuple[str, Check], ...]
    """The questions that plugins ask of the records, with the plugin's name."""
    forms: Mapping[str, Form]
    """By full name, ``PLUGIN.FORM``."""
    pins: Mapping[str, Mapping[str, str]]
    """What of each plugin's settings stays as it was when something began, by project; empty name: all others."""
    event_types: Mapping[str, EventType]
    """By name, the core's own included."""
    adapters: tuple[tuple[str, AdapterType], ...]
    """The kinds of adapter that plugins bring, with the plugin's name."""
    packages: Mapping[str, str]
    """The package whose files (templates) belong to each plugin."""
    records: tuple[LoadRecord, ...]
    """What this load found out, those not at work included."""
    door: Door

    @property
    def watchdog(self) -> Unwatched:
        """The watchdog of this process: put calls in great number into ``with plugins.watchdog.batch():``."""
        return self.door.watchdog

    def active(self, name: str, city: str) -> bool:
        """Return whether the plugin ``name`` is at work in ``city``, configured or not, with all it requires."""
        scope = self.scopes.get(name)
        return scope is not None and city in scope

    def hooks_of(self, plugin: str) -> frozenset[str]:
        """Return the names of the hooks that ``plugin`` implements."""
        return self.door.hooks_of(plugin)

    def action_names(self, plugin: str) -> frozenset[str]:
        """Return the names of the actions of ``plugin``."""
        return self.own_actions.get(plugin, frozenset())

    def call(self, hook: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Iterator[Result[R] | Failure]:
        """Call ``hook`` on every plugin at work; see ``Door.call``."""
        return self.door.call(hook, *args, **kwargs)

    def call_one(
        self, plugin: str, hook: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Result[R] | Failure | None:
        """Call ``hook`` on one plugin; see ``Door.call_one``."""
        return self.door.call_one(plugin, hook, *args, **kwargs)

    def ask_action(
        self, plugin: str, action: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Result[R] | Failure:
        """Ask a function that one action of ``plugin`` brought along, other than to run it."""
        return guarded(self.installed[plugin], action, self.watchdog, function, *args, **kwargs)

    def run_action(
        self, plugin: str, action: str, run: Callable[[Job], Iterable[Effect] | Skip], job: Job
    ) -> tuple[Effect, ...] | Skip | Failure:
        """Run one action of ``plugin`` (its ``run`` or ``when_late``) and return its checked effects."""
        owner = self.installed[plugin]

        def worked_out() -> PluginError | tuple[Effect, ...] | Skip:
            return effects_problem(owner, action, run(job), self.forms)

        answer = guarded(owner, action, self.watchdog, worked_out)
        if isinstance(answer, Failure):
            return answer
        return Failure(plugin, action, answer.value) if isinstance(answer.value, PluginError) else answer.value
