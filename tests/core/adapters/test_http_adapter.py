"""What a gateway that is described in the configuration receives, and what its answers mean."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest
from tests.support.adapters import build_adapter
from tests.support.gateway import Gateway, Say

from keguan.adapters.base import ConcurrentAdapter, Outcome, OutgoingMessage
from keguan.adapters.http import HttpAdapter
from keguan.adapters.registry import adapter_types
from keguan.errors import ConfigError
from keguan.settings import Settings, configure_adapters

NOW = datetime(2026, 3, 5, 1, 30, tzinfo=UTC)
SECRET = "horse-battery"
Describe = Callable[..., HttpAdapter]
ANSWER = {"code": "code", "message": "msg", "id": "id"}


def sms(phone: str = "+8613800138000", text: str = "【云璟地产】您好,张三", **more: Any) -> OutgoingMessage:
    return OutgoingMessage("sixplustwo:k1", "sms", phone, "张三", "", text, **more)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def describe(gateway: Gateway, tmp_path: Path) -> Iterator[Describe]:
    opened: list[HttpAdapter] = []

    def build(**table: Any) -> HttpAdapter:
        whole: dict[str, Any] = {"url": gateway.url, "answer": ANSWER, "timeout": 5} | table
        secrets = {"adapters.mail.secrets.key": SECRET}
        opened.append(cast("HttpAdapter", build_adapter(tmp_path, "http", secrets=secrets, **whole)))
        return opened[-1]

    yield build
    for adapter in opened:
        adapter.close()


def test_a_json_body_holds_each_value_in_its_form(gateway: Gateway, describe: Describe) -> None:
    body = {
        "to": ["{phone:national}"],
        "intl": "{phone}",
        "digits": "{phone:plain}",
        "text": "{text:unsigned}",
        "sign": "{signature}",
        "id": "{key}",
        "short": "{key:md5}",
        "kind": "{class}",
        "template": {"id": "{template_id}", "named": "{variables}", "listed": "{variables:list}"},
        "joined": "{variables:joined}",
        "json": "{variables:json}",
        "at": "{timestamp:number}",
        "ms": "{timestamp:ms}",
        "when": "{timestamp:%Y%m%d%H%M%S}",
        "braces": "{{x}}",
        "fixed": 3,
    }
    message = sms(template_id="T7", variables=(("name", "张三"), ("day", "3,4")))
    assert describe(body=body).send(message, NOW).outcome is Outcome.SENT
    assert gateway.received[0].json == {
        "to": ["13800138000"],
        "intl": "+8613800138000",
        "digits": "8613800138000",
        "text": "您好,张三",
        "sign": "云璟地产",
        "id": "sixplustwo:k1",
        "short": hashlib.md5(b"sixplustwo:k1").hexdigest(),
        "kind": "service",
        "template": {"id": "T7", "named": {"name": "张三", "day": "3,4"}, "listed": ["张三", "3,4"]},
        "joined": "张三,3 4",
        "json": '{"name": "张三", "day": "3,4"}',
        "at": int(NOW.timestamp()),
        "ms": str(int(NOW.timestamp() * 1000)),
        "when": "20260305093000",
        "braces": "{x}",
        "fixed": 3,
    }


def test_an_old_gateway_reads_a_form_in_its_own_encoding(gateway: Gateway, describe: Describe) -> None:
    adapter = describe(format="form", encoding="gbk", body={"m": "{phone:national}", "c": "{text}"})
    assert adapter.send(sms(text="【云璟】a&b=c+d 张三"), NOW).outcome is Outcome.SENT
    assert gateway.received[0].form("gbk") == {"m": "13800138000", "c": "【云璟】a&b=c+d 张三"}
    assert gateway.received[0].headers["content-type"] == "application/x-www-form-urlencoded; charset=gbk"


def test_text_that_the_gateways_encoding_lacks_does_not_leave(gateway: Gateway, describe: Describe) -> None:
    report = describe(format="form", encoding="gbk", body={"c": "{text}"}).send(sms(text="您好😀"), NOW)
    assert report.outcome is Outcome.PERMANENT
    assert "gbk" in report.detail
    assert not gateway.received


def test_a_get_carries_everything_in_the_address(gateway: Gateway, describe: Describe) -> None:
    adapter = describe(
        url=gateway.url + "/{account.id}?v=1", method="GET", account={"id": "a/b"}, query={"c": "{text}"}
    )
    adapter.send(sms(text="a&b#c 张\r\n三"), NOW)
    assert gateway.received[0].target.startswith("/send/a%2Fb?v=1&c=")
    assert gateway.received[0].query == {"v": "1", "c": "a&b#c 张\r\n三"}
    assert gateway.received[0].body == b""


def test_an_xml_body_stays_xml(gateway: Gateway, describe: Describe) -> None:
    adapter = describe(format="xml", body="<sms to='{phone}'><text>{text}</text></sms>")
    adapter.send(sms(text="a<b>&\"c' ]]> \x00"), NOW)
    parsed = ET.fromstring(gateway.received[0].body)
    assert parsed.findtext("text") == "a<b>&\"c' ]]> "


def test_a_name_cannot_begin_a_header(gateway: Gateway, describe: Describe) -> None:
    describe(headers={"X-Text": "{text}"}).send(sms(text="a\r\nX-Evil: 1\u2028张三"), NOW)
    assert "x-evil" not in gateway.received[0].headers
    assert gateway.received[0].headers["x-text"] == "a X-Evil: 1 张三"


def test_foreign_numbers_are_dialled_as_from_the_mainland(gateway: Gateway, describe: Describe) -> None:
    describe(body={"to": "{phone:national}"}).send(sms(phone="+85291234567"), NOW)
    assert gateway.received[0].json == {"to": "0085291234567"}


@pytest.mark.parametrize(
    ("scheme", "output", "expected"),
    [
        ("md5", "hex", lambda data: hashlib.md5(data).hexdigest()),
        ("sha1", "HEX", lambda data: hashlib.sha1(data).hexdigest().upper()),
        ("sha256", "base64", lambda data: base64.b64encode(hashlib.sha256(data).digest()).decode()),
        ("hmac-sha1", "base64", lambda data: base64.b64encode(hmac.digest(SECRET.encode(), data, "sha1")).decode()),
        ("hmac-sha256", "hex", lambda data: hmac.digest(SECRET.encode(), data, "sha256").hex()),
    ],
)
def test_a_signature_over_joined_values(
    gateway: Gateway, describe: Describe, scheme: str, output: str, expected: Callable[[bytes], str]
) -> None:
    sign = {"scheme": scheme, "over": "{account.user}{secret.key}{timestamp}{nonce}", "output": output}
    body = {"user": "{account.user}", "ts": "{timestamp}", "nonce": "{nonce}", "sign": "{sign}"}
    describe(account={"user": "u"}, sign=sign, body=body).send(sms(), NOW)
    sent = gateway.received[0].json
    assert sent["sign"] == expected(f"u{SECRET}{sent['ts']}{sent['nonce']}".encode())


def test_a_signature_over_sorted_parameters_of_query_and_form(gateway: Gateway, describe: Describe) -> None:
    adapter = describe(
        format="form",
        query={"v": "2", "app": "a"},
        body={"text": "{text}", "empty": "", "sign": "{sign}", "raw": "x"},
        sign={"scheme": "md5", "over": "{sorted}&key={secret.key}", "output": "HEX", "leave_out": ["raw"]},
    )
    adapter.send(sms(text="您好"), NOW)
    signed = hashlib.md5(f"app=a&text=您好&v=2&key={SECRET}".encode()).hexdigest().upper()
    assert gateway.received[0].form() == {"text": "您好", "empty": "", "sign": signed, "raw": "x"}


def test_a_signature_over_the_whole_body_stands_in_a_header(gateway: Gateway, describe: Describe) -> None:
    sign = {"scheme": "hmac-sha256", "over": "{timestamp}\n{body}"}
    adapter = describe(
        body={"c": "{text}", "n": "{nonce}"}, sign=sign, headers={"X-Sign": "{sign}", "X-T": "{timestamp}"}
    )
    adapter.send(sms(), NOW)
    received = gateway.received[0]
    data = received.headers["x-t"].encode() + b"\n" + received.body
    assert received.headers["x-sign"] == hmac.digest(SECRET.encode(), data, "sha256").hex()


@pytest.mark.parametrize(
    ("sign", "header"),
    [
        ({"scheme": "bearer"}, f"Bearer {SECRET}"),
        ({"scheme": "basic"}, "Basic " + base64.b64encode(f"u:{SECRET}".encode()).decode()),
    ],
)
def test_log_in_by_header(gateway: Gateway, describe: Describe, sign: dict[str, str], header: str) -> None:
    describe(sign=sign, account={"user": "u"}, body={}).send(sms(), NOW)
    assert gateway.received[0].headers["authorization"] == header


def test_the_gateways_own_number_is_kept(gateway: Gateway, describe: Describe) -> None:
    gateway.next(Say(body={"code": 0, "data": [{"sid": 12345678901234567}]}))
    report = describe(answer={"code": "code", "id": "data.0.sid"}).send(sms(), NOW)
    assert (report.outcome, report.provider_id) == (Outcome.SENT, "12345678901234567")


def test_a_plain_answer_is_read_with_regular_expressions(gateway: Gateway, describe: Describe) -> None:
    answer = {"format": "text", "code": r"^(-?\d+)", "id": r",(\d+)$", "success": ["0"]}
    adapter = describe(answer=answer, errors={"-4": {"outcome": "permanent", "bounces": True}})
    gateway.next(Say(body="0,778899"), Say(body="-4"), Say(body="<html>"))
    reports = [adapter.send(sms(), NOW) for _ in range(3)]
    assert [report.outcome for report in reports] == [Outcome.SENT, Outcome.PERMANENT, Outcome.IN_DOUBT]
    assert reports[0].provider_id == "778899"
    assert reports[1].bounces


ERRORS = {
    "4001": "permanent",
    "4002": {"outcome": "permanent", "bounces": True},
    "4003": {"outcome": "limit", "retry_after": 90, "pauses": True},
    "4004": "limit",
    "5001": "temporary",
    "6001": "configuration",
    "http 402": "configuration",
    "http 500": "temporary",
}


@pytest.mark.parametrize(
    ("say", "outcome", "more"),
    [
        (Say(body={"code": 4001}), Outcome.PERMANENT, {"bounces": False}),
        (Say(body={"code": "4002"}), Outcome.PERMANENT, {"bounces": True}),
        (Say(400, body={"code": 4002}), Outcome.PERMANENT, {"bounces": True}),
        (Say(body={"code": 4003}), Outcome.LIMIT, {"pauses": True, "retry_after": timedelta(seconds=90)}),
        (Say(body={"code": 4004}), Outcome.LIMIT, {"pauses": False, "retry_after": None}),
        (Say(body={"code": 5001}), Outcome.TEMPORARY, {}),
        (Say(body={"code": 6001}), Outcome.CONFIGURATION, {}),
        (Say(402, body=""), Outcome.CONFIGURATION, {}),
        (Say(500, body="oops"), Outcome.TEMPORARY, {}),
        (Say(body={"code": 9999}), Outcome.IN_DOUBT, {}),
    ],
)
def test_codes_mean_what_the_map_says(
    gateway: Gateway, describe: Describe, say: Say, outcome: Outcome, more: dict[str, object]
) -> None:
    gateway.next(say)
    report = describe(errors=ERRORS).send(sms(), NOW)
    assert report.outcome is outcome
    assert {name: getattr(report, name) for name in more} == more


def test_a_code_that_nobody_described_may_be_declared_a_refusal(gateway: Gateway, describe: Describe) -> None:
    gateway.next(Say(body={"code": 9999}))
    assert describe(other="permanent").send(sms(), NOW).outcome is Outcome.PERMANENT


def test_what_the_gateway_says_reaches_the_operator_without_person_and_secret(
    gateway: Gateway, describe: Describe
) -> None:
    words = f"quota of 13800138000 张三 '您好,张三' with {SECRET}\r\nused up"
    gateway.next(Say(body={"code": 4001, "msg": words}))
    detail = describe(errors=ERRORS, sign={"scheme": "bearer"}).send(sms(text="您好,张三"), NOW).detail
    assert "4001" in detail
    assert "used up" in detail
    assert "\n" not in detail
    for hidden in ("138", "张三", "您好", SECRET):
        assert hidden not in detail


def test_a_message_without_what_the_gateway_needs_does_not_leave(gateway: Gateway, describe: Describe) -> None:
    report = describe(body={"t": "{template_id}"}).send(sms(), NOW)
    assert report.outcome is Outcome.PERMANENT
    assert "template_id" in report.detail
    assert not gateway.received


def test_what_the_adapter_can_do_is_seen_by_the_core(describe: Describe) -> None:
    adapter = describe(in_flight=7)
    assert isinstance(adapter, ConcurrentAdapter)
    assert adapter.in_flight == 7


def test_where_no_code_is_described_the_status_alone_decides(gateway: Gateway, describe: Describe) -> None:
    gateway.next(Say(body="<html>"), Say(500, body=""))
    adapter = describe(answer={})
    assert [adapter.send(sms(), NOW).outcome for _ in range(2)] == [Outcome.SENT, Outcome.IN_DOUBT]


def configured(**table: object) -> None:
    whole = {"type": "http", "url": "https://sms.example.com/send", "answer": {}} | table
    settings = Settings.model_validate({"adapters": {"cheap": whole}, "channels": {"sms": ["cheap"]}})
    configure_adapters(settings, adapter_types())


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"body": {"to": "{fone}"}}, "no value 'fone'"),
        ({"body": {"to": "{phone:roman}"}}, "no form 'roman'"),
        ({"body": {"to": "{phone"}}, "brace"),
        ({"body": {"to": "{phone.__class__}"}}, "no value 'phone.__class__'"),
        ({"body": {"u": "{account.user}"}}, "account.user"),
        ({"body": {"u": "{body}"}}, "no value 'body'"),
        ({"body": {"s": "{sign}"}}, "no signature"),
        ({"body": {"s": "{sign}"}, "sign": {"scheme": "md5", "over": "{body}"}}, "covers the body"),
        ({"sign": {"scheme": "md5"}}, "covers nothing"),
        ({"sign": {"scheme": "md5", "over": "{sign}"}}, "no value 'sign'"),
        ({"body": "text"}, "table"),
        ({"format": "form", "body": {"a": {"b": "c"}}}, "table"),
        ({"format": "xml", "body": {"a": "b"}}, "one text"),
        ({"body": {"day": datetime(2026, 1, 1, tzinfo=UTC)}}, "table"),
        ({"url": "ftp://x"}, "usable address"),
        ({"url": "https://u:p@sms.example.com/"}, "usable address"),
        ({"url": "https://{phone}.example.com/"}, "usable address"),
        ({"headers": {"Content-Length": "3"}}, "header Content-Length"),
        ({"headers": {"X-A": "a\r\nb"}}, "header X-A"),
        ({"encoding": "klingon"}, "klingon"),
        ({"errors": {"1": "sent"}}, "cannot mean sent"),
        ({"errors": {"http 4xx": "permanent"}}, "no HTTP status"),
        ({"answer": {"format": "text", "code": "("}}, "regular expression"),
        ({"in_flight": 0}, "in_flight"),
        ({"answer": "yes"}, "answer"),
        ({"adress": "x"}, "adress"),
    ],
)
def test_a_wrong_description_is_refused_in_one_line(table: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=r"^[^\n]+$") as caught:
        configured(**table)
    assert said in str(caught.value)
    assert "adapters.cheap" in str(caught.value)


def test_a_secret_that_is_used_must_be_given(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="KEGUAN_ADAPTERS__MAIL__SECRETS__KEY"):
        build_adapter(tmp_path, "http", url="https://sms.example.com", answer={}, headers={"X-Key": "{secret.key}"})


def test_no_secret_shows_in_a_repr(tmp_path: Path) -> None:
    kind = adapter_types()["http"]
    assert SECRET not in repr(kind.settings(url="https://sms.example.com", answer={}, secrets={"key": SECRET}))


def test_the_same_message_is_the_same_request_but_for_time_and_nonce(gateway: Gateway, describe: Describe) -> None:
    adapter = describe(body={"id": "{key}", "text": "{text}"})
    for hours in (0, 1):
        adapter.send(sms(), NOW + timedelta(hours=hours))
    first, second = (json.loads(request.body) for request in gateway.received)
    assert first == second
