"""An office in Shenzhen on a virtual clock: a department with a head and a manager, and their tasks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.office import Office

from keguan.store.engine import Store


@pytest.fixture
def open_office(tmp_path: Path, store: Store) -> Callable[..., Office]:
    """Open an office at a time of day, on either database; ``config`` stands behind that of the department."""

    def opened(start: datetime | str = "2026-03-02 07:00", **more: Any) -> Office:
        return Office(tmp_path, store, start, **more)

    return opened


@pytest.fixture
def office(open_office: Callable[..., Office]) -> Office:
    """The office on the morning of Monday, 2 March 2026, before anybody is there."""
    return open_office()
