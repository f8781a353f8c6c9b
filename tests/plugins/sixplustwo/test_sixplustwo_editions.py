"""Editions: what began under one keeps it, and what was moved over to another one is neither lost nor done twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import keguan_sixplustwo as sixplustwo
from keguan import Context, Contract, Home, Job, Plan, Project
from keguan.errors import PluginError
from keguan.model import Pin, Pins, Tenure
from keguan_sixplustwo import Playbook
from keguan_sixplustwo.planning.editions import moved_over

Company = Callable[..., Context]
Plans = Callable[..., dict[int, Plan]]
Days = Callable[[Mapping[int, Plan]], dict[int, str]]

GUIDE_SINCE_2025 = Pins(
    (Pin("", date(2024, 1, 1), "e2011", moved=False), Pin("", date(2025, 1, 1), "guide", moved=False))
)
MOVED = Pins((*GUIDE_SINCE_2025.log[:1], Pin("", date(2026, 3, 10), "guide", moved=True)))


def by_edition(playbook: Playbook, _city: str) -> Playbook:
    """In the guide the call comes after a week, in the edition of 2011 after a month; each has one thing of its own."""
    about: dict[str, object] = {"step": "2", "kind": "task", "owner": "客关", "trigger": "contract_signed"}
    guide = playbook.edition == "guide"
    own = "of_the_guide" if guide else "of_2011"
    name = {"zh": "电话", "en": "call"}
    changed = playbook.add("call", name=name, due=f"contract_signed + {'1 week' if guide else '1 month'}", **about)  # type: ignore[arg-type]
    return changed.add(own, name=name, due="contract_signed + 10 days", **about)  # type: ignore[arg-type]


OURS = ("call", "of_the_guide", "of_2011")


def signed_plans(contract: Contract, context: Context) -> dict[str, date]:
    plans = sixplustwo.on_contract_signed(contract, context)
    return {plan.action: context.calendar.date_of(plan.due) for plan in plans if plan.action in OURS}


def test_what_is_pinned_is_the_edition_of_each_project(company: Company) -> None:
    context = company(project_editions={"云璟二期": "e2011"})
    assert sixplustwo.register_pins(context.settings) == {"": "guide", "云璟二期": "e2011"}


def test_a_contract_keeps_the_edition_it_was_signed_under(company: Company, contract: Callable[..., Contract]) -> None:
    context = company({"wuhan": by_edition}, pins=GUIDE_SINCE_2025)
    assert signed_plans(contract(signed_on=date(2024, 12, 31)), context).keys() == {"call", "of_2011"}
    assert signed_plans(contract(signed_on=date(2025, 1, 1)), context).keys() == {"call", "of_the_guide"}


def test_an_edition_that_is_not_configured_any_more_has_the_citys_variant_too(
    company: Company, contract: Callable[..., Contract]
) -> None:
    def renamed(playbook: Playbook, _city: str) -> Playbook:
        return playbook.change("signing_callback", due="contract_signed + 1 day").change(
            "housewarming_visit", due="move_in + 1 day"  # which the edition of 2011 does not have: passed over
        )  # fmt: skip

    context = company({"wuhan": renamed}, pins=GUIDE_SINCE_2025)
    plans = sixplustwo.on_contract_signed(contract(signed_on=date(2024, 12, 30)), context)
    assert [context.calendar.date_of(plan.due) for plan in plans if plan.action == "signing_callback"] == [
        date(2024, 12, 31)
    ]
    with pytest.raises(PluginError, match="housewarming_visit"):
        company({"wuhan": renamed}, edition="e2011")  # here it counts


def test_a_home_goes_by_its_contract_and_a_project_by_what_is_configured(
    company: Company, home: Callable[..., Home]
) -> None:
    context = company(pins=GUIDE_SINCE_2025)
    prepared = context.prepared
    assert isinstance(prepared, sixplustwo.Prepared)
    old = home(handed_over_on=date(2026, 3, 2), signed_on=date(2024, 6, 1))
    assert prepared.tenures(old, context) == (Tenure("e2011", None),)
    one_after_the_other = (Tenure("e2011", None), Tenure("guide", date(2025, 1, 1)))
    assert prepared.tenures(home(handed_over_on=date(2026, 3, 2)), context) == one_after_the_other
    assert prepared.tenures(Project(1, "云璟一期", "wuhan"), context) == one_after_the_other


def test_a_project_is_promised_nothing_of_an_edition_for_the_time_before_it(company: Company) -> None:
    context = company(pins=GUIDE_SINCE_2025)
    launched = Project(1, "云璟一期", "wuhan", first_show_on=date(2024, 5, 6), launch_on=date(2024, 6, 3))
    due: dict[str, list[date]] = {}
    prepared = context.prepared
    assert isinstance(prepared, sixplustwo.Prepared)
    for plan in prepared.plans("project_milestone", launched, context):
        due.setdefault(plan.action, []).append(context.calendar.date_of(plan.due))
    day = date(2025, 1, 1)
    assert max(due["progress_input_2011"]) < day <= min(due["mystery_customer_check"])
    assert "sunshine_declaration" not in due  # of the guide, due before it was in force
    before = [each for each in due["progress_letter"] if each < day]
    assert len(before) == 6  # one a month by the edition of 2011; by the guide it had been three
    assert len({*due["progress_letter"]}) == len(due["progress_letter"])


def test_without_a_log_the_configured_edition_holds(company: Company, home: Callable[..., Home]) -> None:
    context = company(edition="e2011")
    assert isinstance(context.prepared, sixplustwo.Prepared)
    assert context.prepared.tenures(home(), context) == (Tenure("e2011", None),)


def test_moving_over_leaves_what_was_due_before_and_brings_what_comes_after(
    company: Company, contract: Callable[..., Contract]
) -> None:
    context = company({"wuhan": by_edition}, pins=MOVED)
    # signed on 3 March: the call of 2011 is due on 3 April, that of the guide on 10 March, the day of the move
    assert signed_plans(contract(signed_on=date(2026, 3, 3)), context) == {
        "call": date(2026, 3, 10), "of_the_guide": date(2026, 3, 13),
    }  # fmt: skip
    # signed on 9 February: the call is made, nothing of the other two is left for after the move
    assert signed_plans(contract(signed_on=date(2026, 2, 9)), context) == {
        "call": date(2026, 3, 9), "of_2011": date(2026, 2, 24),
    }  # fmt: skip


def test_what_the_new_edition_would_have_had_done_by_then_stays_due_as_it_was(
    company: Company, contract: Callable[..., Contract]
) -> None:
    context = company({"wuhan": by_edition}, pins=MOVED)
    # signed on 20 February: the guide's call was due on 27 February, that of 2011 comes on 20 March
    assert signed_plans(contract(signed_on=date(2026, 2, 20)), context)["call"] == date(2026, 3, 20)


def test_after_the_move_things_are_done_by_the_new_edition(
    company: Company, contract: Callable[..., Contract], job: Callable[..., Job]
) -> None:
    context = company({"wuhan": by_edition}, pins=MOVED)
    signed = contract(signed_on=date(2026, 3, 3))
    prepared = context.prepared
    assert isinstance(prepared, sixplustwo.Prepared)
    plan = Plan("of_2011", datetime(2026, 3, 9, tzinfo=UTC))
    assert prepared.entry("of_2011", job(plan, signed, context)) is not None
    later = replace(plan, due=datetime(2026, 3, 9, 16, tzinfo=UTC))  # midnight in Wuhan: the 10th begins
    assert prepared.entry("of_2011", job(later, signed, context)) is None
    assert prepared.entry("of_the_guide", job(later, signed, context)) is not None


def test_asking_again_after_a_move_changes_nothing(company: Company, contract: Callable[..., Contract]) -> None:
    signed = contract(signed_on=date(2026, 2, 27), deposit_on=date(2026, 2, 20))
    context = company({"wuhan": by_edition}, pins=MOVED)
    first = sixplustwo.on_contract_signed(signed, context)
    assert sixplustwo.on_contract_signed(signed, context) == first
    assert sixplustwo.on_contract_signed(signed, company({"wuhan": by_edition}, pins=MOVED)) == first


def test_nothing_is_wanted_by_two_kinds_of_event(company: Company, contract: Callable[..., Contract]) -> None:
    def thanks(playbook: Playbook, _city: str) -> Playbook:
        trigger = "contract_signed" if playbook.edition == "guide" else "deposit"
        return playbook.add(
            "thanks", step="2", kind="task", owner="客关", name={"zh": "谢", "en": "thanks"},
            trigger=trigger, due=f"{trigger} + 5 days",
        )  # fmt: skip

    context = company({"wuhan": thanks}, pins=MOVED)
    signed = contract(signed_on=date(2026, 3, 6), deposit_on=date(2026, 3, 2))
    prepared = context.prepared
    assert isinstance(prepared, sixplustwo.Prepared)
    kinds = {kind: prepared.plans(kind, signed, context) for kind in ("deposit", "contract_signed")}
    named = [(kind, plan.due) for kind, plans in kinds.items() for plan in plans if plan.action == "thanks"]
    assert [kind for kind, _ in named] == ["deposit"]  # due on 9 March, before the move


START = datetime(2026, 1, 1, tzinfo=UTC)


def wanted(found: Mapping[tuple[str, int], int]) -> list[tuple[str, Plan]]:
    return [
        ("deposit", Plan(action, START + timedelta(days=day), occurrence=number))
        for (action, number), day in found.items()
    ]


plan_lists = st.dictionaries(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), st.integers(0, 60), max_size=6).map(
    wanted
)


@given(old=plan_lists, new=plan_lists, day=st.integers(0, 60))
def test_moving_over_promises_nothing_twice_and_loses_nothing_that_both_promise(
    old: list[tuple[str, Plan]], new: list[tuple[str, Plan]], day: int
) -> None:
    since = (START + timedelta(days=day)).date()
    tenures = (Tenure("old", None), Tenure("new", since))
    editions = {"old": old, "new": new}
    found = moved_over(tenures, editions.__getitem__, lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC))
    keys = [(plan.action, plan.occurrence) for _, plan in found]
    assert len(keys) == len(set(keys))
    in_both = {(p.action, p.occurrence) for _, p in old} & {(p.action, p.occurrence) for _, p in new}
    assert in_both <= set(keys)
    assert all(plan in [p for _, p in old] for _, plan in found if plan.due.date() < since)
    assert found == moved_over(tenures, editions.__getitem__, lambda d: datetime(d.year, d.month, d.day, tzinfo=UTC))
