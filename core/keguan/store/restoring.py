"""Put a copy in the place of the database, all of it or not at all; or only rehearse that in a place of its own."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from keguan.errors import DatabaseError
from keguan.store.backup import sync_folder
from keguan.store.engine import Store, open_store
from keguan.store.migrate import HEAD
from keguan.store.schema import metadata
from keguan.store.server_tools import run_plain, run_tool

if TYPE_CHECKING:
    from keguan.settings import Settings

__all__ = ["Restored", "rehearsed", "restore"]

_VERSION_TABLE = "alembic_version_core"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back."""

    kept: Path | None
    """Where the SQLite file until now was kept; ``None`` when there was none, and on a server."""
    version: str
    """The version of the tables in the copy."""

    @property
    def is_older(self) -> bool:
        """Whether the database has to be upgraded before this program works on it."""
        return self.version != HEAD


def restore(settings: Settings, file: Path) -> Restored:
    """Put the copy in ``file`` in the place of the database.

    Refuses a file that is no sound keguan database, one of a newer version, and while a daemon or another program
    works. Killed at any moment, it leaves the database as it was or as it will be.
    """
    from keguan.runner.lock import DaemonLock  # noqa: PLC0415 - the runner knows the store, not the reverse

    store = open_store(settings.database_url(), settings.base_dir)
    lock = DaemonLock(store)
    try:
        if store.path is not None:
            version = _version_of_file(file)
            lock.acquire()
            return Restored(_swap(store.path, file), version)
        version = _version_of_dump(file)
        lock.acquire()
        with _script_of(file, settings.path("var")) as script:
            _run_script(store, script)
        return Restored(None, version)
    finally:
        lock.release()
        store.close()


@contextmanager
def rehearsed(settings: Settings, file: Path) -> Iterator[tuple[Store, str]]:
    """Put the copy in ``file`` into a place of its own and yield the database there, with the version it has.

    What is live is not touched. The place is gone afterwards; on a server it is a database of its own, which needs
    the right to create one.
    """
    live = open_store(settings.database_url(), settings.base_dir)
    try:
        if live.path is not None:
            version = _version_of_file(file)
            with _folder(settings.path("var")) as folder:
                place = folder / "keguan.db"
                place.touch(mode=0o600)
                shutil.copyfile(file, place)
                yield from _opened(f"sqlite:///{place}", settings, version)
        else:
            version = _version_of_dump(file)
            with _database_of_its_own(live) as url, _script_of(file, settings.path("var")) as script:
                yield from _opened(url, settings, version, script)
    finally:
        live.close()


def _opened(url: str, settings: Settings, version: str, script: Path | None = None) -> Iterator[tuple[Store, str]]:
    store = open_store(url, settings.base_dir)
    try:
        if script is not None:
            _run_script(store, script)
        yield store, version
    finally:
        store.close()


@contextmanager
def _folder(beside: Path) -> Iterator[Path]:
    """Yield a folder for its owner only, on the disk where the database's own files are."""
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="restore-", dir=beside) as folder:
        yield Path(folder)


# --- A file ----------------------------------------------------------------------------------------------------------


def _version_of_file(file: Path) -> str:
    """Return the version of a copy; raises ``DatabaseError`` unless it is sound and not newer than this program."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?immutable=1", uri=True)) as copy:
            problem = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
            row = copy.execute(f"SELECT version_num FROM {_VERSION_TABLE}").fetchone()  # noqa: S608 - ours
    except sqlite3.Error as error:
        raise DatabaseError("store.not_a_backup", file=file, detail=str(error)) from error
    if problem != "ok" or row is None:
        raise DatabaseError("store.not_a_backup", file=file, detail=str(problem).splitlines()[0])
    return _not_newer(str(row[0]), file)


def _not_newer(version: str, file: Path) -> str:
    if version > HEAD:
        raise DatabaseError("store.newer", where=str(file))
    return version


def _swap(live: Path, file: Path) -> Path | None:
    """Put a copy of ``file`` into the place of ``live`` in one step; the present file is kept under another name."""
    fresh = live.with_name(live.name + ".restoring")
    try:
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        shutil.copyfile(file, fresh)
        with fresh.open("rb") as handle:
            os.fsync(handle.fileno())
        kept = _keep(live) if live.exists() else None
        if kept is None:
            _delete_log(live)
        fresh.replace(live)
        sync_folder(live.parent)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise DatabaseError("store.restore_failed", file=live, detail=error.strerror or type(error).__name__) from error
    return kept


def _delete_log(live: Path) -> None:
    """Delete the log of a file that has gone: it would be taken for the new one's."""
    for suffix in ("-wal", "-shm"):
        live.with_name(live.name + suffix).unlink(missing_ok=True)


def _keep(live: Path) -> Path:
    """Give the present file a second name, whole in itself, so that putting another in its place is one step.

    A log that stayed beside the new file would be taken for its own. A sound database takes its log in, which needs
    that nobody else has it open; a damaged one cannot, and its log goes to where the file is kept.
    """
    damaged = False
    try:
        with closing(sqlite3.connect(live, isolation_level=None)) as old:
            old.execute("PRAGMA busy_timeout = 2000")
            old.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise DatabaseError("store.locked", where=str(live)) from error
        damaged = True
    except sqlite3.DatabaseError:
        damaged = True
    kept = live.with_name(f"{live.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    os.link(live, kept)
    for suffix in ("-wal", "-shm") if damaged else ():
        with suppress(FileNotFoundError):
            live.with_name(live.name + suffix).rename(kept.with_name(kept.name + suffix))
    return kept


# --- A server --------------------------------------------------------------------------------------------------------


def _version_of_dump(file: Path) -> str:
    """Return the version of a dump; raises ``DatabaseError`` unless all of it can be read and is not newer."""
    only = [f"--table={_VERSION_TABLE}", "--data-only", "--file=-", str(file)]
    try:
        said = run_plain(["pg_restore", *only])
    except DatabaseError as error:
        if error.key == "store.no_client":
            raise
        raise DatabaseError("store.not_a_backup", file=file, detail=error.values["detail"]) from error
    lines = said.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("COPY ")), None)
    if start is None:
        raise DatabaseError("store.not_a_backup", file=file, detail=f"{_VERSION_TABLE}?")
    return _not_newer(lines[start + 1].strip(), file)


@contextmanager
def _script_of(file: Path, folder: Path) -> Iterator[Path]:
    """Yield the statements of a dump as a file: what cannot be read to its end never begins to be put back."""
    with _folder(folder) as place:
        script = place / "restore.sql"
        script.touch(mode=0o600)
        run_plain(["pg_restore", "--clean", "--if-exists", "--no-owner", f"--file={script}", str(file)])
        yield script


def _run_script(store: Store, script: Path) -> None:
    """Take away every table of ours, also those that the dump does not know, and put its own back: all or nothing."""
    tables = ", ".join([*(f'"{table.name}"' for table in metadata.sorted_tables), _VERSION_TABLE])
    options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    run_tool(store, ["psql", *options, f"--command=DROP TABLE IF EXISTS {tables} CASCADE", f"--file={script}"])


@contextmanager
def _database_of_its_own(live: Store) -> Iterator[str]:
    """Yield the URL of an empty database on the same server."""
    name = f"keguan_restore_{os.getpid()}"
    try:
        run_tool(live, ["psql", "--no-psqlrc", "--quiet", f"--command=CREATE DATABASE {name} TEMPLATE template0"])
    except DatabaseError as error:
        if error.key == "store.no_client":
            raise
        raise DatabaseError("store.no_place", detail=error.values["detail"]) from error
    try:
        yield live.engine.url.set(database=name).render_as_string(hide_password=False)
    finally:
        run_tool(live, ["psql", "--no-psqlrc", "--quiet", f"--command=DROP DATABASE IF EXISTS {name} WITH (FORCE)"])
