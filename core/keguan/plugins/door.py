"""The one door to plugins: typed, one plugin at a time, and a failure comes back as a value."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, ParamSpec, TypeVar

import pluggy

from keguan.plugins.answers import Failure, Result, failure_of
from keguan.plugins.discovery import Installed
from keguan.plugins.watchdog import Unwatched, mark

__all__ = ["Door", "guarded"]

P = ParamSpec("P")
R = TypeVar("R")


class _Line(NamedTuple):
    """The way to one hook of one plugin."""

    ask: Callable[..., list[Any]]
    """pluggy's caller for this plugin alone; its answer is a list of at most one."""
    record: bytes
    """What the watchdog notes."""


class Door:
    """Calls hooks by the functions that specify them, so that type checkers see arguments and answers."""

    def __init__(self, manager: pluggy.PluginManager, plugins: Mapping[str, Installed], watchdog: Unwatched) -> None:
        self.watchdog = watchdog
        self._plugins = plugins
        self._lines: dict[tuple[str, str], _Line] = {}
        self._by_hook: dict[str, tuple[str, ...]] = {}
        self._hooks: dict[str, frozenset[str]] = {}
        everyone = manager.get_plugins()
        for name in sorted(plugins):
            plugin = manager.get_plugin(name)
            hooks = sorted(each.name for each in manager.get_hookcallers(plugin) or () if each.has_spec())
            self._hooks[name] = frozenset(hooks)
            for hook in hooks:
                alone = manager.subset_hook_caller(hook, everyone - {plugin})
                self._lines[name, hook] = _Line(alone, mark(name, hook))
                self._by_hook[hook] = (*self._by_hook.get(hook, ()), name)

    def hooks_of(self, plugin: str) -> frozenset[str]:
        """Return the names of the hooks that ``plugin`` implements."""
        return self._hooks.get(plugin, frozenset())

    def call(self, hook: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Iterator[Result[R] | Failure]:
        """Call ``hook`` on every plugin that implements it and yield one named answer or failure for each."""
        for plugin in self._by_hook.get(hook.__name__, ()):
            answer = self.call_one(plugin, hook, *args, **kwargs)
            if answer is not None:
                yield answer

    def call_one(
        self, plugin: str, hook: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Result[R] | Failure | None:
        """Call ``hook`` on ``plugin``; return its answer or failure, ``None`` when it has no such hook.

        ``hook`` is the function that specifies it. Arguments go by keyword. The answer is what the plugin
        returned, unchecked. What the plugin raises is a failure, ``SystemExit`` included, for a plugin has no
        say in that; ``KeyboardInterrupt`` passes through.
        """
        line = self._lines.get((plugin, hook.__name__))
        if line is None:
            return None
        if args:
            raise TypeError(f"arguments of {hook.__name__} go by keyword")
        before = self.watchdog.enter(line.record)
        try:
            answers = line.ask(**kwargs)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin raises stays that plugin's
            return failure_of(self._plugins[plugin], hook.__name__, error)
        finally:
            self.watchdog.leave(before)
        # pluggy leaves out a plugin's ``None``.
        return Result(plugin, answers[0] if answers else None)  # type: ignore[arg-type]  # then R holds None

    def takes(self, hook: Callable[..., object], argument: str) -> bool:
        """Return whether the specification of ``hook`` has ``argument``."""
        return argument in inspect.signature(hook).parameters


def guarded(
    plugin: Installed, what: str, watchdog: Unwatched, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
) -> Result[R] | Failure:
    """Call a function of ``plugin`` that is no hook (its import, an action) as ``Door.call_one`` calls hooks."""
    before = watchdog.enter(mark(plugin.name, what))
    try:
        return Result(plugin.name, function(*args, **kwargs))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin raises stays that plugin's
        return failure_of(plugin, what, error)
    finally:
        watchdog.leave(before)
