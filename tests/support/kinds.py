"""A database of the kind that a test asks for, where one kind is enough for most of its neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.databases import PostgresServer, SqliteTemplate
from tests.support.keys import ring

from keguan.store.engine import Store, open_store

__all__ = ["EITHER", "store_for"]

EITHER = pytest.mark.parametrize(
    "keguan_store", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
"""Marks a test that runs on both kinds, where ``keguan_store`` comes from ``store_for``."""


@contextmanager
def store_for(request: pytest.FixtureRequest, folder: Path) -> Iterator[Store]:
    """Give a fresh, migrated database: what the request's ``param`` names, ``sqlite`` unless it does."""
    if getattr(request, "param", "sqlite") == "sqlite":
        template: SqliteTemplate = request.getfixturevalue("sqlite_template")
        store = open_store(template.copy_to(folder / "keguan.db"), folder, ring())
        yield store
        store.close()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.fresh() as url:
        store = open_store(url, folder, ring())
        yield store
        store.close()
