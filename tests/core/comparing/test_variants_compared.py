"""What a variant changes: the rows that differ, whose the new values are, and the work that comes of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan import hookimpl
from keguan.comparing import compare_variant
from keguan.comparing.rows import compare_rows
from keguan.demo.years import Period
from keguan.errors import ConfigError, PluginError
from keguan.plugins.discovery import Installed, discover
from keguan.settings import Settings, default_text, parse_settings
from keguan_sixplustwo import Playbook

SPRING = Period(date(2024, 1, 1), date(2024, 3, 31), homes=4, cities=("wuhan",))
ROWS = st.dictionaries(
    st.text("abc", min_size=1, max_size=2), st.dictionaries(st.sampled_from("xyz"), st.integers(1, 3))
)


def listed(rows: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    return [{"id": key, **row} for key, row in rows.items()]


# --- Rows ------------------------------------------------------------------------------------------------------


@given(ROWS)
def test_what_is_the_same_is_no_change(rows: dict[str, dict[str, int]]) -> None:
    assert compare_rows(listed(rows), listed(rows), "wuhan") == []


@given(ROWS, ROWS)
def test_there_and_back_are_the_same_changes_the_other_way_round(
    one: dict[str, dict[str, int]], other: dict[str, dict[str, int]]
) -> None:
    def shape(changes: list[dict[str, Any]]) -> dict[str, set[tuple[Any, ...]]]:
        return {row["id"]: {(f["field"], f["before"], f["after"]) for f in row["fields"]} for row in changes}

    there, back = (
        shape(compare_rows(listed(one), listed(other), "v")),
        shape(compare_rows(listed(other), listed(one), "v")),
    )
    turned = {key: {(name, after, before) for name, before, after in fields} for key, fields in back.items()}
    assert there == turned


def test_a_changed_field_says_whose_it_is_and_by_which_clause() -> None:
    before = {"id": "visit", "name": "Visit", "clause": "guide 3", "due": "move_in", "channel": "phone"}
    after = before | {"due": "move_in + 7 days", "channel": "sms", "from": {"due": "wuhan"}}
    (row,) = compare_rows([before], [after], "variant")
    assert (row["id"], row["name"], row["change"], row["clause"]) == ("visit", "Visit", "changed", "guide 3")
    assert row["fields"] == [
        {"field": "due", "before": "move_in", "after": "move_in + 7 days", "by": "wuhan"},
        {"field": "channel", "before": "phone", "after": "sms", "by": "variant"},
    ]


def test_what_comes_and_what_goes_is_told_with_its_values() -> None:
    gone, new = {"id": "a", "due": "deposit", "until": None}, {"id": "b", "due": "handover"}
    added, removed = compare_rows([gone], [new], "wuhan")
    assert (added["id"], added["change"], removed["id"], removed["change"]) == ("b", "added", "a", "removed")
    assert removed["fields"] == [{"field": "due", "before": "deposit", "after": None, "by": "wuhan"}]


# --- A variant ---------------------------------------------------------------------------------------------------


class Variant:
    """A plugin that is made of its hooks."""

    def __init__(self, requires: tuple[str, ...] = (), **hooks: object) -> None:
        self.requires = requires
        vars(self).update(hooks)


def settings(folder: Path) -> Settings:
    return parse_settings(default_text(), folder / "config" / "keguan.toml", {})


def installed(plugin: object) -> dict[str, Installed]:
    return {**discover(), "local": Installed("local", lambda: plugin)}


def without_the_congratulation() -> object:
    @hookimpl
    def sixplustwo_adjust(playbook: Playbook, city: str) -> Playbook:
        assert city == "wuhan"
        return playbook.remove("sms_congratulation") if "sms_congratulation" in playbook else playbook

    return Variant(sixplustwo_adjust=sixplustwo_adjust, requires=("sixplustwo",))


def test_a_variant_that_is_off_is_compared_with_the_standard(tmp_path: Path) -> None:
    found = compare_variant(settings(tmp_path), "local", "wuhan", SPRING, "zh", installed(without_the_congratulation()))
    (row,) = found["touchpoints"]
    assert (row["plugin"], row["id"], row["change"]) == ("sixplustwo", "sms_congratulation", "removed")
    assert {field["by"] for field in row["fields"]} == {"local"}
    (sms,) = (row for row in found["load"]["messages"] if row["name"] == "sms")
    assert sms["before"] > sms["after"]
    assert sms["difference"] == sms["after"] - sms["before"]


def test_a_variant_that_changes_nothing_changes_no_work(tmp_path: Path) -> None:
    found = compare_variant(settings(tmp_path), "local", "wuhan", SPRING, "en", installed(Variant()))
    assert found["touchpoints"] == []
    assert all(row["difference"] == 0 for rows in found["load"].values() for row in rows)


def test_a_plugin_that_is_not_installed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="atlantis"):
        compare_variant(settings(tmp_path), "atlantis", "wuhan", SPRING, "en")


@pytest.mark.parametrize("answer", [None, "rows", [{"name": "no id"}], [{"id": "twice"}, {"id": "twice"}]])
def test_a_description_that_is_none_is_refused_by_name(tmp_path: Path, answer: object) -> None:
    @hookimpl
    def describe() -> object:
        return answer

    with pytest.raises(PluginError, match="local"):
        compare_variant(settings(tmp_path), "local", "wuhan", SPRING, "en", installed(Variant(describe=describe)))
