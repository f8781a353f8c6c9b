"""What leaves when a promise falls due: a message to the main contact, or a task with deadline and evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib import resources

import pytest
from tests.support.duties import do

import keguan_sixplustwo as sixplustwo
from keguan import (
    Action,
    Company,
    Context,
    Contract,
    Customer,
    Effect,
    Email,
    Home,
    Job,
    Person,
    Plan,
    Project,
    Skip,
    Sms,
    Task,
)
from keguan.outbox.sms import SINGLE, length
from keguan.outbox.templates import Templates
from keguan.texts import Language
from keguan_sixplustwo import Playbook

Companies = Callable[..., Context]
Contracts = Callable[..., Contract]
Homes = Callable[..., Home]
Jobs = Callable[..., Job]
Clock = Callable[[datetime], str]

PROJECT = Project(1, "云璟一期", "wuhan")
TEMPLATES = resources.files("keguan_sixplustwo") / "templates"
COMPANY = Company("云璟地产", "400-000-0000", "云璟地产")
MESSAGES = ("congratulation", "service_supervision", "deposit")


def action(name: str, context: Context) -> Action:
    [found] = [action for action in sixplustwo.register_actions(context.prepared) if action.name == name]
    return found


def plan(name: str, record: Contract | Home, context: Context) -> Plan:
    if isinstance(record, Home):
        plans = sixplustwo.on_handover(record, context)
    else:
        plans = sixplustwo.on_contract_signed(record, context)
    [found] = [plan for plan in plans if plan.action == name]
    return found


def effects(outcome: Iterable[Effect] | Skip) -> list[Effect]:
    assert not isinstance(outcome, Skip)
    return list(outcome)


def test_the_main_contact_gets_the_message(company: Companies, contract: Contracts, job: Jobs) -> None:
    context, signed = company(), contract(signed_on=date(2026, 3, 2))
    due = job(plan("sms_congratulation", signed, context), signed, context)
    [message] = effects(action("sms_congratulation", context).run(due))
    assert isinstance(message, Sms)
    assert message.to == signed.owners[0]
    assert message.template == "congratulation"
    assert message.values == {"project": "云璟一期", "home": "3-1-1201"}
    assert message.message_class == "service"


def test_a_contract_without_owners_is_skipped_with_its_reason(
    company: Companies, contract: Contracts, job: Jobs
) -> None:
    context, signed = company(), contract(signed_on=date(2026, 3, 2), owners=())
    outcome = action("sms_congratulation", context).run(
        job(plan("sms_congratulation", signed, context), signed, context)
    )
    assert outcome == Skip("没有登记业主")


def sold_to(contracts: Contracts, phone: str | None = None, email: str | None = None) -> Contract:
    return contracts(signed_on=date(2026, 3, 2), owners=(Person(1, "甲", phone, email),))


def test_who_has_no_phone_gets_the_message_by_email(company: Companies, contract: Contracts, job: Jobs) -> None:
    context, signed = company(), sold_to(contract, email="jia@example.com")
    due = job(plan("sms_congratulation", signed, context), signed, context)
    [message] = effects(action("sms_congratulation", context).run(due))
    assert isinstance(message, Email)


def test_whom_no_message_reaches_is_told_by_a_person(
    company: Companies, contract: Contracts, job: Jobs, clock: Clock
) -> None:
    context, signed = company(), sold_to(contract)
    due = job(plan("sms_congratulation", signed, context), signed, context)
    [task] = effects(action("sms_congratulation", context).run(due))
    assert isinstance(task, Task)
    assert task.title == "签约恭贺短信：云璟一期 3-1-1201（没有可用的手机或邮箱，请由人工告知）"
    assert (task.department, clock(task.due)) == ("营销", "2026-03-03 18:00")


def test_a_birthday_message_goes_to_the_person_and_not_without_a_home(company: Companies) -> None:
    context, born = company(), Person(7, "丙", "+8613800000007", birthday=date(1980, 5, 1))
    home = Home(1, PROJECT, "3", "1", "1201")
    [message] = effects(do("birthday_sms", Customer(born, PROJECT, (home,)), context, occurrence=2026))
    assert isinstance(message, Sms)
    assert message.to == born
    sold_again = do("birthday_sms", Customer(born, PROJECT, ()), context, occurrence=2026)
    assert sold_again == Skip("名下已没有有效的合同或房屋")


def test_one_message_lists_all_components_whose_warranty_ends_on_a_day(company: Companies, home: Homes) -> None:
    context, lived_in = company(), home(handed_over_on=date(2024, 4, 10), fitting="fitted")
    plans = [plan for plan in sixplustwo.on_handover(lived_in, context) if plan.action == "warranty_expiry_reminder"]
    [two_years] = [plan for plan in plans if plan.due.date() == date(2026, 3, 10)]
    [message] = effects(do("warranty_expiry_reminder", lived_in, context, plan=two_years))
    assert isinstance(message, Sms)
    assert message.values["home"] == "3-1-1201"
    assert [message.values[name] for name in ("year", "month", "day")] == [2026, 4, 10]
    assert message.values["components"] == "电气管线、给排水管道、设备安装、装修工程"


def test_a_variant_may_send_by_email_too(company: Companies, contract: Contracts, job: Jobs) -> None:
    def both(playbook: Playbook, city: str) -> Playbook:
        return playbook.change("sms_congratulation", channel=["sms", "email"])

    context, signed = company({"wuhan": both}), sold_to(contract, "+8613800000001", "jia@example.com")
    due = job(plan("sms_congratulation", signed, context), signed, context)
    assert [type(effect) for effect in effects(action("sms_congratulation", context).run(due))] == [Sms, Email]


def test_a_call_back_is_a_task_to_be_done_before_the_office_closes(
    company: Companies, contract: Contracts, job: Jobs, clock: Clock
) -> None:
    context, signed = company(edition="e2011"), contract(signed_on=date(2026, 3, 2))
    due = job(plan("signing_callback", signed, context), signed, context)
    [task] = effects(action("signing_callback", context).run(due))
    assert isinstance(task, Task)
    assert task.title == "销售回访：云璟一期 3-1-1201"
    assert task.department == "客关"
    assert clock(task.due) == "2026-03-05 18:00"
    assert task.evidence == ("每位客户对每个问题的回答记录表", "回访统计与分析")


def test_a_task_speaks_the_language_of_the_installation(company: Companies, home: Homes, job: Jobs) -> None:
    context = replace(company(), language="en")
    taken_over = home(handed_over_on=date(2026, 3, 2))
    [task] = effects(action("handover_callback", context).run(
        job(plan("handover_callback", taken_over, context), taken_over, context)
    ))  # fmt: skip
    assert isinstance(task, Task)
    assert task.title == "Handover call-back: 云璟一期 3-1-1201"


def test_a_task_that_comes_late_but_in_time_keeps_its_deadline(
    company: Companies, home: Homes, job: Jobs, clock: Clock
) -> None:
    context, taken_over = company(), home(handed_over_on=date(2026, 3, 2))
    promised = plan("handover_callback", taken_over, context)
    [task] = effects(action("handover_callback", context).run(
        job(promised, taken_over, context, now=promised.due + timedelta(days=10))
    ))  # fmt: skip
    assert isinstance(task, Task)
    assert clock(task.due) == "2026-03-09 18:00"  # overdue, and honest about it


def test_no_home_pack_for_a_home_that_was_handed_over_meanwhile(
    company: Companies, contract: Contracts, job: Jobs
) -> None:
    context = company()
    waiting = contract(signed_on=date(2025, 3, 3), planned_handover_on=date(2026, 5, 1))
    promised = plan("welcome_kit", waiting, context)
    assert isinstance(effects(action("welcome_kit", context).run(job(promised, waiting, context)))[0], Task)
    now_home = contract(
        signed_on=date(2025, 3, 3), planned_handover_on=date(2026, 5, 1), handed_over_on=date(2026, 4, 10)
    )
    assert action("welcome_kit", context).run(job(promised, now_home, context)) == Skip("已过办理时限")


def test_a_touchpoint_that_was_dropped_since_it_was_planned_is_skipped(
    company: Companies, contract: Contracts, job: Jobs
) -> None:
    before, signed = company(), contract(signed_on=date(2026, 3, 2))
    promised = plan("signing_callback", signed, before)
    after = company({"wuhan": lambda playbook, city: playbook.remove("signing_callback")})
    outcome = action("signing_callback", after).run(job(promised, signed, after))
    assert outcome == Skip("行动手册中已没有这个触点")


def test_a_city_may_want_a_person_to_make_up_for_a_late_message(
    company: Companies, contract: Contracts, job: Jobs, clock: Clock
) -> None:
    def make_up(playbook: Playbook, city: str) -> Playbook:
        return playbook.change("sms_service_supervision", late="task")

    context, signed = company({"wuhan": make_up}), contract(signed_on=date(2026, 1, 5))
    late = action("sms_service_supervision", context).when_late
    assert late is not None
    saturday = datetime(2026, 3, 7, 2, tzinfo=UTC)
    promised = plan("sms_service_supervision", signed, context)
    [task] = effects(late(job(promised, signed, context, now=saturday)))
    assert isinstance(task, Task)
    assert task.department == "客关"
    assert clock(task.due) == "2026-03-09 18:00"  # the Monday after


def test_elsewhere_the_same_late_message_is_missed(company: Companies, contract: Contracts, job: Jobs) -> None:
    def make_up(playbook: Playbook, city: str) -> Playbook:
        return playbook.change("sms_service_supervision", late="task")

    here, signed = company({"wuhan": make_up}), contract(signed_on=date(2026, 1, 5))
    elsewhere = replace(here, city=replace(here.city, key="changsha"))
    late = action("sms_service_supervision", here).when_late
    assert late is not None
    promised = plan("sms_service_supervision", signed, here)
    assert late(job(promised, signed, elsewhere)) == Skip("已过办理时限")


@pytest.fixture
def rendered() -> Callable[[Language, str], str]:
    """Return a message as it leaves, with an ordinary signature and project."""

    def render(language: Language, name: str) -> str:
        templates = Templates(
            {"sixplustwo": TEMPLATES}, None, language, Company("云璟地产", "400-000-0000", "云璟地产")
        )
        return templates.render_sms("sixplustwo", name, {"project": "云璟花园一期", "home": "3-1-1201"}).text

    return render


@pytest.mark.parametrize("name", MESSAGES)
def test_a_chinese_message_fits_one_sms_with_an_ordinary_signature(
    name: str, rendered: Callable[[Language, str], str]
) -> None:
    assert length(rendered("zh", name)) <= SINGLE


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("congratulation", ["恭喜", "手续", "办理"]),
        ("service_supervision", ["投诉", "监督", "400-000-0000", "客户大使"]),
        ("deposit", ["感谢您选择", "持续", "优质服务", "400-000-0000", "交流", "建议"]),
    ],
)
def test_a_message_says_what_the_standard_wants(
    name: str, facts: list[str], rendered: Callable[[Language, str], str]
) -> None:
    assert [fact for fact in facts if fact not in rendered("zh", name)] == []


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_message_is_one_that_operators_accept(name: str, language: str) -> None:
    source = (TEMPLATES / language / f"{name}.sms.j2").read_text(encoding="utf-8").strip()
    assert "{%" not in source  # one constant text, as it was filed
    assert not re.search(r"\}\}\s*\{\{", source)  # values do not touch
    assert not re.search(r"https?:|www\.|[a-z]\.(com|cn)|【|】|拒收|回复R|\n", source)


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_message_also_exists_as_an_email(name: str, language: Language) -> None:
    templates = Templates({"sixplustwo": TEMPLATES}, None, language, COMPANY)
    mail = templates.render_email("sixplustwo", name, {"project": "云璟花园一期", "home": "3-1-1201"})
    assert "云璟花园一期" in mail.subject
    assert "400-000-0000" in mail.text
