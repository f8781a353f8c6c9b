"""Plugins are found by their entry points; whatever is off is never imported."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from keguan.errors import ConfigError, PluginError
from keguan.plugins import attempt_plugins, discover, installed_names, load_plugins, plugin_commands

if TYPE_CHECKING:
    from tests.core.plugins.conftest import World


def test_finding_plugins_imports_none_and_tells_where_they_come_from(world: World) -> None:
    world.add("wuhan", "raise RuntimeError('never imported')")
    world.add("changsha", "")
    assert installed_names() == ["changsha", "wuhan"]
    found = discover()["wuhan"]
    assert (found.distribution, found.version) == ("keguan-wuhan", "0.3")
    assert world.imported() == set()


def test_two_distributions_with_one_name_are_refused_naming_both(world: World) -> None:
    world.add("wuhan", "", distribution="keguan-wuhan")
    world.add("wuhan", "", distribution="their-wuhan", version="2")
    with pytest.raises(PluginError) as caught:
        discover()
    assert str(caught.value) == (
        "two distributions bring a plugin 'wuhan' (keguan-wuhan 0.3 and their-wuhan 2): uninstall one of them"
    )


def test_a_name_that_no_configuration_could_hold_is_refused(world: World) -> None:
    world.add("Wu-Han", "")
    with pytest.raises(PluginError, match="cannot stand in a configuration"):
        discover()


def test_a_plugin_that_is_off_is_not_imported_so_switching_it_off_rescues_a_broken_install(world: World) -> None:
    world.add("wuhan", "import nothing_of_this_name")
    world.add("sixplustwo", "import nothing_of_this_name")
    off = world.settings("plugins.sixplustwo.enabled = false")
    plugins = load_plugins(off)
    assert plugins.names == ()
    assert world.imported() == set()
    nowhere = load_plugins(world.settings("plugins.sixplustwo.cities = []"))
    assert nowhere.names == ()


def test_built_in_areas_are_on_and_others_off_unless_said_otherwise(world: World) -> None:
    for name in ("sixplustwo", "wuhan", "changsha"):
        world.add(name, "")
    assert load_plugins(world.settings()).names == ("sixplustwo",)
    both = world.settings("plugins.wuhan.enabled = true\nplugins.sixplustwo.enabled = false")
    assert load_plugins(both).names == ("wuhan",)


def test_a_table_for_a_plugin_that_is_not_installed_is_a_mistake(world: World) -> None:
    world.add("wuhan", "")
    for content, line in {
        "plugins.wuhn.enabled = false": "the plugin 'wuhn' is not installed ({}): did you mean 'wuhan'?",
        "plugins.supervision.enabled = true": (
            "the plugin 'supervision' is not installed ({}): install it, or remove its table"
        ),
    }.items():
        with pytest.raises(ConfigError) as caught:
            load_plugins(world.settings(content))
        name = content.split(".")[1]
        assert str(caught.value) == line.format(f"{world.folder}/config/keguan.toml: plugins.{name}")
    assert load_plugins(world.settings("plugins.supervision.enabled = false")).names == ()


def test_a_suspended_plugin_rests_without_being_imported_and_says_why(world: World) -> None:
    world.add("sixplustwo", "raise RuntimeError('never imported')")
    plugins = load_plugins(world.settings(), suspended={"sixplustwo"})
    (record,) = plugins.records
    assert not record.loaded
    assert "hung twice" in str(record.error)


def test_one_plugins_commands_import_that_plugin_only(world: World) -> None:
    world.add(
        "wuhan",
        """
        import click
        @hookimpl
        def register_commands():
            return [click.Command("visits")]
        """,
    )
    world.add("sixplustwo", "raise RuntimeError('never imported')")
    settings = world.settings("plugins.wuhan.enabled = true")
    assert [command.name for command in plugin_commands(settings, "wuhan")] == ["visits"]
    assert world.imported() == {"keguan_wuhan"}
    with pytest.raises(PluginError, match="keguan plugins enable wuhan"):
        plugin_commands(world.settings(), "wuhan")
    with pytest.raises(PluginError, match="there is no plugin 'wuhn'"):
        plugin_commands(settings, "wuhn")
    with pytest.raises(PluginError, match="failed in import: RuntimeError: never imported"):
        plugin_commands(settings, "sixplustwo")


@pytest.mark.parametrize("answer", ["None", "[1]", "[click.Command('a'), click.Command('a')]", "[click.Command(None)]"])
def test_commands_that_are_none_are_refused(world: World, answer: str) -> None:
    world.add("sixplustwo", f"import click\n@hookimpl\ndef register_commands(): return {answer}")
    with pytest.raises(PluginError, match="register_commands returned something else than click commands"):
        plugin_commands(world.settings(), "sixplustwo")


def test_plugins_check_goes_on_after_a_failure(world: World) -> None:
    world.add("broken", "import nothing_of_this_name")
    world.add("sixplustwo", "")
    attempt = attempt_plugins(world.settings("plugins.broken.enabled = true\nplugins.absent.enabled = true"))
    assert sorted(attempt.failures) == ["absent", "broken"]
    assert attempt.plugins.names == ("sixplustwo",)
    assert [(each.name, each.loaded) for each in attempt.plugins.records] == [
        ("absent", False),
        ("broken", False),
        ("sixplustwo", True),
    ]


def test_asking_for_names_needs_neither_pluggy_nor_pydantic() -> None:
    code = (
        "import sys; from keguan.plugins.discovery import installed_names; installed_names();"
        "sys.exit(bool({'pluggy', 'pydantic', 'keguan_sixplustwo'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
