"""A plugin's own commands as ``keguan NAME COMMAND``: imports that plugin and no other."""

from __future__ import annotations

import click

from keguan.cli.app import App

__all__ = ["plugin_group"]


def plugin_group(name: str) -> click.Group | None:
    """Return the group of the plugin called ``name``, ``None`` when no such plugin is installed."""
    from keguan.plugins.discovery import installed_names

    return _PluginGroup(name) if name in installed_names() else None


class _PluginGroup(click.Group):
    """Asks the plugin for its commands when one is wanted."""

    def __init__(self, name: str) -> None:
        super().__init__(name, help=f"Commands of the plugin {name}.")
        self._loaded: dict[str, click.Command] | None = None

    def _own(self, ctx: click.Context) -> dict[str, click.Command]:
        if self._loaded is None:
            from keguan.plugins.commands import plugin_commands

            app = ctx.find_object(App)
            assert app is not None
            assert self.name is not None
            self._loaded = {command.name or "": command for command in plugin_commands(app.settings, self.name)}
        return self._loaded

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the plugin's commands."""
        return sorted(self._own(ctx))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one of the plugin's commands."""
        return self._own(ctx).get(cmd_name)
