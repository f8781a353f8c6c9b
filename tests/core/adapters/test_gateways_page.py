"""The page about gateways names every key and every code, and its tables can be put into a configuration."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.documents import ROOT

from keguan.adapters.aliyun_codes import aliyun_verdict
from keguan.adapters.base import Outcome, Surroundings
from keguan.adapters.registry import adapter_types
from keguan.errors import ConfigError
from keguan.settings import configure_adapters, load_settings

PAGE = (ROOT / "docs" / "gateways.md").read_text(encoding="utf-8")
SECTIONS = {"aliyun": "## Aliyun", "tencent": "## Tencent Cloud", "twilio": "## Twilio", "apprise": "## Chat robots"}
COMPANY = '[company]\nname = "云璟地产"\n'


def section(title: str) -> str:
    return PAGE.partition(f"\n{title}\n")[2].partition("\n## ")[0]


def example(kind: str) -> str:
    return section(SECTIONS[kind]).partition("```toml\n")[2].partition("```")[0]


def outcomes(kind: str) -> dict[str, str]:
    """Return what the page says of each code."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", section(SECTIONS[kind]).partition("| code |")[2], re.MULTILINE)
    return {code.strip("` …"): outcome for codes, outcome in rows for code in re.split(r", ", codes)}


def configured(text: str, folder: Path, environ: dict[str, str]) -> dict[str, Any]:
    (folder / "config").mkdir(exist_ok=True)
    file = folder / "config" / "keguan.toml"
    file.write_text(COMPANY + text, encoding="utf-8")
    return configure_adapters(load_settings(file, environ), adapter_types())


@pytest.mark.parametrize("kind", SECTIONS)
def test_the_example_is_all_that_is_needed_beside_the_secret(kind: str, tmp_path: Path) -> None:
    secret = {"aliyun": "access_key_secret", "tencent": "secret_key", "twilio": "auth_token"}.get(kind, "")
    (entry,) = [one for one in configured(example(kind), tmp_path, {}).values() if one.kind.name == kind]
    robots = {"wecombot://KEY": "wecombot://abcdefgh12345678", "dingtalk://SECRET@TOKEN": "dingtalk://SECab1@abcdef12"}
    if kind == "apprise":
        text = example(kind).replace("feishu://TOKEN", "feishu://abcdefgh12345678")
        for placeholder, url in robots.items():
            text = text.replace(placeholder, url)
        entry = configured(text, tmp_path, {})[entry.name]
    surroundings = Surroundings(tmp_path, "云璟地产", {f"adapters.{entry.name}.{secret}": "geheim"}.get)
    assert entry.kind.build(entry.name, entry.settings, surroundings)


@pytest.mark.parametrize("kind", SECTIONS)
def test_every_key_of_a_table_is_explained(kind: str) -> None:
    shared = section("## What every gateway's table may hold")
    text = section(SECTIONS[kind]) + ("" if kind == "apprise" else shared)
    for name, field in adapter_types()[kind].settings.model_fields.items():  # type: ignore[attr-defined]  # pydantic's
        assert f"`{field.alias or name}`" in text


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("bounces", Outcome.PERMANENT),
        ("permanent", Outcome.PERMANENT),
        ("configuration", Outcome.CONFIGURATION),
        ("limit", Outcome.LIMIT),
    ],
)
def test_aliyuns_codes_mean_what_the_page_says(word: str, outcome: Outcome) -> None:
    codes = [code for code, said in outcomes("aliyun").items() if said.startswith(word)]
    assert codes
    for code in codes:
        verdict = aliyun_verdict(code)
        assert verdict is not None, code
        assert (verdict.outcome, verdict.bounces) == (outcome, word == "bounces"), code


def test_robots_may_be_named_in_the_environment(tmp_path: Path) -> None:
    urls = {"客服部": "wecombot://abcdefgh12345678", "工程部": "feishu://abcdefgh12345678"}
    text = '[adapters.robots]\ntype = "apprise"\n\n[channels]\nchat = ["robots"]\n'
    environ = {"KEGUAN_ADAPTERS__ROBOTS__URLS": json.dumps(urls, ensure_ascii=False)}
    settings = configured(text, tmp_path, environ)["robots"].settings
    assert {who: url.get_secret_value() for who, url in settings.urls.items()} == urls
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "KEGUAN_ADAPTERS__ROBOTS__URLS").write_text(json.dumps(urls), encoding="utf-8")
    assert configured(text, tmp_path, {})["robots"].settings == settings


def test_a_gateway_for_sms_is_no_robot(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        configured(example("aliyun") + '\n[channels]\nchat = ["aliyun"]\n', tmp_path, {})
