"""The bad days of the vendors' gateways, each with a real server: what is certain is said, and the rest is in doubt."""

import threading
from pathlib import Path

import pytest
from tests.support.sms_adapters import NOW, VENDORS, Fakes, Vendor, build, sms

from keguan.adapters.base import ConcurrentAdapter, InquiringAdapter, Outcome, Report
from keguan.adapters.registry import adapter_types
from keguan.errors import ConfigError

every_vendor = pytest.mark.parametrize("vendor", VENDORS)


@every_vendor
@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        ({"status": 429, "body": b"{}"}, Outcome.LIMIT),
        ({"status": 500, "body": b"{}"}, Outcome.IN_DOUBT),
        ({"status": 502, "body": b"<html>bad gateway</html>", "content_type": "text/html"}, Outcome.IN_DOUBT),
        ({"status": 503, "body": b"{}"}, Outcome.TEMPORARY),
        ({"body": b"<html>welcome</html>", "content_type": "text/html"}, Outcome.IN_DOUBT),
        ({"body": b"{}"}, Outcome.IN_DOUBT),
        ({"body": b"[]"}, Outcome.IN_DOUBT),
        ({"body": b"\xff\xfe\x00"}, Outcome.IN_DOUBT),
        ({"body": b""}, Outcome.IN_DOUBT),
        ({"drop": True}, Outcome.IN_DOUBT),
    ],
)
def test_an_answer_that_says_nothing(vendor: Vendor, act: dict[str, object], outcome: Outcome, tmp_path: Path) -> None:
    with Fakes(vendor)() as gateway:
        adapter = build(vendor, gateway, tmp_path)
        gateway.next(**act)
        report = adapter.send(sms(), NOW)
        assert report.outcome is outcome
        assert report.pauses is (outcome is Outcome.LIMIT)
        assert len(gateway.asked) == 1, "nothing is asked twice behind our back"
        assert adapter.send(sms("k2"), NOW).outcome is Outcome.SENT, "the next day is a good one"


@every_vendor
@pytest.mark.parametrize("act", ["hang", "trickle"])
def test_a_gateway_that_does_not_come_to_an_end_is_left_in_doubt_in_time(
    vendor: Vendor, act: str, tmp_path: Path
) -> None:
    with Fakes(vendor)() as gateway:
        adapter = build(vendor, gateway, tmp_path, timeout=0.5)
        gateway.next(**{act: True})
        report = adapter.send(sms(), NOW)
        assert report.outcome is Outcome.IN_DOUBT
        assert "timed out" in report.detail
        assert len(gateway.asked) == 1


@every_vendor
def test_a_gateway_that_took_the_message_and_lost_the_line_is_asked_afterwards(vendor: Vendor, tmp_path: Path) -> None:
    with Fakes(vendor)() as gateway:
        adapter = build(vendor, gateway, tmp_path)
        gateway.next(drop=True, after=True)
        assert adapter.send(sms(), NOW).outcome is Outcome.IN_DOUBT
        assert len(gateway.sent) == 1
        assert isinstance(adapter, InquiringAdapter)


@every_vendor
def test_a_refused_connection_is_certainly_nothing_sent(vendor: Vendor, tmp_path: Path) -> None:
    with Fakes(vendor)() as gateway:
        adapter = build(vendor, gateway, tmp_path)
    report = adapter.send(sms(), NOW)
    assert report.outcome is Outcome.TEMPORARY
    assert "Connection refused" in report.detail


@every_vendor
def test_a_server_that_hangs_up_while_tls_begins_got_nothing(vendor: Vendor, tmp_path: Path) -> None:
    with Fakes(vendor)(tls="good") as gateway:
        adapter = build(vendor, gateway, tmp_path)
        gateway.hang_up_before_tls()
        assert adapter.send(sms(), NOW).outcome is Outcome.TEMPORARY


@every_vendor
def test_a_good_certificate_is_trusted_and_an_expired_one_is_not(vendor: Vendor, tmp_path: Path) -> None:
    with Fakes(vendor)(tls="good") as gateway:
        assert build(vendor, gateway, tmp_path).send(sms(), NOW).outcome is Outcome.SENT
    with Fakes(vendor)(tls="expired") as gateway:
        report = build(vendor, gateway, tmp_path).send(sms(), NOW)
        assert report.outcome is Outcome.CONFIGURATION
        assert "expired" in report.detail
        assert gateway.asked == []


@every_vendor
def test_a_certificate_of_a_stranger_is_not_trusted(vendor: Vendor, tmp_path: Path) -> None:
    with Fakes(vendor)(tls="good") as gateway:
        assert build(vendor, gateway, tmp_path, trust=False).send(sms(), NOW).outcome is Outcome.CONFIGURATION
        assert gateway.asked == []


@every_vendor
def test_a_wrong_secret_is_a_matter_for_the_administrator(vendor: Vendor, tmp_path: Path) -> None:
    with Fakes(vendor)(secret="another") as gateway:
        adapter = build(vendor, gateway, tmp_path)
        assert adapter.send(sms(), NOW).outcome is Outcome.CONFIGURATION
        assert "adapters.sms" in str(adapter.check())
        assert gateway.sent == []


@every_vendor
def test_checking_logs_in_and_sends_nothing(vendor: Vendor, tmp_path: Path) -> None:
    with Fakes(vendor)() as gateway:
        adapter = build(vendor, gateway, tmp_path)
        assert adapter.check() is None
        assert len(gateway.asked) == 1
        assert gateway.sent == []
        gateway.stop()
        assert "Connection refused" in str(adapter.check())


@every_vendor
def test_several_messages_wait_for_the_gateway_at_once(vendor: Vendor, tmp_path: Path) -> None:
    with Fakes(vendor)() as gateway:
        adapter = build(vendor, gateway, tmp_path, timeout=5.0)
        assert isinstance(adapter, ConcurrentAdapter)
        reports: list[Report] = []
        there = threading.Semaphore(0)

        def done(report: Report) -> None:
            reports.append(report)
            there.release()

        for number in range(adapter.in_flight):
            adapter.submit(sms(f"k{number}"), NOW, done)
        assert all(there.acquire(timeout=10) for _ in range(adapter.in_flight))
        assert {report.outcome for report in reports} == {Outcome.SENT}
        assert len({report.provider_id for report in reports}) == len(gateway.sent) == adapter.in_flight


@every_vendor
def test_the_secret_may_come_from_the_secrets(vendor: Vendor, tmp_path: Path) -> None:
    key = {"aliyun": "access_key_secret", "tencent": "secret_key", "twilio": "auth_token"}[vendor]
    with Fakes(vendor)(secret="filed") as gateway:
        adapter = build(vendor, gateway, tmp_path, secrets={f"adapters.sms.{key}": "filed"}, without=key)
        assert adapter.send(sms(), NOW).outcome is Outcome.SENT
        with pytest.raises(ConfigError) as caught:
            build(vendor, gateway, tmp_path, without=key)
        assert f"KEGUAN_ADAPTERS__SMS__{key.upper()}" in str(caught.value)


@every_vendor
def test_certificates_that_cannot_be_read_are_named_at_the_start(vendor: Vendor, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    with Fakes(vendor)() as gateway:
        for file in ("nowhere.pem", "empty.pem"):
            with pytest.raises(ConfigError) as caught:
                build(vendor, gateway, tmp_path, ca_file=file)
            assert file in str(caught.value)


@pytest.mark.parametrize(
    ("type_name", "extra", "library", "table"),
    [
        ("aliyun", "aliyun", "alibabacloud_dysmsapi20170525.client", {"access_key_id": "x"}),
        ("tencent", "tencent", "tencentcloud.sms.v20210111.sms_client", {"secret_id": "x", "sdk_app_id": "1"}),
        ("twilio", "twilio", "twilio.rest", {"account_sid": "x", "from": "+1"}),
        ("apprise", "robots", "apprise", {"default": "json://localhost"}),
    ],
)
def test_a_library_that_is_not_installed_is_one_line_that_names_the_extra(
    type_name: str, extra: str, library: str, table: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keguan.adapters.base import Surroundings

    monkeypatch.setitem(__import__("sys").modules, library, None)
    kind = adapter_types()[type_name]
    settings = kind.settings(**table)
    with pytest.raises(ConfigError) as caught:
        kind.build("sms", settings, Surroundings(tmp_path, "云璟地产"))
    assert f"pip install 'keguan[{extra}]'" in str(caught.value)
