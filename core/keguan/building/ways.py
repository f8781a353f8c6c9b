"""The ways out: every adapter that some channel leaves through, built from its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from keguan.adapters.base import Adapter, Surroundings
from keguan.adapters.file import FILE, FileSettings
from keguan.adapters.registry import adapter_types
from keguan.building.databases import REHEARSAL_OUTBOX
from keguan.outbox.delivery import POLL_EVERY
from keguan.outbox.routes import Routes
from keguan.plugins import Plugins
from keguan.settings import FILE_ADAPTER, Settings, configure_adapters

if TYPE_CHECKING:
    from keguan.settings import ConfiguredAdapter

__all__ = ["WayOut", "build_routes", "build_ways_out"]


class WayOut(NamedTuple):
    """An adapter that is built, and the channels that leave through it."""

    name: str
    adapter: Adapter
    channels: tuple[str, ...]
    in_doubt: str
    rate: float | None = None
    poll_every: float = POLL_EVERY.total_seconds()


def build_routes(settings: Settings, ways: Sequence[WayOut]) -> Routes:
    """Return in which order ``ways`` serve their channels: as configured, then as they stand there."""
    built: dict[str, list[str]] = {}
    for way in ways:
        for channel in way.channels:
            built.setdefault(channel, []).append(way.name)
    return Routes(
        {channel: sorted(names, key=[*settings.adapters_of(channel), *names].index) for channel, names in built.items()}
    )


def build_ways_out(settings: Settings, plugins: Plugins, *, rehearsal: bool = False) -> list[WayOut]:
    """Build every adapter that some channel leaves through, sorted by name; raises ``ConfigError``.

    In a rehearsal that is one ``file`` adapter with a directory of its own, so that nothing rehearsed lies among
    what was really delivered.
    """
    configured = configure_adapters(settings, adapter_types(plugins.adapters))
    channels = sorted({"chat", "email", "sms", *settings.channels})
    surroundings = Surroundings(
        settings.base_dir,
        settings.company.name,
        settings.secret,
        settings.language,
        settings.company_card().signature,
    )
    if rehearsal:
        adapter = FILE.build(FILE_ADAPTER, FileSettings(directory=REHEARSAL_OUTBOX), surroundings)
        return [WayOut(FILE_ADAPTER, adapter, tuple(channels), FILE.in_doubt)]
    by_adapter: dict[str, list[str]] = {}
    for channel in channels:
        for name in settings.adapters_of(channel):
            by_adapter.setdefault(name, []).append(channel)
    return [_way_out(configured[name], channels, surroundings) for name, channels in sorted(by_adapter.items())]


def _way_out(adapter: ConfiguredAdapter, channels: Sequence[str], surroundings: Surroundings) -> WayOut:
    built = adapter.kind.build(adapter.name, adapter.settings, surroundings)
    return WayOut(adapter.name, built, tuple(channels), adapter.in_doubt, adapter.rate, adapter.poll_every)
