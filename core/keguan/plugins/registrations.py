"""What plugins register: actions, forms, event types, adapters. Each is checked, and clashes name both sides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from pydantic import BaseModel

from keguan.adapters.base import AdapterType
from keguan.errors import PluginError
from keguan.model import Action, Check, EventType, Form
from keguan.nearest import nearest
from keguan.plugins.discovery import Installed

__all__ = [
    "Owners",
    "check_actions",
    "check_adapters",
    "check_checks",
    "check_event_types",
    "check_forms",
    "check_pins",
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
    """Return the actions of ``plugin``.

    Raises ``PluginError`` for what is none, for a name used twice, and for actions that come after or read from one
    that does not exist, or after one another in a circle.
    """

    def sound(action: Action) -> bool:
        late = action.when_late
        return (
            callable(action.run)
            and (late is None or callable(late))
            and type(action.again) is bool
            and (action.after is None or isinstance(action.after, str))
            and isinstance(action.reads, tuple)
            and all(isinstance(name, str) for name in action.reads)
            and action.needs in (None, "homes", "contracts")
        )

    actions = _checked(plugin, "register_actions", answer, Action, sound)
    _check_links(plugin, {action.name: action for action in actions})
    return actions


def _check_links(plugin: Installed, known: Mapping[str, Action]) -> None:
    for action in known.values():
        links = [("after", action.after)] if action.after is not None else []
        for field, other in (*links, *(("reads", name) for name in action.reads)):
            if other not in known:
                near = nearest(other, known) or ", ".join(sorted(known))
                values = {"name": action.name, "field": field, "other": other, "near": near}
                raise PluginError("plugins.action_unknown", **values, **plugin.label)
        if circle := _circle(action, known):
            raise PluginError("plugins.action_circle", name=action.name, circle=" → ".join(circle), **plugin.label)


def _circle(action: Action, known: Mapping[str, Action]) -> list[str]:
    """Return the names from ``action`` back to itself along ``after``; empty when it comes to an end."""
    names = [action.name]
    while (before := known[names[-1]].after) is not None and before in known:
        names.append(before)
        if before in names[:-1]:
            break
    return names if len(names) > 1 and names[-1] == action.name else []


def check_checks(plugin: Installed, answer: object) -> list[Check]:
    """Return the checks of ``plugin``; raises ``PluginError`` as above."""

    def sound(check: Check) -> bool:
        return callable(check.run) and isinstance(check.clause, str)

    return _checked(plugin, "register_checks", answer, Check, sound)


def check_forms(plugin: Installed, answer: object) -> list[Form]:
    """Return the forms of ``plugin``; raises ``PluginError`` as above. A ``Form`` is checked when it is made."""
    return _checked(plugin, "register_forms", answer, Form, lambda _: True)


def check_pins(plugin: Installed, answer: object) -> Mapping[str, str]:
    """Return what stays as it was; raises ``PluginError`` unless it is texts by text, with one for all projects."""
    if (
        isinstance(answer, Mapping)
        and isinstance(answer.get(""), str)
        and all(isinstance(text, str) for pair in answer.items() for text in pair)
    ):
        return dict(answer)
    raise PluginError("plugins.pins_type", hook="register_pins", **plugin.label)


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
