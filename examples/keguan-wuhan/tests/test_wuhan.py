"""What is different in Wuhan, worked out by hand from the calendar."""

from __future__ import annotations

from datetime import date, time
from zoneinfo import ZoneInfo

import keguan_sixplustwo
import pytest
from keguan import City, Context, Contract, Home, Plan, Project
from keguan.calendar import WorkCalendar
from keguan_sixplustwo import Playbook

import keguan_wuhan

SHANGHAI = ZoneInfo("Asia/Shanghai")
WUHAN = City("wuhan", "武汉", SHANGHAI, quiet_from=time(20), quiet_until=time(9))
PROJECT = Project(1, "江岸云璟", "wuhan")


@pytest.fixture
def context() -> Context:
    """Wuhan, with this plugin switched on."""

    def ask(_spec: object, city: str, playbook: Playbook) -> list[tuple[str, object]]:
        return [("wuhan", keguan_wuhan.sixplustwo_adjust(playbook, city))]

    settings = keguan_sixplustwo.Settings()
    prepared = keguan_sixplustwo.prepare(settings, {"wuhan": WUHAN}, ask)
    return Context(WUHAN, WorkCalendar(zone=SHANGHAI), settings, prepared, "zh")


def due(plans: list[Plan], touchpoint: str) -> date:
    """Return the day on which ``touchpoint`` is due in Wuhan."""
    return next(plan.due.astimezone(SHANGHAI).date() for plan in plans if plan.action == touchpoint)


def test_a_contract_signed_before_national_day_is_called_back_on_the_second_working_day_after_it(
    context: Context,
) -> None:
    # 30 September 2025 is a Tuesday; 1 to 8 October are off
    contract = Contract(1, "HT-001", PROJECT, signed_on=date(2025, 9, 30))
    assert due(keguan_sixplustwo.on_contract_signed(contract, context), "signing_callback") == date(2025, 10, 10)


def test_the_housewarming_visit_comes_three_days_after_moving_in(context: Context) -> None:
    home = Home(1, PROJECT, "3", "1", "1201", handed_over_on=date(2026, 3, 2), move_in_on=date(2026, 3, 10))
    assert due(keguan_sixplustwo.on_handover(home, context), "housewarming_visit") == date(2026, 3, 13)


def test_the_property_team_leads_the_visit_and_brings_a_photo(context: Context) -> None:
    prepared = context.prepared
    assert isinstance(prepared, keguan_sixplustwo.Prepared)
    visit = prepared.playbook("wuhan").touchpoints["housewarming_visit"]
    assert visit.owner == ("物业", "客关")
    assert "上门拜访照片" in [item.zh for item in visit.evidence or ()]


def test_other_editions_stay_as_they_are() -> None:
    playbook = keguan_sixplustwo.playbooks()["e2011"]
    assert keguan_wuhan.sixplustwo_adjust(playbook, "wuhan") is playbook
