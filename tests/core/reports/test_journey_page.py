"""The page of a journey: what a manager sees, and that it shows nothing else."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest

from keguan.reports.journey_page import STATES, journey_page, state_of

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def step(touchpoint: str = "visit", **values: Any) -> dict[str, Any]:
    """A promise of the second step, to come."""
    return {
        "step": "2",
        "step_name": "Tying the knot",
        "touchpoint": touchpoint,
        "label": None,
        "plugin": "sixplustwo",
        "clause": "6+2指引 5.2",
        "kind": "task",
        "about": "home",
        "occurrence": 1,
        "follows": None,
        "due_at": NOON,
        "until": None,
        "status": "planned",
        "late_at_creation": False,
        "done_at": None,
        "done_by": None,
        "result": None,
        "why": None,
        "evidence": [],
        "line": None,
        "department": "客关",
        "ours": [],
    } | values


def page(*steps: dict[str, Any], **values: Any) -> str:
    """Return the page of a journey with these steps, in English."""
    journey = {
        "contract": "HT-001",
        "project": "云璟一期",
        "home": "云璟一期/3-1-1201",
        "contract_status": "signed",
        "as_of": NOON,
        "customers": [{"name": "张**", "phone": "138****8000"}],
        "deposit_on": None,
        "signed_on": date(2026, 2, 1),
        "planned_handover_on": None,
        "handed_over_on": None,
        "move_in_on": None,
        "next": [],
        "steps": list(steps),
    } | values
    return journey_page(journey, "en")


def words(html: str) -> str:
    """Return what is read on the page."""
    body = html.partition("<body>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_the_page_names_the_home_its_owner_and_its_dates() -> None:
    read = words(page())
    assert "云璟一期/3-1-1201" in read
    assert "张** 138****8000" in read
    assert "Signed 2026-02-01" in read
    assert "Handed over –" in read
    assert "Nothing is promised yet." in read


@pytest.mark.parametrize(
    ("status", "done_at", "word"),
    [
        ("kept", NOON, "kept"),
        ("late", NOON, "done late"),
        ("late", None, "overdue"),
        ("missed", None, "missed"),
        ("failed", None, "failed"),
        ("due", None, "in hand"),
        ("planned", None, "to come"),
        ("held", None, "held"),
        ("waived", None, "waived"),
        ("cancelled", None, "cancelled"),
    ],
)
def test_every_state_has_a_word_and_a_colour_of_its_own(status: str, done_at: datetime | None, word: str) -> None:
    one = step(status=status, done_at=done_at)
    html = page(one)
    assert f'<li class="{state_of(one)}">' in html
    assert re.search(rf"\.{state_of(one)}\b[^}}]*{{ --state: #", html)
    assert f"2026-03-02 visit {word}" in re.sub(r"done 2026\S+ ", "", words(html))


def test_all_states_are_known_to_the_page() -> None:
    assert {state_of(step(status=name)) for name in ("kept", "missed", "failed", "due", "planned", "held")} < {*STATES}


def test_what_others_wrote_is_text_and_never_markup() -> None:
    html = page(
        step(
            label="<script>alert(1)</script>",
            why='"><img src=x onerror=alert(2)>',
            result="<b>bold</b>",
            ours=["<i>due</i>"],
            evidence=[{"kind": "file", "name": "<svg onload=alert(3)>.jpg", "by": "<u>", "at": NOON}],
        ),
        home="<h1>home</h1>",
    )
    assert not re.search(r"<(script|img|svg|u)\b|<b>bold|<i>due|<h1>home", html)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "&lt;h1&gt;home" in html


def test_the_page_asks_nobody_for_anything() -> None:
    html = page(step())
    assert not re.search(r"https?://|//[a-z]|\bsrc=|\bhref=|@import|url\(|<script|<link", html)


def test_steps_of_the_standard_stand_in_their_order_and_others_at_the_end() -> None:
    html = page(step("d", step=None, step_name=None), step("c", step="+1"), step("a", step="2"), step("b", step="10"))
    assert re.findall(r"Step (\S+)", words(html)) == ["2", "10", "+1"]
    assert re.findall(r'class="name">(\w)<', html) == ["a", "b", "c", "d"]


def test_what_follows_stands_below_what_it_follows() -> None:
    html = page(
        step("meeting"),
        step("visit"),
        step("meeting_follow_ups", follows="meeting"),
        step("tracked", follows="meeting_follow_ups"),
        step("orphan", follows="of_another_home"),
        step("meeting", occurrence=2),
    )
    shown = re.findall(r'<li class="planned( follows)?">.*?class="name">(\w+)<', html, re.DOTALL)
    assert shown == [
        ("", "meeting"),
        (" follows", "meeting_follow_ups"),
        (" follows", "tracked"),
        ("", "visit"),
        ("", "orphan"),
        ("", "meeting"),
    ]


def test_promises_that_follow_each_other_in_a_ring_are_all_shown() -> None:
    html = page(step("a", follows="b"), step("b", follows="a"))
    assert sorted(re.findall(r'class="name">(\w)<', html)) == ["a", "b"]


def test_defaults_of_ours_are_said_once_for_each_touchpoint() -> None:
    html = page(*(step("birthday", occurrence=year, ours=["due: 09:30"]) for year in (2026, 2027)))
    assert words(html).count("The standard is silent, our default: due: 09:30") == 1


def test_the_projects_promises_are_marked_and_say_how_the_home_was_drawn() -> None:
    read = words(page(step(about="project", line={"listed": True, "said": "Outcome checked"})))
    assert "for the whole project" in read
    assert "This home is on the list. Outcome checked" in read
    assert "This home is not on the list." in words(page(step(line={"listed": False, "said": None})))


def test_totals_tell_kept_from_late_broken_and_to_come() -> None:
    rows = [
        step(status="kept", done_at=NOON),
        step(status="late", done_at=NOON),
        step(status="late"),
        step(status="missed"),
        step(status="failed"),
        step(status="due"),
        step(status="planned"),
    ]
    tiles = re.findall(r'class="tile (\w+)[^"]*"><b>(\d+)<', page(*rows))
    assert tiles == [("kept", "1"), ("kept_late", "1"), ("broken", "3"), ("coming", "2"), ("held", "0")]
