"""Records that later promises need: nothing to do when they are complete, a task that names the gaps when not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from tests.support.duties import do, only_task

from keguan import Context, Contract, Home, Person, Skip
from keguan_sixplustwo.doing.entries import gaps_of

Companies = Callable[..., Context]
Contracts = Callable[..., Contract]
Homes = Callable[..., Home]

NAMELESS = Person(3, None, None)


def test_a_complete_contract_needs_no_entry(company: Companies, contract: Contracts) -> None:
    signed = contract(signed_on=date(2026, 3, 2), planned_handover_on=date(2027, 6, 30))
    assert do("sales_data_entry", signed, company()) == Skip("登记信息完整", kept=True)


def test_the_task_names_what_is_missing_of_a_contract(company: Companies, contract: Contracts) -> None:
    signed = contract(signed_on=date(2026, 3, 2), owners=(NAMELESS,))
    task = only_task(do("sales_data_entry", signed, company()))
    assert task.title.endswith("：云璟一期 3-1-1201（请补全：客户姓名、手机号、约定交付日期）")
    assert task.department == "营销"


def test_a_contract_without_anybody_lacks_the_customer_alone(company: Companies, contract: Contracts) -> None:
    signed = contract(signed_on=date(2026, 3, 2), planned_handover_on=date(2027, 6, 30), owners=(), home=None)
    assert only_task(do("sales_data_entry", signed, company())).title.endswith("HT-001（请补全：客户、房屋）")


def test_the_planned_handover_does_not_matter_once_the_home_was_handed_over(contract: Contracts) -> None:
    assert gaps_of(contract(signed_on=date(2025, 3, 3), handed_over_on=date(2026, 3, 2))) == ()


def test_the_day_of_moving_in_is_not_asked_for_at_the_handover(company: Companies, home: Homes) -> None:
    taken_over = home(handed_over_on=date(2026, 3, 2), contract_no="HT-001")
    assert do("handover_data_entry", taken_over, company()) == Skip("登记信息完整", kept=True)


def test_a_home_without_a_contract_is_completed(company: Companies, home: Homes) -> None:
    taken_over = home(handed_over_on=date(2026, 3, 2))
    assert only_task(do("handover_data_entry", taken_over, company())).title.endswith("（请补全：合同）")
