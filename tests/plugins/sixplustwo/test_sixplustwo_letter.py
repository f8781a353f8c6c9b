"""The progress letter: written and approved once, sent once to everybody who has bought and waits for the home."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from tests.support.duties import action, do, only_task

from keguan import Context, Contract, Email, Filled, Home, Person, Plan, Project, Skip, Sms, Task

Companies = Callable[..., Context]

PROJECT = Project(1, "云璟一期", "wuhan", launch_on=date(2026, 1, 10))
LI = Person(1, "李", "+8613800000001")
WANG = Person(2, "王", "+8613800000002", "wang@example.com")
ZHAO = Person(3, "赵")
LETTER = {"title": "三月进展", "sms_text": "主体已封顶", "email_text": "主体结构已经封顶。", "approved": True}


def sold(number: int, *owners: Person, status: str = "signed", handed_over_on: date | None = None) -> Contract:
    home = Home(number, PROJECT, "3", "1", f"{number:04}", handed_over_on=handed_over_on)
    return Contract(number, f"HT-{number:03}", PROJECT, home, status, signed_on=date(2026, 1, 20), owners=owners)


def send(context: Context, *contracts: Contract, **letter: object) -> list[Sms | Email | Task]:
    filled = {"progress_letter": Filled(LETTER | letter)}
    outcome = do("progress_letter_sending", PROJECT, context, filled=filled, contracts=contracts)
    assert not isinstance(outcome, Skip)
    return outcome


def test_somebody_writes_the_letter_and_has_it_approved(
    company: Companies, promised: Callable[..., dict[int, Plan]]
) -> None:
    context = company()
    plan = promised("progress_letter", PROJECT, context)[1]
    task = only_task(do("progress_letter", PROJECT, context, plan=plan, contracts=[sold(1, LI)]))
    assert (task.title, task.form) == ("楼盘建设进展通报（家书）：云璟一期", "progress_letter")


def test_no_letter_is_written_when_nobody_waits(company: Companies, promised: Callable[..., dict[int, Plan]]) -> None:
    context = company()
    plan = promised("progress_letter", PROJECT, context)[1]
    lives_there = sold(1, LI, handed_over_on=date(2026, 2, 1))
    assert do("progress_letter", PROJECT, context, plan=plan, contracts=[lives_there]) == []


def test_the_letter_goes_by_text_message_and_by_email_where_an_address_is_known(company: Companies) -> None:
    effects = send(company(), sold(1, LI), sold(2, WANG))
    assert [(type(effect), effect.to) for effect in effects if not isinstance(effect, Task)] == [
        (Sms, LI),
        (Sms, WANG),
        (Email, WANG),
    ]
    first, _, mail = effects
    assert isinstance(first, Sms)
    assert isinstance(mail, Email)
    assert first.template == "progress"
    assert first.values == {"project": "云璟一期", "title": "三月进展", "text": "主体已封顶"}
    assert mail.values["text"] == "主体结构已经封顶。"


def test_somebody_with_two_contracts_gets_one_letter(company: Companies) -> None:
    effects = send(company(), sold(1, LI), sold(2, LI, WANG), sold(3, WANG), email_text=None)
    assert [effect.to for effect in effects if isinstance(effect, Sms)] == [LI, WANG]


def test_who_took_over_cancelled_or_only_reserved_gets_none(company: Companies) -> None:
    moved_in = sold(1, LI, handed_over_on=date(2026, 2, 1))
    assert send(company(), moved_in, sold(2, WANG, status="cancelled"), sold(3, ZHAO, status="reserved")) == []


def test_who_waits_for_a_second_home_gets_it(company: Companies) -> None:
    effects = send(company(), sold(1, LI, handed_over_on=date(2026, 2, 1)), sold(2, LI))
    assert len(effects) == 1


def test_who_has_no_address_is_left_to_a_person_by_number_and_not_by_name(company: Companies) -> None:
    *_, task = send(company(), sold(1, LI), sold(2, ZHAO), sold(3, replace(ZHAO, id=4)))
    assert isinstance(task, Task)
    assert task.title == "楼盘建设进展通报（家书）：云璟一期（2位业主没有可用的手机或邮箱，请邮寄或上门送达）"
    assert task.department == "客关"


@pytest.mark.parametrize("filled", [{}, {"progress_letter": Filled({**LETTER, "approved": False})}])
def test_nothing_leaves_that_was_not_approved(company: Companies, filled: dict[str, Filled]) -> None:
    outcome = do("progress_letter_sending", PROJECT, company(), filled=filled, contracts=[sold(1, LI)])
    assert outcome == Skip("内容未获批准，没有发送")


def test_a_letter_that_was_only_printed_sends_nothing_and_asks_to_bring_it(company: Companies) -> None:
    [task] = send(company(), sold(1, LI), sms_text=None, email_text=None)
    assert isinstance(task, Task)


def test_the_sending_comes_after_the_letter_and_gets_the_contracts(company: Companies) -> None:
    sending = action("progress_letter_sending", company())
    assert (sending.after, sending.needs, sending.kind) == ("progress_letter", "contracts", "message")
    assert sending.label == {"zh": "楼盘建设进展通报（家书）：发送", "en": "Progress letter: sending"}
