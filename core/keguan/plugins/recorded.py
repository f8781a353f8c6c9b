"""What the last load recorded about each plugin, in the database: hooks, failures, suspensions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from keguan.errors import UsageError
from keguan.nearest import nearest
from keguan.plugins.discovery import discover
from keguan.plugins.loaded import LoadRecord
from keguan.settings import Settings
from keguan.store.schema import plugins

__all__ = [
    "lift_suspension",
    "plugin_rows",
    "record_load",
    "recorded_hooks",
    "require_installed",
    "suspended_names",
]

_c = plugins.c


def record_load(connection: Connection, records: tuple[LoadRecord, ...], now: datetime) -> None:
    """Replace what is recorded by what a load found; hangs and suspensions stay as they are."""
    known = {row.name: row for row in connection.execute(select(plugins))}
    for record in records:
        values: dict[str, Any] = {
            "distribution": record.distribution,
            "version": record.version,
            "requires": list(record.requires),
            "error": None if record.error is None else str(record.error),
        }
        if record.loaded:
            values |= {"hooks": sorted(record.hooks), "loaded_at": now}
        if record.name in known:
            connection.execute(update(plugins).where(_c.name == record.name).values(**values))
        else:
            connection.execute(insert(plugins).values({"name": record.name, "hooks": [], **values}))
    gone = set(known) - {record.name for record in records}
    if gone:
        connection.execute(delete(plugins).where(_c.name.in_(gone), _c.hangs == 0))


def recorded_hooks(connection: Connection) -> dict[str, frozenset[str]]:
    """Return the hooks of every plugin that was ever loaded, the ones that are off included."""
    return {row.name: frozenset(row.hooks) for row in connection.execute(select(_c.name, _c.hooks))}


def suspended_names(connection: Connection) -> set[str]:
    """Return the plugins that hung too often and wait for somebody to enable them again."""
    return set(connection.execute(select(_c.name).where(_c.suspended_at.is_not(None))).scalars())


def lift_suspension(connection: Connection, name: str) -> None:
    """Give a plugin that hung another chance: what enabling it means."""
    connection.execute(
        update(plugins).where(_c.name == name).values(suspended_at=None, suspended_why=None, hangs=0, error=None)
    )


def plugin_rows(connection: Connection, settings: Settings) -> Iterator[dict[str, object]]:
    """Yield one row per installed plugin with the keys of INTERFACE: imports none of them.

    ``enabled``, ``cities`` and ``except_cities`` are the configuration's; ``loaded``, ``error``, ``requires``
    and ``hooks`` are what the last load recorded.
    """
    known = {row.name: row for row in connection.execute(select(plugins))}
    for name, installed in discover().items():
        row = known.get(name)
        table = settings.plugin(name)
        enabled = settings.is_on(name)
        yield {
            "name": name,
            "distribution": installed.distribution or None,
            "version": installed.version or None,
            "enabled": enabled,
            "cities": None if table.cities is None else list(table.cities),
            "except_cities": None if table.except_cities is None else list(table.except_cities),
            "requires": list(row.requires) if row else [],
            "loaded": bool(row and enabled and row.loaded_at and not row.error and not row.suspended_at),
            "error": (row.suspended_why or row.error) if row else None,
            "hooks": list(row.hooks) if row else [],
        }


def require_installed(name: str) -> None:
    """Raise ``UsageError`` naming the nearest plugin unless one called ``name`` is installed."""
    found = discover()
    if name not in found:
        raise UsageError("commands.plugins.not_installed", name=name, nearest=nearest(name, found) or ", ".join(found))
