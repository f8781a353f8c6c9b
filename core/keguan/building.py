"""Put an installation together: database, plugins, cities, templates, adapters. The only place that knows how."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from keguan.adapters.base import Adapter, Surroundings
from keguan.adapters.file import FILE, FileSettings
from keguan.adapters.registry import adapter_types
from keguan.clock import Clock
from keguan.errors import ConfigError
from keguan.installation import Installation
from keguan.outbox.delivery import Delivery
from keguan.outbox.gate import Limits
from keguan.outbox.knowledge import Rules
from keguan.outbox.retry import RetryPolicy
from keguan.outbox.templates import Templates
from keguan.plugins import Plugins, Unwatched, attempt_plugins
from keguan.plugins.recorded import record_load, suspended_names
from keguan.runner.engine import Engine
from keguan.settings import FILE_ADAPTER, Settings, configure_adapters
from keguan.store.engine import Store, open_store
from keguan.store.migrate import current, require_current, upgrade

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from keguan.plugins.discovery import Installed
    from keguan.settings import ConfiguredAdapter

__all__ = [
    "REHEARSAL_OUTBOX",
    "WayOut",
    "build_engine",
    "build_installation",
    "build_rules",
    "build_templates",
    "build_ways_out",
    "open_database",
    "open_rehearsal",
    "rehearsal_file",
]


REHEARSAL_OUTBOX = Path("var/rehearsal/outbox")
"""Where messages of a rehearsal become files; relative to the folder that holds ``config/``."""


def open_database(settings: Settings) -> Store:
    """Open the live database; one without tables gets them, one of another version is refused.

    Raises ``DatabaseError`` naming the mend.
    """
    store = open_store(settings.database_url(), settings.base_dir)
    with store.read() as connection:
        fresh = current(connection) is None
    if fresh:
        upgrade(store)
    else:
        require_current(store)
    return store


def rehearsal_file(settings: Settings) -> Path:
    """Return where the rehearsal's SQLite file lies, or will; raises ``ConfigError`` when it is no file."""
    store = _rehearsal_store(settings)
    store.close()
    if store.path is None:
        raise ConfigError("rehearse.not_a_file")
    return store.path


def open_rehearsal(settings: Settings) -> Store:
    """Open the database that ``--at`` works on: a copy of the live one, made at first use and then kept.

    With PostgreSQL it is whatever ``rehearsal_url`` names; without one there is no rehearsal.
    """
    store = _rehearsal_store(settings)
    if store.path is not None and not store.path.exists():
        live = open_database(settings)
        try:
            if live.path is not None:
                _copy(live.path, store.path)
        finally:
            live.close()
    with store.read() as connection:
        fresh = current(connection) is None
    if fresh:
        upgrade(store)
    return store


def _rehearsal_store(settings: Settings) -> Store:
    url = settings.database_url(rehearsal=True)
    if not url:
        raise ConfigError("cli.no_rehearsal_url")
    if url == settings.database_url():
        raise ConfigError("cli.rehearsal_is_live")
    return open_store(url, settings.base_dir)


def _copy(source: Path, target: Path) -> None:
    """Copy a database that others may be writing to."""
    unfinished = target.with_suffix(".part")
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(unfinished)) as copy:
        live.backup(copy)
    shutil.move(unfinished, target)


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
    overrides = settings.path("config/templates")
    return Templates(
        {name: folder for name, folder in sources.items() if folder.is_dir()},
        overrides if overrides.is_dir() else None,
        settings.language,
        settings.company_card(),
    )


def build_engine(
    installation: Installation,
    *,
    rehearsal: bool = False,
    stop: threading.Event | None = None,
    ways: Sequence[WayOut] | None = None,
) -> Engine:
    """Build the adapters that the channels name and return the engine over them.

    In a rehearsal every channel leaves through the ``file`` adapter, whatever the configuration says. Deliveries
    end early once ``stop`` is set. ``ways`` stand in for the adapters of the configuration.
    """
    settings = installation.settings
    if ways is None:
        ways = build_ways_out(settings, installation.plugins, rehearsal=rehearsal)
    rules = build_rules(installation)
    return Engine(
        installation,
        [
            Delivery(
                name=way.name,
                adapter=way.adapter,
                channels=way.channels,
                store=installation.store,
                clock=installation.clock,
                rules=rules,
                policy=_policy(settings, way.in_doubt),
                language=installation.language,
                batch=settings.runner.delivery_batch,
                lease=timedelta(seconds=settings.runner.lease),
                stop=stop,
            )
            for way in ways
        ],
    )


def build_rules(installation: Installation) -> Rules:
    """Return what the configuration says about messages that leave."""
    limits = installation.settings.limits
    return Rules(installation.city, Limits(limits.per_day, limits.per_week), installation.plugins.active)


class WayOut(NamedTuple):
    """An adapter that is built, and the channels that leave through it."""

    name: str
    adapter: Adapter
    channels: tuple[str, ...]
    in_doubt: str


def build_ways_out(settings: Settings, plugins: Plugins, *, rehearsal: bool = False) -> list[WayOut]:
    """Build every adapter that some channel leaves through, sorted by name; raises ``ConfigError``.

    In a rehearsal that is one ``file`` adapter with a directory of its own, so that nothing rehearsed lies among
    what was really delivered.
    """
    configured = configure_adapters(settings, adapter_types(plugins.adapters))
    channels = sorted({"email", "sms", *settings.channels})
    surroundings = Surroundings(settings.base_dir, settings.company.name, settings.secret, settings.language)
    if rehearsal:
        adapter = FILE.build(FILE_ADAPTER, FileSettings(directory=REHEARSAL_OUTBOX), surroundings)
        return [WayOut(FILE_ADAPTER, adapter, tuple(channels), FILE.in_doubt)]
    by_adapter: dict[str, list[str]] = {}
    for channel in channels:
        names = settings.adapters_of(channel)
        if names:
            by_adapter.setdefault(names[0], []).append(channel)
    return [
        WayOut(name, _build(configured[name], surroundings), tuple(channels), configured[name].in_doubt)
        for name, channels in sorted(by_adapter.items())
    ]


def _build(adapter: ConfiguredAdapter, surroundings: Surroundings) -> Adapter:
    return adapter.kind.build(adapter.name, adapter.settings, surroundings)


def _policy(settings: Settings, in_doubt: str) -> RetryPolicy:
    retry = settings.runner.retry
    return RetryPolicy(
        first_delay=timedelta(seconds=retry.first),
        growth=retry.growth,
        longest_delay=timedelta(seconds=retry.longest),
        attempts=retry.attempts,
        in_doubt=cast("Literal['hold', 'resend']", in_doubt),
    )
