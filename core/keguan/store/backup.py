"""A consistent copy of a live database, its restoration, and its integrity."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from keguan.errors import DatabaseError, UsageError
from keguan.store.engine import Store, open_store
from keguan.store.migrate import HEAD
from keguan.texts import Language, text

if TYPE_CHECKING:
    from keguan.settings import Settings

__all__ = ["backup", "restore", "verify"]


def backup(store: Store, file: Path) -> int:
    """Write a copy of the database as it is at one moment to ``file``; return its size in bytes.

    Writers go on meanwhile. The file appears complete or not at all, readable by its owner only, because it
    holds personal data. Never overwrites.
    """
    if file.exists():
        raise UsageError("store.backup_exists", file=file)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(file.name + ".part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    try:
        if store.path is not None:
            with closing(sqlite3.connect(store.path)) as live, closing(sqlite3.connect(unfinished)) as copy:
                live.backup(copy, pages=2000, sleep=0.01)
        else:
            _run(["pg_dump", "--format=custom", "--no-owner", f"--file={unfinished}"], store)
    except (sqlite3.Error, OSError) as error:
        unfinished.unlink(missing_ok=True)
        raise DatabaseError("store.backup_failed", file=file, detail=str(error).splitlines()[0]) from error
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    with unfinished.open("rb") as handle:
        os.fsync(handle.fileno())
    unfinished.rename(file)
    return file.stat().st_size


def restore(settings: Settings, file: Path) -> Path | None:
    """Put the copy in ``file`` in the place of the database; return where the present SQLite file was kept.

    Refuses a file that is no sound keguan database, one of a newer version, and while a daemon runs.
    """
    from keguan.runner.lock import DaemonLock  # noqa: PLC0415 - the runner knows the store, not the reverse

    store = open_store(settings.database_url(), settings.base_dir)
    lock = DaemonLock(store)
    try:
        if store.path is not None:
            _check_copy(file)
        lock.acquire()
        if store.path is not None:
            return _swap(store.path, file)
        _run(["pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", str(file)], store)
        return None
    finally:
        lock.release()
        store.close()


def _check_copy(file: Path) -> None:
    """Raise unless ``file`` is a sound database of this version or an older one."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as copy:
            problem = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
            version = copy.execute("SELECT version_num FROM alembic_version_core").fetchone()[0]
    except sqlite3.Error as error:
        raise DatabaseError("store.not_a_backup", file=file, detail=str(error)) from error
    if problem != "ok":
        raise DatabaseError("store.not_a_backup", file=file, detail=problem)
    if version > HEAD:
        raise DatabaseError("store.newer", where=str(file))


def _swap(live: Path, file: Path) -> Path | None:
    """Move the live file aside and a copy of ``file`` into its place."""
    fresh = live.with_name(live.name + ".restoring")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    shutil.copyfile(file, fresh)
    kept: Path | None = None
    if live.exists():
        with suppress(sqlite3.Error), closing(sqlite3.connect(live)) as old:  # it may be damaged: hence the restoring
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        kept = live.with_name(f"{live.name}.before-restore-{stamp}")
        live.rename(kept)
        for suffix in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                live.with_name(live.name + suffix).rename(kept.with_name(kept.name + suffix))
    fresh.rename(live)
    return kept


def verify(store: Store, language: Language = "en") -> list[str]:
    """Return what is wrong with the database, one line each; empty when it is sound."""
    with store.read() as connection:
        if not store.is_sqlite:
            return []  # the server checks every page it reads
        problems = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check") if row[0] != "ok"]
        problems += [
            text(language, "store.dangling", table=row[0], row=row[1], other=row[2])
            for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
        ]
    return problems


def _run(command: list[str], store: Store) -> None:
    """Run one of PostgreSQL's own tools; the password goes by environment, so that `ps` shows none."""
    url = store.engine.url
    where = url.set(drivername="postgresql", password=None).render_as_string()
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    try:
        subprocess.run(  # noqa: S603 - fixed words
            [*command, f"--dbname={where}"], env=environment, check=True, capture_output=True, text=True
        )
    except FileNotFoundError:
        raise DatabaseError("store.no_client", tool=command[0]) from None
    except subprocess.CalledProcessError as error:
        detail = (error.stderr or "").strip().splitlines()
        raise DatabaseError("store.tool_failed", tool=command[0], detail=detail[0] if detail else "") from error
