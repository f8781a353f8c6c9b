"""The commands of one plugin, for ``keguan NAME …``: only that plugin is imported."""

from __future__ import annotations

from collections.abc import Mapping

import click
import pluggy

from keguan import hookspecs
from keguan.errors import PluginError
from keguan.plugins.answers import Failure
from keguan.plugins.discovery import Installed, discover
from keguan.plugins.door import guarded
from keguan.plugins.implementations import implementations
from keguan.plugins.watchdog import Unwatched
from keguan.settings import Settings

__all__ = ["plugin_commands"]


def plugin_commands(
    settings: Settings, name: str, *, installed: Mapping[str, Installed] | None = None
) -> list[click.Command]:
    """Return the commands of the plugin ``name``, an empty list when it has none.

    Raises ``PluginError`` when there is no such plugin, when it is off, or when it fails.
    """
    found = discover() if installed is None else installed
    plugin = found.get(name)
    if plugin is None:
        raise PluginError("plugins.unknown", plugin=name, known=", ".join(found) or "–")
    if not settings.is_on(name):
        raise PluginError("plugins.off", **plugin.label)
    module = guarded(plugin, "import", Unwatched(), plugin.load)
    if isinstance(module, Failure):
        raise module.noted()
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    commands: dict[str, click.Command] = {}
    for each in implementations(manager, module.value):
        if each.hook != "register_commands":
            continue
        answer = guarded(plugin, each.hook, Unwatched(), each.function)
        if isinstance(answer, Failure):
            raise answer.noted()
        for command in answer.value if isinstance(answer.value, list | tuple) else [answer.value]:
            if not isinstance(command, click.Command) or not command.name or command.name in commands:
                raise PluginError("plugins.commands", hook=each.hook, **plugin.label)
            commands[command.name] = command
    return list(commands.values())
