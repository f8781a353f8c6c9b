"""How messages leave: each adapter by itself, how it fared, and channels that lead nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select

from keguan.adapters.base import Surroundings
from keguan.adapters.registry import adapter_types
from keguan.doctor.found import Found, ill, notice, well, wrong
from keguan.errors import KeguanError
from keguan.masking import mask_text
from keguan.settings import FILE_ADAPTER, configure_adapters
from keguan.store.schema import gateways

if TYPE_CHECKING:
    from keguan.adapters.base import AdapterType
    from keguan.doctor.patience import Check
    from keguan.settings import ConfiguredAdapter, Settings
    from keguan.store.engine import Store
    from keguan.texts import Language

__all__ = ["adapter_checks", "channels", "gateway_states"]

_LATELY = timedelta(days=1)
_USUAL = ("email", "sms")
"""Channels that plugins write to whether or not the configuration names them."""


def adapter_checks(
    settings: Settings, registered: Iterable[tuple[str, AdapterType]], language: Language
) -> Iterator[Check]:
    """Yield a check for each adapter that is configured: build it and, where it can, log in without sending."""
    try:
        configured = configure_adapters(settings, adapter_types(registered))
    except KeguanError as error:
        yield "adapters", "", _told(error)
        return
    signature = settings.company_card().signature
    surroundings = Surroundings(settings.base_dir, settings.company.name, settings.secret, language, signature)
    for name, entry in sorted(configured.items()):
        yield "adapters", name, partial(_adapter, name, entry, surroundings)


def _told(error: KeguanError) -> Callable[[], Iterable[Found]]:
    return lambda: wrong("adapters", error)


def _adapter(name: str, entry: ConfiguredAdapter, surroundings: Surroundings) -> Iterator[Found]:
    adapter = entry.kind.build(name, entry.settings, surroundings)
    try:
        problem = adapter.check()
    except Exception as error:  # noqa: BLE001 - an adapter may be a plugin's
        problem = type(error).__name__
    finally:
        adapter.close()
    if problem is None:
        yield well(
            "adapters", "doctor.adapter" if entry.kind.asks else "vendor.not_asked", name=name, kind=entry.kind.name
        )
    else:
        yield ill("adapters", "doctor.adapter_wrong", name=name, detail=problem)


def gateway_states(settings: Settings, store: Store, now: datetime) -> Iterator[Found]:
    """What the daemon wrote down about each adapter that is still configured: pauses, and failures of late."""
    g = gateways.c
    with store.read() as connection:
        rows = connection.execute(select(gateways).order_by(g.name)).all()
    zone = settings.city("").zone
    for row in rows:
        if row.name != FILE_ADAPTER and row.name not in settings.adapters:
            continue
        said = mask_text(row.last_error) if row.last_error else "–"
        if row.paused_until is not None and row.paused_until > now:
            until = f"{row.paused_until.astimezone(zone):%Y-%m-%d %H:%M}"
            if row.paused_by == "configuration":
                yield ill("gateways", "doctor.gateway_misconfigured", name=row.name, until=until, error=said)
            else:
                yield notice("gateways", "doctor.gateway_paused", name=row.name, until=until, error=said)
        elif _fails(row.last_error_at, row.last_sent_at, now):
            at = f"{row.last_error_at.astimezone(zone):%Y-%m-%d %H:%M}"
            yield notice("gateways", "doctor.gateway_failed", name=row.name, at=at, error=said)


def _fails(last_error_at: datetime | None, last_sent_at: datetime | None, now: datetime) -> bool:
    """Whether the last thing that an adapter did of late was to fail."""
    if last_error_at is None or now - last_error_at > _LATELY:
        return False
    return last_sent_at is None or last_sent_at < last_error_at


def channels(settings: Settings) -> Iterator[Found]:
    """Channels without a way out, those that end in files although others do not, and adapters nobody uses."""
    kinds = {FILE_ADAPTER: FILE_ADAPTER} | {name: table.type for name, table in settings.adapters.items()}
    named = {name for names in settings.channels.values() for name in names}
    real = sorted(name for name in named if kinds.get(name, FILE_ADAPTER) != FILE_ADAPTER)
    for channel in sorted({*_USUAL, *settings.channels}):
        names = settings.adapters_of(channel)
        if not names:
            yield notice("channels", "doctor.channel_empty", channel=channel)
        elif real and all(kinds.get(name) == FILE_ADAPTER for name in names):
            yield notice("channels", "doctor.channel_to_files", channel=channel)
    if "chat" in settings.staff.digest_channels and "chat" not in settings.channels:
        robots = sorted(name for name, table in settings.departments.items() if table.chat)
        if robots:
            yield ill("channels", "doctor.channel_missing", channel="chat", departments=", ".join(robots))
    for name in sorted(set(settings.adapters) - named - {FILE_ADAPTER}):
        yield notice("channels", "doctor.adapter_unused", name=name)
