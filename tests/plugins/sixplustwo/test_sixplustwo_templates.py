"""The messages of the plugin: both languages, one text message each, and what providers would say."""

from __future__ import annotations

from importlib import resources

import pytest

from keguan import Company
from keguan.outbox.provider_form import NotPlain
from keguan.outbox.provider_rules import Draft, lint, load_providers
from keguan.outbox.templates import Templates
from keguan.texts import LANGUAGES, Language
from keguan_sixplustwo.library import playbooks, templates
from keguan_sixplustwo.touchpoint import Kind

COMPANY = Company("云璟地产", "400-000-0000", "云璟地产")
SOURCES = {"sixplustwo": resources.files("keguan_sixplustwo") / "templates"}
WRITTEN = {language: Templates(SOURCES, None, language, COMPANY) for language in LANGUAGES}
VALUES = {
    "project": "云璟一期",
    "home": "3栋1单元1201",
    "components": "电气管线、设备安装",
    "year": 2028,
    "month": 2,
    "day": 29,
    "title": "主体结构封顶",
    "text": "3栋主体结构已封顶，外墙施工开始",
}
ONE_MESSAGE = 70
NAMES = ["birthday", "congratulation", "deposit", "progress", "service_supervision", "warranty_expiry"]


def rendered(name: str, channel: str, language: Language) -> str:
    """Return a message as it leaves; of a mail the subject and the text."""
    if channel == "sms":
        return WRITTEN[language].render_sms("sixplustwo", name, VALUES).text
    mail = WRITTEN[language].render_email("sixplustwo", name, VALUES)
    return f"{mail.subject}\n{mail.text}"


def test_every_message_has_its_template_by_text_and_by_mail() -> None:
    wanted = {entry.template for book in playbooks().values() for entry in book.touchpoints.values() if entry.template}
    assert wanted == set(NAMES)
    assert templates("sms") == templates("email") == wanted


def test_messages_and_letters_alone_have_templates() -> None:
    for book in playbooks().values():
        for entry in book.touchpoints.values():
            assert (entry.template is not None) == (entry.kind in (Kind.MESSAGE, Kind.LETTER)), entry.id


@pytest.mark.parametrize("name", NAMES)
def test_a_chinese_text_message_is_one_with_its_signature(name: str) -> None:
    assert len(rendered(name, "sms", "zh")) <= ONE_MESSAGE


@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_a_message_needs_nothing_but_what_its_touchpoint_gives(name: str, language: Language, channel: str) -> None:
    assert "{" not in rendered(name, channel, language)


@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_warranty_says_which_home_which_parts_which_day_and_whom_to_call(language: Language, channel: str) -> None:
    text = rendered("warranty_expiry", channel, language)
    for value in (VALUES["project"], VALUES["home"], VALUES["components"], "2028", COMPANY.hotline):
        assert str(value) in text


@pytest.mark.parametrize("provider", sorted(load_providers()))
@pytest.mark.parametrize("name", NAMES)
def test_no_provider_refuses_the_wording(name: str, provider: str) -> None:
    form = WRITTEN["zh"].provider_form("sixplustwo", name)
    assert not isinstance(form, NotPlain)
    assert [
        each.rule for each in lint(Draft(form, COMPANY.signature, "service"), provider) if each.level == "error"
    ] == []
