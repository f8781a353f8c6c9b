"""What the plugin tells readers: defaults of ours in words, who does it, which gathering it is, whom it touches."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan.model import Action, Contract, Home, Project, Remarks
from keguan.texts import LANGUAGES, Language
from keguan_sixplustwo import Prepared, Settings, playbooks, prepare
from keguan_sixplustwo.doing.actions import actions
from keguan_sixplustwo.saying import say_ours, say_timing
from keguan_sixplustwo.timing import Moment, Shift, Timing, Unit, parse

GUIDE = playbooks()["guide"]
PROJECT = Project(1, "云璟一期", "shenzhen")


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """The playbooks without any variant."""
    return prepare(settings=Settings(), cities={}, ask=lambda *_args, **_more: [])


@pytest.fixture(scope="module")
def known(prepared: Prepared) -> dict[str, Action]:
    """All actions by name."""
    return {action.name: action for action in actions(prepared)}


def remarks(known: dict[str, Action], name: str, clause: str | None = None) -> Remarks:
    """Return what is said of a touchpoint, in English."""
    asked = known[name].remarks
    assert asked is not None
    return asked("shenzhen", clause or str(GUIDE.touchpoints[name].clause), "en")


@pytest.mark.parametrize(
    ("expression", "zh", "en"),
    [
        ("handover", "交付", "handover"),
        ("contract_signed + 3 workdays", "签约后3个工作日", "3 working days after signing"),
        ("handover - 1 month at 09:30", "交付前1个月 09:30", "1 month before handover, 09:30"),
        ("site_opening - 21 days", "工地开放前21天", "21 days before Site opening"),
        (
            "min(handover, planned_handover + 90 days)",
            "交付、约定交付日后90天中最早的一天",
            "the earliest of handover, 90 days after the planned handover",
        ),
    ],
)
def test_timings_are_said_in_words(expression: str, zh: str, en: str) -> None:
    assert say_timing(parse(expression), GUIDE, "zh") == zh
    assert say_timing(parse(expression), GUIDE, "en") == en


@given(st.integers(1, 999), st.sampled_from(get_args(Unit)), st.booleans())
def test_every_shift_is_said_with_its_number(count: int, unit: Unit, back: bool) -> None:
    timing = Timing(Moment("handover", (Shift(-count if back else count, unit),)))
    for language in LANGUAGES:
        assert str(count) in say_timing(timing, GUIDE, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_default_of_ours_in_every_edition_can_be_said(language: Language) -> None:
    for playbook in playbooks().values():
        for entry in playbook.touchpoints.values():
            assert len(say_ours(entry, playbook, language)) == len(entry.ours), entry.id


def test_what_a_variant_changed_is_no_default_of_ours() -> None:
    assert any(said.startswith("Due:") for said in say_ours(GUIDE.touchpoints["signing_callback"], GUIDE, "en"))
    changed = GUIDE.change("signing_callback", due="contract_signed + 1 day")
    assert not any(said.startswith("Due:") for said in say_ours(changed.touchpoints["signing_callback"], changed, "en"))


def test_a_plan_is_explained_by_the_edition_its_clause_is_from(known: dict[str, Action]) -> None:
    old = playbooks()["e2011"].touchpoints["progress_letter"]
    assert remarks(known, "progress_letter").ours[0] == "Due: 2 months after the launch"
    assert "Due: 1 month after the launch" in remarks(known, "progress_letter", str(old.clause)).ours


def test_steps_and_departments_are_told_before_anything_came_up(known: dict[str, Action]) -> None:
    said = remarks(known, "signing_callback")
    assert (said.step, said.step_name, said.department) == ("2", "Tying the knot", "客关")


def test_what_goes_along_with_the_site_opening_is_one_gathering_with_it(known: dict[str, Action]) -> None:
    assert {remarks(known, name).gathering for name in ("site_opening", "property_meeting", "decoration_lecture")} == {
        "site_opening"
    }
    assert remarks(known, "community_culture").gathering == "community_culture"
    assert remarks(known, "activity_alliance_meeting").gathering is None, "staff among themselves"
    assert remarks(known, "signing_callback").gathering is None


def test_what_follows_on_a_gathering_is_none(known: dict[str, Action]) -> None:
    said = remarks(known, "community_culture_follow_ups", str(GUIDE.touchpoints["community_culture"].clause))
    assert (said.gathering, said.ours, said.step_name) == (None, (), "Going along together")


# --- Whom it touches ---------------------------------------------------------------------------------------------

SIGNED, TAKEN_OVER = date(2026, 3, 1), date(2027, 3, 1)


def bought(taken_over: date | None = TAKEN_OVER, status: str = "signed") -> Contract:
    """A home that was bought on 1 March 2026."""
    home = Home(1, PROJECT, "3", "1", "1201", handed_over_on=taken_over)
    return Contract(1, "HT-001", PROJECT, home, status, signed_on=SIGNED)


@pytest.mark.parametrize(
    ("name", "day", "meant"),
    [
        ("site_opening", SIGNED - timedelta(1), False),
        ("site_opening", SIGNED, True),
        ("site_opening", TAKEN_OVER - timedelta(1), True),
        ("site_opening", TAKEN_OVER, False),
        ("progress_letter", SIGNED, True),
        ("progress_letter_sending", SIGNED, True),
        ("progress_letter", TAKEN_OVER, False),
        ("one_year_house_check", TAKEN_OVER - timedelta(1), False),
        ("one_year_house_check", TAKEN_OVER, True),
        ("community_culture", SIGNED, False),
        ("community_culture", TAKEN_OVER, True),
    ],
)
def test_promises_to_the_project_touch_those_they_are_meant_for(
    known: dict[str, Action], name: str, day: date, meant: bool
) -> None:
    touches = known[name].touches
    assert touches is not None
    assert touches(bought(), day) is meant


def test_work_of_staff_and_shows_for_visitors_touch_nobody(known: dict[str, Action]) -> None:
    for name in ("site_opening_assessment", "sunshine_declaration", "signing_callback", "mystery_customer_check"):
        assert known[name].touches is None, name


def test_a_cancelled_contract_is_touched_by_nothing(known: dict[str, Action]) -> None:
    touches = known["site_opening"].touches
    assert touches is not None
    assert not touches(bought(status="cancelled"), SIGNED)
    assert touches(bought(taken_over=None, status="reserved"), SIGNED)
