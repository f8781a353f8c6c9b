"""An installation at work: settings, database, plugins, cities, templates."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from keguan.clock import Clock
from keguan.installation import Installation
from keguan.outbox.templates import CORE, Templates
from keguan.plugins import Plugins, Unwatched, attempt_plugins
from keguan.plugins.recorded import record_load, suspended_names
from keguan.settings import Settings
from keguan.store.engine import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keguan.plugins.discovery import Installed

__all__ = ["build_installation", "build_templates"]


def build_installation(
    settings: Settings,
    store: Store,
    clock: Clock,
    *,
    watchdog: Unwatched | None = None,
    installed: Mapping[str, Installed] | None = None,
    record: bool = True,
) -> Installation:
    """Load the plugins that are on and put the installation together.

    A plugin that hung twice is left out until somebody enables it again. The daemon gives a real ``watchdog``;
    elsewhere a person sits in front who can end what hangs. ``installed`` stands in for the plugins of the
    environment. Without ``record`` nothing is written, not even what was loaded. Raises ``PluginError`` or
    ``ConfigError`` for whatever would stop the daemon from starting.
    """
    with store.read() as connection:
        suspended = suspended_names(connection)
    attempt = attempt_plugins(settings, suspended=suspended, watchdog=watchdog, installed=installed)
    if record:
        with store.write() as connection:
            record_load(connection, attempt.plugins.records, clock.now())
    for name in sorted(attempt.failures):
        raise attempt.failures[name]
    plugins = attempt.plugins
    return Installation(
        settings=settings,
        store=store,
        plugins=plugins,
        clock=clock,
        cities=settings.city_cards(),
        company=settings.company_card(),
        templates=build_templates(settings, plugins),
    )


def build_templates(settings: Settings, plugins: Plugins) -> Templates:
    """Return the message templates of all loaded plugins, under the company's own."""
    sources = {name: resources.files(package) / "templates" for name, package in plugins.packages.items()}
    sources[CORE] = resources.files("keguan") / "templates"
    overrides = settings.path("config/templates")
    return Templates(
        {name: folder for name, folder in sources.items() if folder.is_dir()},
        overrides if overrides.is_dir() else None,
        settings.language,
        settings.company_card(),
    )
