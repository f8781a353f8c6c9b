"""Gates: a site opens only after its assessment was passed; else it is postponed or cancelled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from tests.support.duties import do, only_task, tasks

from keguan import Context, Filled, Plan, Project, Skip

Companies = Callable[..., Context]
Plans = Callable[..., dict[int, Plan]]
Clock = Callable[[datetime], str]

SITE = Project(1, "云璟一期", "wuhan", planned_handover_on=date(2026, 9, 30), fitting="bare")


def assessed(plan: Plan, *, passed: bool, days: int = -1) -> dict[str, Filled]:
    """The assessment, filled in so many days after the opening's task should come up."""
    assert plan.opens is not None
    return {"site_opening_assessment": Filled({"passed": passed}, at=plan.opens + timedelta(days=days))}


@pytest.fixture
def opening(company: Companies, promised: Plans) -> tuple[Context, Plan]:
    context = company()
    return context, promised("site_opening", SITE, context)[1]


def test_the_site_opens_once_the_assessment_was_passed(opening: tuple[Context, Plan]) -> None:
    context, plan = opening
    task = only_task(do("site_opening", SITE, context, plan=plan, filled=assessed(plan, passed=True)))
    assert (task.title, task.form) == ("工地开放：云璟一期", "site_opening")


def test_the_assessment_is_due_before_the_opening_is_prepared(company: Companies, promised: Plans) -> None:
    context = company()
    for number, plan in promised("site_opening_assessment", SITE, context).items():
        opens = promised("site_opening", SITE, context)[number].opens
        assert opens is not None
        assert plan.due < opens


def test_without_an_assessment_it_is_blocked_with_the_consequence(opening: tuple[Context, Plan]) -> None:
    context, plan = opening
    assert do("site_opening", SITE, context, plan=plan) == Skip(
        "工地开放前评估尚未通过，不能开始。不合格的，客关有权延缓或取消工地开放。"
    )


def test_a_failed_assessment_blocks_it(opening: tuple[Context, Plan]) -> None:
    context, plan = opening
    outcome = do("site_opening", SITE, context, plan=plan, filled=assessed(plan, passed=False))
    assert isinstance(outcome, Skip)
    assert outcome.reason.startswith("工地开放前评估未通过")


def test_an_assessment_that_is_passed_later_lets_it_through(opening: tuple[Context, Plan], clock: Clock) -> None:
    context, plan = opening
    filled = assessed(plan, passed=True, days=4)
    assert isinstance(do("site_opening", SITE, context, plan=plan, filled=filled), Skip)
    at = filled["site_opening_assessment"].at
    task = only_task(do("site_opening_let_through", SITE, context, now=at, filled=filled))
    assert task.form == "site_opening"
    assert clock(task.due)[:10] == clock(plan.due)[:10]


@pytest.mark.parametrize(("passed", "days"), [(True, -1), (False, 4), (False, -1)])
def test_otherwise_nothing_is_let_through(opening: tuple[Context, Plan], passed: bool, days: int) -> None:
    context, plan = opening
    filled = assessed(plan, passed=passed, days=days)
    assert do("site_opening_let_through", SITE, context, filled=filled) == []


def test_each_task_of_the_opening_comes_once_whenever_the_assessment_was_passed(opening: tuple[Context, Plan]) -> None:
    context, plan = opening
    for days in range(-3, 4):
        filled = assessed(plan, passed=True, days=days)
        own = do("site_opening", SITE, context, plan=plan, filled=filled)
        later = do("site_opening_let_through", SITE, context, filled=filled)
        assert len([] if isinstance(own, Skip) else own) + len(tasks(later)) == 1


def test_after_a_failed_assessment_customer_relations_decide(opening: tuple[Context, Plan], clock: Clock) -> None:
    context, plan = opening
    filled = assessed(plan, passed=False)
    friday = datetime.fromisoformat("2026-07-31T15:00+08:00")
    task = only_task(do("site_opening_assessment_decision", SITE, context, now=friday, filled=filled))
    assert task.title == (
        "工地开放前评估未通过，云璟一期的工地开放延期还是取消？不合格的，客关有权延缓或取消工地开放。"
    )
    assert (task.department, task.form) == ("客关", "gate_decision")
    assert clock(task.due) == "2026-08-04 18:00"


def test_a_passed_assessment_leaves_nothing_to_decide(opening: tuple[Context, Plan]) -> None:
    context, plan = opening
    filled = assessed(plan, passed=True)
    assert do("site_opening_assessment_decision", SITE, context, filled=filled) == []


def decided(**answers: object) -> dict[str, Filled]:
    return {"site_opening_assessment_decision": Filled(answers)}


def test_a_postponed_opening_happens_on_its_new_day(opening: tuple[Context, Plan], clock: Clock) -> None:
    filled = decided(decision="postpone", new_date="2026-09-12", passed=True)  # a Saturday
    task = only_task(do("site_opening_postponed", SITE, opening[0], filled=filled))
    assert (task.form, clock(task.due)) == ("site_opening", "2026-09-14 18:00")


def test_a_postponed_opening_that_fails_again_stays_blocked(opening: tuple[Context, Plan]) -> None:
    filled = decided(decision="postpone", new_date="2026-09-12", passed=False)
    assert isinstance(do("site_opening_postponed", SITE, opening[0], filled=filled), Skip)


def test_a_cancelled_opening_does_not_happen(opening: tuple[Context, Plan]) -> None:
    assert do("site_opening_postponed", SITE, opening[0], filled=decided(decision="cancel")) == []


def test_what_was_cancelled_is_filed_and_costs_the_award_of_the_year(company: Companies, promised: Plans) -> None:
    context = company()
    [plan] = promised("site_opening_cancel_filing", SITE, context, type="site_opening_cancelled").values()
    task = only_task(do("site_opening_cancel_filing", SITE, context, plan=plan))
    assert task.form == "cancel_filing"
    entry = context.prepared.playbook("wuhan").touchpoints["site_opening_cancel_filing"]  # type: ignore[attr-defined]
    assert entry.consequence is not None
    assert entry.consequence.zh == "该项目失去参评当年集团优秀项目的资格。"


def test_a_city_without_the_gate_opens_without_it(company: Companies, promised: Plans) -> None:
    context = company({"wuhan": lambda playbook, _: playbook.remove("site_opening_assessment")})
    plan = promised("site_opening", SITE, context)[1]
    assert only_task(do("site_opening", SITE, context, plan=plan)).form == "site_opening"
