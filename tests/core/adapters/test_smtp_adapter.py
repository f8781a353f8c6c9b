"""E-mail through a real mail server: what arrives, over which connections, as whom."""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import ValidationError
from tests.support.adapters import build_adapter
from tests.support.smtp import SmtpSink, trust_file

from keguan.adapters.base import Adapter, Outcome, OutgoingMessage
from keguan.adapters.smtp import SmtpSettings
from keguan.errors import ConfigError
from keguan.model import Attachment

NOW = datetime(2026, 3, 5, 1, 30, tzinfo=UTC)
Connect = Callable[..., Adapter]
Security = Literal["none", "starttls", "ssl"]


def mail(key: str = "k1", to: str = "zhangsan@example.cn", **fields: Any) -> OutgoingMessage:
    values: dict[str, Any] = {"to_name": "张三", "title": "您的新家", "text": "尊敬的张三：\n.\n您好"} | fields
    return OutgoingMessage(key=key, channel="email", to_address=to, **values)


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """Build an adapter for a sink; it is closed when the test ends."""
    opened: list[Adapter] = []

    def build(sink: SmtpSink, *, secrets: dict[str, str] | None = None, **table: Any) -> Adapter:
        table = {"host": "127.0.0.1", "port": sink.port, "security": "none", "timeout": 5} | table
        opened.append(build_adapter(tmp_path, "smtp", secrets=secrets, **table))
        return opened[-1]

    yield build
    for adapter in opened:
        adapter.close()


def test_a_mail_arrives_as_it_was_written(connect: Connect) -> None:
    with SmtpSink() as sink:
        report = connect(sink, sender="kf@example.cn").send(mail(html="<p>您好</p>"), NOW)
        assert (report.outcome, report.provider_id) == (Outcome.SENT, "4F2AB19C")
        (received,) = sink.mails
        assert (received.sender, received.recipients) == ("kf@example.cn", ("zhangsan@example.cn",))
        assert received.message["Subject"] == "您的新家"
        assert str(received.message["To"]) == "张三 <zhangsan@example.cn>"
        assert str(received.message["From"]) == "云璟地产 <kf@example.cn>"
        assert received.text() == "尊敬的张三：\n.\n您好\n"
        assert received.text("html") == "<p>您好</p>\n"


def test_host_port_and_security_are_settings_enough(connect: Connect) -> None:
    with SmtpSink() as sink:
        assert connect(sink).send(mail(), NOW).outcome is Outcome.SENT
        assert str(sink.mails[0].message["From"]) == "云璟地产 <keguan@localhost>"


def test_many_mails_go_over_one_session(connect: Connect) -> None:
    with SmtpSink() as sink:
        adapter = connect(sink)
        for number in range(20):
            assert adapter.send(mail(f"k{number}"), NOW).outcome is Outcome.SENT
        assert sink.connections == 1
        assert len(sink.copies) == 20
        assert sink.commands["noop"] == 0
        adapter.close()
        assert sink.commands["quit"] == 1


def test_a_session_is_renewed_after_so_many_mails(connect: Connect) -> None:
    with SmtpSink() as sink:
        adapter = connect(sink, renew_after_messages=5)
        for number in range(12):
            adapter.send(mail(f"k{number}"), NOW)
        assert (sink.connections, sink.commands["quit"], len(sink.mails)) == (3, 2, 12)


def test_a_session_is_renewed_after_some_time(connect: Connect) -> None:
    with SmtpSink() as sink:
        adapter = connect(sink, renew_after_seconds=0.05)
        adapter.send(mail("k1"), NOW)
        time.sleep(0.06)
        adapter.send(mail("k2"), NOW)
        assert (sink.connections, len(sink.mails)) == (2, 2)


@pytest.mark.parametrize("alive", [True, False])
def test_an_idle_session_is_asked_first(connect: Connect, alive: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keguan.adapters.smtp._IDLE", 0.0)
    with SmtpSink() as sink:
        adapter = connect(sink)
        adapter.send(mail("k1"), NOW)
        if not alive:
            sink.hang_up()
        assert adapter.send(mail("k2"), NOW).outcome is Outcome.SENT
        assert sink.connections == (1 if alive else 2)
        assert sink.commands["noop"] == (1 if alive else 0)


def test_a_session_that_ended_meanwhile_costs_nothing(connect: Connect) -> None:
    with SmtpSink() as sink:
        adapter = connect(sink)
        adapter.send(mail("k1"), NOW)
        sink.hang_up()
        assert adapter.send(mail("k2"), NOW).outcome is Outcome.SENT
        assert set(sink.copies.values()) == {1}


@pytest.mark.parametrize("security", ["none", "starttls", "ssl"])
def test_log_in_with_a_user_that_is_not_the_sender(connect: Connect, security: Security, tmp_path: Path) -> None:
    with SmtpSink(security=security, login=("apikey", "geheim")) as sink:
        adapter = connect(
            sink, host="localhost", security=security, ca_file=str(trust_file(tmp_path)),
            user="apikey", password="geheim", sender="kf@example.cn", envelope_sender="bounces@example.cn",
        )  # fmt: skip
        assert adapter.send(mail(), NOW).outcome is Outcome.SENT
        assert sink.logins == ["apikey"]
        assert sink.mails[0].sender == "bounces@example.cn"
        assert str(sink.mails[0].message["From"]) == "云璟地产 <kf@example.cn>"


def test_the_password_may_come_from_the_secrets(connect: Connect) -> None:
    with SmtpSink(login=("kf@example.cn", "geheim")) as sink:
        adapter = connect(sink, sender="kf@example.cn", secrets={"adapters.mail.password": "geheim"})
        assert adapter.send(mail(), NOW).outcome is Outcome.SENT
        assert sink.logins == ["kf@example.cn"]


def test_files_go_with_a_mail(connect: Connect) -> None:
    with SmtpSink() as sink:
        connect(sink).send(mail(attachments=(Attachment("验房报告.pdf", b"%PDF" * 100_000, "application/pdf"),)), NOW)
        (part,) = sink.mails[0].message.iter_attachments()
        assert part.get_filename() == "验房报告.pdf"
        assert part.get_content() == b"%PDF" * 100_000


class TestAddressesBeyondAscii:
    def test_reach_a_server_that_takes_them(self, connect: Connect) -> None:
        with SmtpSink(smtputf8=True) as sink:
            adapter = connect(sink)
            assert adapter.send(mail(to="张三@例子.中国"), NOW).outcome is Outcome.SENT
            assert adapter.send(mail("k2"), NOW).outcome is Outcome.SENT
            assert sink.mails[0].recipients == ("张三@xn--fsqu00a.xn--fiqs8s",)

    def test_are_refused_where_the_server_takes_none_and_the_session_goes_on(self, connect: Connect) -> None:
        with SmtpSink(smtputf8=False) as sink:
            adapter = connect(sink)
            assert adapter.send(mail(to="张三@example.cn"), NOW).outcome is Outcome.PERMANENT
            assert adapter.send(mail("k2", to="a@例子.中国"), NOW).outcome is Outcome.SENT
            assert sink.connections == 1


@pytest.mark.parametrize("address", ["zhangsan", "a b@example.cn", "a@example.cn\r\nRCPT TO:<b@example.cn>", ""])
def test_what_is_no_address_is_refused_without_a_connection(connect: Connect, address: str) -> None:
    with SmtpSink() as sink:
        assert connect(sink).send(mail(to=address), NOW).outcome is Outcome.PERMANENT
        assert sink.connections == 0


def test_what_is_no_unicode_is_refused_without_a_connection(connect: Connect) -> None:
    with SmtpSink() as sink:
        assert connect(sink).send(mail(text="a\ud800"), NOW).outcome is Outcome.PERMANENT
        assert sink.connections == 0


def test_no_log_shows_recipient_content_or_password(
    connect: Connect, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # the sink's own
    with SmtpSink(login=("apikey", "geheim")) as sink:
        sink.on("rcpt", "550 5.1.1 <lisi@example.cn> unknown", address="lisi@example.cn")
        adapter = connect(sink, user="apikey", password="geheim", sender="kf@example.cn")
        adapter.send(mail(), NOW)
        adapter.send(mail("k2", to="lisi@example.cn"), NOW)
        adapter.close()
    seen = caplog.text + "".join(capfd.readouterr()) + repr(adapter.__dict__)
    for secret in ("zhangsan", "lisi", "张三", "geheim", "尊敬"):
        assert secret not in seen


class TestSettings:
    @pytest.mark.parametrize(
        ("table", "key"),
        [
            ({"user": "apikey"}, "adapter.smtp_password_missing"),
            ({"ca_file": "nowhere.pem"}, "adapter.smtp_ca_file"),
            ({"user": "a@b@c", "password": "x"}, "adapter.smtp_sender_wrong"),
        ],
    )
    def test_what_does_not_fit_together_is_refused_at_the_start(
        self, tmp_path: Path, table: dict[str, Any], key: str
    ) -> None:
        with pytest.raises(ConfigError) as caught:
            build_adapter(tmp_path, "smtp", host="localhost", security="ssl", **table)
        assert caught.value.key == key
        assert "adapters.mail" in str(caught.value)

    @pytest.mark.parametrize(
        "mistake",
        [
            {"sender": "no address"},
            {"envelope_sender": "张三@example.cn"},
            {"security": "tls"},
            {"timeout": 60},
            {"port": 0},
            {"pasword": "x"},
            {"host": ""},
        ],
    )
    def test_mistakes_are_named_and_the_password_is_not_shown(self, mistake: dict[str, object]) -> None:
        with pytest.raises(ValidationError) as caught:
            SmtpSettings.model_validate({"host": "localhost", "password": "geheim"} | mistake)
        assert caught.value.errors()[0]["loc"] == tuple(mistake)
        assert "geheim" not in str(caught.value)

    @pytest.mark.parametrize(("security", "port"), [("none", 25), ("starttls", 587), ("ssl", 465)])
    def test_the_usual_port_is_used(self, tmp_path: Path, security: Security, port: int) -> None:
        adapter = build_adapter(tmp_path, "smtp", host="mail.invalid", security=security, timeout=5)
        report = adapter.send(mail(), NOW)
        assert report.outcome is Outcome.TEMPORARY
        assert f"mail.invalid:{port}" in report.detail
