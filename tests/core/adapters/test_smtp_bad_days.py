"""What becomes of a mail when the server refuses, hangs, lies or drops the line, and how many copies there are."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from tests.support.adapters import build_adapter
from tests.support.smtp import ScriptedServer, SmtpSink, Stage, Step, trust_file

from keguan.adapters.base import Adapter, Outcome, OutgoingMessage

NOW = datetime(2026, 3, 5, 1, 30, tzinfo=UTC)
Connect = Callable[..., Adapter]
Security = Literal["none", "starttls", "ssl"]
SENT, TEMPORARY, PERMANENT = Outcome.SENT, Outcome.TEMPORARY, Outcome.PERMANENT
CONFIGURATION, IN_DOUBT = Outcome.CONFIGURATION, Outcome.IN_DOUBT
HELLO: tuple[Step, ...] = (b"220 sink\r\n", "line", b"250 sink\r\n")


def mail(key: str = "k1", to: str = "zhangsan@example.cn", text: str = "您好") -> OutgoingMessage:
    return OutgoingMessage(key, "email", to, "张三", "题", text)


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    opened: list[Adapter] = []

    def build(port: int, **table: Any) -> Adapter:
        settings: dict[str, Any] = {"host": "127.0.0.1", "port": port, "security": "none", "timeout": 1} | table
        opened.append(build_adapter(tmp_path, "smtp", **settings))
        return opened[-1]

    yield build
    for adapter in opened:
        adapter.close()


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.mark.parametrize(
    ("stage", "reply", "outcome"),
    [
        ("mail", "451 4.3.0 later", TEMPORARY),
        ("mail", "421 4.3.2 shutting down", TEMPORARY),
        ("mail", "550 5.7.1 sender not known", CONFIGURATION),
        ("mail", "530 5.7.0 log in first", CONFIGURATION),
        ("mail", "552 5.3.4 too large", PERMANENT),
        ("rcpt", "450 4.2.1 mailbox busy", TEMPORARY),
        ("rcpt", "421 4.7.0 too many", TEMPORARY),
        ("rcpt", "550 5.1.1 no such user", PERMANENT),
        ("rcpt", "530 5.7.0 log in first", CONFIGURATION),
        ("data", "452 4.3.1 disk full", TEMPORARY),
        ("data", "421 4.3.2 shutting down", TEMPORARY),
        ("data", "554 5.7.1 looks like spam", PERMANENT),
        ("data", "299 odd but fine", SENT),
        ("data", "399 nobody knows", IN_DOUBT),
        ("data", "hello?", IN_DOUBT),
    ],
)
def test_each_answer_has_its_outcome_and_the_next_mail_leaves(
    sink: SmtpSink, connect: Connect, stage: Stage, reply: str, outcome: Outcome
) -> None:
    sink.on(stage, reply, times=1)
    adapter = connect(sink.port)
    assert adapter.send(mail(), NOW).outcome is outcome
    assert adapter.send(mail("k2"), NOW).outcome is SENT


def test_a_refusal_tells_the_operator_the_code_and_not_the_person(sink: SmtpSink, connect: Connect) -> None:
    sink.on("rcpt", "550 5.1.1 <zhangsan@example.cn> zhangsan 13800138000 unknown here")
    detail = connect(sink.port).send(mail(), NOW).detail
    assert "550 5.1.1" in detail
    assert "unknown here" in detail
    assert "zhangsan" not in detail
    assert "138" not in detail


def test_greylisting_is_a_matter_of_coming_again(sink: SmtpSink, connect: Connect) -> None:
    sink.greylist()
    adapter = connect(sink.port)
    assert adapter.send(mail(), NOW).outcome is TEMPORARY
    assert adapter.send(mail(), NOW).outcome is SENT


@pytest.mark.parametrize(
    ("reply", "gone"),
    [
        ("550 5.1.1 no such user", True),
        ("550 5.1.10 null MX", True),
        ("551 5.1.6 moved to 5.7.1 street", True),
        ("550 5.7.1 blocked by policy", False),
        ("550 5.1.8 bad sender", False),
        ("550 no such user", False),
        ("450 4.1.1 later", False),
        ("552 5.2.2 mailbox full, see 5.1.1", False),
    ],
)
def test_only_an_address_that_does_not_exist_counts_as_bounced(
    sink: SmtpSink, connect: Connect, reply: str, gone: bool
) -> None:
    sink.on("rcpt", reply, times=1)
    assert connect(sink.port).send(mail(), NOW).bounces is gone


def test_a_line_that_breaks_after_data_leaves_the_mail_in_doubt_and_one_copy(sink: SmtpSink, connect: Connect) -> None:
    sink.on("data", drop=True, times=1)
    adapter = connect(sink.port)
    assert adapter.send(mail("k1"), NOW).outcome is IN_DOUBT
    assert len(sink.mails) == 1
    assert adapter.send(mail("k2"), NOW).outcome is SENT
    assert sink.connections == 2


def test_an_answer_that_comes_too_late_leaves_the_mail_in_doubt_and_one_copy(sink: SmtpSink, connect: Connect) -> None:
    sink.on("data", delay=30)
    begun = time.monotonic()
    assert connect(sink.port, timeout=0.3).send(mail(), NOW).outcome is IN_DOUBT
    assert time.monotonic() - begun < 5
    assert len(sink.mails) == 1


def test_resending_a_mail_in_doubt_gives_the_receiver_the_same_message_id(sink: SmtpSink, connect: Connect) -> None:
    sink.on("data", drop=True, times=1)
    adapter = connect(sink.port)
    assert [adapter.send(mail(), NOW).outcome for _ in range(2)] == [IN_DOUBT, SENT]
    assert list(sink.copies.values()) == [2]


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
@pytest.mark.parametrize("trouble", [{"drop": True}, {"delay": 30}])
def test_a_line_that_breaks_before_data_means_try_again(
    sink: SmtpSink, connect: Connect, stage: Stage, trouble: dict[str, Any]
) -> None:
    sink.on(stage, **trouble)
    assert connect(sink.port, timeout=0.5).send(mail(), NOW).outcome is TEMPORARY
    assert sink.mails == []


def test_a_reused_session_that_breaks_before_data_is_replaced_at_once(sink: SmtpSink, connect: Connect) -> None:
    adapter = connect(sink.port)
    adapter.send(mail("k1"), NOW)
    sink.on("rcpt", drop=True, times=1)
    assert adapter.send(mail("k2"), NOW).outcome is SENT
    assert set(sink.copies.values()) == {1}


def test_nobody_listens(sink: SmtpSink, connect: Connect) -> None:
    adapter = connect(sink.port)
    adapter.send(mail("k1"), NOW)
    sink.stop()
    report = adapter.send(mail("k2"), NOW)
    assert report.outcome is TEMPORARY
    assert "refused" in report.detail
    sink.start()
    assert adapter.send(mail("k2"), NOW).outcome is SENT


def test_a_host_name_that_does_not_exist(connect: Connect) -> None:
    assert connect(25, host="mail.invalid").send(mail(), NOW).outcome is TEMPORARY


class TestLogIn:
    @pytest.mark.parametrize("password", ["wrong", "密码"])
    def test_a_wrong_password_is_for_the_administrator(self, connect: Connect, password: str) -> None:
        with SmtpSink(login=("apikey", "geheim")) as sink:
            adapter = connect(sink.port, user="apikey", password=password, sender="kf@example.cn")
            report = adapter.send(mail(), NOW)
            assert report.outcome is CONFIGURATION
            assert "adapters.mail" in report.detail
            assert password not in report.detail

    def test_a_server_that_wants_a_log_in_we_do_not_have(self, connect: Connect) -> None:
        with SmtpSink(login=("apikey", "geheim")) as sink:
            assert connect(sink.port).send(mail(), NOW).outcome is CONFIGURATION

    def test_a_server_that_knows_no_log_in(self, sink: SmtpSink, connect: Connect) -> None:
        adapter = connect(sink.port, user="apikey", password="geheim")
        assert adapter.send(mail(), NOW).outcome is CONFIGURATION

    def test_a_log_in_that_is_refused_for_now(self, connect: Connect) -> None:
        script: tuple[Step, ...] = (
            b"220 sink\r\n", "line", b"250-sink\r\n250 AUTH PLAIN\r\n", "line", b"454 4.7.0 database away\r\n", 30,
        )  # fmt: skip
        with ScriptedServer(*script) as server:
            adapter = connect(server.port, user="apikey", password="geheim")
            assert adapter.send(mail(), NOW).outcome is TEMPORARY


class TestEncryption:
    @pytest.mark.parametrize("security", ["starttls", "ssl"])
    def test_a_certificate_nobody_vouches_for_gets_neither_password_nor_mail(
        self, connect: Connect, security: Security
    ) -> None:
        with SmtpSink(security=security, login=("apikey", "geheim")) as sink:
            adapter = connect(sink.port, host="localhost", security=security, user="apikey", password="geheim")
            report = adapter.send(mail(), NOW)
            assert report.outcome is CONFIGURATION
            assert "certificate" in report.detail
            assert (sink.logins, sink.mails) == ([], [])

    @pytest.mark.parametrize("security", ["starttls", "ssl"])
    def test_an_expired_certificate_gets_neither_password_nor_mail(
        self, connect: Connect, security: Security, tmp_path: Path
    ) -> None:
        with SmtpSink(security=security, expired=True, login=("apikey", "geheim")) as sink:
            log_in = {"user": "apikey", "password": "geheim", "ca_file": str(trust_file(tmp_path))}
            adapter = connect(sink.port, host="localhost", security=security, **log_in)
            report = adapter.send(mail(), NOW)
            assert report.outcome is CONFIGURATION
            assert "expired" in report.detail
            assert (sink.logins, sink.mails) == ([], [])

    @pytest.mark.parametrize("security", ["starttls", "ssl"])
    def test_a_certificate_for_another_name_is_refused(
        self, connect: Connect, security: Security, tmp_path: Path
    ) -> None:
        with SmtpSink(security=security) as sink:
            adapter = connect(sink.port, host="127.0.0.1", security=security, ca_file=str(trust_file(tmp_path)))
            assert adapter.send(mail(), NOW).outcome is CONFIGURATION
            assert sink.mails == []

    @pytest.mark.parametrize("security", ["starttls", "ssl"])
    def test_a_server_without_encryption_never_gets_the_mail_in_the_clear(
        self, sink: SmtpSink, connect: Connect, security: Security
    ) -> None:
        assert connect(sink.port, security=security).send(mail(), NOW).outcome is CONFIGURATION
        assert (sink.mails, sink.commands["mail"]) == ([], 0)


class TestServersThatNoBookDescribes:
    def outcome(self, connect: Connect, *script: Step, text: str = "您好", **table: object) -> Outcome:
        with ScriptedServer(*script) as server:
            begun = time.monotonic()
            report = connect(server.port, **({"timeout": 0.5} | table)).send(mail(text=text), NOW)
            assert time.monotonic() - begun < 5
            return report.outcome

    def test_a_silent_one(self, connect: Connect) -> None:
        assert self.outcome(connect, 30) is TEMPORARY

    def test_one_that_drips_a_letter_at_a_time_cannot_hold_us(self, connect: Connect) -> None:
        drops: list[Step] = [b"2", 0.1] * 100
        assert self.outcome(connect, *drops) is TEMPORARY

    def test_one_that_talks_without_end(self, connect: Connect) -> None:
        words: list[Step] = [b"250-more\r\n", 0.05] * 200
        assert self.outcome(connect, b"220 sink\r\n", "line", *words) is TEMPORARY

    @pytest.mark.parametrize(
        ("greeting", "outcome"),
        [
            (b"421 4.3.2 busy\r\n", TEMPORARY),
            (b"554 5.7.1 you again\r\n", CONFIGURATION),
            (b"SSH-2.0\r\n", CONFIGURATION),
        ],
    )
    def test_one_that_greets_badly(self, connect: Connect, greeting: bytes, outcome: Outcome) -> None:
        assert self.outcome(connect, greeting, 1) is outcome

    def test_one_that_hangs_up_when_the_mail_begins(self, connect: Connect) -> None:
        script: tuple[Step, ...] = (*HELLO, "line", b"250 OK\r\n", "line", b"250 OK\r\n", "line")
        assert self.outcome(connect, *script) is TEMPORARY

    def test_one_that_refuses_the_mail_before_it_begins(self, connect: Connect) -> None:
        script: tuple[Step, ...] = (
            *HELLO,
            "line",
            b"250 OK\r\n",
            "line",
            b"250 OK\r\n",
            "line",
            b"554 no valid recipients\r\n",
            1,
        )
        assert self.outcome(connect, *script) is PERMANENT

    def test_one_that_claims_success_without_having_asked_for_the_mail(self, connect: Connect) -> None:
        script: tuple[Step, ...] = (*HELLO, "line", b"250 OK\r\n", "line", b"250 OK\r\n", "line", b"250 OK\r\n", 1)
        assert self.outcome(connect, *script) is TEMPORARY

    def test_one_that_reads_a_part_of_a_long_mail_certainly_has_not_accepted_it(self, connect: Connect) -> None:
        script: tuple[Step, ...] = (
            *HELLO,
            "line",
            b"250 OK\r\n",
            "line",
            b"250 OK\r\n",
            "line",
            b"354 go\r\n",
            "line",
            30,
        )
        assert self.outcome(connect, *script, text="x" * 30_000_000) is TEMPORARY

    def test_one_that_took_the_whole_mail_and_hangs_up(self, connect: Connect) -> None:
        script: tuple[Step, ...] = (*HELLO, "line", b"250 OK\r\n", "line", b"250 OK\r\n", "line", b"354 go\r\n", "mail")
        assert self.outcome(connect, *script) is IN_DOUBT

    def test_one_whose_answer_is_too_long_after_the_mail(self, connect: Connect) -> None:
        script: tuple[Step, ...] = (
            *HELLO,
            "line",
            b"250 OK\r\n",
            "line",
            b"250 OK\r\n",
            "line",
            b"354 go\r\n",
            "mail",
            b"2" * 10_000,
            1,
        )
        assert self.outcome(connect, *script) is IN_DOUBT
