"""Asks the loaded plugins, once, for what they bring: settings, preparation, actions, event types, adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from keguan import hookspecs
from keguan.adapters.base import AdapterType
from keguan.errors import ConfigError, KeguanError, PluginError
from keguan.events.types import CORE_EVENT_TYPES
from keguan.model import Action, Check, EventType, Form
from keguan.nearest import nearest
from keguan.plugins.answers import Failure
from keguan.plugins.discovery import Installed
from keguan.plugins.door import Door
from keguan.plugins.registrations import (
    Owners,
    check_actions,
    check_adapters,
    check_checks,
    check_event_types,
    check_forms,
    check_pins,
    check_settings_model,
)
from keguan.plugins.scope import CityScope
from keguan.settings import Settings, read_table

__all__ = ["Preparation"]

P = ParamSpec("P")
R = TypeVar("R")
_CORE = "keguan"


class Preparation:
    """Runs once. What fails is told to ``fail`` by the plugin's name, and the plugin is asked nothing more."""

    def __init__(
        self,
        settings: Settings,
        door: Door,
        plugins: Mapping[str, Installed],
        scopes: Mapping[str, CityScope],
        publisher: Mapping[str, str],
        fail: Callable[[str, KeguanError], None],
    ) -> None:
        self.settings: dict[str, object] = {}
        self.prepared: dict[str, object] = {}
        self.actions: dict[tuple[str, str], Action] = {}
        self.checks: list[tuple[str, Check]] = []
        self.forms: dict[str, Form] = {}
        self.pins: dict[str, Mapping[str, str]] = {}
        self.event_types: dict[str, EventType] = dict(CORE_EVENT_TYPES)
        self.adapters: list[tuple[str, AdapterType]] = []
        self._configuration = settings
        self._door = door
        self._plugins = plugins
        self._scopes = scopes
        self._publisher = publisher
        self._tell = fail
        self._alive = list(plugins)
        self._event_owners = Owners(_CORE, self.event_types)
        self._adapter_owners = Owners(_CORE, ())

    def run(self) -> None:
        """Take each step for all plugins before the next: what one step brings, the next may need of others."""
        for step in (self._read_settings, self._prepare, self._register):
            for name in list(self._alive):
                try:
                    step(name)
                except KeguanError as error:
                    self._fail(name, error)
        for name in list(self._alive):
            self._check_retracts(name)

    def _fail(self, name: str, error: KeguanError) -> None:
        if name in self._alive:
            self._alive.remove(name)
        self._tell(name, error)

    def _ask_one(self, plugin: str, hook: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        """Return the plugin's answer, ``None`` without that hook; raises its failure as ``PluginError``."""
        answer = self._door.call_one(plugin, hook, *args, **kwargs)
        if isinstance(answer, Failure):
            raise answer.noted()
        return None if answer is None else answer.value

    def _has(self, plugin: str, hook: Callable[..., object]) -> bool:
        return hook.__name__ in self._door.hooks_of(plugin)

    # --- Steps -----------------------------------------------------------------------------------------------

    def _read_settings(self, name: str) -> None:
        if self._has(name, hookspecs.register_settings):
            answer = self._ask_one(name, hookspecs.register_settings)
            model = check_settings_model(self._plugins[name], answer)
            self.settings[name] = read_table(self._configuration, "plugins", name, model)
            return
        for key in self._configuration.plugin(name).rest:
            where = f"{self._configuration.config_file or '–'}: plugins.{name}.{key}"
            known = ("enabled", "cities", "except_cities")
            near = nearest(key, known)
            if near:
                raise ConfigError("config.unknown_key_near", name=key, where=where, near=near)
            raise ConfigError("config.unknown_key", name=key, where=where, known=", ".join(known))

    def _prepare(self, name: str) -> None:
        blamed: list[str] = []
        if not self._has(name, hookspecs.prepare):
            return
        cities = self._configuration.city_cards()
        ask = self._asker(name, blamed)
        try:
            prepared = self._ask_one(name, hookspecs.prepare, settings=self.settings.get(name), cities=cities, ask=ask)
        except PluginError:
            if not blamed:
                raise
            self._alive.remove(name)  # the one that was asked is to blame, and has been told of
            return
        self.prepared[name] = prepared

    def _asker(self, asking: str, blamed: list[str]) -> Callable[..., list[tuple[str, object]]]:
        """Return the ``ask`` that ``prepare`` is given; see its hookspec."""

        def ask(spec: Callable[..., object], *, city: str, **arguments: object) -> list[tuple[str, object]]:
            if self._publisher.get(spec.__name__) != asking:
                raise PluginError("plugins.ask", hook=spec.__name__, **self._plugins[asking].label)
            if self._door.takes(spec, "city"):
                arguments["city"] = city
            answers: list[tuple[str, object]] = []
            for name in self._plugins:
                if city not in self._scopes[name]:
                    continue
                if self._door.takes(spec, "settings"):
                    arguments["settings"] = self.settings.get(name)
                answer = self._door.call_one(name, spec, **arguments)
                if isinstance(answer, Failure):
                    blamed.append(name)
                    self._fail(name, answer.noted())
                    raise answer.error
                if answer is not None:
                    answers.append((name, answer.value))
            return answers

        return ask

    def _register(self, name: str) -> None:
        plugin = self._plugins[name]
        own, prepared = self.settings.get(name), self.prepared.get(name)
        if self._has(name, hookspecs.register_actions):
            found = self._ask_one(name, hookspecs.register_actions, settings=own, prepared=prepared)
            for action in check_actions(plugin, found):
                self.actions[name, action.name] = action
        if self._has(name, hookspecs.register_checks):
            found_checks = self._ask_one(name, hookspecs.register_checks, settings=own, prepared=prepared)
            self.checks += [(name, check) for check in check_checks(plugin, found_checks)]
        if self._has(name, hookspecs.register_forms):
            found_forms = self._ask_one(name, hookspecs.register_forms, settings=own, prepared=prepared)
            self.forms |= {f"{name}.{form.name}": form for form in check_forms(plugin, found_forms)}
        if self._has(name, hookspecs.register_pins):
            self.pins[name] = check_pins(plugin, self._ask_one(name, hookspecs.register_pins, settings=own))
        if self._has(name, hookspecs.register_event_types):
            for kind in check_event_types(plugin, self._ask_one(name, hookspecs.register_event_types)):
                self._event_owners.claim(kind.name, name, "register_event_types")
                self.event_types[kind.name] = kind
        if self._has(name, hookspecs.register_adapters):
            for adapter in check_adapters(plugin, self._ask_one(name, hookspecs.register_adapters)):
                self._adapter_owners.claim(adapter.name, name, "register_adapters")
                self.adapters.append((name, adapter))

    def _check_retracts(self, name: str) -> None:
        for kind in self.event_types.values():
            if self._event_owners.owner(kind.name) == name and not kind.retracts <= set(self.event_types):
                wrong = min(kind.retracts - set(self.event_types))
                error = PluginError("plugins.retracts", name=kind.name, unknown=wrong, **self._plugins[name].label)
                self._fail(name, error)
                return
