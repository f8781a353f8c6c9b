"""What the database says on a bad day is one line that names the mend."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select, text
from tests.support.databases import PostgresServer, SqliteTemplate

from keguan.errors import DatabaseError
from keguan.store.engine import Store, open_store, refusal
from keguan.store.migrate import require_current
from keguan.store.schema import projects


@pytest.fixture
def sqlite_store(sqlite_template: SqliteTemplate, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(sqlite_template.copy_to(tmp_path / "keguan.db"), tmp_path)
    event.listen(opened.engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout = 50"))
    yield opened
    opened.close()


def add_project(store: Store, name: str = "云璟") -> None:
    with store.write() as connection:
        connection.execute(insert(projects).values(name=name, city="shenzhen"))


def test_another_program_holds_the_lock(sqlite_store: Store) -> None:
    assert sqlite_store.path
    with closing(sqlite3.connect(sqlite_store.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseError) as caught:
            add_project(sqlite_store)
        other.execute("ROLLBACK")
    assert caught.value.key == "store.locked"
    assert str(sqlite_store.path) in str(caught.value)
    add_project(sqlite_store)


def test_readers_go_on_while_somebody_writes(sqlite_store: Store) -> None:
    with sqlite_store.write() as writer:
        writer.execute(insert(projects).values(name="云璟", city="shenzhen"))
        with sqlite_store.read() as reader:
            assert reader.execute(select(projects)).all() == []


def test_a_database_that_may_not_be_written(store: Store) -> None:
    def add_where_nothing_may_be_written() -> None:
        with store.write() as connection:
            forbid = "PRAGMA query_only = ON" if store.is_sqlite else "SET TRANSACTION READ ONLY"
            connection.exec_driver_sql(forbid)
            connection.execute(insert(projects).values(name="云璟", city="shenzhen"))

    with pytest.raises(DatabaseError) as caught:
        add_where_nothing_may_be_written()
    assert caught.value.key == "store.readonly"


def test_a_full_disk(sqlite_store: Store) -> None:
    def fill() -> None:
        with sqlite_store.write() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            many = [{"name": "x" * 9000 + str(number), "city": "shenzhen"} for number in range(20)]
            connection.execute(insert(projects), many)

    with pytest.raises(DatabaseError) as caught:
        fill()
    assert caught.value.key == "store.full"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "keguan.db").write_bytes(b"customers\n" * 1000)
    opened = open_store(f"sqlite:///{tmp_path / 'keguan.db'}", tmp_path)
    with pytest.raises(DatabaseError) as caught:
        add_project(opened)
    assert caught.value.key == "store.damaged"
    opened.close()


def test_a_damaged_file(sqlite_store: Store) -> None:
    assert sqlite_store.path
    add_project(sqlite_store)
    sqlite_store.close()
    with sqlite_store.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 200_000)
    with pytest.raises(DatabaseError) as caught:
        add_project(sqlite_store, "second")
    assert caught.value.key == "store.damaged"


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "keguan.db").mkdir()
    opened = open_store(f"sqlite:///{tmp_path / 'keguan.db'}", tmp_path)
    with pytest.raises(DatabaseError) as caught:
        add_project(opened)
    assert caught.value.key == "store.open"


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    opened = open_store("postgresql://keguan:secret@127.0.0.1:1/keguan", tmp_path)
    with pytest.raises(DatabaseError) as caught:
        add_project(opened)
    assert caught.value.key == "store.unreachable"
    assert "secret" not in str(caught.value)


@pytest.mark.postgres
def test_a_database_that_the_server_does_not_have(postgres: PostgresServer, tmp_path: Path) -> None:
    opened = open_store(postgres.url_of("nowhere"), tmp_path)
    with pytest.raises(DatabaseError) as caught:
        add_project(opened)
    assert caught.value.key == "store.unreachable"


@pytest.mark.postgres
def test_a_server_that_ends_the_session(postgres: PostgresServer, tmp_path: Path) -> None:
    with postgres.fresh() as url:
        opened = open_store(url, tmp_path)

        def lose_the_session() -> None:
            with opened.write() as connection:
                own = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
                postgres.run(f"SELECT pg_terminate_backend({own})")
                connection.execute(select(projects)).all()

        with pytest.raises(DatabaseError) as caught:
            lose_the_session()
        assert caught.value.key == "store.unreachable"
        add_project(opened)  # the next transaction has a session of its own
        opened.close()


def test_a_database_without_our_tables(tmp_path: Path) -> None:
    opened = open_store(f"sqlite:///{tmp_path / 'fresh.db'}", tmp_path)
    with pytest.raises(DatabaseError) as caught:
        add_project(opened)
    assert caught.value.key == "store.schema"
    with pytest.raises(DatabaseError) as caught:
        require_current(opened)
    assert caught.value.key == "store.schema"
    opened.close()


def test_a_database_of_a_newer_program(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version_core SET version_num = 'core_9999'"))
    with pytest.raises(DatabaseError) as caught:
        require_current(store)
    assert caught.value.key == "store.newer"


@pytest.mark.parametrize(("url", "key"), [("nonsense", "store.url"), ("mysql://x@localhost/y", "store.backend")])
def test_an_address_of_another_kind(tmp_path: Path, url: str, key: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        open_store(url, tmp_path)
    assert caught.value.key == key


def test_what_a_table_refuses_is_told_without_the_row(store: Store) -> None:
    add_project(store, "the secret project")
    with pytest.raises(Exception, match=r"(?i)unique") as caught:
        add_project(store, "the secret project")
    assert "the secret project" not in str(refusal(caught.value))


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def fail_after_writing() -> None:
        with store.write() as connection:
            connection.execute(insert(projects).values(name="云璟", city="shenzhen"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_writing()
    with store.read() as connection:
        assert connection.execute(select(projects)).all() == []
