"""SMS through Tencent Cloud: what it is asked for, what its codes mean, what is pulled and called back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.support.sms_adapters import NAME, NOW, NUMBER, SECRET, build, sms
from tests.support.vendor_gateways import FakeTencent

from keguan.adapters.base import InquiringAdapter, ListeningAdapter, Outcome, PollingAdapter

PASSWORD = "a-long-enough-secret"
STATUS = {
    "UserReceiveTime": 1772674205,
    "CountryCode": "86",
    "SubscriberNumber": "13800138000",
    "PhoneNumber": NUMBER,
    "SerialNo": "2028:1",
    "ReportStatus": "SUCCESS",
    "Description": "DELIVRD",
    "SessionContext": "k1",
}
REPLY = {"PhoneNumber": NUMBER, "ReplyContent": "TD", "ReplyTime": 1772674265, "SignName": "云璟物业"}


@pytest.fixture
def gateway() -> Iterator[FakeTencent]:
    with FakeTencent(secret=SECRET) as fake:
        yield fake


@pytest.fixture
def adapter(gateway: FakeTencent, tmp_path: Path) -> Any:
    return build("tencent", gateway, tmp_path)


def test_an_approved_template_arrives_with_its_values_in_order(gateway: FakeTencent, adapter: Any) -> None:
    report = adapter.send(sms(), NOW)
    assert (report.outcome, report.provider_id) == (Outcome.SENT, "2028:1")
    assert gateway.sent == [
        {
            "PhoneNumberSet": [NUMBER],
            "SmsSdkAppId": "1400006666",
            "SignName": "云璟物业",
            "TemplateId": "SMS_1001",
            "TemplateParamSet": [NAME, "3-1201"],
            "SessionContext": "k1",
        }
    ]


@pytest.mark.parametrize("address", ["+8521234567", "+14155550123", "13800138000"])
def test_a_number_outside_the_mainland_is_handed_on(gateway: FakeTencent, adapter: Any, address: str) -> None:
    assert adapter.send(sms(to=address), NOW).outcome is Outcome.TEMPORARY
    assert gateway.asked == []


def test_without_an_approved_template_nothing_is_asked(gateway: FakeTencent, adapter: Any) -> None:
    assert adapter.send(sms(template_id=None), NOW).outcome is Outcome.TEMPORARY
    assert gateway.asked == []


@pytest.mark.parametrize(
    ("code", "outcome", "pauses", "bounces"),
    [
        ("InvalidParameterValue.IncorrectPhoneNumber", Outcome.PERMANENT, False, True),
        ("FailedOperation.PhoneNumberInBlacklist", Outcome.PERMANENT, False, False),
        ("FailedOperation.ContainSensitiveWord", Outcome.PERMANENT, False, False),
        ("FailedOperation.SignatureIncorrectOrUnapproved", Outcome.CONFIGURATION, False, False),
        ("FailedOperation.InsufficientBalanceInSmsPackage", Outcome.CONFIGURATION, False, False),
        ("UnauthorizedOperation.SmsSdkAppIdVerifyFail", Outcome.CONFIGURATION, False, False),
        ("LimitExceeded.PhoneNumberOneHourLimit", Outcome.LIMIT, False, False),
        ("LimitExceeded.AppDailyLimit", Outcome.LIMIT, True, False),
        ("RequestLimitExceeded.UinLimitExceeded", Outcome.LIMIT, True, False),
        ("InternalError.OtherError", Outcome.TEMPORARY, False, False),
        ("FailedOperation.NotInventedYet", Outcome.TEMPORARY, False, False),
        ("InternalError.Timeout", Outcome.IN_DOUBT, False, False),
    ],
)
@pytest.mark.parametrize("whole", [False, True])
def test_codes_of_the_number_and_of_the_call(
    gateway: FakeTencent, adapter: Any, code: str, outcome: Outcome, pauses: bool, bounces: bool, whole: bool
) -> None:
    if whole:
        body = {"Response": {"Error": {"Code": code, "Message": f"{NUMBER} {NAME}"}, "RequestId": "R"}}
        gateway.next(body=json.dumps(body).encode())
    else:
        gateway.refuse[NUMBER] = code
    report = adapter.send(sms(), NOW)
    assert (report.outcome, report.pauses, report.bounces) == (outcome, pauses, bounces)
    assert code in report.detail
    assert NAME not in report.detail
    assert NUMBER not in report.detail


def test_an_error_is_seen_whatever_the_content_is_called(gateway: FakeTencent, adapter: Any) -> None:
    body = {"Response": {"Error": {"Code": "AuthFailure.SecretIdNotFound", "Message": "…"}, "RequestId": "R"}}
    gateway.next(body=json.dumps(body).encode(), content_type="application/json; charset=utf-8")
    assert adapter.send(sms(), NOW).outcome is Outcome.CONFIGURATION


def test_of_several_numbers_only_the_refused_ones_stay(gateway: FakeTencent, adapter: Any) -> None:
    others = [f"+861380013800{digit}" for digit in range(1, 9)]
    gateway.refuse = dict.fromkeys(others[::2], "InvalidParameterValue.IncorrectPhoneNumber")
    outcomes = [adapter.send(sms(f"k{number}", to=number), NOW).outcome for number in others]
    assert outcomes == [Outcome.PERMANENT, Outcome.SENT] * 4


@pytest.mark.parametrize(
    ("code", "wait"),
    [
        ("LimitExceeded.PhoneNumberThirtySecondLimit", timedelta(seconds=31)),
        ("LimitExceeded.PhoneNumberOneHourLimit", timedelta(hours=1)),
        ("LimitExceeded.PhoneNumberDailyLimit", timedelta(hours=14, minutes=31)),  # it is 09:30 in Beijing
    ],
)
def test_how_long_a_number_is_closed(gateway: FakeTencent, adapter: Any, code: str, wait: timedelta) -> None:
    gateway.refuse[NUMBER] = code
    assert adapter.send(sms(), NOW).retry_after == wait


class TestPull:
    def test_receipts_and_replies_are_fetched(self, gateway: FakeTencent, adapter: Any) -> None:
        assert isinstance(adapter, PollingAdapter)
        gateway.statuses = [STATUS, STATUS | {"ReportStatus": "FAIL", "Description": "空号", "SerialNo": "2028:2"}]
        gateway.replies = [REPLY]
        heard = adapter.poll(None, NOW)
        assert [(one.provider_id, one.key, one.status, one.bounces) for one in heard.receipts] == [
            ("2028:1", "k1", "delivered", False),
            ("2028:2", "k1", "undelivered", True),
        ]
        assert heard.receipts[0].at == datetime.fromtimestamp(1772674205, UTC)
        assert [(one.address, one.text) for one in heard.replies] == [(NUMBER, "TD")]
        assert not heard.more
        assert adapter.poll(heard.cursor, NOW).receipts == ()

    def test_a_full_pull_means_that_more_is_waiting(self, gateway: FakeTencent, adapter: Any) -> None:
        gateway.statuses = [STATUS | {"SerialNo": f"2028:{number}"} for number in range(150)]
        assert adapter.poll(None, NOW).more
        assert len(adapter.poll(None, NOW).receipts) == 50

    def test_one_odd_entry_does_not_lose_the_others(self, gateway: FakeTencent, adapter: Any) -> None:
        gateway.statuses = [{"ReportStatus": "FAIL"}, STATUS | {"UserReceiveTime": None}]
        gateway.replies = [{}, REPLY]
        heard = adapter.poll(None, NOW)
        assert [one.at for one in heard.receipts] == [NOW]
        assert len(heard.replies) == 1

    def test_receipts_that_came_are_kept_when_the_replies_cannot_be_fetched(
        self, gateway: FakeTencent, adapter: Any
    ) -> None:
        gateway.statuses = [STATUS]
        gateway.next(after=True, body=json.dumps({"Response": {"PullSmsSendStatusSet": [STATUS]}}).encode())
        gateway.next(status=500)
        assert len(adapter.poll(None, NOW).receipts) == 1

    def test_a_gateway_that_cannot_be_asked_is_an_error_without_secrets(
        self, gateway: FakeTencent, adapter: Any
    ) -> None:
        gateway.next(status=500, body=NUMBER.encode())
        with pytest.raises(OSError, match="HTTP 500") as caught:
            adapter.poll(None, NOW)
        assert NUMBER not in str(caught.value)

    @pytest.mark.parametrize(("table", "asks"), [({"callback_secret": PASSWORD}, False), ({"pull": False}, False)])
    def test_who_is_called_back_does_not_pull(
        self, gateway: FakeTencent, tmp_path: Path, table: dict[str, Any], asks: bool
    ) -> None:
        build("tencent", gateway, tmp_path, **table).poll(None, NOW)
        assert bool(gateway.asked) is asks
        build("tencent", gateway, tmp_path, **(table | {"pull": True})).poll(None, NOW)
        assert gateway.asked


class TestInquiry:
    def test_a_receipt_with_our_key_says_that_it_was_sent(self, gateway: FakeTencent, adapter: Any) -> None:
        assert isinstance(adapter, InquiringAdapter)
        gateway.statuses = [STATUS | {"SessionContext": "another"}, STATUS]
        found = adapter.inquire(sms(started_at=NOW), NOW + timedelta(minutes=9))
        assert found is not None
        assert (found.outcome, found.provider_id) == (Outcome.SENT, "2028:1")

    def test_without_one_nobody_knows(self, gateway: FakeTencent, adapter: Any) -> None:
        gateway.statuses = [STATUS | {"SessionContext": ""}]
        assert adapter.inquire(sms(started_at=NOW), NOW + timedelta(days=2)) is None
        gateway.next(status=500)
        assert adapter.inquire(sms(started_at=NOW), NOW + timedelta(days=2)) is None


class TestCallbacks:
    RECEIPT: ClassVar[dict[str, Any]] = {
        "user_receive_time": "2026-03-05 09:30:05",
        "nationcode": "86",
        "mobile": "13800138000",
        "report_status": "SUCCESS",
        "errmsg": "DELIVRD",
        "description": "用户短信送达成功",
        "sid": "2028:1",
    }
    REPLY: ClassVar[dict[str, Any]] = {
        "extend": "",
        "mobile": "13800138000",
        "nationcode": "86",
        "sign": "云璟物业",
        "text": "T",
        "time": 1772674265,
    }

    @pytest.fixture
    def called(self, gateway: FakeTencent, tmp_path: Path) -> Any:
        return build("tencent", gateway, tmp_path, callback_secret=PASSWORD)

    def hear(self, adapter: Any, said: object, path: str = f"/{PASSWORD}") -> Any:
        return adapter.heard(path, {}, {}, json.dumps(said).encode(), NOW)

    def test_receipts_and_replies(self, called: Any) -> None:
        assert isinstance(called, ListeningAdapter)
        gone = self.RECEIPT | {"report_status": "FAIL", "errmsg": "MK:0001", "description": "空号", "sid": "2028:2"}
        heard = self.hear(called, [self.RECEIPT, gone])
        assert [(one.provider_id, one.status, one.bounces) for one in heard.receipts] == [
            ("2028:1", "delivered", False),
            ("2028:2", "undelivered", True),
        ]
        assert heard.receipts[0].at == datetime(2026, 3, 5, 1, 30, 5, tzinfo=UTC)
        assert json.loads(heard.answer) == {"result": 0, "errmsg": "OK"}
        (reply,) = self.hear(called, self.REPLY).replies
        assert (reply.address, reply.text) == (NUMBER, "T")

    def test_strangers_and_nonsense_are_refused(self, called: Any) -> None:
        with pytest.raises(PermissionError):
            self.hear(called, [self.RECEIPT], "/wrong")
        nonsense: tuple[object, ...] = (
            {},
            [{}],
            ["x"],
            "x",
            None,
            self.REPLY | {"time": "soon"},
            [self.RECEIPT | {"user_receive_time": ""}],
        )
        for said in nonsense:
            with pytest.raises(ValueError, match="not a call"):
                self.hear(called, said)


@pytest.mark.parametrize(
    ("signs", "words"), [({}, "no signature"), ({"云璟物业": 1}, "not approved"), ({"云璟物业": 0}, None)]
)
def test_the_check_names_a_signature_that_cannot_be_used(
    gateway: FakeTencent, adapter: Any, signs: dict[str, int], words: str | None
) -> None:
    gateway.signs = signs
    assert (words is None and adapter.check() is None) or str(words) in adapter.check()
