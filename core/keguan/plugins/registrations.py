"""What plugins register: actions, forms, event types, adapters. Each is checked, and clashes name both sides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import BaseModel

from keguan.adapters.base import AdapterType
from keguan.errors import PluginError
from keguan.model import Action, Check, EventType, Form
from keguan.plugins.discovery import Installed

__all__ = [
    "Owners",
    "check_actions",
    "check_adapters",
    "check_checks",
    "check_event_types",
    "check_forms",
    "check_settings_model",
]

T = TypeVar("T", Action, Check, EventType, AdapterType, Form)
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def check_settings_model(plugin: Installed, answer: object) -> type[BaseModel]:
    """Return the model of the plugin's table; raises ``PluginError`` unless it refuses unknown keys."""
    if not isinstance(answer, type) or not issubclass(answer, BaseModel):
        raise PluginError("plugins.settings_type", hook="register_settings", **plugin.label)
    if answer.model_config.get("extra") != "forbid":
        raise PluginError("plugins.settings_extra", hook="register_settings", model=answer.__name__, **plugin.label)
    return answer


def check_actions(plugin: Installed, answer: object) -> list[Action]:
    """Return the actions of ``plugin``; raises ``PluginError`` for what is none and for a name used twice."""

    def sound(action: Action) -> bool:
        late = action.when_late
        return callable(action.run) and (late is None or callable(late)) and type(action.again) is bool

    return _checked(plugin, "register_actions", answer, Action, sound)


def check_checks(plugin: Installed, answer: object) -> list[Check]:
    """Return the checks of ``plugin``; raises ``PluginError`` as above."""

    def sound(check: Check) -> bool:
        return callable(check.run) and isinstance(check.clause, str)

    return _checked(plugin, "register_checks", answer, Check, sound)


def check_forms(plugin: Installed, answer: object) -> list[Form]:
    """Return the forms of ``plugin``; raises ``PluginError`` as above. A ``Form`` is checked when it is made."""
    return _checked(plugin, "register_forms", answer, Form, lambda _: True)


def check_event_types(plugin: Installed, answer: object) -> list[EventType]:
    """Return the event types of ``plugin``; raises ``PluginError`` as above."""

    def sound(kind: EventType) -> bool:
        return _is_name(kind.subject) and isinstance(kind.retracts, frozenset)

    return _checked(plugin, "register_event_types", answer, EventType, sound)


def check_adapters(plugin: Installed, answer: object) -> list[AdapterType]:
    """Return the kinds of adapter of ``plugin``; raises ``PluginError`` as above."""

    def sound(kind: AdapterType) -> bool:
        model = kind.settings
        is_model = isinstance(model, type) and issubclass(model, BaseModel)
        strict = is_model and getattr(model, "model_config", {}).get("extra") == "forbid"
        channels = isinstance(kind.channels, frozenset) and all(map(_is_name, kind.channels))
        return strict and channels and callable(kind.build) and kind.in_doubt in ("resend", "hold")

    return _checked(plugin, "register_adapters", answer, AdapterType, sound)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _checked(plugin: Installed, hook: str, answer: object, kind: type[T], sound: Callable[[T], bool]) -> list[T]:
    if not isinstance(answer, list | tuple):
        raise PluginError("plugins.register_type", hook=hook, kind=type(answer).__name__, **plugin.label)
    found: dict[str, T] = {}
    for each in answer:
        if not isinstance(each, kind):
            raise PluginError("plugins.register_item", hook=hook, kind=type(each).__name__, **plugin.label)
        if not _is_name(each.name) or not sound(each):
            raise PluginError("plugins.register_wrong", hook=hook, name=each.name, **plugin.label)
        if each.name in found:
            raise PluginError("plugins.register_twice", hook=hook, name=each.name, **plugin.label)
        found[each.name] = each
    return list(found.values())


class Owners:
    """Who claims which name, so that a clash can name both sides."""

    def __init__(self, core: str, names: Iterable[str]) -> None:
        self._owners = dict.fromkeys(names, core)

    def claim(self, name: str, plugin: str, hook: str) -> None:
        """Give ``name`` to ``plugin``; raises ``PluginError`` when another one has it."""
        first = self._owners.setdefault(name, plugin)
        if first != plugin:
            raise PluginError("plugins.clash", hook=hook, name=name, first=first, second=plugin)

    def owner(self, name: str) -> str | None:
        """Return who has ``name``."""
        return self._owners.get(name)
