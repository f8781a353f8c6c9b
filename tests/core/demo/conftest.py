"""A small city that lived a while, to be looked at from every side."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from keguan.demo.life import Lived, live


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Sixteen homes over one year: sold, promised, some already handed over to the calendar."""
    found = live(tmp_path_factory.mktemp("lived"), 16, date(2025, 12, 31), "zh", years=1)
    yield found
    found.installation.close()
