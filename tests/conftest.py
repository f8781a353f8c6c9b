"""Fixtures that the whole tree shares: a database of either kind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.databases import PostgresServer, SqliteTemplate, postgres_server
from tests.support.keys import ring

from keguan.store.engine import Store, open_store


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run in CI when a test was skipped: there everything can run, so a skip hides something."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("KEGUAN_CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


pytest_plugins = ["keguan.testing"]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    """A migrated SQLite file to copy."""
    return SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the session; tests that need it are skipped where there is none."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, migrated database, once of each kind."""
    if request.param == "sqlite":
        template: SqliteTemplate = request.getfixturevalue("sqlite_template")
        yield template.copy_to(tmp_path / "keguan.db")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        with server.fresh() as url:
            yield url


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[Store]:
    """A fresh, migrated database with keys, once of each kind."""
    opened = open_store(store_url, tmp_path, ring())
    yield opened
    opened.close()


@pytest.fixture
def keguan_store(store: Store) -> Store:
    """What ``sample_city`` lives on: either kind."""
    return store
