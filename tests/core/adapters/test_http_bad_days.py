"""What becomes of a message when the gateway is busy, broken, slow, wrong or gone, and how many copies there are."""

import asyncio
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.adapters import build_adapter
from tests.support.gateway import Gateway, Received, Say, Step, trust_gateway

from keguan.adapters.base import Outcome, OutgoingMessage, Report
from keguan.adapters.http import HttpAdapter

pytestmark = pytest.mark.bad_day

NOW = datetime(2026, 3, 5, 1, 30, tzinfo=UTC)
SENT, TEMPORARY, PERMANENT = Outcome.SENT, Outcome.TEMPORARY, Outcome.PERMANENT
CONFIGURATION, IN_DOUBT, LIMIT = Outcome.CONFIGURATION, Outcome.IN_DOUBT, Outcome.LIMIT
Describe = Callable[..., HttpAdapter]


def sms(n: int = 0) -> OutgoingMessage:
    return OutgoingMessage(f"k{n}", "sms", f"+86138{n:08d}", "张三丰", "", f"【云璟】您好张三丰第{n}号")


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def describe(tmp_path: Path) -> Iterator[Describe]:
    opened: list[HttpAdapter] = []

    def build(url: str, **table: Any) -> HttpAdapter:
        whole: dict[str, Any] = {
            "url": url,
            "body": {"to": "{phone:national}", "text": "{text}", "key": "{key}"},
            "answer": {"code": "code", "message": "msg", "id": "id"},
            "timeout": 5,
        }
        opened.append(cast("HttpAdapter", build_adapter(tmp_path, "http", **(whole | table))))
        return opened[-1]

    yield build
    for adapter in opened:
        adapter.close()


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        (Say(429), LIMIT),
        (Say(401), CONFIGURATION),
        (Say(403, body="no"), CONFIGURATION),
        (Say(404, body="no"), CONFIGURATION),
        (Say(302, headers={"Location": "/elsewhere"}), CONFIGURATION),
        (Say(400, body="no"), PERMANENT),
        (Say(408, body=""), TEMPORARY),
        (Say(500, body="oops"), IN_DOUBT),
        (Say(502, body=""), IN_DOUBT),
        (Say(503, body=""), IN_DOUBT),
        (Say(503, headers={"Retry-After": "5"}, body=""), TEMPORARY),
        (Say(504, body=""), IN_DOUBT),
        (Say(body=""), IN_DOUBT),
        (Say(body="<html>welcome</html>"), IN_DOUBT),
        (Say(body="[[[["), IN_DOUBT),
        (Say(body="[" * 60_000), IN_DOUBT),
        (Say(body=b"\xff\xfe\x00"), IN_DOUBT),
        (Say(body='{"code": null}'), IN_DOUBT),
        (Say(body='{"code": {"a": 0}}'), IN_DOUBT),
        (Say(204, raw=b"HTTP/1.1 204 No\r\n\r\n"), IN_DOUBT),
        (Say(raw=b"SSH-2.0-OpenSSH\r\n"), IN_DOUBT),
        (Say(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", then_close=True), IN_DOUBT),
        (Say(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, then_close=True), IN_DOUBT),
        (Say(raw=b'HTTP/1.1 200 OK\r\n\r\n{"code": 0}', then_close=True), SENT),
        (Say(raw=b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"code": 0}'), SENT),
        (
            Say(raw=b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{"code\r\n5\r\n": 0}\r\n0\r\n\r\n'),
            SENT,
        ),
        ("drop", IN_DOUBT),
        ("flood", IN_DOUBT),
    ],
    ids=str,
)
def test_each_answer_has_its_outcome_one_copy_and_the_next_message_leaves(
    gateway: Gateway, describe: Describe, step: Step, outcome: Outcome
) -> None:
    adapter = describe(gateway.url)
    gateway.next(step)
    assert adapter.send(sms(1), NOW).outcome is outcome
    assert adapter.send(sms(2), NOW).outcome is SENT
    assert [request.json["key"] for request in gateway.received] == ["k1", "k2"]


def test_an_atomic_gateway_that_fails_has_nothing(gateway: Gateway, describe: Describe) -> None:
    gateway.next(Say(500, body="oops"), Say(504, body=""), "drop")
    adapter = describe(gateway.url, atomic=True)
    assert [adapter.send(sms(), NOW).outcome for _ in range(3)] == [TEMPORARY, TEMPORARY, IN_DOUBT]


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ({}, timedelta(minutes=1)),
        ({"Retry-After": "30"}, timedelta(seconds=30)),
        ({"Retry-After": "Thu, 05 Mar 2026 01:32:00 GMT"}, timedelta(minutes=2)),
        ({"Retry-After": "Thu, 05 Mar 2020 01:32:00 GMT"}, timedelta(seconds=1)),
        ({"Retry-After": "99999999999999999999"}, timedelta(days=1)),
        ({"Retry-After": "soon"}, timedelta(minutes=1)),
    ],
)
def test_too_many_pauses_the_way_out_for_as_long_as_asked(
    gateway: Gateway, describe: Describe, header: dict[str, str], wait: timedelta
) -> None:
    gateway.next(Say(429, headers=header))
    report = describe(gateway.url).send(sms(), NOW)
    assert (report.outcome, report.pauses, report.retry_after) == (LIMIT, True, wait)


@pytest.mark.parametrize("step", ["hang", "drip"])
def test_an_answer_that_does_not_end_in_time_leaves_the_message_in_doubt(
    gateway: Gateway, describe: Describe, step: Step
) -> None:
    gateway.next(step)
    adapter = describe(gateway.url, timeout=0.3)
    begun = time.monotonic()
    assert adapter.send(sms(1), NOW).outcome is IN_DOUBT
    assert time.monotonic() - begun < 5
    assert adapter.send(sms(2), NOW).outcome is SENT


def test_a_get_that_is_dropped_is_not_repeated(gateway: Gateway, describe: Describe) -> None:
    adapter = describe(gateway.url, method="GET", body=None, query={"to": "{phone}"})
    assert adapter.send(sms(1), NOW).outcome is SENT
    gateway.next("drop")
    assert adapter.send(sms(2), NOW).outcome is IN_DOUBT
    assert len(gateway.received) == 2


def test_nobody_there_means_try_again(describe: Describe) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        report = describe(f"http://127.0.0.1:{taken.getsockname()[1]}/").send(sms(), NOW)
    assert report.outcome is TEMPORARY


def test_a_name_that_nobody_knows_means_try_again(describe: Describe, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", unknown)
    assert describe("http://sms.invalid/").send(sms(), NOW).outcome is TEMPORARY


@pytest.mark.parametrize("tls", ["expired", "stranger"])
def test_a_certificate_that_cannot_be_trusted_is_for_the_administrator(
    describe: Describe, tmp_path: Path, tls: Any
) -> None:
    with Gateway(tls=tls) as gateway:
        report = describe(gateway.url, ca_file=trust_gateway(tmp_path)).send(sms(), NOW)
        assert report.outcome is CONFIGURATION
        assert "certificate" in report.detail
        assert not gateway.received


def test_a_trusted_certificate_is_enough(describe: Describe, tmp_path: Path) -> None:
    with Gateway(tls="good") as gateway:
        adapter = describe(gateway.url, ca_file=trust_gateway(tmp_path))
        assert [adapter.send(sms(n), NOW).outcome for n in range(3)] == [SENT] * 3
        assert gateway.connections == 1


def test_tls_where_there_is_none_is_for_the_administrator(describe: Describe) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            with listening.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        plain = threading.Thread(target=refuse)
        plain.start()
        report = describe(f"https://127.0.0.1:{listening.getsockname()[1]}/").send(sms(), NOW)
        plain.join()
    assert report.outcome is CONFIGURATION
    assert "TLS" in report.detail


def test_a_redirect_is_not_followed(gateway: Gateway, describe: Describe) -> None:
    gateway.next(Say(307, headers={"Location": gateway.url + "2"}, body=""))
    assert describe(gateway.url).send(sms(), NOW).outcome is CONFIGURATION
    assert len(gateway.received) == 1


def test_a_connection_that_the_gateway_closed_in_between_costs_no_doubt(gateway: Gateway, describe: Describe) -> None:
    gateway.always = Say(then_close=True)
    adapter = describe(gateway.url)
    for n in range(30):
        assert adapter.send(sms(n), NOW).outcome is SENT
        assert gateway.hung_up.acquire(timeout=10)
    assert len(gateway.received) == 30


def test_a_connection_is_kept_as_long_as_both_like(gateway: Gateway, describe: Describe) -> None:
    adapter = describe(gateway.url)
    for n in range(5):
        adapter.send(sms(n), NOW)
    assert gateway.connections == 1
    gateway.next(Say(headers={"Connection": "close"}))
    for n in range(2):
        adapter.send(sms(n), NOW)
    assert gateway.connections == 2


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one(gateway: Gateway, describe: Describe) -> None:
    twice = Say().data() + Say(body={"code": 0, "id": "forged"}).data()
    gateway.next(Say(raw=twice), Say(body={"code": 0, "id": "true"}))
    adapter = describe(gateway.url)
    adapter.send(sms(1), NOW)
    assert adapter.send(sms(2), NOW).provider_id == "true"


def test_the_proxy_of_the_environment_is_not_used(
    gateway: Gateway, describe: Describe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert describe(gateway.url).send(sms(), NOW).outcome is SENT


def test_a_configured_proxy_is_asked_for_the_whole_address(gateway: Gateway, describe: Describe) -> None:
    adapter = describe("http://sms.invalid/send", proxy=gateway.url)
    assert adapter.send(sms(), NOW).outcome is SENT
    assert gateway.received[0].target == "http://sms.invalid:80/send"
    assert gateway.received[0].headers["host"] == "sms.invalid"


def test_a_proxy_that_refuses_means_try_again(gateway: Gateway, describe: Describe) -> None:
    gateway.always = Say(403, body="")
    assert describe("https://sms.invalid/send", proxy=gateway.url).send(sms(), NOW).outcome is TEMPORARY
    assert gateway.received[0].method == "CONNECT"


class Crowd:
    """Takes the reports of many messages."""

    def __init__(self) -> None:
        self.reports: dict[str, Report] = {}
        self.calls = 0
        self.one = threading.Semaphore(0)

    def submit(self, adapter: HttpAdapter, message: OutgoingMessage) -> None:
        def done(report: Report) -> None:
            self.calls += 1
            self.reports[message.key] = report
            self.one.release()

        adapter.submit(message, NOW, done)

    def wait(self, count: int) -> Counter[Outcome]:
        for _ in range(count):
            assert self.one.acquire(timeout=20)
        return Counter(report.outcome for report in self.reports.values())


def test_half_of_many_refused_are_the_right_half(gateway: Gateway, describe: Describe) -> None:
    def judge(request: Received) -> Say:
        number = int(request.json["to"][3:])
        return Say(body={"code": 0, "id": f"m{number}"} if number % 2 else {"code": 7, "msg": "no such number"})

    gateway.always = judge
    adapter = describe(gateway.url, in_flight=50, errors={"7": {"outcome": "permanent", "bounces": True}})
    crowd = Crowd()
    for n in range(200):
        crowd.submit(adapter, sms(n))
    assert crowd.wait(200) == {SENT: 100, PERMANENT: 100}
    assert all(
        (report.provider_id == f"m{key[1:]}") if int(key[1:]) % 2 else report.bounces
        for key, report in crowd.reports.items()
    )
    assert gateway.connections <= 50


def test_a_stop_with_a_thousand_in_flight_tells_of_each_whether_it_had_left(
    gateway: Gateway, describe: Describe
) -> None:
    gateway.always = "hang"
    adapter = describe(gateway.url, in_flight=600, timeout=19)
    crowd = Crowd()
    for n in range(1000):
        crowd.submit(adapter, sms(n))
    gateway.wait_for(600)
    begun = time.monotonic()
    adapter.close()
    assert time.monotonic() - begun < 5
    assert crowd.wait(1000) == {IN_DOUBT: 600, TEMPORARY: 400}
    assert crowd.calls == 1000
    doubtful = {key for key, report in crowd.reports.items() if report.outcome is IN_DOUBT}
    assert doubtful == {request.json["key"] for request in gateway.received}


def test_after_the_stop_nothing_leaves(gateway: Gateway, describe: Describe) -> None:
    used, unused = describe(gateway.url), describe(gateway.url)
    used.send(sms(), NOW)
    for adapter in (used, unused):
        adapter.close()
        adapter.close()
        assert adapter.send(sms(), NOW).outcome is TEMPORARY
    assert len(gateway.received) == 1


def test_those_who_wait_for_a_place_too_long_have_not_left(gateway: Gateway, describe: Describe) -> None:
    gateway.always = "hang"
    adapter = describe(gateway.url, in_flight=1, timeout=0.3)
    crowd = Crowd()
    for n in range(3):
        crowd.submit(adapter, sms(n))
    assert crowd.wait(3) == {IN_DOUBT: 1, TEMPORARY: 2}


def test_at_debug_no_log_names_a_person_or_a_secret(
    gateway: Gateway, describe: Describe, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("asyncio", "keguan", "keguan.adapters.http_client", "ssl"):
        caplog.set_level(logging.DEBUG, logger=name)
    echo = Say(body={"code": 9, "msg": "13800000001 张三丰 您好张三丰第1号 horse-battery"})
    gateway.next(Say(), echo, "drop", "hang", Say(500, body="13800000001"), Say(raw=b"13800000001\r\n\r\n"))
    adapter = describe(
        gateway.url,
        timeout=0.3,
        secrets={"adapters.mail.secrets.key": "horse-battery"},
        headers={"X-Key": "{secret.key}"},
    )
    reports = [adapter.send(sms(1), NOW) for _ in range(6)]
    adapter.close()
    seen = caplog.text + "".join(capfd.readouterr()) + repr(reports) + repr(adapter)
    for hidden in ("13800000001", "张三丰", "您好", "horse-battery"):
        assert hidden not in seen


def test_the_thread_ends_with_the_adapter(gateway: Gateway, describe: Describe) -> None:
    before = set(threading.enumerate())
    adapter = describe(gateway.url)
    assert set(threading.enumerate()) == before
    adapter.send(sms(), NOW)
    adapter.close()
    assert {thread.name for thread in set(threading.enumerate()) - before} <= {"asyncio_0"}


def test_trust_is_checked_by_name_too(describe: Describe, tmp_path: Path) -> None:
    with Gateway(tls="good") as gateway:
        url = gateway.url.replace("127.0.0.1", "localhost")
        assert describe(url, ca_file=trust_gateway(tmp_path)).send(sms(), NOW).outcome is CONFIGURATION
