"""Journeys are lived on SQLite; a few of them on PostgreSQL too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.kinds import store_for

from keguan.store.engine import Store


@pytest.fixture
def keguan_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A fresh database of the kind that the test asks for."""
    with store_for(request, tmp_path) as store:
        yield store
