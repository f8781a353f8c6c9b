"""The worked example of a gateway of one's own: loaded as it stands in the page, and run against such a gateway."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import BaseModel
from tests.support.documents import ROOT
from tests.support.gateway import Gateway, Received, Say

from keguan.adapters.base import Outcome, OutgoingMessage, Reply, Surroundings
from keguan.adapters.http import HttpAdapter
from keguan.adapters.http_request_settings import SignSettings
from keguan.adapters.http_settings import (
    AnswerSettings,
    BalanceSettings,
    CallbackSettings,
    ErrorRule,
    FetchSettings,
    HttpSettings,
    InquirySettings,
    ReceiptSettings,
    ReplySettings,
)
from keguan.adapters.registry import adapter_types
from keguan.settings import configure_adapters, load_settings

NOW = datetime(2026, 3, 5, 1, 30, tzinfo=UTC)
SECTION = (ROOT / "docs" / "gateways.md").read_text(encoding="utf-8").partition("\n## A gateway of your own\n")[2]
EXAMPLE = SECTION.partition("```toml\n")[2].partition("```")[0]
ENVIRONMENT = {
    "KEGUAN_ADAPTERS__CHEAP__SECRETS__KEY": "geheim",
    "KEGUAN_ADAPTERS__CHEAP__SECRETS__CALLBACK": "zurueck",
}


def signed(parameters: Mapping[str, str]) -> bool:
    """Whether the gateway takes these parameters for ours."""
    given = dict(parameters)
    sign = given.pop("sign")
    joined = "&".join(f"{name}={value}" for name, value in sorted(given.items()) if value)
    return sign == hashlib.md5(f"{joined}&key=geheim".encode()).hexdigest().upper()


class Provider:
    """Such a gateway, with a memory."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def __call__(self, request: Received) -> Say:
        parameters = request.form() if request.method == "POST" else request.query
        if not signed(parameters) or parameters["appId"] != "yunjing":
            return self.say(2001)
        match request.target.partition("?")[0].rpartition("/")[2]:
            case "send":
                return self.send(parameters)
            case "state":
                known = parameters["outId"] in self.texts
                return self.say(0, {"state": "SENDING" if known else "NOT_FOUND", "msgId": "m1"})
            case "reports":
                at = "2026-03-05 09:10:00"
                return self.say(0, [{"msgId": "m1", "state": "UNDELIV", "err": "MK:0001", "time": at}])
        return self.say(0, {"balance": 999})

    def send(self, parameters: Mapping[str, str]) -> Say:
        codes = {"13800000001": 1001, "13800000002": 3001, "13800000003": 3002, "13800000009": 4711}
        code = codes.get(parameters["mobile"], 0)
        if code == 0:
            self.texts[parameters["outId"]] = parameters["content"]
        return self.say(code, {"msgId": "m1"})

    @staticmethod
    def say(code: int, data: Any = None) -> Say:
        return Say(body={"code": code, "msg": "…", "data": data})


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def adapter(tmp_path: Path, provider: Provider) -> Iterator[HttpAdapter]:
    with Gateway() as gateway:
        gateway.always = provider
        text = EXAMPLE.replace("https://sms.example.com", f"http://127.0.0.1:{gateway.port}")
        file = tmp_path / "config" / "keguan.toml"
        file.parent.mkdir()
        file.write_text(f'[company]\nname = "云璟地产"\n{text}', encoding="utf-8")
        settings = load_settings(file, ENVIRONMENT)
        entry = configure_adapters(settings, adapter_types())["cheap"]
        built = entry.kind.build("cheap", entry.settings, Surroundings(tmp_path, "云璟地产", settings.secret))
        assert isinstance(built, HttpAdapter)
        yield built
        built.close()


def sms(phone: str = "+8613800138000") -> OutgoingMessage:
    return OutgoingMessage("k1", "sms", phone, "张三", "", "【云璟地产】您好&=张三", started_at=NOW)


def test_messages_leave_and_codes_are_understood(adapter: HttpAdapter, provider: Provider) -> None:
    report = adapter.send(sms(), NOW)
    assert (report.outcome, report.provider_id) == (Outcome.SENT, "m1")
    assert list(provider.texts.values()) == ["【云璟地产】您好&=张三"]
    gone, many, pause, odd = (adapter.send(sms(f"+861380000000{n}"), NOW) for n in (1, 2, 3, 9))
    assert (gone.outcome, gone.bounces) == (Outcome.PERMANENT, True)
    assert (many.outcome, many.pauses, many.retry_after) == (Outcome.LIMIT, False, timedelta(hours=1))
    assert (pause.outcome, pause.pauses, pause.retry_after) == (Outcome.LIMIT, True, timedelta(minutes=1))
    assert odd.outcome is Outcome.IN_DOUBT


def test_what_became_of_a_message_is_asked(adapter: HttpAdapter) -> None:
    before = adapter.inquire(sms(), NOW)
    adapter.send(sms(), NOW)
    after = adapter.inquire(sms(), NOW)
    assert [report and report.outcome for report in (before, after)] == [Outcome.TEMPORARY, Outcome.SENT]


def test_receipts_are_fetched_and_replies_come_by_call(adapter: HttpAdapter) -> None:
    (receipt,) = adapter.poll(None, NOW).receipts
    assert (receipt.provider_id, receipt.status, receipt.bounces) == ("m1", "undelivered", True)
    assert receipt.at == datetime(2026, 3, 5, 1, 10, tzinfo=UTC)
    sign = hashlib.md5("13800138000退订zurueck".encode()).hexdigest()
    call = {"mobile": "13800138000", "content": "退订", "moId": "7", "time": "2026-03-05 09:20:00", "sign": sign}
    heard = adapter.heard("replies", {}, {}, urlencode(call).encode(), NOW)
    assert heard.replies == (Reply("+8613800138000", "退订", datetime(2026, 3, 5, 1, 20, tzinfo=UTC), "7"),)
    assert heard.answer == "SUCCESS"
    with pytest.raises(PermissionError):
        adapter.heard("replies", {}, {}, urlencode(call | {"content": "T"}).encode(), NOW)


def test_the_doctor_reads_the_balance(adapter: HttpAdapter) -> None:
    assert "999 is below 1000" in (adapter.check() or "")


TABLES: tuple[type[BaseModel], ...] = (
    *(AnswerSettings, BalanceSettings, CallbackSettings, ErrorRule, FetchSettings, HttpSettings),
    *(InquirySettings, ReceiptSettings, ReplySettings, SignSettings),
)


def test_every_key_of_the_description_is_explained() -> None:
    keys = {key for table in TABLES for key in table.model_fields}
    code = "\n".join([EXAMPLE, *re.findall(r"`[^`\n]+`", SECTION)])
    assert not {key for key in keys if not re.search(rf"\b{key}( =|`|\])", code)}


def test_a_gateway_that_names_templates_wants_approved_ones() -> None:
    table = {"url": "https://sms.example.com", "answer": {}}
    assert not HttpSettings.model_validate(table | {"body": {"c": "{text}"}}).approved_templates
    assert HttpSettings.model_validate(table | {"body": {"t": "{template_id}"}}).approved_templates
