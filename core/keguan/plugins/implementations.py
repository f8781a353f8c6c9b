"""Judges what a plugin implements before it is registered: misspelt hooks, wrong arguments, what never works."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pluggy

from keguan.errors import PluginError
from keguan.nearest import nearest
from keguan.plugins.discovery import Installed

__all__ = ["Implementation", "implementations", "judge", "specs_in"]

Specs = Mapping[str, Callable[..., object]]
"""Every hook there is, by name: the function that specifies it."""


@dataclass(frozen=True, slots=True)
class Implementation:
    """One function of a plugin that is marked with ``hookimpl``."""

    hook: str
    function: Callable[..., Any]
    wrapper: bool
    optional: bool


def implementations(manager: pluggy.PluginManager, plugin: object) -> list[Implementation]:
    """Return every hook implementation of a plugin (a module or an object), sorted by hook."""
    found = []
    for name in dir(plugin):
        marked = manager.parse_hookimpl_opts(plugin, name)
        if marked is not None:
            wrapper = bool(marked.get("wrapper") or marked.get("hookwrapper"))
            hook = marked.get("specname") or name
            found.append(Implementation(hook, getattr(plugin, name), wrapper, bool(marked.get("optionalhook"))))
    return sorted(found, key=lambda each: each.hook)


def specs_in(manager: pluggy.PluginManager, module: ModuleType) -> dict[str, Callable[..., object]]:
    """Return the hookspecs that ``module`` declares, by name."""
    names = [name for name in dir(module) if manager.parse_hookspec_opts(module, name) is not None]
    return {name: getattr(module, name) for name in names}


def judge(plugin: Installed, found: list[Implementation], specs: Specs) -> Iterator[PluginError]:
    """Yield an error for each implementation that the core could never call as it is meant."""
    seen: set[str] = set()
    for each in found:
        if each.hook not in specs:
            if not each.optional:
                yield _unknown_hook(plugin, each.hook, specs)
            continue
        if each.hook in seen:
            yield PluginError("plugins.hook_twice", hook=each.hook, **plugin.label)
        seen.add(each.hook)
        if each.wrapper:
            yield PluginError("plugins.wrapper", hook=each.hook, **plugin.label)
        elif _never_plain(each.function):
            yield PluginError("plugins.not_plain", hook=each.hook, **plugin.label)
        yield from _wrong_arguments(plugin, each, specs[each.hook])


def _unknown_hook(plugin: Installed, hook: str, specs: Specs) -> PluginError:
    near = nearest(hook, specs)
    if near:
        return PluginError("plugins.unknown_hook_near", hook=hook, near=near, **plugin.label)
    return PluginError("plugins.unknown_hook", hook=hook, **plugin.label)


def _never_plain(function: Callable[..., object]) -> bool:
    """Return whether calling it gives a coroutine or a generator instead of an answer."""
    return (
        inspect.iscoroutinefunction(function)
        or inspect.isasyncgenfunction(function)
        or inspect.isgeneratorfunction(function)
    )


def _wrong_arguments(plugin: Installed, each: Implementation, spec: Callable[..., object]) -> Iterator[PluginError]:
    known = list(inspect.signature(spec).parameters)
    for name, parameter in inspect.signature(each.function).parameters.items():
        values = {"hook": each.hook, "argument": name, "known": ", ".join(known) or "–", **plugin.label}
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            yield PluginError("plugins.argument_kind", **values)  # pluggy never fills those
        elif name not in known:
            yield PluginError("plugins.argument", **values)
