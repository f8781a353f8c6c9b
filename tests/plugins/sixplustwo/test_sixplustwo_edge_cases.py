"""The edge cases of the 6+2 steps, each with a test that shows what happens.

From "a phone that changed" on they are in `test_sixplustwo_edge_cases_around.py`. The dates of whole journeys,
worked out by hand, stand in `tests/journeys/journeys.md`.

| case | test |
|---|---|
| late events | test_a_signing_entered_five_days_late, test_a_handover_from_before_the_signing_sends_no_burst |
| a weekly list against three days (2011) | test_a_weekly_list_makes_the_message_of_three_days_late |
| deposit or signing | test_the_guide_counts_from_the_signing_and_2011_from_the_deposit |
| moving in is not the handover | test_the_assumed_day_of_moving_in_says_so_and_gives_way |
| ten per cent and sixty homes | test_ten_per_cent_and_sixty_homes_contradict_each_other |
| three to six months | test_the_visit_can_be_put_off_to_month_six_and_no_further |
| the launch moves forward | test_a_launch_that_moves_forward_leaves_what_is_overdue |
| first show and launch, and phases | test_the_earlier_of_first_show_and_launch_counts_once |
| a cancelled contract | test_a_cancelled_contract_ends_all_that_is_open |
| a resale | test_after_a_resale_the_warranty_speaks_to_the_new_owner |
| several owners of a home | test_several_owners_get_one_message_for_the_home |
| several homes of an owner | test_two_contracts_of_one_person_on_one_day |
| a call unanswered | test_a_call_nobody_answers_is_written_down_with_its_attempts |
| many components on one day | test_many_components_that_end_on_one_day_are_one_message |
| dates: month ends, 29 February, lunar | test_dates_that_not_every_month_or_year_has |
| a site opening that failed | test_a_failed_assessment_blocks_the_opening_and_a_cancelled_one_is_filed |
| the edition changes on the way | test_an_edition_that_changes_on_the_way_leaves_what_was_signed |
| a phone that changed | test_a_changed_phone_is_the_one_that_is_called |
| an owner who opted out | test_nobody_writes_to_an_owner_who_opted_out |
| an owner without a phone | test_an_owner_without_a_phone_is_told_by_a_person |
| a number that bounced | test_a_number_that_bounced_gets_no_second_message |
| the calendar is corrected | test_a_calendar_corrected_in_mid_year_moves_what_counts_working_days |
| an entry is removed | test_an_entry_removed_from_the_playbook_is_not_done_any_more |
| a variant is uninstalled | test_a_variant_that_is_uninstalled_takes_its_own_promises_along |
| midnight within a batch | test_midnight_within_a_batch_changes_no_day_and_doubles_nothing |
| sixty thousand on one day | test_sixty_thousand_birthdays_and_warranties_on_one_day |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.support.duties import do, only_task
from tests.support.kinds import EITHER, store_for

import keguan_sixplustwo
from keguan import Context, Home, Project
from keguan.errors import KeguanError
from keguan.store.engine import Store
from keguan.store.schema import tasks
from keguan.tasks.desk import postpone
from keguan.testing import PersonFacts, Sale, SampleCity

LI = PersonFacts("李红", "+8613800138002", birthday=date(1992, 2, 29))
WANG = PersonFacts("王小明", "+8613800138001", birthday=date(1990, 3, 8))
NEXT_YEAR = date(2027, 6, 30)


@pytest.fixture
def keguan_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """One kind of database is enough, unless a test asks for either."""
    with store_for(request, tmp_path) as store:
        yield store


@pytest.fixture
def city(sample_city: Callable[..., SampleCity]) -> SampleCity:
    """A city on Monday 2 March 2026 at ten."""
    return sample_city({"sixplustwo": keguan_sixplustwo})


def sent_to(city: SampleCity, phone: str | None) -> list[str]:
    """The days on which something left for that number."""
    return [f"{each.at + timedelta(hours=8):%m-%d}" for each in city.sent if each.message.to_address == phone]


def test_a_signing_entered_five_days_late(city: SampleCity) -> None:
    sale = city.sign(on=date(2026, 2, 25))
    city.settle()
    missed = city.expect("sms_congratulation", sale, "missed", due="2026-02-26 09:30", why="entered after its window")
    assert missed.late_at_creation
    city.expect("sms_service_supervision", sale, "kept", due="2026-03-02 09:30", done="2026-03-02 10:00")
    assert city.expect("signing_callback", sale, "late", due="2026-02-28").late_at_creation  # 26, 27, Saturday 28
    assert len(city.sent) == 1


@EITHER
def test_a_handover_from_before_the_signing_sends_no_burst(city: SampleCity) -> None:
    sale = city.sign(on=date(2026, 1, 20), planned_handover_on=date(2026, 1, 31))
    city.hand_over(sale, on=date(2023, 1, 10))
    city.run_until(date(2026, 3, 3))
    assert city.sent == []
    assert {one.status for one in city.promises(sale) if one.kind == "message"} <= {"missed", "planned"}
    city.expect("welcome_kit", sale, "missed")
    city.expect("handover_callback", sale, "missed", due="2023-01-17")


@pytest.mark.parametrize(("listed", "status"), [("2026-03-05 10:00", "kept"), ("2026-03-06 10:00", "missed")])
def test_a_weekly_list_makes_the_message_of_three_days_late(
    listed: str, status: str, sample_city: Callable[..., SampleCity]
) -> None:
    city = sample_city({"sixplustwo": keguan_sixplustwo}, config='[plugins.sixplustwo]\nedition = "e2011"\n')
    city.run_until(city.at(listed))
    sale = Sale("HT-1201", city.project(), city.project())  # a deposit as the list has it, without a signing
    sale = city.change(sale, room="1201", people=(WANG,), status="reserved", deposit_on=date(2026, 3, 2))
    city.settle()
    assert city.expect("deposit_sms_2011", sale, status, due="2026-03-03 09:30").late_at_creation


def test_the_guide_counts_from_the_signing_and_2011_from_the_deposit(sample_city: Callable[..., SampleCity]) -> None:
    config = '[plugins.sixplustwo.project_editions]\n"云璟二期" = "e2011"\n'
    city = sample_city({"sixplustwo": keguan_sixplustwo}, config=f"[plugins.sixplustwo]\nenabled = true\n{config}")
    guide = city.sign("1", deposit_on=date(2026, 2, 28))
    other = city.sign("2", deposit_on=date(2026, 2, 28), project="云璟二期", buyer=LI)
    city.settle()
    city.expect("sms_congratulation", guide, due="2026-03-03")
    city.expect_nothing("deposit_sms_2011", guide)
    city.expect("deposit_sms_2011", other, due="2026-03-01")
    city.expect_nothing("sms_congratulation", other)


def test_the_assumed_day_of_moving_in_says_so_and_gives_way(city: SampleCity) -> None:
    sale = city.sign(on=date(2025, 6, 2))
    city.hand_over(sale)
    city.settle()
    city.expect("housewarming_visit", sale, "planned", due="2026-05-08", why="60 days after handover")
    city.run_until(city.at("2026-03-05 18:00"))
    city.move_in(sale)
    city.settle()
    assert city.expect("housewarming_visit", sale, "planned", due="2026-03-12").why is None


def test_ten_per_cent_and_sixty_homes_contradict_each_other(company: Callable[..., Context]) -> None:
    project = Project(1, "云璟一期", "wuhan", handed_over_on=date(2026, 1, 5))
    context = company()

    def drawn(count: int) -> dict[str, Any]:
        handed_over = [Home(n, project, "3", "1", f"{n:04}", handed_over_on=date(2026, 1, 5)) for n in range(count)]
        task = only_task(do("three_month_visit", project, context, homes=handed_over))
        assert task.filled is not None
        assert len(task.filled.lines) == task.filled.answers["homes_drawn"]
        return dict(task.filled.answers)

    assert [drawn(count)["homes_drawn"] for count in (1, 100, 590, 600, 700)] == [1, 10, 59, 60, 60]
    assert "contradiction" not in drawn(600)
    assert "60" in drawn(700)["contradiction"]
    assert drawn(700) == drawn(700)


def test_the_visit_can_be_put_off_to_month_six_and_no_further(city: SampleCity) -> None:
    sale = city.sign(on=date(2025, 6, 2))
    city.hand_over(sale, on=date(2025, 10, 10))  # moved in by 9 December; three months later it is 9 March
    city.settle()
    project = city.project()
    city.expect("three_month_visit", project, "due", due="2026-03-09")

    def put_off(to: date) -> None:
        with city.store.read() as connection:
            [task] = connection.execute(select(tasks.c.id).where(tasks.c.action == "three_month_visit")).scalars()
        zone = city.installation.city(city.key).zone
        postpone(city.store, [task], to=to, reason="few moved in", now=city.clock.now(), by="周敏", zone=lambda _: zone)

    with pytest.raises(KeguanError, match="2026-06-09"):
        put_off(date(2026, 6, 10))
    put_off(date(2026, 3, 20))
    city.run_until(date(2026, 3, 19))
    city.expect("three_month_visit", project, "due", why="few moved in")
    city.run_until(date(2026, 3, 20))
    city.expect("three_month_visit", project, "late")


@EITHER
def test_a_launch_that_moves_forward_leaves_what_is_overdue(city: SampleCity) -> None:
    project = city.project(launch_on=date(2026, 6, 20))
    city.settle()
    city.expect("risk_check_before_launch", project, "planned", due="2026-05-21")
    city.project(launch_on=date(2026, 3, 10))
    city.settle()
    city.expect("risk_check_before_launch", project, "late", due="2026-02-06")  # Sunday the 8th: no later than Friday
    city.expect("sales_kit_ready", project, "due", due="2026-03-06")  # Saturday the 7th


def test_the_earlier_of_first_show_and_launch_counts_once(city: SampleCity) -> None:
    project = city.project(first_show_on=date(2026, 5, 20), launch_on=date(2026, 4, 30))
    city.settle()
    city.expect("sales_kit_ready", project, due="2026-04-27")
    city.project(first_show_on=date(2026, 5, 20), launch_on=date(2026, 5, 29))  # a later phase is launched
    city.settle()
    found = [one for one in city.promises(project) if one.action == "sales_kit_ready" and one.status != "cancelled"]
    assert [f"{one.due_at:%m-%d}" for one in found] == ["05-15"]  # Sunday the 17th


@EITHER
def test_a_cancelled_contract_ends_all_that_is_open(city: SampleCity) -> None:
    sale = city.sign(planned_handover_on=NEXT_YEAR, buyer=WANG)
    city.run_until(city.at("2026-03-04 10:00"))
    city.cancel(sale)
    city.run_until(date(2026, 3, 10))
    assert {one.action: one.status for one in city.promises(sale.contract)} == {
        "sms_congratulation": "kept",
        "signing_callback": "cancelled",
        "sms_service_supervision": "cancelled",
        "sales_data_entry": "cancelled",
        "welcome_kit": "cancelled",
    }
    assert sent_to(city, WANG.phone) == ["03-03"]  # and no wish on the 8th: somebody without a home is no customer


def test_after_a_resale_the_warranty_speaks_to_the_new_owner(city: SampleCity) -> None:
    sale = city.sign(on=date(2023, 3, 6), buyer=LI)
    city.hand_over(sale, on=date(2024, 4, 10))  # wiring and pipes: until 10 April 2026
    city.settle()
    before = [one.key for one in city.promises(sale.home) if one.action == "housewarming_visit"]
    city.resell(sale, WANG, date(2026, 3, 5))
    city.run_until(date(2026, 3, 10))
    city.expect("warranty_expiry_reminder", sale, "kept", occurrence=5, done="2026-03-10 09:30")
    assert sent_to(city, WANG.phone) == ["03-08", "03-10"]  # the birthday is the new owner's own
    assert [one.key for one in city.promises(sale.home) if one.action == "housewarming_visit"] == before


def test_several_owners_get_one_message_for_the_home(city: SampleCity) -> None:
    sale = city.sign(people=(WANG, LI))
    city.run_until(date(2026, 3, 9))
    assert sent_to(city, WANG.phone) == ["03-03", "03-07", "03-08"]
    assert sent_to(city, LI.phone) == []
    wished = [one for one in city.promises(sale) if one.action == "birthday_sms"]
    assert [f"{one.due_at:%Y-%m-%d}" for one in wished] == ["2026-03-08", "2027-02-28", "2027-03-08"]


@EITHER
def test_two_contracts_of_one_person_on_one_day(city: SampleCity) -> None:
    city.project(launch_on=date(2026, 1, 10))
    for room in ("1201", "1202"):
        city.sign(room, buyer=WANG)
    city.settle()
    city.finish("progress_letter", city.project(), sms_text="主体已封顶", approved=True)
    city.settle()
    assert sent_to(city, WANG.phone) == ["03-02"]
    city.run_until(date(2026, 3, 8))
    # one letter and one wish for the person; congratulation and service message for each home
    assert sent_to(city, WANG.phone) == ["03-02", "03-03", "03-03", "03-07", "03-07", "03-08"]


def test_a_call_nobody_answers_is_written_down_with_its_attempts(city: SampleCity) -> None:
    sale = city.sign()
    city.run_until(city.at("2026-03-05 15:00"))
    tried = (("2026-03-04", "10:00"), ("2026-03-04", "18:00"), ("2026-03-05", "14:00"))
    tries = [{"tried_on": day, "at": at, "outcome": "no_answer"} for day, at in tried]
    city.finish("signing_callback", sale, reached="no_answer", lines=tries)
    city.expect("signing_callback", sale, "kept", done="2026-03-05 15:00")


def test_many_components_that_end_on_one_day_are_one_message(city: SampleCity) -> None:
    sale = city.sign(on=date(2023, 3, 6), buyer=WANG, fitting="fitted")
    city.hand_over(sale, on=date(2024, 4, 10))
    city.run_until(city.at("2026-03-10 12:00"))
    ended = city.expect("warranty_expiry_reminder", sale, "kept", occurrence=5, why="decoration")
    assert "electric wiring, water pipes and drains, installation of equipment, decoration" in (ended.why or "")
    assert len([each for each in city.sent if "decoration" in each.text or "装修工程" in each.text]) == 1


def test_dates_that_not_every_month_or_year_has(city: SampleCity) -> None:
    lunar = PersonFacts("陈建国", "+8613800138003", birthday=date(1975, 9, 20), lunar=True)  # Mid-Autumn 1975
    sale = city.sign(on=date(2025, 6, 2), people=(LI, lunar), fitting="fitted")
    city.hand_over(sale, on=date(2026, 1, 31))
    city.settle()
    wished = {f"{one.due_at:%Y-%m-%d}" for one in city.promises(sale) if one.action == "birthday_sms"}
    assert wished == {"2026-02-28", "2027-02-28", "2026-09-25", "2027-09-15"}
    city.expect("warranty_expiry_reminder", sale, due="2027-12-31", occurrence=5)
    other = city.sign("1301", on=date(2023, 3, 6), buyer=WANG)
    city.hand_over(other, on=date(2024, 2, 29))
    city.settle()
    city.expect("warranty_expiry_reminder", other, due="2029-01-28", occurrence=2)  # five years: 28 February 2029


def test_a_failed_assessment_blocks_the_opening_and_a_cancelled_one_is_filed(city: SampleCity) -> None:
    project = city.project(planned_handover_on=date(2026, 4, 20), fitting="bare")  # opens on Friday 20 March
    city.settle()
    city.finish("site_opening_assessment", project, passed=False)
    city.run_until(city.at("2026-03-06 10:00"))
    city.expect("site_opening", project, "missed", due="2026-03-20", why="put the opening off or cancel it")
    city.finish("site_opening_assessment_decision", project, decision="cancel")
    city.tell("site_opening_cancelled", project)
    city.settle()
    filing = [one for one in city.promises(project) if one.action == "site_opening_cancel_filing"]
    assert [(one.status, f"{one.due_at:%m-%d}") for one in filing] == [("due", "03-06")]


def test_an_edition_that_changes_on_the_way_leaves_what_was_signed(city: SampleCity) -> None:
    sale = city.sign(planned_handover_on=NEXT_YEAR)
    city.settle()
    before = city.journey(sale.contract)
    city.run_until(city.at("2026-03-02 12:00"))
    city.restart(config='[plugins.sixplustwo]\nenabled = true\nedition = "e2011"\n')
    city.change(sale, on=date(2026, 3, 2), planned_handover_on=NEXT_YEAR)
    city.settle()
    assert city.journey(sale.contract) == before
    city.run_until(city.at("2026-03-04 10:00"))
    new = city.sign("1301", buyer=LI, planned_handover_on=NEXT_YEAR)
    city.settle()
    city.expect_nothing("welcome_kit", new)
    city.expect("marketing_callback_2011", new)
