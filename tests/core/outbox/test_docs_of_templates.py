"""What the page on templates shows is what happens."""

from pathlib import Path

from tests.support.documents import ROOT, blocks

from keguan.model import Company
from keguan.outbox.provider_form import ProviderForm
from keguan.outbox.provider_rules import Draft, lint, load_providers
from keguan.outbox.templates import Templates
from keguan.settings import parse_settings

PAGE = ROOT / "docs" / "templates.md"


def form_of(folder: Path, source: str) -> ProviderForm:
    (folder / "zh").mkdir(exist_ok=True)
    (folder / "zh" / "note.sms.j2").write_text(source, encoding="utf-8")
    company = Company("云璟地产", "400-000-0000", "云璟物业", "https://care.example.com/s")
    form = Templates({"letters": folder}, None, "zh", company).provider_form("letters", "note")
    assert isinstance(form, ProviderForm)
    return form


def test_the_entry_of_the_registry_is_one(tmp_path: Path) -> None:
    (entry,) = blocks(PAGE, "toml")
    settings = parse_settings(entry.text, tmp_path / "config" / "keguan.toml", {})
    assert settings.templates["sixplustwo"]["congratulation"]["aliyun"].id == "SMS_123456"


def test_the_message_with_a_code_is_refused_by_nobody(tmp_path: Path) -> None:
    (source,) = blocks(PAGE, "jinja")
    form = form_of(tmp_path, source.text)
    for provider in load_providers():
        assert [each for each in lint(Draft(form, "云璟物业"), provider) if each.level == "error"] == []


def test_each_provider_writes_variables_as_the_page_says(tmp_path: Path) -> None:
    cells = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if "业主您好，热线" in line]
    shown = {row[1].strip(): row[2].strip().strip("`") for row in cells}
    form = form_of(tmp_path, shown.pop("the template"))
    names = {"aliyun": "Aliyun, Baidu Cloud", "tencent": "Tencent Cloud", "huawei": "Huawei Cloud"}
    written = {label: form.written(load_providers()[name].placeholder) for name, label in names.items()}
    assert written == shown
