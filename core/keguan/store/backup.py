"""A consistent copy of a live database, alone or in a row of which the oldest go, and when the last one was made."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from keguan.errors import DatabaseError, UsageError
from keguan.store.server_tools import run_tool

if TYPE_CHECKING:
    from keguan.store.engine import Store

__all__ = ["LastBackup", "backup", "backup_into", "last_backup", "note_backup", "sync_folder"]

_PAGES = 2000
_STAMPED = re.compile(r"keguan-\d{8}T\d{12}Z\.(db|dump)(\.part)?")
_NOTE = Path("var/backup.json")
"""Relative to the folder that holds ``config/``."""


@dataclass(frozen=True, slots=True)
class LastBackup:
    """The last copy that was made by ``keguan db backup``."""

    at: datetime
    file: str


def backup(store: Store, file: Path) -> int:
    """Write a copy of the database as it is at one moment to ``file``; return its size in bytes.

    Writers go on meanwhile. The file appears complete or not at all, readable by its owner only, because it
    holds personal data. Never overwrites. Raises ``UsageError`` and ``DatabaseError``.
    """
    if file.exists():
        raise UsageError("store.backup_exists", file=file)
    if store.path is not None and not store.path.exists():
        raise DatabaseError("doctor.database_absent", file=store.path)
    unfinished = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        if store.path is not None:
            _copy(store.path, unfinished)
        else:
            run_tool(store, ["pg_dump", "--format=custom", "--no-owner", f"--file={unfinished}"])
        with unfinished.open("rb") as handle:
            os.fsync(handle.fileno())
        unfinished.rename(file)
        sync_folder(file.parent)
    except (sqlite3.Error, OSError) as error:
        _forget(unfinished)
        raise DatabaseError("store.backup_failed", file=file, detail=str(error).splitlines()[0]) from error
    except BaseException:
        _forget(unfinished)
        raise
    return file.stat().st_size


def _forget(unfinished: Path) -> None:
    with suppress(OSError):
        unfinished.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Copy page by page what one reading transaction sees.

    Without it SQLite begins anew whenever somebody else wrote between two steps: the larger the database and the
    busier its writers, the less would such a copy ever end (https://www.sqlite.org/c3ref/backup_finish.html).
    """
    with closing(sqlite3.connect(source, isolation_level=None)) as live, closing(sqlite3.connect(target)) as copy:
        live.execute("PRAGMA busy_timeout = 10000")
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM sqlite_master").fetchone()
        live.backup(copy, pages=_PAGES, sleep=0)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, that can be read where nothing can be written


def backup_into(store: Store, folder: Path, keep: int, now: datetime) -> tuple[Path, int, list[Path]]:
    """Write a copy named by ``now`` (aware) into ``folder`` and delete all but the newest ``keep`` of such copies.

    Returns the file, its size, and what was deleted. Files of other names are nobody's business here; nothing is
    deleted unless the new copy is complete.
    """
    suffix = "db" if store.is_sqlite else "dump"
    file = folder / f"keguan-{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}.{suffix}"
    size = backup(store, file)
    copies = sorted(each for each in folder.iterdir() if _STAMPED.fullmatch(each.name))
    whole = [each for each in copies if each.suffix != ".part"]
    # The part of a copy is of one that was killed: another one is not made into this folder at the same time.
    gone = [*whole[: max(0, len(whole) - keep)], *(each for each in copies if each.suffix == ".part")]
    for each in gone:
        each.unlink(missing_ok=True)
    return file, size, gone


def note_backup(base_dir: Path, file: Path, now: datetime) -> None:
    """Write down for ``keguan doctor`` that ``file`` was made at ``now``; failing to is no reason to fail."""
    note = base_dir / _NOTE
    fresh = note.with_name(note.name + ".new")
    with suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        document = {"at": now.isoformat(timespec="seconds"), "file": str(file.absolute())}
        fresh.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(note)


def last_backup(base_dir: Path) -> LastBackup | None:
    """Return what ``note_backup`` wrote down last; ``None`` when there is nothing that can be read."""
    try:
        document = json.loads((base_dir / _NOTE).read_text(encoding="utf-8"))
        return LastBackup(datetime.fromisoformat(document["at"]), str(document["file"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def sync_folder(folder: Path) -> None:
    """Make sure that what was renamed in ``folder`` stays so when the power fails."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
