"""The tables are those that the migrations make, and values come back as they were given."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import CheckConstraint, Column, MetaData, Table, inspect, select
from tests.support.databases import PostgresServer

from keguan.errors import DatabaseError
from keguan.store import migrate
from keguan.store.engine import Store, open_store
from keguan.store.migrate import HEAD, current, upgrade
from keguan.store.schema import metadata
from keguan.store.types import Instant, Json, dump_json, from_stored, to_stored

CHINA = timezone(timedelta(hours=8))
values = Table("sample_values", MetaData(), Column("at", Instant), Column("doc", Json))


def test_the_migrations_make_the_tables_that_the_program_expects(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": "alembic_version_core"}
        )
        assert compare_metadata(context, metadata) == []


def test_indexes_and_checks_are_those_of_the_program(store: Store) -> None:
    """What Alembic does not compare: conditions of indexes, and which words a status may have."""
    with store.read() as connection:
        found = inspect(connection)
        for table in metadata.sorted_tables:
            partial = {
                index["name"]: _words(index.get("dialect_options", {}).get(f"{connection.dialect.name}_where"))
                for index in found.get_indexes(table.name)
            }
            for index in table.indexes:
                where = index.dialect_options[connection.dialect.name]["where"]
                assert partial[index.name] == _words(where), index.name
            checks = {each["name"]: _words(each["sqltext"]) for each in found.get_check_constraints(table.name)}
            wanted = {
                str(one.name): _words(one.sqltext) for one in table.constraints if isinstance(one, CheckConstraint)
            }
            assert checks == wanted, table.name


def _words(condition: Any) -> set[str]:
    """The words of a condition; the server writes it with other brackets and casts than we do."""
    text = "" if condition is None else str(condition).lower().replace("= any", "in").replace("array", "")
    for noise in ("::text", "(", ")", "[", "]", ","):
        text = text.replace(noise, " ")
    return set(text.split())


def test_the_newest_migration_is_the_one_that_the_program_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_upgrading_twice_is_once(store: Store) -> None:
    assert upgrade(store) == (HEAD, HEAD)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_new_database_gets_its_tables(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    if kind == "sqlite":
        _upgrade_new(f"sqlite:///{tmp_path / 'new.db'}", tmp_path)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        with server.fresh(migrated=False) as url:
            _upgrade_new(url, tmp_path)


def _upgrade_new(url: str, folder: Path) -> None:
    opened = open_store(url, folder)
    assert upgrade(opened) == (None, HEAD)
    with opened.read() as connection:
        assert current(connection) == HEAD
    opened.close()


def test_a_newer_database_is_not_touched(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version_core SET version_num = 'core_9999'")
    with pytest.raises(DatabaseError) as caught:
        upgrade(store)
    assert caught.value.key == "store.newer"


# --- Values -------------------------------------------------------------------------------------------------------

zones = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))
instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=zones)  # noqa: DTZ001 - bounds are naive


@given(instants)
def test_an_instant_is_stored_without_loss(instant: datetime) -> None:
    assert from_stored(to_stored(instant)) == instant


@given(instants, instants)
def test_stored_instants_are_in_the_order_of_time(one: datetime, other: datetime) -> None:
    assert (to_stored(one) < to_stored(other)) == (one < other)


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        to_stored(datetime(2026, 3, 2))  # noqa: DTZ001 - that is the point


def test_values_come_back_as_they_were_given(store: Store) -> None:
    given = [
        (
            datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=8))),
            {"名": ["云", 1, None, {"x": 1.5}]},
        ),
        (datetime(1969, 12, 31, tzinfo=UTC), {}),
        (None, None),
        (datetime(2199, 1, 1, tzinfo=UTC), [1, "二"]),
    ]
    with store.write() as connection:
        values.create(connection)
        connection.execute(values.insert(), [{"at": at, "doc": doc} for at, doc in given])
    with store.read() as connection:
        assert [tuple(row) for row in connection.execute(select(values))] == given
        instants_found = [row.at for row in connection.execute(select(values)) if row.at]
    assert {instant.tzinfo for instant in instants_found} == {UTC}


def test_dates_in_documents_are_written_as_iso() -> None:
    assert dump_json({"on": date(2026, 3, 2), "名": "云"}) == '{"on":"2026-03-02","名":"云"}'
