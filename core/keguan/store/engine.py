"""Transactions: short ones that write, quiet ones that read, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, NoSuchModuleError

from keguan.errors import DatabaseError
from keguan.sealing import NO_KEYS, KeyRing
from keguan.store.sealed import SealPlan
from keguan.store.types import ring_of

__all__ = ["SQLITE_PRAGMAS", "Store", "open_store", "refusal"]

_BUSY_MS = 10_000

SQLITE_PRAGMAS = (
    f"busy_timeout = {_BUSY_MS}",
    "journal_mode = WAL",
    "synchronous = FULL",  # a message marked "sending" is on disk before it leaves
    "foreign_keys = ON",
    "cache_size = -16000",
    "temp_store = FILE",
)
"""How every connection to SQLite is set up."""


class Store:
    """One database. Hands out transactions; everything else asks it."""

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        """The file of an SQLite database; ``None`` on a server."""
        self._inserts: dict[tuple[str, tuple[str, ...], bool], str] = {}
        self._seals: dict[tuple[str, tuple[str, ...]], SealPlan] = {}

    @property
    def ring(self) -> KeyRing:
        """The keys that personal values of this database are sealed with."""
        return ring_of(self.engine.dialect)

    @ring.setter
    def ring(self, ring: KeyRing) -> None:
        self.engine.dialect.keguan_ring = ring  # type: ignore[attr-defined]  # ours: how it reaches the column types

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded default."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and writes nothing."""
        options: dict[str, Any] = {"keguan_read": True}
        if not self.is_sqlite:  # there each statement would see what was committed meanwhile
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with _translated(self), self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; commits at the end, rolls back on any exception.

        Keep it short (a thousand rows, a fifth of a second): on SQLite it holds the one write lock from its
        first moment, so that what it read stays true until it commits.
        """
        with _translated(self), self.engine.begin() as connection:
            self.ring.refresh()  # inside: what begins after a rotation has begun seals with the new key
            yield connection

    def insert(
        self,
        connection: Connection,
        table: Table,
        columns: tuple[str, ...],
        rows: Sequence[tuple[Any, ...]],
        *,
        ignore_repeats: bool = False,
    ) -> None:
        """Insert many rows at the speed of the driver.

        ``rows`` hold values in the order of ``columns``, in stored form (instants through ``to_stored``, JSON
        as text): SQLAlchemy's own type processing costs as much again as the insert itself. Personal values come
        in clear and are sealed here. With ``ignore_repeats`` a row whose unique key exists is left as it is.
        """
        if not rows:
            return
        columns, rows = self.sealed(table, columns, rows)
        key = (table.name, columns, ignore_repeats)
        statement = self._inserts.get(key)
        if statement is None:
            place = "?" if self.is_sqlite else "%s"
            statement = (
                f"INSERT INTO {table.name} ({', '.join(columns)}) "  # noqa: S608 - names of our own schema
                f"VALUES ({', '.join([place] * len(columns))})"
            )
            if ignore_repeats:
                statement += " ON CONFLICT DO NOTHING"
            self._inserts[key] = statement
        connection.exec_driver_sql(statement, rows if isinstance(rows, list) else list(rows))

    def sealed(
        self, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
    ) -> tuple[tuple[str, ...], Sequence[tuple[Any, ...]]]:
        """Return ``columns`` and ``rows`` with personal values sealed and their blind indexes in front.

        ``rows`` may hold more values than there are columns; these stay at the end.
        """
        plan = self._seals.get((table.name, columns))
        if plan is None:
            plan = self._seals[table.name, columns] = SealPlan(table, columns)
        return plan.columns, plan.apply(self.ring, rows)

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def open_store(url: str, base_dir: Path, ring: KeyRing = NO_KEYS) -> Store:
    """Open the database at ``url`` without touching it yet.

    A relative SQLite path starts at ``base_dir``. Personal values are sealed with ``ring``; without one they
    stand in clear. Raises ``DatabaseError`` for an URL of another kind.
    """
    store = _open(url, base_dir)
    store.ring = ring
    return store


def _open(url: str, base_dir: Path) -> Store:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseError("store.url") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        path = base_dir / (parsed.database or "var/keguan.db")
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed.set(database=str(path)), pool_size=16, max_overflow=16, hide_parameters=True)
        _prepare_sqlite(engine, path)
        return Store(engine, path)
    if backend != "postgresql":
        raise DatabaseError("store.backend", backend=backend)
    try:
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_size=16, pool_pre_ping=True, hide_parameters=True
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise DatabaseError("store.driver") from error
    return Store(engine, None)


def _prepare_sqlite(engine: Engine, path: Path) -> None:
    """Make every write transaction ``BEGIN IMMEDIATE``, and a new file readable by its owner only.

    A transaction that reads first and writes later fails at once with "database is locked" when another one
    wrote in between, whatever the timeout; one that takes the lock at its start waits its turn.
    """

    @event.listens_for(engine, "do_connect")
    def _make(*_: object) -> None:
        with suppress(OSError):  # SQLite says better what is wrong with the folder
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        for pragma in SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("keguan_read", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def _translated(store: Store) -> Iterator[None]:
    """Turn what the driver says of a bad day into one line that names the mend."""
    try:
        yield
    except DBAPIError as error:
        key = _reason(error)
        if key is None:
            raise
        where = str(store.path) if store.path else (store.engine.url.host or "postgresql")
        raise DatabaseError(key, where=where, detail=str(refusal(error))) from error


def refusal(error: Exception) -> Exception:
    """Return what a table or a driver says of a row that it refuses, without the row: that may hold personal values."""
    if not isinstance(error, DBAPIError):
        return error
    return ValueError(next(iter(str(error.orig).splitlines()), type(error).__name__))


_REASONS = (
    ("locked", "store.locked"),
    ("deadlock", "store.locked"),
    ("disk is full", "store.full"),
    ("no space left", "store.full"),
    ("unable to open database", "store.open"),
    ("readonly database", "store.readonly"),
    ("read-only transaction", "store.readonly"),
    ("disk i/o error", "store.io"),
    ("malformed", "store.damaged"),
    ("file is not a database", "store.damaged"),
    ("fatal:", "store.unreachable"),  # no such database or user, too many connections
    ("no such table", "store.schema"),
    ("no such column", "store.schema"),
    ("does not exist", "store.schema"),
    ("could not translate", "store.unreachable"),
    ("server closed", "store.unreachable"),
    ("connection", "store.unreachable"),
)


def _reason(error: DBAPIError) -> str | None:
    """Return the text key for a failure of the surroundings, ``None`` for a defect of ours."""
    if isinstance(error, IntegrityError | DataError):  # they quote values, which may say anything
        return None
    message = str(error.orig).lower()
    for fragment, key in _REASONS:
        if fragment in message:
            return key
    return "store.unreachable" if error.connection_invalidated else None
