"""``keguan plugins enable|disable`` edits the file an administrator wrote, and nothing else in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan.errors import ConfigError
from keguan.settings import default_text, load_settings, set_plugin_scope
from keguan.settings.config_file import PluginScope, turned

CITIES = "[cities.a]\n[cities.b]\n[cities.c]\nname = '丙'\n"


def write(folder: Path, content: str) -> Path:
    file = folder / "config" / "keguan.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content.encode())
    return file


# The table of cases: what stands in the file, what is asked, what stands there afterwards.
CASES = [
    ("", "wuhan on", "enabled = true"),
    ("", "wuhan on a", 'enabled = true\ncities = ["a"]'),
    ("", "sixplustwo off", "enabled = false"),
    ("", "sixplustwo off a", 'enabled = true\nexcept_cities = ["a"]'),
    ("enabled = true", "wuhan off", "enabled = false"),
    ("enabled = true", "wuhan off a", 'enabled = true\nexcept_cities = ["a"]'),
    ("enabled = false", "wuhan on a", 'enabled = true\ncities = ["a"]'),
    ("enabled = false\nexcept_cities = ['b']", "wuhan on a", 'enabled = true\ncities = ["a"]'),
    ("enabled = false\ncities = ['b']", "wuhan on a", 'enabled = true\ncities = ["a"]'),
    ("enabled = false\ncities = ['b']", "wuhan on", "enabled = true\ncities = ['b']"),
    ("enabled = false\ncities = ['a', 'b']", "wuhan off a", "enabled = false\ncities = ['b']"),
    ("enabled = true\ncities = []", "wuhan on", "enabled = true"),
    ("enabled = true\ncities = []", "wuhan on b", 'enabled = true\ncities = ["b"]'),
    ("enabled = true\ncities = []", "wuhan off b", "enabled = true\ncities = []"),
    ("enabled = true\ncities = ['a']", "wuhan on", "enabled = true\ncities = ['a']"),
    ("enabled = true\ncities = ['a']", "wuhan on b", "enabled = true\ncities = ['a', \"b\"]"),
    ("enabled = true\ncities = ['a', 'b']", "wuhan off a", "enabled = true\ncities = ['b']"),
    ("enabled = true\ncities = ['a']", "wuhan off a", "enabled = false\ncities = ['a']"),
    ("enabled = true\nexcept_cities = ['a', 'b']", "wuhan on a", "enabled = true\nexcept_cities = ['b']"),
    ("enabled = true\nexcept_cities = ['a']", "wuhan on a", "enabled = true"),
    ("enabled = true\nexcept_cities = ['a']", "wuhan off b", "enabled = true\nexcept_cities = ['a', \"b\"]"),
    ("enabled = true\nexcept_cities = ['a']", "wuhan off 丙", "enabled = true\nexcept_cities = ['a', \"c\"]"),
]


@pytest.mark.parametrize(("before", "command", "after"), CASES, ids=[f"{b!r}, {c}" for b, c, _ in CASES])
def test_each_case_of_switching_a_plugin(tmp_path: Path, before: str, command: str, after: str) -> None:
    name, switch, *city = command.split()
    head = f"[plugins.{name}]\n{before}\n" if before else ""
    file = write(tmp_path, CITIES + head)
    edit = set_plugin_scope(file, name, switch == "on", *city, environ={})
    written = file.read_text(encoding="utf-8").removeprefix(CITIES).split("]\n", 1)[1].strip()
    assert written.replace('"', "'") == after.replace('"', "'")
    assert edit.changed == (before != after)
    again = set_plugin_scope(file, name, switch == "on", *city, environ={})
    assert not again.changed, "doing it twice changes nothing the second time"


some_cities = st.lists(st.sampled_from("abcd"), unique=True).map(tuple)
scopes = st.builds(PluginScope, st.booleans(), some_cities | st.none()) | st.builds(
    PluginScope, st.booleans(), st.none(), some_cities | st.none()
)


def is_on(scope: PluginScope, city: str) -> bool:
    inside = scope.cities is None or city in scope.cities
    return scope.enabled and inside and city not in (scope.except_cities or ())


@given(scope=scopes, on=st.booleans(), city=st.sampled_from("abcd"))
def test_switching_one_city_switches_that_city_and_no_other(scope: PluginScope, on: bool, city: str) -> None:
    after = turned(scope, on=on, city=city)
    assert is_on(after, city) == on
    for other in set("abcd") - {city}:
        assert is_on(after, other) == is_on(scope, other)
    assert turned(after, on=on, city=city) == after


@given(scope=scopes)
def test_off_and_on_again_restores_the_cities(scope: PluginScope) -> None:
    back = turned(turned(scope, on=False, city=None), on=True, city=None)
    assert back == turned(scope, on=True, city=None)
    assert not any(is_on(turned(scope, on=False, city=None), city) for city in "abcd")


def test_comments_order_and_line_ends_survive(tmp_path: Path) -> None:
    original = default_text().replace("\n", "\r\n")
    file = write(tmp_path, original)
    set_plugin_scope(file, "sixplustwo", False, environ={})
    set_plugin_scope(file, "wuhan", True, "武汉", environ={})
    set_plugin_scope(file, "sixplustwo", True, environ={})
    new = file.read_bytes().decode()
    kept = [line for line in new.splitlines() if line not in ("[plugins.wuhan]", 'cities = ["wuhan"]')]
    assert new.count("\n") == new.count("\r\n")
    missing = [line for line in original.splitlines() if line and line not in kept]
    assert missing == []
    assert new.index("[plugins.sixplustwo]") < new.index("[plugins.wuhan]")
    assert load_settings(file, {}).plugin("wuhan").cities == ("wuhan",)
    assert load_settings(file, {}).plugin("sixplustwo").rest == {"edition": "guide"}


@pytest.mark.parametrize(
    "content",
    [
        "plugins.wuhan.enabled = false\n" + CITIES,
        "plugins = {wuhan = {enabled = false}}\n" + CITIES,
        "[plugins]\nwuhan = {enabled = false}\n" + CITIES,
        "[plugins.wuhan]\nenabled = false\n[log]\n[plugins.other]\nx = 1\n" + CITIES,
        CITIES + "[plugins.wuhan]\nenabled = true\ncities = [\n  'a',  # since March\n  'b',\n]\n",
    ],
)
def test_however_the_table_is_written(tmp_path: Path, content: str) -> None:
    file = write(tmp_path, content)
    set_plugin_scope(file, "wuhan", True, "c", environ={})
    settings = load_settings(file, {})
    assert settings.is_on("wuhan")
    assert "c" in (settings.plugin("wuhan").cities or ())
    assert ("# since March" in content) == ("# since March" in file.read_text(encoding="utf-8"))


def test_the_file_keeps_its_permissions_and_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_text(CITIES)
    real.chmod(0o640)
    link = tmp_path / "config" / "keguan.toml"
    link.parent.mkdir()
    link.symlink_to(real)
    set_plugin_scope(link, "wuhan", True, environ={})
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "wuhan" in real.read_text(encoding="utf-8")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["config", "real.toml"]


def test_a_wrong_file_an_unknown_city_and_a_winning_variable_leave_the_file_alone(tmp_path: Path) -> None:
    def refused(content: str, city: str | None = None, **environ: str) -> str:
        file = write(tmp_path, content)
        with pytest.raises(ConfigError) as caught:
            set_plugin_scope(file, "wuhan", True, city, environ=environ)
        assert file.read_text(encoding="utf-8") == content
        return str(caught.value).replace(str(tmp_path), "DIR")

    assert refused("languag = 'zh'").startswith("unknown key 'languag'")
    assert refused("[plugins").startswith("not TOML")
    assert refused("[cities.changsha]", "changsa") == (
        "unknown city 'changsa' (DIR/config/keguan.toml: cities): did you mean 'changsha'?"
    )
    assert refused(CITIES, KEGUAN_PLUGINS__WUHAN__ENABLED="false") == (
        "the environment says otherwise (KEGUAN_PLUGINS__WUHAN__ENABLED): remove the variable, it wins over the file"
    )
    name_error = "'Wu-Han' cannot be a name"
    file = write(tmp_path, CITIES)
    with pytest.raises(ConfigError, match=name_error):
        set_plugin_scope(file, "Wu-Han", True, environ={})
