"""The database: its version, the keys that open it, and whether there is a copy of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from keguan.doctor.found import Found, ill, notice, well, wrong
from keguan.doctor.traces import first_instant
from keguan.errors import KeguanError
from keguan.people.rotation import TABLES, unsealed
from keguan.sealing.opening import check_keys, load_ring
from keguan.store.backup import last_backup
from keguan.store.migrate import HEAD, require_current

if TYPE_CHECKING:
    from keguan.settings import Settings
    from keguan.store.engine import Store

__all__ = ["backups", "database_file", "sealing", "version"]

_OLDEST_BACKUP = timedelta(days=8)


def database_file(settings: Settings) -> Path | None:
    """Return the file of an SQLite database, which need not exist; ``None`` for a server's."""
    try:
        url = make_url(settings.database_url())
    except ArgumentError:
        return None
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def version(store: Store) -> Iterator[Found]:
    """The tables must be those of this program."""
    require_current(store)
    yield well("database", "doctor.database", version=HEAD)


def sealing(settings: Settings, store: Store) -> Iterator[Found]:
    """The keys must open what the database holds, and nothing should wait to be sealed."""
    try:
        store.ring = load_ring(settings)
        check_keys(store)
    except KeguanError as error:
        yield from wrong("privacy", error)
        return
    if not store.ring.encrypts:
        yield notice("privacy", "doctor.not_sealed")
        return
    newest = store.ring.newest
    if newest is None:
        if _holds_anything(store):
            yield ill("privacy", "doctor.no_key_yet", file=store.ring.file or "–")
        else:
            yield notice("privacy", "doctor.no_key", file=store.ring.file or "–")
        return
    rows = sum(unsealed(store).values())
    if rows:
        yield ill("privacy", "doctor.unsealed", rows=rows)
    else:
        yield well("privacy", "doctor.sealed", key=newest.fingerprint)


def _holds_anything(store: Store) -> bool:
    with store.read() as connection:
        return any(connection.execute(select(table.c.id).limit(1)).first() is not None for table in TABLES)


def backups(settings: Settings, store: Store, now: datetime) -> Iterator[Found]:
    """Whether ``keguan db backup`` was used lately; of copies that other programs make nobody here knows."""
    last = last_backup(settings.base_dir)
    if last is not None:
        age = (now - last.at).days
        if now - last.at <= _OLDEST_BACKUP:
            yield well("backups", "doctor.backup", file=last.file, days=age)
        else:
            yield ill("backups", "doctor.backup_old", file=last.file, days=age)
        return
    with store.read() as connection:
        first = first_instant(connection)
    if store.is_sqlite and first is not None and now - first > _OLDEST_BACKUP:
        yield ill("backups", "doctor.backup_none")
    else:
        yield notice("backups", "doctor.backup_unknown")
