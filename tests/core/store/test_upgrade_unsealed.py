"""A database of before sealing: all is known after the upgrade, everybody found and sealed by one rotation."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from tests.support.databases import PostgresServer
from tests.support.estate import Estate, at
from tests.support.keys import ring

from keguan.model import Project, Subject
from keguan.people.lookup import find_customer
from keguan.people.rotation import rotate, unsealed
from keguan.sealing.opening import fit_keys
from keguan.store import migrate
from keguan.store.engine import Store, open_store
from keguan.store.records import load_records
from keguan.store.schema import people

NOW = at("2026-03-02T09:00")


def as_before(store: Store) -> None:
    """Make the tables of the version before sealing, and somebody in clear."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with store.write() as connection:
        config.attributes["connection"] = connection
        config.attributes["version_table"] = "alembic_version_core"
        command.upgrade(config, "core_0001")
        connection.execute(
            text("INSERT INTO people (name, phone, birthday) VALUES ('张小满', :phone, '1990-03-05')"),
            {"phone": "+8613800138000"},
        )
        for statement in (
            "INSERT INTO projects (name, city) VALUES ('云璟一期', 'shenzhen')",
            "INSERT INTO homes (project_id, room, fitting, handed_over_on) VALUES (1, '101', 'bare', '2026-02-20')",
            "INSERT INTO homes (project_id, room, fitting) VALUES (1, '102', 'fitted')",
            "INSERT INTO contracts (project_id, contract_no, status, planned_handover_on)"
            " VALUES (1, 'HT-1', 'signed', '2026-06-30'), (1, 'HT-2', 'cancelled', '2026-05-31')",
        ):
            connection.execute(text(statement))


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_an_upgrade_finds_everybody_and_a_rotation_seals_them(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    if kind == "sqlite":
        _upgraded(f"sqlite:///{tmp_path / 'old.db'}", tmp_path)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        with server.fresh(migrated=False) as url:
            _upgraded(url, tmp_path)


def _upgraded(url: str, folder: Path) -> None:
    store = open_store(url, folder, ring())
    try:
        as_before(store)
        migrate.upgrade(store)
        fit_keys(store, NOW)
        estate = Estate(store, NOW)
        with store.read() as connection:
            person = find_customer(connection, "13800138000")
        assert unsealed(store)["people"] == 1
        done = rotate(store, NOW, "li")
        assert (done.made, done.counts["people"], sum(unsealed(store).values())) == (False, 1, 0)
        assert estate.one(people, person).birthday.isoformat() == "1990-03-05"
        with store.read() as connection:
            assert find_customer(connection, "13800138000") == person
            stored = repr(connection.execute(text("SELECT * FROM people")).all())
            (project,) = load_records(connection, [Subject("project", 1)]).values()
        assert isinstance(project, Project)
        assert (project.planned_handover_on, project.handed_over_on) == (date(2026, 6, 30), date(2026, 2, 20))
        assert project.fitting == "fitted"
        assert [value for value in ("张小满", "13800138000", "1990-03-05") if value in stored] == []
    finally:
        store.close()
