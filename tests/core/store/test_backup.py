"""A copy of a live database, putting it back, and looking whether all is sound."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from tests.support.databases import PostgresServer, SqliteTemplate

from keguan.errors import DatabaseError, UsageError
from keguan.runner.lock import DaemonLock
from keguan.settings import Settings, parse_settings
from keguan.store.backup import backup
from keguan.store.engine import Store, open_store
from keguan.store.restoring import restore
from keguan.store.schema import projects
from keguan.store.soundness import verify


@pytest.fixture
def live(sqlite_template: SqliteTemplate, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(sqlite_template.copy_to(tmp_path / "keguan.db"), tmp_path)
    yield opened
    opened.close()


def settings(folder: Path, url: str = "sqlite:///keguan.db") -> Settings:
    return parse_settings(f"[database]\nurl = '{url}'\n", folder / "config" / "keguan.toml", {})


def add(store: Store, *names: str) -> None:
    with store.write() as connection:
        connection.execute(insert(projects), [{"name": name, "city": "shenzhen"} for name in names])


def names(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(projects.c.name).order_by(projects.c.id)).scalars())


def test_a_copy_made_while_others_write_is_complete_and_for_its_owner_only(live: Store, tmp_path: Path) -> None:
    add(live, *(f"before {n} {'x' * 500}" for n in range(2000)))
    stop, written = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            add(live, f"pair {number} a", f"pair {number} b")
            written.set()
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    written.wait(10)
    size = backup(live, tmp_path / "copies" / "copy.db")
    stop.set()
    writer.join()
    file = tmp_path / "copies" / "copy.db"
    assert size == file.stat().st_size
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["copy.db"]
    with closing(sqlite3.connect(file)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert copy.execute("SELECT count(*) FROM projects WHERE name LIKE 'before%'").fetchone()[0] == 2000
        assert copy.execute("SELECT count(*) FROM projects WHERE name LIKE 'pair%'").fetchone()[0] % 2 == 0


def test_a_copy_never_overwrites(live: Store, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(UsageError) as caught:
        backup(live, tmp_path / "copy.db")
    assert caught.value.key == "store.backup_exists"
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_putting_a_copy_back_keeps_what_was_there(live: Store, tmp_path: Path) -> None:
    add(live, "first")
    backup(live, tmp_path / "copy.db")
    add(live, "second")
    live.close()
    kept = restore(settings(tmp_path), tmp_path / "copy.db").kept
    assert names(live) == ["first"]
    assert kept is not None
    with closing(sqlite3.connect(kept)) as before:
        assert before.execute("SELECT count(*) FROM projects").fetchone()[0] == 2
    assert (tmp_path / "keguan.db").stat().st_mode & 0o777 == 0o600


def test_a_damaged_database_can_be_replaced(live: Store, tmp_path: Path) -> None:
    add(live, "first")
    backup(live, tmp_path / "copy.db")
    live.close()
    (tmp_path / "keguan.db").write_bytes(b"\xff" * 100_000)
    restore(settings(tmp_path), tmp_path / "copy.db")
    assert names(live) == ["first"]


def test_a_missing_database_can_be_replaced(live: Store, tmp_path: Path) -> None:
    add(live, "first")
    backup(live, tmp_path / "copy.db")
    live.close()
    (tmp_path / "keguan.db").unlink()
    assert restore(settings(tmp_path), tmp_path / "copy.db").kept is None
    assert names(live) == ["first"]


@pytest.mark.parametrize("what", ["text", "empty", "other", "newer", "damaged"])
def test_what_is_no_sound_copy_is_refused_and_nothing_is_changed(live: Store, tmp_path: Path, what: str) -> None:
    add(live, "first")
    copy = tmp_path / "copy #1?.db"
    backup(live, copy)
    if what == "text":
        copy.write_text("customers\n" * 1000)
    elif what == "empty":
        copy.write_bytes(b"")
    elif what == "damaged":
        content = bytearray(copy.read_bytes())
        content[8192:20000] = os.urandom(20000 - 8192)
        copy.write_bytes(content)
    else:
        with closing(sqlite3.connect(copy)) as other, other:
            if what == "newer":
                other.execute("UPDATE alembic_version_core SET version_num = 'core_9999'")
            else:
                other.execute("DROP TABLE alembic_version_core")
    with pytest.raises(DatabaseError) as caught:
        restore(settings(tmp_path), copy)
    assert caught.value.key == ("store.newer" if what == "newer" else "store.not_a_backup")
    assert names(live) == ["first"]


def test_nothing_is_put_back_while_a_daemon_runs(live: Store, tmp_path: Path) -> None:
    backup(live, tmp_path / "copy.db")
    lock = DaemonLock(live)
    lock.acquire()
    try:
        with pytest.raises(DatabaseError) as caught:
            restore(settings(tmp_path), tmp_path / "copy.db")
    finally:
        lock.release()
    assert caught.value.key == "runner.held"


def test_a_sound_database_is_sound(store: Store) -> None:
    add(store, "first")
    assert verify(store) == []


def test_a_reference_to_nothing_is_found(live: Store) -> None:
    assert live.path
    with closing(sqlite3.connect(live.path)) as raw, raw:
        raw.execute("INSERT INTO homes (id, project_id) VALUES (1, 404)")
    (line,) = verify(live)
    assert "homes" in line
    assert "projects" in line


@pytest.mark.postgres
def test_a_server_is_copied_and_put_back_with_its_own_tools(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{postgres.tools}:{os.environ['PATH']}")
    with postgres.fresh() as url:
        opened = open_store(url, tmp_path)
        add(opened, "first")
        assert backup(opened, tmp_path / "copy.dump") > 0
        add(opened, "second")
        assert restore(settings(tmp_path, url), tmp_path / "copy.dump").kept is None
        assert names(opened) == ["first"]
        add(opened, "third")
        with opened.read() as connection:
            assert connection.execute(select(func.count()).select_from(projects)).scalar() == 2
        opened.close()


@pytest.mark.postgres
def test_without_the_tools_the_error_says_so(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with postgres.fresh() as url:
        opened = open_store(url, tmp_path)
        with pytest.raises(DatabaseError) as caught:
            backup(opened, tmp_path / "copy.dump")
        opened.close()
    assert caught.value.key == "store.no_client"
    assert not list(tmp_path.glob("copy.dump*"))
