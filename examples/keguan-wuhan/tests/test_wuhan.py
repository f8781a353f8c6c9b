"""What is different in Wuhan: whose guide one is sent to."""

from __future__ import annotations

from datetime import date

import keguan_sixplustwo
import pytest
from keguan.testing import SampleCity
from keguan_sixplustwo import Playbook

import keguan_wuhan


def clause(city: SampleCity, action: str) -> str:
    """Return the clause that the first promise of ``action`` names."""
    return next(promised.clause for promised in city.promises() if promised.action == action)


def test_site_openings_follow_wuhans_own_guide(city: SampleCity) -> None:
    city.project(launch_on=date(2026, 3, 1), planned_handover_on=date(2027, 6, 30))
    city.sign("1201", planned_handover_on=date(2027, 6, 30))
    city.settle()
    assert clause(city, "site_opening").startswith("武汉《工地开放工作指引》")
    assert clause(city, "site_opening_assessment").startswith("武汉《工地开放工作指引》")
    assert clause(city, "signing_callback").startswith("6+2指引")


def test_group_purchases_follow_wuhans_own_guide(city: SampleCity) -> None:
    city.sign("1201")
    city.run_until(date(2026, 3, 4))
    assert clause(city, "group_purchase").startswith("武汉《客户团购指引》")


def test_when_and_by_whom_stays_as_the_standard_has_it() -> None:
    guide = keguan_sixplustwo.playbooks()["guide"]
    ours = keguan_wuhan.sixplustwo_adjust(guide)
    for name in keguan_wuhan.GUIDES:
        before, after = guide.touchpoints[name], ours.touchpoints[name]
        assert after == before.model_copy(update={"clause": after.clause, "notes": after.notes})


@pytest.mark.parametrize("edition", ["e2011", "original"])
def test_an_edition_without_these_touchpoints_is_left_as_it_is(edition: str) -> None:
    playbook: Playbook = keguan_sixplustwo.playbooks()[edition]
    adjusted = keguan_wuhan.sixplustwo_adjust(playbook)
    assert {change.touchpoint for change in adjusted.changes} <= keguan_wuhan.GUIDES.keys() & set(playbook.touchpoints)
