"""What is promised when: dates in, due dates out, worked out by hand from the clauses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest

import keguan_sixplustwo as sixplustwo
from keguan import City, Context, Contract, Event, Home, Plan, Project
from keguan.calendar import DayRow
from keguan_sixplustwo import Playbook

Company = Callable[..., Context]
Contracts = Callable[..., Contract]
Homes = Callable[..., Home]
Clock = Callable[[datetime], str]


def by_name(plans: list[Plan]) -> dict[str, Plan]:
    """Return what is promised once, by its touchpoint."""
    found: dict[str, list[Plan]] = {}
    for plan in plans:
        found.setdefault(plan.action, []).append(plan)
    assert all(len({plan.occurrence for plan in row}) == len(row) for row in found.values())
    return {name: row[0] for name, row in found.items() if len(row) == 1}


def deposit(record: Contract) -> Event:
    return Event(1, "test", "1", "deposit", datetime(2026, 1, 1, tzinfo=UTC), record.ref, "wuhan")


@pytest.mark.parametrize(
    ("signed", "congratulation", "supervision", "callback", "entry"),
    [
        (
            "2026-03-02",
            "2026-03-03",
            "2026-03-07",
            "2026-03-05",
            "2026-03-09",
        ),  # a Monday; messages also go out on Saturdays
        (
            "2025-09-26",
            "2025-09-27",
            "2025-10-01",
            "2025-09-30",
            "2025-10-09",
        ),  # Friday before National Day, Sunday is worked
        (
            "2025-09-30",
            "2025-10-01",
            "2025-10-05",
            "2025-10-11",
            "2025-10-09",
        ),  # the eve of the holiday; worked: 9, 10, Sat 11
        (
            "2025-12-31",
            "2026-01-01",
            "2026-01-05",
            "2026-01-06",
            "2026-01-07",
        ),  # over the year's end; worked: Sun 4, 5, 6
        ("2028-02-28", "2028-02-29", "2028-03-04", "2028-03-02", "2028-03-06"),  # over a leap day
        ("2026-02-28", "2026-03-01", "2026-03-05", "2026-03-04", "2026-03-09"),  # over a month's end, from a Saturday
    ],
)
def test_a_signed_contract(
    signed: str, congratulation: str, supervision: str, callback: str, entry: str,
    company: Company, contract: Contracts, clock: Clock,
) -> None:  # fmt: skip
    day = date.fromisoformat(signed)
    plans = by_name(sixplustwo.on_contract_signed(contract(signed_on=day), company()))
    assert {name: clock(plan.due) for name, plan in plans.items()} == {
        "sms_congratulation": f"{congratulation} 09:30",
        "sms_service_supervision": f"{supervision} 09:30",
        "signing_callback": f"{callback} 08:00",
        "sales_data_entry": f"{entry} 08:00",
    }


def test_the_congratulation_is_missed_after_the_next_day(company: Company, contract: Contracts, clock: Clock) -> None:
    plans = by_name(sixplustwo.on_contract_signed(contract(signed_on=date(2026, 3, 2)), company()))
    until = plans["sms_congratulation"].until
    assert until is not None
    assert clock(until) == "2026-03-04 00:00"


def test_the_supervision_message_is_missed_after_the_seventh_day(
    company: Company, contract: Contracts, clock: Clock
) -> None:
    plans = by_name(sixplustwo.on_contract_signed(contract(signed_on=date(2026, 3, 2)), company()))
    until = plans["sms_service_supervision"].until
    assert until is not None
    assert clock(until) == "2026-03-10 00:00"


def test_only_what_staff_do_hangs_on_the_calendar(company: Company, contract: Contracts) -> None:
    plans = by_name(sixplustwo.on_contract_signed(contract(signed_on=date(2026, 3, 2)), company()))
    assert {name for name, plan in plans.items() if plan.by_calendar} == {
        "signing_callback", "sales_data_entry",
    }  # fmt: skip


def test_a_calendar_that_was_corrected_is_counted_by(company: Company, contract: Contracts, clock: Clock) -> None:
    before = company()
    closed = replace(before.calendar, rows=(DayRow(date(2026, 3, 5), working=False, scope="company"),))
    signed = contract(signed_on=date(2026, 3, 2))

    def callback(context: Context) -> str:
        return clock(by_name(sixplustwo.on_contract_signed(signed, context))["signing_callback"].due)

    assert callback(before) == "2026-03-05 08:00"
    assert callback(replace(before, calendar=closed)) == "2026-03-06 08:00"
    assert callback(before) == "2026-03-05 08:00"


@pytest.mark.parametrize("edition", ["guide", "e2011", "original"])
def test_what_others_were_promised_changes_nothing(
    edition: str, company: Company, contract: Contracts, home: Homes
) -> None:
    crowded = company(edition=edition)
    signed, planned, handed_over = (
        [None, date(2026, 3, 2), date(2026, 9, 30)],
        [None, date(2027, 6, 30), date(2027, 10, 8)],
        [None, date(2027, 6, 1), date(2027, 12, 24)],
    )
    contracts = [
        contract(signed_on=first, planned_handover_on=second, handed_over_on=third, deposit_on=first)
        for first, second, third in product(signed, planned, handed_over)
    ]
    homes = [home(handed_over_on=first, move_in_on=second) for first, second in product(handed_over, planned)]
    for contract_ in contracts:
        alone = company(edition=edition)
        assert sixplustwo.on_contract_signed(contract_, crowded) == sixplustwo.on_contract_signed(contract_, alone)
        event = deposit(contract_)
        assert sixplustwo.on_event(event, contract_, crowded) == sixplustwo.on_event(event, contract_, alone)
    for home_ in homes:
        alone = company(edition=edition)
        assert sixplustwo.on_handover(home_, crowded) == sixplustwo.on_handover(home_, alone)


def test_what_one_contract_was_promised_is_its_own(company: Company, contract: Contracts) -> None:
    context = company()
    first = sixplustwo.on_contract_signed(contract(signed_on=date(2026, 3, 2)), context)
    promised = list(first)
    first.clear()
    assert sixplustwo.on_contract_signed(contract(signed_on=date(2026, 3, 2)), context) == promised


def test_every_plan_says_which_clause_it_comes_from(company: Company, contract: Contracts, home: Homes) -> None:
    signed = contract(signed_on=date(2026, 3, 2), planned_handover_on=date(2027, 6, 30))
    taken_over = home(handed_over_on=date(2027, 6, 30))
    plans = sixplustwo.on_contract_signed(signed, company()) + sixplustwo.on_handover(taken_over, company())
    assert {plan.action for plan in plans} > {"sms_congratulation", "welcome_kit", "warranty_expiry_reminder"}
    assert all(plan.clause.startswith("6+2指引 5.") for plan in plans)


@pytest.mark.parametrize(
    ("planned", "due"),
    [
        ("2026-05-01", "2026-04-16"),
        ("2026-03-15", "2026-02-28"),  # a Saturday, but worked for Spring Festival
        ("2026-03-10", "2026-02-14"),  # the 23rd is a day off in Spring Festival: the last working day before it
        ("2028-03-15", "2028-02-29"),
        ("2026-01-15", "2025-12-31"),
    ],
)
def test_the_home_pack_is_due_fifteen_days_before_the_planned_handover(
    planned: str, due: str, company: Company, contract: Contracts, clock: Clock
) -> None:
    signed = contract(signed_on=date(2025, 3, 3), planned_handover_on=date.fromisoformat(planned))
    kit = by_name(sixplustwo.on_contract_signed(signed, company()))["welcome_kit"]
    assert clock(kit.due) == f"{due} 08:00"


def test_the_home_pack_waits_until_a_handover_is_planned(company: Company, contract: Contracts) -> None:
    assert "welcome_kit" not in by_name(sixplustwo.on_contract_signed(contract(signed_on=date(2026, 3, 2)), company()))


def test_the_home_pack_is_pointless_from_the_handover_on(company: Company, contract: Contracts, clock: Clock) -> None:
    signed = contract(
        signed_on=date(2025, 3, 3), planned_handover_on=date(2026, 5, 1), handed_over_on=date(2026, 4, 28)
    )
    kit = by_name(sixplustwo.on_contract_signed(signed, company()))["welcome_kit"]
    assert kit.until is not None
    assert clock(kit.until) == "2026-04-28 00:00"


def test_a_home_handed_over_before_its_pack_was_due_misses_it(company: Company, contract: Contracts) -> None:
    signed = contract(signed_on=date(2025, 3, 3), planned_handover_on=date(2026, 5, 1), handed_over_on=date(2026, 4, 1))
    kit = by_name(sixplustwo.on_contract_signed(signed, company()))["welcome_kit"]
    assert kit.until == kit.due  # an empty window: missed, never done


@pytest.mark.parametrize(
    ("handover", "callback"),
    [
        ("2026-03-02", "2026-03-09"),
        ("2026-09-25", "2026-10-08"),  # 2 October is a holiday until the 7th
        ("2025-12-26", "2026-01-04"),  # 2 January is off; Sunday the 4th is worked
    ],
)
def test_a_handover_is_followed_by_a_call(
    handover: str, callback: str, company: Company, home: Homes, clock: Clock
) -> None:
    plans = by_name(sixplustwo.on_handover(home(handed_over_on=date.fromisoformat(handover)), company()))
    assert clock(plans["handover_callback"].due) == f"{callback} 08:00"


def test_the_housewarming_visit_counts_from_moving_in(company: Company, home: Homes, clock: Clock) -> None:
    moved_in = home(handed_over_on=date(2026, 1, 5), move_in_on=date(2026, 2, 10))
    visit = by_name(sixplustwo.on_handover(moved_in, company()))["housewarming_visit"]
    assert clock(visit.due) == "2026-02-24 08:00"  # the 17th is Spring Festival
    assert visit.note == ""


@pytest.mark.parametrize(
    ("handover", "visit"),
    [
        ("2026-03-02", "2026-05-08"),
        ("2025-12-31", "2026-03-09"),  # 1 March, and seven days: a Sunday
    ],
)
def test_while_moving_in_is_unknown_sixty_days_after_the_handover_stand_in(
    handover: str, visit: str, company: Company, home: Homes, clock: Clock
) -> None:
    plans = by_name(sixplustwo.on_handover(home(handed_over_on=date.fromisoformat(handover)), company()))
    assert clock(plans["housewarming_visit"].due) == f"{visit} 08:00"
    assert "60天" in plans["housewarming_visit"].note
    assert plans["handover_callback"].note == ""


def test_a_handover_entered_a_year_late_leaves_nothing_to_do_but_the_warranties(company: Company, home: Homes) -> None:
    context = company()
    late = datetime(2026, 3, 2, 9, tzinfo=UTC)
    plans = sixplustwo.on_handover(home(handed_over_on=date(2025, 3, 2)), context)
    to_come = {plan.action for plan in plans if plan.until is None or plan.until >= late}
    assert to_come == {"warranty_expiry_reminder"}
    made_up_for = {action.name for action in sixplustwo.register_actions(context.prepared) if action.when_late}
    assert made_up_for.isdisjoint(plan.action for plan in plans)


def test_a_contract_entered_after_its_home_was_handed_over_leaves_nothing_to_do(
    company: Company, contract: Contracts
) -> None:
    signed = contract(signed_on=date(2024, 3, 4), planned_handover_on=date(2025, 3, 1), handed_over_on=date(2025, 3, 2))
    plans = sixplustwo.on_contract_signed(signed, company())
    assert len(plans) == 5
    assert all(plan.until is not None and plan.until < datetime(2026, 3, 2, tzinfo=UTC) for plan in plans)


def test_asking_again_changes_nothing(company: Company, contract: Contracts) -> None:
    signed = contract(signed_on=date(2026, 3, 2), planned_handover_on=date(2027, 6, 30))
    assert sixplustwo.on_contract_signed(signed, company()) == sixplustwo.on_contract_signed(signed, company())


def test_a_deposit_is_thanked_for_in_the_2011_edition(company: Company, contract: Contracts, clock: Clock) -> None:
    reserved = contract(status="reserved", deposit_on=date(2026, 2, 28))
    [thanks] = sixplustwo.on_event(deposit(reserved), reserved, company(edition="2011"))
    assert thanks.action == "deposit_sms_2011"
    assert clock(thanks.due) == "2026-03-01 09:30"
    assert thanks.until is not None
    assert clock(thanks.until) == "2026-03-04 00:00"  # within three days


def test_the_guide_counts_from_signing_and_promises_nothing_for_a_deposit(
    company: Company, contract: Contracts
) -> None:
    reserved = contract(status="reserved", deposit_on=date(2026, 2, 28))
    assert sixplustwo.on_event(deposit(reserved), reserved, company()) == []


def test_other_events_are_not_ours(company: Company, home: Homes) -> None:
    moved_in = home(handed_over_on=date(2026, 1, 5), move_in_on=date(2026, 2, 10))
    event = Event(1, "test", "1", "move_in", datetime(2026, 2, 10, tzinfo=UTC), moved_in.ref, "wuhan")
    assert sixplustwo.on_event(event, moved_in, company()) == []


def test_the_2011_edition_promises_a_signed_contract_two_calls(company: Company, contract: Contracts) -> None:
    plans = sixplustwo.on_contract_signed(contract(signed_on=date(2026, 3, 2)), company(edition="e2011"))
    assert {plan.action for plan in plans} == {"signing_callback", "marketing_callback_2011"}


def test_the_original_edition_promises_nothing_that_is_not_written(company: Company, contract: Contracts) -> None:
    assert sixplustwo.on_contract_signed(contract(signed_on=date(2026, 3, 2)), company(edition="original")) == []


def test_one_project_may_follow_another_edition(company: Company, contract: Contracts) -> None:
    context = company(project_editions={"云璟二期": "e2011"})
    old = contract(signed_on=date(2026, 3, 2))
    new = contract(signed_on=date(2026, 3, 2), project=Project(2, "云璟二期", "wuhan"))
    assert "sms_congratulation" in by_name(sixplustwo.on_contract_signed(old, context))
    assert by_name(sixplustwo.on_contract_signed(new, context)).keys() == {
        "signing_callback",
        "marketing_callback_2011",
    }


def test_a_city_that_nobody_configured_gets_the_edition_as_it_is_written(company: Company, contract: Contracts) -> None:
    def sooner(playbook: Playbook, city: str) -> Playbook:
        return playbook.change("sms_congratulation", due="contract_signed at 18:00")

    here = company({"wuhan": sooner})
    city = here.city
    elsewhere = Context(
        City("changsha", "changsha", city.zone, city.quiet_from, city.quiet_until),
        here.calendar, here.settings, here.prepared, "zh", here.through,
    )  # fmt: skip
    signed = contract(signed_on=date(2026, 3, 2))
    in_wuhan = by_name(sixplustwo.on_contract_signed(signed, here))["sms_congratulation"]
    in_changsha = by_name(sixplustwo.on_contract_signed(signed, elsewhere))["sms_congratulation"]
    assert in_changsha.due - in_wuhan.due == timedelta(hours=15, minutes=30)
