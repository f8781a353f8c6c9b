"""The sunshine register with the contract's annex, the customer club, and its merchants."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from tests.core.cli.conftest import Desk

from keguan.building import open_database
from keguan.settings import load_settings
from keguan.store.schema import accesses
from keguan.texts import Language
from keguan_sixplustwo.annex import annex_page
from keguan_sixplustwo.club import senior_on

CONFIG = """
language = "en"
[company]
name = "Cloud Estates"
[database]
url = "{url}"
[cities.shenzhen]
name = "Shenzhen"
[plugins.sixplustwo]
"""
CONTRACTS = """contract_no,project,room,customer,phone,email,signed_on
HT-1,Riverside,101,Ada Lane,13800138001,ada@example.com,2026-03-02
HT-2,Riverside,102,Ben Hill,13800138002,ben@example.com,2026-03-02
"""
SUNSHINE = "sixplustwo.sunshine_register"
MEMBERS = "sixplustwo.club_members"
MERCHANTS = "sixplustwo.preferred_merchants"
APPROVED = ("approved=yes", "approved_on=2026-03-01", "approved_by=Mei")


@pytest.fixture
def town(tmp_path: Path, store_url: str, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A company with two buyers in one project."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "keguan.toml").write_text(CONFIG.format(url=store_url), encoding="utf-8")
    file = tmp_path / "contracts.csv"
    file.write_text(CONTRACTS, encoding="utf-8")
    found = Desk(tmp_path, capsys)
    found.json("import", "contracts", file, "--city", "shenzhen")
    return found


def declare(town: Desk, area: str, fact: str, *more: str) -> int:
    entry = town.json("registers", "add", SUNSHINE, "Riverside", f"area={area}", f"fact={fact}", *more)["entry"]
    assert isinstance(entry, int)
    return entry


def test_the_annex_holds_exactly_the_approved_lines(town: Desk) -> None:
    declare(town, "outside", "Motorway to the east", "distance=800", *APPROVED)
    declare(town, "parking", "Spaces 1 to 40 are <let>", *APPROVED)
    declare(town, "inside", "Transformer beside building 3", "approved=no")
    gone = declare(town, "outside", "Building site", *APPROVED)
    town.json("registers", "remove", gone, "--reason", "finished")
    page = town.folder / "annex.html"
    assert town.json("sixplustwo", "annex", "--project", "Riverside", "--out", page)["lines"] == 2
    text = page.read_text(encoding="utf-8")
    assert "Motorway to the east" in text
    assert "800 m" in text
    assert "Spaces 1 to 40 are &lt;let&gt;" in text
    assert "Transformer" not in text
    assert "Building site" not in text


def test_the_annex_of_an_earlier_day_is_as_it_was_then(town: Desk) -> None:
    declare(town, "outside", "Motorway", *APPROVED)
    page = town.folder / "annex.html"
    assert town.json("sixplustwo", "annex", "--project", "Riverside", "--on", "2020-01-01", "--out", page)["lines"] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [(("--project", "Riverbed", "--out", "a.html"), "Riverside"), (("--project", "Riverside", "--out", "."), "'.'")],
)
def test_an_annex_that_cannot_be_written_is_one_line(town: Desk, words: tuple[str, ...], told: str) -> None:
    refused = town("sixplustwo", "annex", *words)
    assert refused.status != 0
    assert told in refused.err


def test_each_change_of_an_approved_line_asks_for_an_update_of_the_display(town: Desk) -> None:
    entry = declare(town, "outside", "Motorway", *APPROVED)
    town("tick")
    town.json("registers", "change", entry, "distance=900", "--reason", "measured")
    town("tick")
    wanted = [row for row in town.json("plans", "list") if row["action"] == "sunshine_update_on_change"]
    assert [(row["subject"]["id"], row["status"]) for row in wanted] == [("Riverside", "planned")] * 2


def join(town: Desk, contract: str, number: str, joined: str, *more: str) -> None:
    answers = {"bought_before": "no", "newsletter": "yes", **dict(one.split("=") for one in more)}
    stated = [f"{name}={value}" for name, value in answers.items()]
    town.json("registers", "add", MEMBERS, contract, f"number={number}", f"joined_on={joined}", *stated)


def test_who_bought_before_is_senior_at_once_and_others_after_a_year(town: Desk) -> None:
    join(town, "HT-1", "M1", "2099-01-01", "bought_before=yes")
    join(town, "HT-2", "M2", "2020-01-01")
    rows = {row["number"]: row for row in town.json("sixplustwo", "club")}
    assert rows["M1"]["senior_on"] == "2099-01-01"
    assert (rows["M2"]["senior"], rows["M2"]["senior_on"]) == (True, "2021-01-01")


@given(joined=st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_364_days_are_not_a_year(joined: date) -> None:
    later = senior_on(joined, bought_before=False)
    assert (later - joined).days in (365, 366)
    assert senior_on(joined, bought_before=True) == joined


def test_the_newsletter_goes_to_active_members_who_want_it(town: Desk) -> None:
    join(town, "HT-1", "M1", "2025-01-01")
    join(town, "HT-2", "M2", "2025-01-01", "left_on=2025-06-01")
    assert [row["number"] for row in town.json("sixplustwo", "club", "--newsletter")] == ["M1"]
    assert [row["number"] for row in town.json("sixplustwo", "club", "--all")] == ["M1", "M2"]


def test_members_are_masked_and_looking_at_them_in_full_is_recorded(town: Desk) -> None:
    join(town, "HT-1", "M1", "2025-01-01")
    assert "ada@example.com" not in json.dumps(town.json("sixplustwo", "club"))
    [row] = town.json("sixplustwo", "club", "--unmask")
    assert (row["member"], row["email"]) == ("Ada Lane", "ada@example.com")
    store = open_database(load_settings(town.folder / "config" / "keguan.toml", {}))
    with store.read() as connection:
        assert connection.execute(select(accesses.c.what)).scalars().all() == ["sixplustwo club"]
    store.close()


def test_merchants_whose_licence_ends_are_found(town: Desk) -> None:
    for name, day in (("Kettle", "2020-01-01"), ("Pan", "2099-01-01")):
        stated = (f"name={name}", "offer=ten percent", f"licence_until={day}", "approved=yes")
        town.json("registers", "add", MERCHANTS, "Shenzhen", *stated)
    rows = town.json("registers", "show", MERCHANTS, "--expiring", "30")
    assert [(row["answers"]["name"], row["expired"]) for row in rows] == [("Kettle", True)]


def test_an_annex_without_lines_says_so_in_both_languages() -> None:
    told: dict[Language, str] = {"zh": "没有已审批", "en": "Nothing that was approved"}
    for language, sentence in told.items():
        page = annex_page([], "Riverside", date(2026, 3, 2), "Cloud Estates", language)
        assert page.count(sentence) == 3
