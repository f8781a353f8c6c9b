"""A city with a plugin that sends any number of short messages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.flow import Area, greet, templates

from keguan import Action, Plan
from keguan.testing import SampleCity


@pytest.fixture
def greetings(sample_city: Callable[..., SampleCity], tmp_path: Path) -> Callable[..., SampleCity]:
    """Builds a city in which each signing brings ``count`` messages, due at the local time ``due``."""
    folders = templates(tmp_path)

    def build(count: int = 1, due: str = "2026-03-02 10:00", act: Any = greet, **more: Any) -> SampleCity:
        def wants(_record: Any, context: Any) -> list[Plan]:
            start = datetime.fromisoformat(due).replace(tzinfo=context.city.zone)
            return [Plan("greet", start, None, occurrence=number) for number in range(1, count + 1)]

        limits = more.pop("config", "[limits]\nper_day = 0\nper_week = 0\n")
        return sample_city({"area": Area(Action("greet", act), signed=wants)}, templates=folders, config=limits, **more)

    return build
