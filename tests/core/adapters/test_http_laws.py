"""Laws of the described gateway: what holds whatever people are called and whatever a gateway says."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan.adapters.base import Outcome, OutgoingMessage, Report
from keguan.adapters.http_connection import Answer, Connection, Trouble
from keguan.adapters.http_judging import Judge
from keguan.adapters.http_request import Request, RequestPlan
from keguan.adapters.http_settings import HttpSettings
from keguan.adapters.http_template import Values

NOW = datetime(2026, 3, 5, 1, 30, tzinfo=UTC)
URL = "https://sms.example.com/send"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SIGN = {"scheme": "sha256", "over": "{sorted}{secret.key}"}


def request_for(text: str, variables: tuple[tuple[str, str], ...] = (), **table: Any) -> Request:
    settings = HttpSettings.model_validate({"url": URL, "answer": {}} | table)
    message = OutgoingMessage(text, "sms", "+8613800138000", text, "", text, variables=variables, template_id=text)
    fixed = {"secret.key": "k{}&=", "account.user": "u"}
    return RequestPlan(settings).build(Values(NOW, ZoneInfo("Asia/Shanghai"), fixed, message=message))


@given(TEXTS, st.sampled_from(["utf-8", "gb18030", "gbk"]))
def test_json_decodes_to_the_same_text(text: str, encoding: str) -> None:
    body = {"a": "{text}", "b": ["x{text}y"], "c": {"v": "{variables}"}}
    request = request_for(text, ((text, text),), body=body, encoding=encoding)
    assert json.loads(request.body.decode(encoding)) == {"a": text, "b": [f"x{text}y"], "c": {"v": {text: text}}}


@given(TEXTS, st.sampled_from(["utf-8", "gb18030"]))
def test_forms_and_addresses_decode_to_the_same_text(text: str, encoding: str) -> None:
    parts = {"a": "{text}", "b": "x={text}&y"}
    request = request_for(text, format="form", body=parts, query=parts, encoding=encoding)
    query = urlsplit(request.target).query
    for written in (request.body.decode("ascii"), query):
        found = parse_qsl(written, keep_blank_values=True, strict_parsing=True, encoding=encoding, errors="strict")
        assert found == [("a", text), ("b", f"x={text}&y")]


@given(TEXTS)
def test_xml_stays_xml_and_says_the_same_but_for_what_xml_cannot_say(text: str) -> None:
    request = request_for(text, format="xml", body='<a v="{text}"><b>{text}</b></a>')
    found = ET.fromstring(request.body).findtext("b")
    wanted = "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    assert found == wanted.replace("\r\n", "\n").replace("\r", "\n")


@given(TEXTS)
def test_no_value_adds_a_line_to_the_head(text: str) -> None:
    request = request_for(text, headers={"X-Text": "{text}"}, query={"t": "{text}"})
    plain = request_for("", headers={"X-Text": "{text}"}, query={"t": "{text}"})
    assert request.head.count(b"\r\n") == plain.head.count(b"\r\n")
    assert request.head.count(b"\n") == request.head.count(b"\r") == request.head.count(b"\r\n")
    assert request.target.isascii()
    assert " " not in request.target


@given(TEXTS)
def test_the_signature_is_over_exactly_what_is_sent(text: str) -> None:
    body = {"z": "{text}", "a": "{nonce}", "sign": "{sign}"}
    request = request_for(text, format="form", body=body, query={"m": "{text}"}, sign=SIGN)
    sent = dict(parse_qsl(request.body.decode("ascii"), keep_blank_values=True))
    sign = sent.pop("sign")
    sent |= dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))
    joined = "&".join(f"{name}={value}" for name, value in sorted(sent.items()) if value)
    assert sign == hashlib.sha256(f"{joined}k{{}}&=".encode()).hexdigest()


@given(st.text(st.characters(categories=["Cs"]), min_size=1, max_size=3))
def test_what_is_no_unicode_does_not_leave(broken: str) -> None:
    for table in ({"body": {"a": "{text}"}}, {"format": "form", "body": {"a": "{text}"}}, {"query": {"a": "{text}"}}):
        with pytest.raises(UnicodeEncodeError):
            request_for(broken, **cast("dict[str, Any]", table))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["code", "msg", "id", "0"]), inner),
    max_leaves=8,
)
BODIES = st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode())
HEADERS = st.dictionaries(st.sampled_from(["retry-after", "location"]), st.text(max_size=40))


@given(
    st.integers(100, 599),
    HEADERS,
    BODIES,
    st.booleans(),
    st.sampled_from(["json", "text"]),
    st.sampled_from(["utf-8", "gbk", "utf-16"]),
)
def test_any_answer_yields_a_report_that_a_database_takes(
    status: int, headers: dict[str, str], body: bytes, complete: bool, form: Any, encoding: str
) -> None:
    answer = {"format": form, "code": "code", "message": "msg", "id": "id.0"}
    settings = HttpSettings.model_validate({"url": URL, "answer": answer, "encoding": encoding})
    judge = Judge(settings, "zh", {"adapter": "cheap", "host": "h"}, ["secret"])
    message = OutgoingMessage("k", "sms", "+8613800138000", None, "", "您好")
    report = judge.of(Answer(status, headers, body, complete), message, NOW)
    assert isinstance(report, Report)
    assert "\0" not in report.detail + (report.provider_id or "")
    assert (report.detail + (report.provider_id or "")).encode()
    assert (report.outcome is Outcome.SENT) <= (200 <= status < 300 and complete)


class Line:
    """A transport that goes nowhere."""

    def __init__(self) -> None:
        self.closed = False

    def get_extra_info(self, _name: str) -> None: ...
    def is_closing(self) -> bool:
        return self.closed

    def write(self, _data: bytes) -> None: ...
    def abort(self) -> None:
        self.closed = True


PIECES = st.lists(
    st.binary(max_size=30)
    | st.sampled_from(
        [
            b"HTTP/1.1 200 OK\r\n",
            b"Content-Length: 2\r\n",
            b"\r\n",
            b"{}",
            b"Transfer-Encoding: chunked\r\n",
            b"1\r\na\r\n",
        ]
    ),
    max_size=8,
)


@given(PIECES, st.booleans())
def test_any_bytes_end_in_one_result(pieces: list[bytes], broken: bool) -> None:
    results: list[Answer | Trouble] = []
    connection = Connection()
    connection.connection_made(cast("Any", Line()))
    connection.send(request_for("x"), results.append)
    for piece in pieces:
        connection.data_received(piece)
    connection.connection_lost(OSError() if broken else None)
    assert len(results) == 1
    assert isinstance(results[0], Answer) or results[0].sent
