"""One daemon per database."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.databases import PostgresServer

from keguan.errors import DatabaseError
from keguan.runner.lock import DaemonLock, daemon_row, note_beat, note_reload_error, note_start, note_stop
from keguan.store.engine import Store, open_store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 13, tzinfo=UTC)


@pytest.fixture
def other(store_url: str, store: Store, tmp_path: Path) -> Iterator[Store]:
    """The same database, opened by somebody else."""
    other = open_store(store_url, tmp_path)
    yield other
    other.close()


@pytest.fixture
def lock(store: Store) -> Iterator[DaemonLock]:
    lock = DaemonLock(store)
    yield lock
    lock.release()


@pytest.fixture
def rival(other: Store) -> Iterator[DaemonLock]:
    rival = DaemonLock(other)
    yield rival
    rival.release()


def test_the_second_one_is_refused_and_told_who_has_it(store: Store, lock: DaemonLock, rival: DaemonLock) -> None:
    lock.acquire()
    with store.write() as connection:
        note_start(connection, NOON)
    with pytest.raises(DatabaseError) as refused:
        rival.acquire()
    assert refused.value.key == "runner.held"
    assert refused.value.values["pid"] == os.getpid()
    assert refused.value.values["host"] == socket.gethostname()
    assert refused.value.values["since"] == NOON.isoformat()


def test_whoever_gives_it_back_makes_room_for_the_next(lock: DaemonLock, rival: DaemonLock) -> None:
    lock.acquire()
    assert lock.keep()
    lock.release()
    rival.acquire()
    with pytest.raises(DatabaseError):
        lock.acquire()


@pytest.mark.bad_day
@pytest.mark.postgres
def test_a_server_that_restarts_takes_nobodys_lock_unless_another_daemon_is_quicker(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    with postgres.fresh() as url:
        store, other = open_store(url, tmp_path), open_store(url, tmp_path)
        lock, rival = DaemonLock(store), DaemonLock(other)
        lock.acquire()
        _end_sessions(other)
        assert lock.keep()
        with pytest.raises(DatabaseError):
            rival.acquire()
        _end_sessions(other)
        rival.acquire()
        assert not lock.keep()
        rival.release()
        store.close()
        other.close()


def _end_sessions(store: Store) -> None:
    """Do what a restart of the server does to everybody else's sessions."""
    with store.engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_the_row_tells_the_life_of_the_daemon(store: Store) -> None:
    with store.write() as connection:
        assert daemon_row(connection) is None
        note_start(connection, NOON)
        note_beat(connection, LATER)
        note_reload_error(connection, "a key is unknown (plugins.x): remove it")
    with store.read() as connection:
        row = daemon_row(connection)
    assert row is not None
    assert (row.started_at, row.heartbeat_at, row.stopped_at) == (NOON, LATER, None)
    assert row.reload_error == "a key is unknown (plugins.x): remove it"
    with store.write() as connection:
        note_stop(connection, LATER)
        stopped = daemon_row(connection)
        note_start(connection, LATER)
        again = daemon_row(connection)
    assert stopped is not None
    assert stopped.stopped_at == LATER
    assert again is not None
    assert (again.stopped_at, again.reload_error) == (None, None)
