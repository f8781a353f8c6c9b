"""The databases of an installation: the live one, and the copy that rehearsals work on."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

from keguan.clock import RealClock
from keguan.errors import ConfigError
from keguan.sealing.opening import fit_keys, load_ring
from keguan.settings import Settings
from keguan.store.engine import Store, open_store
from keguan.store.migrate import current, require_current, upgrade

__all__ = ["REHEARSAL_OUTBOX", "delete_rehearsal", "open_database", "open_rehearsal", "rehearsal_file"]

REHEARSAL_OUTBOX = Path("var/rehearsal/outbox")
"""Where messages of a rehearsal become files; relative to the folder that holds ``config/``."""


def open_database(settings: Settings) -> Store:
    """Open the live database; one without tables gets them and its first key, one of another version is refused.

    Raises ``DatabaseError`` naming the mend, also when the keys do not open what it holds.
    """
    store = open_store(settings.database_url(), settings.base_dir, load_ring(settings))
    with _closed_on_failure(store):
        with store.read() as connection:
            fresh = current(connection) is None
        if fresh:
            upgrade(store)
        else:
            require_current(store)
        fit_keys(store, RealClock().now())
    return store


@contextmanager
def _closed_on_failure(store: Store) -> Iterator[None]:
    try:
        yield
    except BaseException:
        store.close()
        raise


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
    with _closed_on_failure(store):
        with store.read() as connection:
            fresh = current(connection) is None
        if fresh:
            upgrade(store)
        fit_keys(store, RealClock().now())
    return store


def delete_rehearsal(settings: Settings) -> Literal["deleted", "kept"] | None:
    """Delete the copy that ``--at`` works on; ``kept`` for a server's, ``None`` when there is none."""
    url = settings.database_url(rehearsal=True)
    if not url or url == settings.database_url():
        return None
    store = open_store(url, settings.base_dir)
    store.close()
    if store.path is None:
        return "kept"
    existed = store.path.exists()
    for suffix in ("", "-wal", "-shm", ".planning"):
        store.path.with_name(store.path.name + suffix).unlink(missing_ok=True)
    return "deleted" if existed else None


def _rehearsal_store(settings: Settings) -> Store:
    url = settings.database_url(rehearsal=True)
    if not url:
        raise ConfigError("cli.no_rehearsal_url")
    if url == settings.database_url():
        raise ConfigError("cli.rehearsal_is_live")
    return open_store(url, settings.base_dir, load_ring(settings))


def _copy(source: Path, target: Path) -> None:
    """Copy a database that others may be writing to."""
    unfinished = target.with_suffix(".part")
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(unfinished)) as copy:
        live.backup(copy)
    shutil.move(unfinished, target)
