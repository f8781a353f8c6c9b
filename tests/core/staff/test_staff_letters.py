"""What staff read, in both languages."""

from __future__ import annotations

from datetime import date
from importlib import resources

import pytest
from tests.support.office import when

from keguan.model import Company
from keguan.outbox.templates import CORE, Templates
from keguan.staff.digests import Digest
from keguan.staff.lines import Line
from keguan.texts import LANGUAGES, Language

LINE = Line(7, "Call 13800138000", "云璟一期", "客关", when("2026-03-02 11:00"), 1)


def letters(language: Language) -> Templates:
    """Return keguan's own templates."""
    folder = resources.files("keguan") / "templates"
    return Templates({CORE: folder}, None, language, Company("云璟地产", "400-000-0000", "云璟"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_can_be_rendered_full_and_empty(language: Language) -> None:
    templates = letters(language)
    assert templates.check_all() == []
    full = Digest()
    for _ in range(150):
        full.overdue.add(LINE)
    full.due_today.add(LINE)
    full.new.add(LINE.for_others("张三"))
    full.cities.add("shenzhen")
    for digest in (full, Digest()):
        values = digest.values(date(2026, 3, 2), "客关")
        for text in (
            templates.render_email(CORE, "digest", values).text,
            templates.render_email(CORE, "department", values).text,
            templates.render_chat(CORE, "department", values).text,
        ):
            assert "客关" in text
            assert "\n\n\n" not in text
    long = templates.render_email(CORE, "digest", full.values(date(2026, 3, 2), "张三")).text
    assert long.count("[7]") == 102, "a hundred overdue ones are named, fifty more are counted"
    assert "50" in long
    told = {"name": "李四", "tasks": (LINE, LINE.for_others("张三"))}
    for text in (
        templates.render_email(CORE, "escalation", told).text,
        templates.render_email(CORE, "handed_over", told | {"staff": 1, "deputy": 2}).text,
        templates.render_email(CORE, "handed_over", told | {"staff": 1, "deputy": 0}).text,
    ):
        assert text.count("[7]") == 2
    assert "7 7" in templates.render_chat(CORE, "escalation", told).text


def test_others_read_a_line_masked() -> None:
    line = LINE.for_others("张三")
    assert (line.title, line.who) == ("Call 138****8000", "张*")
    assert "13800138000" not in repr(LINE)
