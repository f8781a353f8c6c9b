"""Plugins: found without importing them, loaded one by one, called through one typed door.

Names load when first used: finding the installed plugins, which ``keguan --help`` does, needs little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keguan.plugins.answers import Failure, Result
    from keguan.plugins.checks import check_plans
    from keguan.plugins.commands import plugin_commands
    from keguan.plugins.discovery import Installed, discover, installed_names
    from keguan.plugins.loaded import LoadRecord, Plugins
    from keguan.plugins.loading import Attempt, attempt_plugins, load_plugins
    from keguan.plugins.scope import CityScope
    from keguan.plugins.watchdog import Hang, Unwatched, Watchdog, forget, last_hang

_HOMES = {
    "Attempt": "loading",
    "CityScope": "scope",
    "Failure": "answers",
    "Hang": "watchdog",
    "Installed": "discovery",
    "LoadRecord": "loaded",
    "Plugins": "loaded",
    "Result": "answers",
    "Unwatched": "watchdog",
    "Watchdog": "watchdog",
    "attempt_plugins": "loading",
    "check_plans": "checks",
    "discover": "discovery",
    "forget": "watchdog",
    "installed_names": "discovery",
    "last_hang": "watchdog",
    "load_plugins": "loading",
    "plugin_commands": "commands",
}

__all__ = [
    "Attempt",
    "CityScope",
    "Failure",
    "Hang",
    "Installed",
    "LoadRecord",
    "Plugins",
    "Result",
    "Unwatched",
    "Watchdog",
    "attempt_plugins",
    "check_plans",
    "discover",
    "forget",
    "installed_names",
    "last_hang",
    "load_plugins",
    "plugin_commands",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module  # noqa: PLC0415 - lazily, see above

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
