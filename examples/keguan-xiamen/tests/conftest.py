"""The city that the tests live in: the 6+2 steps with this variant."""

from __future__ import annotations

from collections.abc import Callable

import keguan_sixplustwo
import pytest
from keguan.testing import SampleCity

import keguan_xiamen

pytest_plugins = "keguan.testing"


@pytest.fixture
def city(sample_city: Callable[..., SampleCity]) -> SampleCity:
    """Xiamen on the morning of 2 March 2026, a Monday."""
    plugins = {"sixplustwo": keguan_sixplustwo, "xiamen": keguan_xiamen}
    ours = '[plugins.xiamen]\nenabled = true\nhotline = "0592-000-0000"\n'
    return sample_city(plugins, city="xiamen", name="厦门", config=ours)
