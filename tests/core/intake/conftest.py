"""What tests of imports share."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.front_desk import FrontDesk

from keguan.store.engine import Store


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> FrontDesk:
    """Where files come in, over a fresh database of either kind."""
    return FrontDesk(store, tmp_path)
