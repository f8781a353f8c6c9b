"""One daemon per database: the lock that says so, and the row that says who."""

from __future__ import annotations

import fcntl
import os
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from keguan.errors import DatabaseError
from keguan.store.engine import Store
from keguan.store.schema import daemons

__all__ = [
    "DaemonLock",
    "DaemonRow",
    "daemon_row",
    "note_beat",
    "note_reload_error",
    "note_start",
    "note_stop",
]

_KEY = 0x6B670002  # any constant: the advisory lock of the daemon of one PostgreSQL database
_ID = 1
_d = daemons.c


@dataclass(frozen=True, slots=True)
class DaemonRow:
    """The daemon of a database, or the last one it had. Instants in UTC."""

    host: str
    pid: int
    started_at: datetime
    heartbeat_at: datetime
    stopped_at: datetime | None
    """When it stopped as it should; ``None`` while it runs and after a crash."""
    reload_error: str | None
    """Why the changed configuration was refused and the old one is still at work; one line."""


class DaemonLock:
    """Held by the one daemon of a database for as long as its process lives.

    On SQLite it is a lock on a file beside the database, which the system frees when the process dies however
    it dies; on PostgreSQL a lock of a session of its own, which the server frees when that session ends.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._file: IO[str] | None = None
        self._session: Connection | None = None

    def acquire(self) -> None:
        """Take the lock; raises ``DatabaseError`` with host, pid and start of the daemon that has it."""
        if self._try():
            return
        with self._store.read() as connection:
            row = daemon_row(connection)
        raise DatabaseError(
            "runner.held",
            where=self._store.path or self._store.engine.url.database or "postgresql",
            host=row.host if row else "–",
            pid=row.pid if row else "–",
            since=row.started_at.isoformat(timespec="seconds") if row else "–",
        )

    def keep(self) -> bool:
        """Make sure that the lock is still ours; return ``False`` when another daemon has taken it.

        A file's lock stays; a session ends when the server restarts, and then the lock is asked for again.
        Raises ``DatabaseError`` while the server is away.
        """
        if self._file is not None:
            return True
        if self._session is not None:
            try:
                self._session.exec_driver_sql("SELECT 1")
            except DBAPIError:
                self.release()
            else:
                return True
        return self._try()

    def release(self) -> None:
        """Give the lock back; never raises."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._session is not None:
            session, self._session = self._session, None
            try:
                session.invalidate()  # ends the session itself, and the lock with it
                session.close()
            except DBAPIError:  # it had ended by itself
                pass

    def _try(self) -> bool:
        if self._store.path is not None:
            file = self._store.path.with_name(self._store.path.name + ".daemon").open("a")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                return False
            self._file = file
            return True
        try:
            session = self._store.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            got = bool(session.exec_driver_sql(f"SELECT pg_try_advisory_lock({_KEY})").scalar())
        except DBAPIError as error:
            host = self._store.engine.url.host or "postgresql"
            raise DatabaseError("store.unreachable", where=host, detail=_first_line(error)) from error
        if got:
            self._session = session
        else:
            session.close()
        return got


def _first_line(error: DBAPIError) -> str:
    return next(iter(str(error.orig).splitlines()), type(error).__name__)


def daemon_row(connection: Connection) -> DaemonRow | None:
    """Return the daemon that is recorded, ``None`` when there never was one."""
    row: Any = connection.execute(select(daemons).where(_d.id == _ID)).first()
    if row is None:
        return None
    return DaemonRow(row.host, row.pid, row.started_at, row.heartbeat_at, row.stopped_at, row.reload_error)


def note_start(connection: Connection, now: datetime) -> None:
    """Record this process as the daemon. The lock must be held."""
    connection.execute(delete(daemons).where(_d.id == _ID))
    connection.execute(
        insert(daemons).values(id=_ID, host=socket.gethostname(), pid=os.getpid(), started_at=now, heartbeat_at=now)
    )


def note_beat(connection: Connection, now: datetime) -> None:
    """Record that the daemon's planner is alive."""
    connection.execute(update(daemons).where(_d.id == _ID).values(heartbeat_at=now))


def note_stop(connection: Connection, now: datetime) -> None:
    """Record that the daemon stopped as it should."""
    connection.execute(update(daemons).where(_d.id == _ID).values(heartbeat_at=now, stopped_at=now))


def note_reload_error(connection: Connection, error: str | None) -> None:
    """Record why a changed configuration was refused, or (``None``) that nothing is wrong with it now."""
    connection.execute(update(daemons).where(_d.id == _ID).values(reload_error=error))
