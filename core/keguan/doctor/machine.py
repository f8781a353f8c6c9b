"""What keguan stands on: the disk, the clock, and who may read its files."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from keguan.doctor.found import Found, ill, well
from keguan.doctor.traces import newest_instant
from keguan.sealing.keyfile import KEYS_FILE

if TYPE_CHECKING:
    from keguan.settings import Settings
    from keguan.store.engine import Store

__all__ = ["database_clock", "disk", "machine_clock", "permissions"]

_LOW_DISK_MB = 500
_LOW_INODES = 0.02
_DRIFT = timedelta(minutes=5)
_APART = timedelta(seconds=60)


def disk(settings: Settings) -> Iterator[Found]:
    """Room and numbers for files, once for each file system that is written to."""
    seen: set[int] = set()
    for folder in (settings.base_dir, settings.path("var")):
        if not folder.is_dir() or (device := folder.stat().st_dev) in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(folder).free // 1_000_000
        if free < _LOW_DISK_MB:
            yield ill("disk", "doctor.disk_low", free=free, folder=folder)
        else:
            yield well("disk", "doctor.disk", free=free, folder=folder)
        system = os.statvfs(folder)
        if system.f_files and system.f_favail < system.f_files * _LOW_INODES:
            yield ill("disk", "doctor.inodes_low", free=system.f_favail, folder=folder)


def permissions(settings: Settings, database: Path | None) -> Iterator[Found]:
    """Secrets and keys are for their owner only, the database for nobody outside its group."""
    folder = settings.path("secrets")
    if folder.is_dir():
        open_to_others = [file.name for file in sorted(folder.iterdir()) if file.is_file() and _mode(file) & 0o077]
        if open_to_others:
            yield ill("secrets", "doctor.secrets_open", files=", ".join(open_to_others))
        elif _mode(folder) & 0o022:
            yield ill("secrets", "doctor.secrets_folder_open", folder=folder)
        else:
            yield well("secrets", "doctor.secrets")
        keys = settings.path(str(KEYS_FILE))
        if keys.is_file() and not os.access(keys, os.R_OK):
            yield ill("secrets", "doctor.keys_unreadable", file=keys)
    if database is not None and database.is_file():
        if _mode(database) & 0o007:
            yield ill("database", "doctor.database_open", file=database)
        if not os.access(database, os.R_OK | os.W_OK) or not os.access(database.parent, os.W_OK | os.X_OK):
            yield ill("database", "doctor.database_unwritable", file=database)


def _mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def machine_clock(now: datetime) -> Iterator[Found]:
    """A clock that stands before this program was written is wrong, whatever others say."""
    written = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    shown = now.isoformat(timespec="seconds")
    if now < written - _DRIFT:
        yield ill("clock", "doctor.clock_wrong", now=shown)
    else:
        yield well("clock", "doctor.clock", now=shown)


def database_clock(store: Store, now: datetime) -> Iterator[Found]:
    """Compare with the server's clock, and with what was stored before: nothing there can be of the future."""
    with store.read() as connection:
        if not store.is_sqlite:
            began = datetime.now(UTC)
            server = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
            apart = abs(server.astimezone(UTC) - began)
            if apart > _APART:
                yield ill("clock", "doctor.clocks_apart", seconds=round(apart.total_seconds()))
        newest = newest_instant(connection)
    if newest is not None and newest > now + _DRIFT:
        ahead = newest.isoformat(timespec="seconds")
        yield ill("clock", "doctor.clock_went_back", newest=ahead, now=now.isoformat(timespec="seconds"))
