"""What China's SMS providers refuse in templates."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan.model.effects import MessageClass
from keguan.outbox.provider_form import ProviderForm, Slot
from keguan.outbox.provider_questions import QUESTIONS
from keguan.outbox.provider_rules import Draft, lint, lint_values, load_providers, provider_of_type
from keguan.settings.extensible import AdapterTable
from keguan.texts import LANGUAGES, text


def draft(source: str, *, message_class: MessageClass = "service", signature: str = "云璟物业") -> Draft:
    """Write a template down with its variables as ``{name}``."""
    parts: list[str | Slot] = []
    for position, piece in enumerate(part for chunk in source.split("{") for part in chunk.split("}")):
        if piece:
            parts.append(Slot(piece) if position % 2 else piece)
    return Draft(ProviderForm(tuple(parts)), signature, message_class)


def errors(source: str, provider: str = "general", **more: MessageClass) -> set[str]:
    return {each.rule for each in lint(draft(source, **more), provider) if each.level == "error"}


GOOD = "尊敬的{name}业主，您的{project}将于{day}交付，详询400-000-0000。"


@pytest.mark.parametrize("provider", sorted(load_providers()))
def test_an_ordinary_service_message_is_refused_by_nobody(provider: str) -> None:
    assert errors(GOOD, provider) == set()


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("【通知】您好{name}", "brackets"),
        ("{first}{second}您好", "adjacent_variables"),
        ("您好{first} {second}", "adjacent_variables"),
        ("{first}，{second}。", "only_variables"),
        ("详见https://care.example.com/s/{code}", "link_in_variable"),
        ("详见https://{host}/s", "link_in_variable"),
        ("详见www.{site}.cn", "link_in_variable"),
        ("详见care.example.com/{code}", "link_in_variable"),
        ("请点击 {link} 查看", "link_in_variable"),
        ("请点击 {survey_url2} 查看", "link_in_variable"),
        ("详见 https://t.cn/AbCd", "short_link"),
        ("详见bit.ly/AbCd", "short_link"),
        ("請於後天收樓，{name}", "traditional"),
        ("★您好，{name}", "symbols"),
        ("①收房②验房，{name}", "symbols"),
        ("面积{area}m²，您好", "symbols"),
        ("面积{area}㎡，您好", "symbols"),
        ("应付¥{sum}，您好", "symbols"),
        ("您好😀{name}", "symbols"),
        ("您好，拒收请回复R", "opt_out_misplaced"),
        ("您好" * 250, "length"),
    ],
)
def test_what_every_provider_refuses(source: str, rule: str) -> None:
    for provider in load_providers():
        assert rule in errors(source, provider), provider


@pytest.mark.parametrize(
    "source",
    [
        "请到https://care.example.com/s输入编码{code}，谢谢",
        "请到 https://care.example.com/s 输入 {code} 谢谢",
        "请到www.example.com，输入{code}即可",
        "云璟珺府、玥城的{name}，著名的乾坤湾欢迎您：8:30-18:00（周一至周五），100%“放心”～￥5",
        "您好{name}，Your home No. 12 & garage + parking are ready!",
    ],
)
def test_what_nobody_minds(source: str) -> None:
    assert errors(source) == set()


@pytest.mark.parametrize(
    ("source", "provider", "rule"),
    [
        ("邀您填写满意度问卷，{name}", "aliyun", "forbidden_content"),
        ("邀您填写满意度问卷，{name}", "tencent", "forbidden_content"),
        ("邀您填写满意度问卷，{name}", "huawei", "forbidden_content"),
        ("您的装修申请{no}已通过", "aliyun", "forbidden_content"),
        ("您的贷款手续{no}", "huawei", "forbidden_content"),
        ("请联系管家13800138000，{name}", "aliyun", "private_contact"),
        ("请联系管家 138-0013-8000，{name}", "aliyun", "private_contact"),
        ("请加微信号：guanjia_88，{name}", "aliyun", "private_contact"),
        ("请加微信{wechat}联系我们", "aliyun", "private_contact"),
        ("电话0755-12345678、400-000-0000、95555，{name}", "aliyun", "contacts"),
        ("。".join(f"第{{v{number}}}项" for number in range(21)), "huawei", "variable_count"),
    ],
)
def test_what_one_provider_refuses(source: str, provider: str, rule: str) -> None:
    assert rule in errors(source, provider)
    assert rule not in errors(source)


def test_promotion_ends_with_the_way_out_and_has_no_variables_at_huawei() -> None:
    assert "opt_out_missing" in errors("会员活动，欢迎参加", message_class="promotion")
    assert errors("会员活动，欢迎参加，拒收请回复R", message_class="promotion") == set()
    assert errors("{name}会员活动，拒收请回复R", "huawei", message_class="promotion") == {"promotion_variables"}


@pytest.mark.parametrize(("signature", "fits"), [("云", False), ("云璟", True), ("云" * 16, True), ("云" * 17, False)])
def test_the_length_of_the_signature(signature: str, *, fits: bool) -> None:
    rules = {each.rule for each in lint(draft(GOOD, signature=signature), "huawei")}
    assert ("signature" not in rules) is fits


@pytest.mark.parametrize("provider", ["tencent", "huawei", "baidu"])
def test_who_sends_codes_only_for_real_estate_says_so_as_a_warning(provider: str) -> None:
    (warning,) = lint(draft(GOOD), provider)
    assert (warning.rule, warning.level) == ("estate_codes_only", "warning")
    assert lint(draft("您的验证码是{code}，请勿告诉他人。", message_class="code"), provider) == []


def test_aliyun_warns_of_promotion_only() -> None:
    assert lint(draft(GOOD), "aliyun") == []
    assert [each.rule for each in lint(draft("会员活动，拒收请回复R", message_class="promotion"), "aliyun")] == [
        "estate_promotion"
    ]


def test_values_are_measured_where_a_provider_limits_them() -> None:
    values = [("name", "张三"), ("project", "云" * 21), ("day", "")]
    assert [each.values["name"] for each in lint_values(values, "huawei")] == ["project", "day"]
    assert [each.values["name"] for each in lint_values(values, "aliyun")] == ["day"]
    assert [each.rule for each in lint_values([("x", "见https://a.example.com")], "tencent")] == ["link_in_variable"]


def test_every_rule_can_be_asked_and_said_in_both_languages_and_has_its_source() -> None:
    rules = [rule for provider in load_providers().values() for rule in provider.rules]
    assert {rule.rule for rule in rules} == {*QUESTIONS, "value_length"}
    for refusal in [*lint(draft("【★請{a}{b}"), "huawei"), *lint_values([("a", "")], "aliyun")]:
        assert refusal.source.startswith("https://")
        for language in LANGUAGES:
            assert text(language, refusal.key, **refusal.values)


def test_the_configuration_knows_the_providers_that_the_rules_know() -> None:
    annotation = AdapterTable.model_fields["provider"].annotation
    known = {name for option in get_args(annotation) for name in get_args(option)}
    assert known == set(load_providers())
    assert provider_of_type("aliyun") == "aliyun"
    assert provider_of_type("smtp") is None


@given(st.lists(st.one_of(st.text(max_size=20), st.builds(Slot, st.sampled_from("abc"))), max_size=8))
def test_whatever_stands_in_a_template_is_judged(parts: list[str | Slot]) -> None:
    for provider in load_providers():
        for refusal in lint(Draft(ProviderForm(tuple(part for part in parts if part)), "云璟"), provider):
            assert text("zh", refusal.key, **refusal.values)
