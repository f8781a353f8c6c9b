"""The edition that a contract was sold under stays with it, until somebody moves it over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.core.cli.conftest import Desk

from keguan.building import open_database
from keguan.settings import load_settings
from keguan.store.schema import pins

CONFIG = """
language = "en"
[company]
name = "Cloud Estates"
[database]
url = "{url}"
[cities.shenzhen]
name = "Shenzhen"
[plugins.sixplustwo]
edition = "{edition}"
"""
CONTRACTS = """合同编号,项目,楼栋,单元,房号,客户姓名,手机号,落定日期,签约日期,约定交付日期
HT-1,Riverside,1,1,101,Ada,13800138001,{deposit},{signed},2099-12-31
"""


class Town(Desk):
    """A desk whose edition can be configured anew."""

    url = ""

    def configure(self, edition: str) -> None:
        (self.folder / "config").mkdir(exist_ok=True)
        text = CONFIG.format(url=self.url, edition=edition)
        (self.folder / "config" / "keguan.toml").write_text(text, encoding="utf-8")

    def sell(self, deposit: str = "2026-03-01", signed: str = "2026-03-02") -> None:
        file = self.folder / "contracts.csv"
        file.write_text(CONTRACTS.format(deposit=deposit, signed=signed), encoding="utf-8")
        self.json("import", "contracts", file, "--city", "shenzhen")

    def promised(self) -> dict[str, str]:
        """What stands for the contract: action to status."""
        self("tick")
        every = [plan for plan in self.json("plans", "list") if plan["subject"]["type"] == "contract"]
        return {plan["action"]: plan["status"] for plan in every}

    def log(self) -> list[tuple[Any, ...]]:
        store = open_database(load_settings(self.folder / "config" / "keguan.toml", {}))
        with store.read() as connection:
            found = [tuple(row) for row in connection.execute(select(pins.c.project, pins.c.value, pins.c.moved))]
        store.close()
        return found


@pytest.fixture
def town(tmp_path: Path, store_url: str, capsys: pytest.CaptureFixture[str]) -> Town:
    found = Town(tmp_path, capsys)
    found.url = store_url
    found.configure("guide")
    return found


def test_a_contract_keeps_the_edition_it_was_signed_under(town: Town) -> None:
    town.sell()
    before = town.promised()
    town.configure("e2011")
    town("events", "replay")
    assert town.promised() == before
    assert "sms_congratulation" in before
    assert town.log() == [("", "guide", False), ("", "e2011", False)]


def test_a_dry_run_lists_what_would_change_and_changes_nothing(town: Town) -> None:
    town.sell()
    before = town.promised()
    town.configure("e2011")
    rows = town.json("sixplustwo", "migrate", "--to", "2011", "--dry-run")["changes"]
    assert {row["change"] for row in rows} <= {"add", "move", "drop"}
    dropped = [row["touchpoint"] for row in rows if row["change"] == "drop" and row["subject"]["type"] == "contract"]
    assert "welcome_kit" in dropped
    assert town.promised() == before
    assert ("Riverside", "e2011", True) not in town.log()


def test_moving_over_drops_what_is_to_come_and_keeps_what_was_due(town: Town) -> None:
    town.sell()
    before = town.promised()
    town.configure("e2011")
    foreseen = town.json("sixplustwo", "migrate", "--to", "e2011", "--dry-run")["changes"]
    done = town.json("sixplustwo", "migrate", "--to", "e2011", "--by", "周敏")
    assert [done["added"], done["dropped"]] == [
        sum(row["change"] == change for row in foreseen) for change in ("add", "drop")
    ]
    after = town.promised()
    assert after["sms_congratulation"] == before["sms_congratulation"]
    assert (before["welcome_kit"], after["welcome_kit"]) == ("planned", "cancelled")
    assert "deposit_sms_2011" not in after  # due before the move: nobody is told of it years later
    assert town.json("sixplustwo", "migrate", "--to", "e2011", "--dry-run")["changes"] == []
    assert town.log()[-1] == ("Riverside", "e2011", True)


def test_an_edition_must_be_configured_before_contracts_are_moved_over_to_it(town: Town) -> None:
    town.sell()
    refused = town("sixplustwo", "migrate", "--to", "e2011")
    assert refused.status == 2
    assert re.fullmatch(r"error: project 'Riverside' is configured for the edition guide, not e2011 .*\n", refused.err)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--to", "2012"), "2012"),
        (("--to", "guide", "--project", "Nowhere"), "no project 'Nowhere'"),
    ],
)
def test_what_nobody_knows_is_refused_in_one_line(town: Town, words: tuple[str, ...], told: str) -> None:
    town.sell()
    refused = town("sixplustwo", "migrate", *words)
    assert refused.status == 2
    assert told in refused.err
    assert refused.err.count("\n") == 1
