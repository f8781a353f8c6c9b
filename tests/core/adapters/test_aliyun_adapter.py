"""SMS through Alibaba Cloud: what it is asked for, what its codes mean, and what it calls back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError
from tests.support.sms_adapters import NAME, NOW, NUMBER, SECRET, build, sms
from tests.support.vendor_gateways import FakeAliyun

from keguan.adapters.aliyun import ALIYUN, AliyunSettings
from keguan.adapters.base import InquiringAdapter, ListeningAdapter, Outcome, PollingAdapter

PASSWORD = "a-long-enough-secret"


@pytest.fixture
def gateway() -> Iterator[FakeAliyun]:
    with FakeAliyun(secret=SECRET) as fake:
        yield fake


@pytest.fixture
def adapter(gateway: FakeAliyun, tmp_path: Path) -> Any:
    return build("aliyun", gateway, tmp_path, callback_secret=PASSWORD)


def test_an_approved_template_arrives_with_its_variables_and_our_key(gateway: FakeAliyun, adapter: Any) -> None:
    report = adapter.send(sms("p1/visit/h1/1"), NOW)
    assert (report.outcome, report.provider_id) == (Outcome.SENT, "90061^0")
    (sent,) = gateway.sent
    assert sent["PhoneNumbers"] == "13800138000"
    assert sent["SignName"] == "云璟物业"
    assert sent["TemplateCode"] == "SMS_1001"
    assert json.loads(sent["TemplateParam"]) == {"name": NAME, "home": "3-1201"}
    assert sent["OutId"] == "p1/visit/h1/1"


def test_a_template_without_variables_has_no_parameters(gateway: FakeAliyun, adapter: Any) -> None:
    assert adapter.send(sms(variables=()), NOW).outcome is Outcome.SENT
    assert "TemplateParam" not in gateway.sent[0]


def test_a_signature_of_its_own_wins_over_the_companys(gateway: FakeAliyun, tmp_path: Path) -> None:
    build("aliyun", gateway, tmp_path, sign_name="云璟客服").send(sms(), NOW)
    assert gateway.sent[0]["SignName"] == "云璟客服"


@pytest.mark.parametrize("address", ["+8521234567", "+14155550123", "13800138000", "+861380013800"])
def test_a_number_outside_the_mainland_is_handed_on(gateway: FakeAliyun, adapter: Any, address: str) -> None:
    report = adapter.send(sms(to=address), NOW)
    assert (report.outcome, report.bounces) == (Outcome.TEMPORARY, False)
    assert gateway.asked == []


def test_without_an_approved_template_nothing_is_asked(gateway: FakeAliyun, adapter: Any) -> None:
    assert adapter.send(sms(template_id=None), NOW).outcome is Outcome.TEMPORARY
    assert gateway.asked == []
    assert ALIYUN.approved_templates


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("isv.SMS_TEMPLATE_ILLEGAL", Outcome.CONFIGURATION),
        ("isv.SMS_SIGNATURE_ILLEGAL", Outcome.CONFIGURATION),
        ("isv.AMOUNT_NOT_ENOUGH", Outcome.CONFIGURATION),
        ("isv.OUT_OF_SERVICE", Outcome.CONFIGURATION),
        ("isp.RAM_PERMISSION_DENY", Outcome.CONFIGURATION),
        ("isv.BLACK_KEY_CONTROL_LIMIT", Outcome.PERMANENT),
        ("isv.PARAM_NOT_SUPPORT_URL", Outcome.PERMANENT),
        ("isv.TEMPLATE_MISSING_PARAMETERS", Outcome.PERMANENT),
        ("isp.SYSTEM_ERROR", Outcome.TEMPORARY),
        ("isv.NOT_INVENTED_YET", Outcome.TEMPORARY),
    ],
)
def test_codes(gateway: FakeAliyun, adapter: Any, code: str, outcome: Outcome) -> None:
    gateway.refuse = (code, f"{NUMBER} {NAME}")
    report = adapter.send(sms(), NOW)
    assert (report.outcome, report.bounces) == (outcome, False)
    assert code in report.detail
    assert NAME not in report.detail
    assert "138" not in report.detail


def test_a_number_that_is_none_bounces(gateway: FakeAliyun, adapter: Any) -> None:
    gateway.refuse = ("isv.MOBILE_NUMBER_ILLEGAL", "…")
    report = adapter.send(sms(), NOW)
    assert (report.outcome, report.bounces) == (Outcome.PERMANENT, True)


@pytest.mark.parametrize(
    ("words", "wait"),
    [
        ("触发分钟级流控Permits:1", timedelta(minutes=1)),
        ("触发小时级流控Permits:5", timedelta(hours=1)),
        ("触发天级流控Permits:10", timedelta(hours=14, minutes=31)),  # it is 09:30 in Beijing
        ("", timedelta(hours=1)),
    ],
)
def test_a_number_that_got_too_much_waits_and_the_others_do_not(
    gateway: FakeAliyun, adapter: Any, words: str, wait: timedelta
) -> None:
    gateway.refuse = ("isv.BUSINESS_LIMIT_CONTROL", words)
    report = adapter.send(sms(), NOW)
    assert (report.outcome, report.retry_after, report.pauses) == (Outcome.LIMIT, wait, False)


@pytest.mark.parametrize("code", ["isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL"])
def test_the_accounts_own_limit_stops_everything(gateway: FakeAliyun, adapter: Any, code: str) -> None:
    gateway.refuse = (code, "")
    report = adapter.send(sms(), NOW)
    assert (report.outcome, report.pauses) == (Outcome.LIMIT, True)
    assert report.retry_after


def test_throttling_says_itself_how_long(gateway: FakeAliyun, adapter: Any) -> None:
    body = json.dumps({"Code": "Throttling.User", "Message": "…", "RequestId": "R"}).encode()
    gateway.next(status=429, body=body, headers={"x-acs-retry-after": "2500"})
    report = adapter.send(sms(), NOW)
    assert (report.outcome, report.pauses, report.retry_after) == (Outcome.LIMIT, True, timedelta(seconds=2.5))


class TestInquiry:
    def test_it_is_an_adapter_that_can_be_asked(self, adapter: Any) -> None:
        assert isinstance(adapter, InquiringAdapter)

    def test_what_the_gateway_has_was_sent(self, gateway: FakeAliyun, adapter: Any) -> None:
        gateway.next(drop=True, after=True)
        adapter.send(sms("lost"), NOW)
        found = adapter.inquire(sms("lost", started_at=NOW), NOW + timedelta(seconds=30))
        assert found is not None
        assert found.outcome is Outcome.SENT
        assert gateway.asked[-1].query["SendDate"] == "20260305"

    def test_it_is_found_among_many_to_the_same_number(self, gateway: FakeAliyun, adapter: Any) -> None:
        for number in range(60):
            adapter.send(sms(f"k{number}"), NOW)
        assert adapter.inquire(sms("k55", started_at=NOW), NOW).outcome is Outcome.SENT

    def test_what_it_does_not_know_after_a_while_never_came(self, gateway: FakeAliyun, adapter: Any) -> None:
        adapter.send(sms("another"), NOW)
        asked = sms("lost", started_at=NOW)
        assert adapter.inquire(asked, NOW + timedelta(minutes=4)) is None, "its records may lag behind"
        assert adapter.inquire(asked, NOW + timedelta(minutes=5)).outcome is Outcome.TEMPORARY

    def test_around_midnight_both_days_are_looked_through(self, gateway: FakeAliyun, adapter: Any) -> None:
        midnight = datetime(2026, 3, 5, 15, 58, tzinfo=UTC)
        adapter.inquire(sms("lost", started_at=midnight), midnight + timedelta(minutes=9))
        assert [one.query["SendDate"] for one in gateway.asked] == ["20260305", "20260306"]

    @pytest.mark.parametrize("act", [{"status": 500}, {"body": b"x"}, {"drop": True}])
    def test_a_gateway_that_cannot_say_says_nothing(
        self, gateway: FakeAliyun, adapter: Any, act: dict[str, Any]
    ) -> None:
        gateway.next(**act)
        assert adapter.inquire(sms("lost", started_at=NOW), NOW + timedelta(hours=1)) is None

    def test_what_is_older_than_its_records_cannot_be_asked(self, gateway: FakeAliyun, adapter: Any) -> None:
        assert adapter.inquire(sms("lost", started_at=NOW), NOW + timedelta(days=30)) is None
        assert gateway.asked == []


class TestCallbacks:
    REPORT: ClassVar[dict[str, Any]] = {
        "phone_number": "13800138000",
        "send_time": "2026-03-05 09:30:00",
        "report_time": "2026-03-05 09:30:05",
        "success": True,
        "err_code": "DELIVERED",
        "err_msg": "用户接收成功",
        "sms_size": "1",
        "biz_id": "90061^0",
        "out_id": "k1",
    }
    REPLY: ClassVar[dict[str, Any]] = {
        "phone_number": "13800138000",
        "send_time": "2026-03-05 09:31:00",
        "content": "退订",
        "sign_name": "云璟物业",
        "dest_code": "1234",
        "sequence_id": 1234567890,
    }

    def hear(self, adapter: Any, batch: object, path: str = f"/{PASSWORD}/report") -> Any:
        return adapter.heard(path, {}, {}, json.dumps(batch).encode(), NOW)

    def test_receipts_come_in_batches(self, adapter: Any) -> None:
        assert isinstance(adapter, ListeningAdapter)
        assert not isinstance(adapter, PollingAdapter)
        dead = self.REPORT | {"success": False, "err_code": "MK:0001", "err_msg": "空号", "out_id": "k2"}
        off = self.REPORT | {"success": False, "err_code": "MI:0024", "err_msg": "关机", "out_id": "k3"}
        heard = self.hear(adapter, [self.REPORT, dead, off])
        assert [(one.key, one.status, one.bounces) for one in heard.receipts] == [
            ("k1", "delivered", False),
            ("k2", "undelivered", True),
            ("k3", "undelivered", False),
        ]
        assert heard.receipts[0].at == datetime(2026, 3, 5, 1, 30, 5, tzinfo=UTC)
        assert heard.receipts[0].provider_id == "90061^0"
        assert json.loads(heard.answer)["code"] == 0

    def test_replies_name_the_number_as_we_keep_it(self, adapter: Any) -> None:
        (reply,) = self.hear(adapter, [self.REPLY], f"{PASSWORD}").replies
        assert (reply.address, reply.text, reply.id) == (NUMBER, "退订", "1234567890")

    @pytest.mark.parametrize("path", ["", "/", "/wrong-secret-of-length/report", "/a-long-enough-secre/"])
    def test_who_does_not_know_the_secret_is_not_heard(self, adapter: Any, path: str) -> None:
        with pytest.raises(PermissionError):
            self.hear(adapter, [self.REPORT], path)

    def test_without_a_secret_nobody_is_heard(self, gateway: FakeAliyun, tmp_path: Path) -> None:
        with pytest.raises(PermissionError):
            self.hear(build("aliyun", gateway, tmp_path), [self.REPORT], "/")

    @pytest.mark.parametrize(
        "batch", [{}, [{}], ["x"], 7, [REPORT | {"report_time": "soon"}], [{"content": "R"}], None]
    )
    def test_nonsense_is_refused(self, adapter: Any, batch: object) -> None:
        with pytest.raises(ValueError, match="not a call"):
            self.hear(adapter, batch)


@pytest.mark.parametrize(
    ("signs", "words"),
    [
        ({}, "no signature"),
        ({"云璟物业": "AUDIT_STATE_INIT"}, "not approved"),
        ({"云璟物业": "AUDIT_STATE_PASS"}, None),
    ],
)
def test_the_check_names_a_signature_that_cannot_be_used(
    gateway: FakeAliyun, adapter: Any, signs: dict[str, str], words: str | None
) -> None:
    gateway.signs = signs
    assert (words is None and adapter.check() is None) or str(words) in adapter.check()


def test_mistakes_in_the_table_are_named_and_no_secret_is_shown() -> None:
    good = {"access_key_id": "LTAI1", "access_key_secret": SECRET}
    for mistake in (
        {"timeout": 60},
        {"in_flight": 0},
        {"callback_secret": "short"},
        {"protocol": "ftp"},
        {"sign": "x"},
    ):
        with pytest.raises(ValidationError) as caught:
            AliyunSettings.model_validate(good | mistake)
        assert SECRET not in str(caught.value)
    assert SECRET not in repr(AliyunSettings.model_validate(good))
