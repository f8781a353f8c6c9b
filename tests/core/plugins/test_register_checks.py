"""Plugins bring checks; what is no check is refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keguan.errors import PluginError
from keguan.plugins import load_plugins

if TYPE_CHECKING:
    from tests.core.plugins.conftest import World

BRINGS = """
from keguan import Check
@hookimpl
def register_checks():
    return [{}]
"""
ON = "plugins.wuhan.enabled = true\n"


def test_a_plugin_brings_checks_under_its_name(world: World) -> None:
    world.add("wuhan", BRINGS.format("Check('visited', 'Wuhan 3.2', lambda view: [])"))
    [(plugin, check)] = load_plugins(world.settings(ON)).checks
    assert (plugin, check.name, check.clause) == ("wuhan", "visited", "Wuhan 3.2")


@pytest.mark.parametrize(
    "answer",
    [
        "'visited'",
        "Check('Visited!', '', lambda view: [])",
        "Check('visited', '', None)",
        "Check('visited', None, lambda view: [])",
        "Check('visited', '', lambda view: []), Check('visited', '', lambda view: [])",
    ],
)
def test_what_is_no_check_is_refused_by_name(world: World, answer: str) -> None:
    world.add("wuhan", BRINGS.format(answer))
    with pytest.raises(PluginError, match="wuhan") as failed:
        load_plugins(world.settings(ON))
    assert failed.value.values["hook"] == "register_checks"
