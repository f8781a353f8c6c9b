"""What a described gateway tells afterwards: inquiries, receipts, replies, calls of its own, the balance."""

import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from tests.support.adapters import build_adapter
from tests.support.gateway import Gateway, Say

from keguan.adapters.base import (
    InquiringAdapter,
    ListeningAdapter,
    Outcome,
    OutgoingMessage,
    PollingAdapter,
    Receipt,
    Reply,
)
from keguan.adapters.http import HttpAdapter

NOW = datetime(2026, 3, 5, 1, 30, tzinfo=UTC)
STARTED = datetime(2026, 3, 5, 1, 0, tzinfo=UTC)
Describe = Callable[..., HttpAdapter]
RECEIPTS = {
    "id": "msgid",
    "key": "ext",
    "status": "state",
    "delivered": ["DELIVRD"],
    "waiting": ["ACCEPTD"],
    "bounces": ["MK:0001"],
    "code": "err",
    "at": "time",
}
FETCHED = {"fetch": {"url": "http://127.0.0.1"}}
REPLIES = {"address": "mobile", "text": "content", "at": "time", "id": "no", "time": "ms"}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def describe(gateway: Gateway, tmp_path: Path) -> Iterator[Describe]:
    opened: list[HttpAdapter] = []

    def build(**table: Any) -> HttpAdapter:
        secrets = {"adapters.mail.secrets.callback": "s3cret"}
        whole: dict[str, Any] = {"url": gateway.url, "answer": {}, "timeout": 5} | table
        opened.append(cast("HttpAdapter", build_adapter(tmp_path, "http", secrets=secrets, **whole)))
        return opened[-1]

    yield build
    for adapter in opened:
        adapter.close()


def doubtful(provider_id: str | None = "m1") -> OutgoingMessage:
    return OutgoingMessage("k1", "sms", "+8613800138000", None, "", "您好", started_at=STARTED, provider_id=provider_id)


@pytest.fixture
def inquiring(gateway: Gateway, describe: Describe) -> HttpAdapter:
    return describe(
        inquiry={
            "url": gateway.url + "/state",
            "method": "GET",
            "query": {"out": "{key}", "day": "{started_at:%Y%m%d}"},
            "status": "data.state",
            "sent": ["DELIVRD", "ACCEPTD"],
            "absent": ["NONE"],
            "id": "data.id",
        }
    )


@pytest.mark.parametrize(
    ("say", "outcome"),
    [
        (Say(body={"data": {"state": "DELIVRD", "id": 77}}), Outcome.SENT),
        (Say(body={"data": {"state": "NONE"}}), Outcome.TEMPORARY),
        (Say(body={"data": {"state": "?"}}), None),
        (Say(500, body={"data": {"state": "NONE"}}), None),
        (Say(body="garbage"), None),
        ("drop", None),
    ],
)
def test_asking_after_a_message_in_doubt(
    gateway: Gateway, inquiring: HttpAdapter, say: Say, outcome: Outcome | None
) -> None:
    gateway.next(say)
    report = inquiring.inquire(doubtful(), NOW)
    assert (report.outcome if report else None) == outcome
    assert gateway.received[0].query == {"out": "k1", "day": "20260305"}
    if report and outcome is Outcome.SENT:
        assert report.provider_id == "77"


def test_a_gateway_that_wants_its_own_number_is_not_asked_without(gateway: Gateway, describe: Describe) -> None:
    inquiry = {"url": gateway.url, "body": {"id": "{provider_id}"}, "status": "state", "sent": ["ok"]}
    assert describe(inquiry=inquiry).inquire(doubtful(provider_id=None), NOW) is None
    assert not gateway.received


def test_receipts_and_replies_are_fetched_from_where_they_are(gateway: Gateway, describe: Describe) -> None:
    fetch = {"url": gateway.url, "body": {"since": "{cursor}"}}
    adapter = describe(
        receipts=RECEIPTS | {"fetch": fetch, "items": "data.list", "cursor": "data.next", "page": 4},
        replies=REPLIES | {"fetch": fetch, "items": "list"},
    )
    listed = [
        {"msgid": 1, "state": "DELIVRD", "time": "2026-03-05 09:10:00", "ext": "k1"},
        {"msgid": "2", "state": "UNDELIV", "err": "MK:0001", "time": "nonsense"},
        {"msgid": "3", "state": "ACCEPTD"},
        {"state": "DELIVRD"},
    ]
    reply = {"mobile": "8613800138000", "content": "R", "time": STARTED.timestamp() * 1000, "no": 5}
    gateway.next(Say(body={"data": {"list": listed, "next": 42}}), Say(body={"list": [reply]}))
    heard = adapter.poll(None, NOW)
    assert heard.receipts == (
        Receipt("1", "delivered", datetime(2026, 3, 5, 1, 10, tzinfo=UTC), code="DELIVRD", key="k1"),
        Receipt("2", "undelivered", NOW, code="MK:0001", bounces=True),
    )
    assert heard.replies == (Reply("+8613800138000", "R", STARTED, "5"),)
    assert heard.more
    gateway.next(Say(body={"data": {"list": None}}), Say(body={"list": []}))
    after = adapter.poll(json.loads(json.dumps(heard.cursor)), NOW)
    assert [request.json["since"] for request in gateway.received] == ["", "", "42", ""]
    assert (after.receipts, after.replies, after.more) == ((), (), False)
    assert after.cursor == heard.cursor


@pytest.mark.parametrize("step", [Say(500), Say(body="garbage"), Say(body={"data": [1]}), Say(body="[3]"), "drop"])
def test_a_gateway_that_cannot_tell_is_asked_again_later(gateway: Gateway, describe: Describe, step: Any) -> None:
    adapter = describe(receipts=RECEIPTS | {"items": "data", "fetch": {"url": gateway.url}})
    gateway.next(step)
    with pytest.raises(OSError, match="receipts"):
        adapter.poll(None, NOW)


CALL = json.dumps([{"msgid": "m1", "state": "DELIVRD", "time": "2026-03-05 09:10:00"}]).encode()


def test_a_call_with_the_token_brings_receipts(describe: Describe) -> None:
    adapter = describe(receipts=RECEIPTS | {"path": "report", "answer": '{"code":0}'}, callback={"name": "token"})
    heard = adapter.heard("/report", {}, {"token": "s3cret"}, CALL, NOW)
    assert [receipt.provider_id for receipt in heard.receipts] == ["m1"]
    assert heard.answer == '{"code":0}'


def test_a_call_as_a_form_brings_a_reply(describe: Describe) -> None:
    adapter = describe(
        encoding="gbk",
        replies={"path": "mo", "format": "form", "address": "mobile", "text": "content"},
        callback={"where": "body", "name": "sign", "scheme": "md5", "over": "{field.mobile}{secret.callback}"},
    )
    sign = hashlib.md5(b"13800138000s3cret").hexdigest().upper()
    body = urlencode({"mobile": "13800138000", "content": "退订", "sign": sign}, encoding="gbk").encode()
    assert adapter.heard("mo", {}, {}, body, NOW).replies == (Reply("+8613800138000", "退订", NOW),)


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("report", {}, CALL),
        ("report", {"x-sign": ""}, CALL),
        ("report", {"x-sign": "00"}, CALL),
        ("report", {"x-sign": hmac.digest(b"s3cret", CALL, "sha256").hex()}, CALL + b" "),
        ("report", {"x-sign": hmac.digest(b"", CALL, "sha256").hex()}, CALL),
        ("elsewhere", {"x-sign": hmac.digest(b"s3cret", CALL, "sha256").hex()}, CALL),
    ],
)
def test_a_call_that_does_not_prove_itself_is_not_believed(
    describe: Describe, path: str, headers: dict[str, str], body: bytes
) -> None:
    adapter = describe(
        receipts=RECEIPTS | {"path": "report"}, callback={"where": "header", "name": "X-Sign", "scheme": "hmac-sha256"}
    )
    good = {"x-sign": hmac.digest(b"s3cret", CALL, "sha256").hex()}
    assert adapter.heard("report", good, {}, CALL, NOW).receipts
    with pytest.raises(PermissionError):
        adapter.heard(path, headers, {}, body, NOW)


@pytest.mark.parametrize(
    ("table", "able"),
    [
        ({}, set()),
        ({"receipts": RECEIPTS}, set()),  # without a proof no call is believed
        ({"receipts": RECEIPTS, "callback": {"name": "token"}}, {ListeningAdapter}),
        (
            {"receipts": RECEIPTS | {"fetch": {"url": "http://127.0.0.1"}}, "callback": {"name": "token"}},
            {PollingAdapter},
        ),
        ({"inquiry": {"url": "http://127.0.0.1", "status": "s", "sent": ["1"]}}, {InquiringAdapter}),
    ],
)
def test_the_core_sees_what_a_gateway_is_described_to_do(
    describe: Describe, table: dict[str, Any], able: set[type]
) -> None:
    adapter = describe(**table)
    assert {kind for kind in (InquiringAdapter, PollingAdapter, ListeningAdapter) if isinstance(adapter, kind)} == able


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[1]", b"\xff", b'"x"'])
def test_nonsense_in_a_call_is_refused(describe: Describe, body: bytes) -> None:
    adapter = describe(receipts=RECEIPTS, callback={"name": "token"})
    with pytest.raises(ValueError, match="no "):
        adapter.heard("", {}, {"token": "s3cret"}, body, NOW)


@pytest.mark.parametrize(
    ("say", "said"),
    [
        (Say(body={"left": "250.5"}), None),
        (Say(body={"left": 12}), "12 is below 100"),
        (Say(body={"error": "no such user"}), "correct balance, account or sign"),
        (Say(401, body=""), "HTTP 401"),
        ("drop", "did not answer"),
    ],
)
def test_the_doctor_asks_for_the_balance(gateway: Gateway, describe: Describe, say: Say, said: str | None) -> None:
    gateway.next(say)
    found = describe(balance={"url": gateway.url + "/balance", "value": "left", "least": 100}).check()
    assert (found is None) == (said is None)
    assert said is None or said in (found or "")
    assert gateway.received[0].target == "/send/balance"


def test_without_a_balance_the_doctor_only_connects(gateway: Gateway, describe: Describe) -> None:
    assert describe().check() is None
    assert not gateway.received


def test_the_doctor_says_when_nobody_is_there(describe: Describe) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = describe(url=f"http://127.0.0.1:{taken.getsockname()[1]}/").check()
    assert "cannot be reached" in (found or "")
