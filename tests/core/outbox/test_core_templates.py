"""What keguan itself writes to staff: templates without a plugin, and notes to chat robots."""

from pathlib import Path

import pytest

from keguan.building import build_templates
from keguan.errors import TemplateError
from keguan.model import Company
from keguan.outbox.templates import CORE, Templates
from keguan.plugins import load_plugins
from keguan.settings import parse_settings

COMPANY = Company("云璟地产", "400-000-0000", "云璟物业")


def put(folder: Path, name: str, text: str) -> None:
    (folder / "zh").mkdir(parents=True, exist_ok=True)
    (folder / "zh" / name).write_text(text, encoding="utf-8")


def test_a_note_to_a_robot_is_plain_text_of_some_lines(tmp_path: Path) -> None:
    put(tmp_path, "late.chat.j2", "\n{{ department }}逾期：\n{% for task in tasks %}\n- {{ task }}\n{% endfor %}\n")
    templates = Templates({CORE: tmp_path}, None, "zh", COMPANY)
    note = templates.render_chat(CORE, "late", {"department": "客服", "tasks": ["回访\n假的一行", "巡检"]})
    assert note.text == "客服逾期：\n- 回访 假的一行\n- 巡检"
    assert templates.channels(CORE, "late") == ("chat",)
    assert templates.variables(CORE, "late", "chat") == {"department", "tasks"}
    assert "客服" not in repr(note)


def test_a_template_that_is_missing_says_which_file(tmp_path: Path) -> None:
    put(tmp_path, "late.sms.j2", "您好")
    with pytest.raises(TemplateError) as caught:
        Templates({CORE: tmp_path}, None, "zh", COMPANY).render_chat(CORE, "late", {})
    assert caught.value.values["file"] == "templates/zh/late.chat.j2"


def test_the_cores_own_are_there_without_any_plugin_and_the_company_replaces_them(tmp_path: Path) -> None:
    config = '[company]\nname = "云璟地产"\n[plugins.sixplustwo]\nenabled = false\n'
    settings = parse_settings(config, tmp_path / "config" / "keguan.toml", {})
    templates = build_templates(settings, load_plugins(settings, installed={}))
    assert templates.plugins == (CORE,)
    assert templates.check_all() == []
    plugin, name = next((CORE, each) for each in templates.names(CORE) if "email" in templates.channels(CORE, each))
    own = tmp_path / "config" / "templates" / CORE
    put(own, f"{name}.email.j2", "Subject: 我们自己的\n\n{{ company.name }}")
    again = build_templates(settings, load_plugins(settings, installed={}))
    assert again.render_email(plugin, name, {}).subject == "我们自己的"
