"""Every touchpoint and every time limit of the domain has an entry, and a test that shows it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import keguan_sixplustwo as sixplustwo
from keguan import Context
from keguan_sixplustwo import Playbook
from keguan_sixplustwo.library import domain, labels, playbooks
from keguan_sixplustwo.report import ROW_KEYS

ROOT = Path(__file__).parents[3]
BEYOND = {
    "audit_rectification",
    "estate_survey",
    "group_audit",
    "hotline_test_call",
    "maintenance_visit",
    "risk_check_before_launch",
    "third_party_survey",
}
"""Entries that are asked for beside the standard's own touchpoints: checks, surveys, one city's practice."""


def test_the_sixty_three_touchpoints_have_an_entry_and_nothing_else_has_one() -> None:
    told = sixplustwo.coverage()
    assert (told["total"], told["covered"], told["missing"]) == (63, 63, [])
    ids = {each.id for each in domain()}
    assert len(ids) == 63
    extra = {e.domain_id for book in playbooks().values() for e in book.touchpoints.values()} - ids
    assert extra == BEYOND


def test_a_touchpoint_without_an_entry_is_named() -> None:
    ids = [each.id for each in domain()]
    told = sixplustwo.coverage([])
    assert (told["total"], told["covered"], told["missing"]) == (63, 0, ids)
    without = sixplustwo.coverage([book.remove("birthday_sms") for book in [playbooks()["guide"]]])
    missing = without["missing"]
    assert isinstance(missing, list)
    assert "birthday_sms" in missing
    assert "birthday_card" not in missing


def test_a_touchpoint_of_two_entries_names_both() -> None:
    rows = sixplustwo.coverage()["touchpoints"]
    assert isinstance(rows, list)
    entries = {row["id"]: row["entries"] for row in rows}
    assert entries["warranty_expiry_reminder"] == ["guide.warranty_expiry_reminder", "guide.warranty_expiry_notice"]
    assert entries["signing_callback"] == ["e2011.signing_callback", "guide.signing_callback"]


@cache
def functions(path: Path) -> dict[str, str]:
    """Return the tests of a file with their source, decorators included."""
    source = path.read_text(encoding="utf-8")
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            parts = [ast.get_source_segment(source, part) or "" for part in (*node.decorator_list, node)]
            found[node.name] = "\n".join(parts)
    return found


@pytest.mark.parametrize("known", domain(), ids=lambda known: known.id)
def test_the_test_that_shows_a_touchpoint_exists_and_names_it(known: sixplustwo.library.Known) -> None:
    path, _, name = known.test.partition("::")
    tests = functions(ROOT / path)
    assert name.startswith("test_")
    assert name in tests
    assert f'"{known.id}"' in tests[name]


def test_the_twenty_four_time_limits_are_carried() -> None:
    limits = {f"TL-{number}" for number in range(35, 60)} - {"TL-39"}  # there is no TL-39
    carried = {limit for book in playbooks().values() for e in book.touchpoints.values() for limit in e.limits}
    assert len(limits) == 24
    assert limits <= carried
    assert carried - limits == {"TL-26", "TL-60", "TL-61"}  # of complaints and surveys, which touchpoints carry too


def test_every_code_reads_in_both_languages() -> None:
    names = labels()
    entries = [entry for book in playbooks().values() for entry in book.touchpoints.values()]
    assert {e.audience for e in entries if e.audience} <= names.audiences.keys()
    departments = {name for e in entries for name in (*(e.owner or ()), *e.support)}
    assert departments <= names.departments.keys()
    assert {channel for e in entries for channel in e.channel or ()} <= names.channels.keys()
    assert {e.kind for e in entries} <= names.kinds.keys()
    assert {e.trigger for e in entries if e.trigger} <= names.triggers.keys()
    for table in (names.audiences, names.departments, names.channels, names.kinds, names.triggers):
        for words in table.values():
            assert words.zh
            assert words.en.isascii()


# --- The tables -------------------------------------------------------------------------------------------------


@pytest.fixture
def guide() -> Playbook:
    return playbooks()["guide"]


def test_the_table_shows_each_step_and_where_values_come_from(guide: Playbook) -> None:
    rows = {row["touchpoint"]: row for row in sixplustwo.playbook_rows(guide, "en")}
    kit = rows["welcome_kit"]
    assert kit["step_name"] == "Welcome to your new home"
    assert kit["due"] == "planned_handover - 15 days"
    assert kit["owner"] == ["customer relations"]
    assert kit["evidence"] is None
    origins = kit["from"]
    assert isinstance(origins, dict)
    assert {name for name, origin in origins.items() if origin == "ours"} == {"due", "until", "owner"}
    assert origins["audience"] == "clause"
    assert "evidence" not in origins
    visit = rows["three_month_visit"]
    assert visit["coverage"] == {"percent": 10, "most": 60, "sample": True}
    assert (visit["until"], visit["postpone_to"]) == ("move_in + 6 months", "move_in + 6 months")
    opening = rows["site_opening"]
    assert opening["by_fitting"] == {
        "fitted": {"due": "planned_handover - 3 months; planned_handover - 1 month"},
        "bare": {"due": "planned_handover - 1 month"},
    }
    assert opening["gate"] == "site_opening_assessment"


def test_the_table_shows_a_variant_by_its_name(company: Callable[..., Context]) -> None:
    def sooner(playbook: Playbook, city: str) -> Playbook:
        return playbook.change("welcome_kit", due="planned_handover - 30 days")

    prepared = company({"wuhan": sooner}).prepared
    assert isinstance(prepared, sixplustwo.Prepared)
    rows = {row["touchpoint"]: row for row in sixplustwo.playbook_rows(prepared.playbook("wuhan"), "en")}
    origins = rows["welcome_kit"]["from"]
    assert isinstance(origins, dict)
    assert origins["due"] == "wuhan"


@pytest.mark.parametrize("edition", ["original", "e2011", "guide", "five_steps"])
def test_what_the_source_does_not_say_is_shown_empty(edition: str) -> None:
    [book] = [book for name, book in playbooks().items() if name == edition]
    rows = sixplustwo.playbook_rows(book, "zh")
    assert {tuple(row) for row in rows} == {ROW_KEYS}
    shown = {row["touchpoint"]: row for row in rows}
    for entry in book.touchpoints.values():
        for name in ("due", "owner", "evidence", "audience", "channel", "coverage", "template", "consequence", "notes"):
            if getattr(entry, name) in (None, ()):
                assert shown[entry.id][name] is None, (entry.id, name)
    filled = {entry.step for entry in book.touchpoints.values()}
    empty = [row for row in rows if row["touchpoint"] is None]
    assert [row["step"] for row in empty] == [step.order for step in book.steps if step.order not in filled]
    for row in empty:
        assert {key for key, value in row.items() if value is not None} == {"step", "step_name"}
