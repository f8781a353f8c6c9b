"""Plugins: found without importing them, loaded one by one, called through one typed door."""

from keguan.plugins.answers import Failure, Result
from keguan.plugins.checks import check_plans
from keguan.plugins.commands import plugin_commands
from keguan.plugins.discovery import Installed, discover
from keguan.plugins.loaded import LoadRecord, Plugins
from keguan.plugins.loading import Attempt, attempt_plugins, load_plugins
from keguan.plugins.scope import CityScope
from keguan.plugins.watchdog import Hang, Unwatched, Watchdog, forget, last_hang

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
    "last_hang",
    "load_plugins",
    "plugin_commands",
]
