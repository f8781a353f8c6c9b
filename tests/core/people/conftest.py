"""A company in Shenzhen, on both databases, seen on the morning of 2 March 2026."""

from __future__ import annotations

import pytest
from tests.support.estate import Estate, at

from keguan.store.engine import Store


@pytest.fixture
def estate(store: Store) -> Estate:
    """An empty company."""
    return Estate(store, at("2026-03-02T09:00"))
