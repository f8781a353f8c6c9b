"""Finds the installed plugins by their entry points, without importing any of them."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from keguan.errors import PluginError

__all__ = ["GROUP", "Installed", "discover", "installed_names"]

GROUP = "keguan"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Installed:
    """A plugin as its distribution declares it. ``load`` imports it and returns the module or object."""

    name: str
    load: Callable[[], object] = field(repr=False, compare=False)
    distribution: str = ""
    version: str = ""
    value: str = ""

    @property
    def label(self) -> dict[str, str]:
        """What every error about the plugin shows."""
        return {"plugin": self.name, "version": self.version or "–", "distribution": self.distribution or "–"}


def discover() -> dict[str, Installed]:
    """Return every installed plugin by name, sorted.

    Raises ``PluginError`` when two distributions claim one name, naming both, and for a name that could stand
    neither in the configuration nor in an environment variable.
    """
    return unique(_installed(point) for point in importlib.metadata.entry_points(group=GROUP))


def _installed(point: importlib.metadata.EntryPoint) -> Installed:
    distribution = point.dist
    return Installed(
        point.name,
        point.load,
        distribution.name if distribution else "",
        distribution.version if distribution else "",
        point.value,
    )


def unique(plugins: Iterable[Installed]) -> dict[str, Installed]:
    """Return ``plugins`` by name, sorted; raises as ``discover`` does."""
    found: dict[str, Installed] = {}
    for plugin in sorted(plugins, key=lambda each: (each.name, each.distribution, each.value)):
        if not _NAME.fullmatch(plugin.name):
            raise PluginError("plugins.name", **plugin.label)
        first = found.setdefault(plugin.name, plugin)
        if first is not plugin and (first.distribution, first.value) != (plugin.distribution, plugin.value):
            raise PluginError("plugins.name_twice", plugin=plugin.name, first=_source(first), second=_source(plugin))
    return found


def _source(plugin: Installed) -> str:
    return f"{plugin.distribution or plugin.value} {plugin.version}".strip()


def installed_names() -> list[str]:
    """Return the names of all installed plugins, sorted; cheap, and refuses nothing."""
    return sorted({point.name for point in importlib.metadata.entry_points(group=GROUP)})
