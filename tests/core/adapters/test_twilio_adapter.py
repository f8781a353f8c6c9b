"""SMS abroad through Twilio: what leaves, what does not, what its codes mean, and what it calls back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import ValidationError
from tests.support.sms_adapters import NOW, NUMBER, SECRET, build, sms
from tests.support.vendor_gateways import FakeTwilio

from keguan.adapters.base import InquiringAdapter, ListeningAdapter, Outcome, PollingAdapter
from keguan.adapters.twilio import TwilioSettings

ABROAD = "+85221234567"
URL = "https://kf.example.cn/gateways/abroad"


@pytest.fixture
def gateway() -> Iterator[FakeTwilio]:
    with FakeTwilio(secret=SECRET) as fake:
        yield fake


@pytest.fixture
def adapter(gateway: FakeTwilio, tmp_path: Path) -> Any:
    return build("twilio", gateway, tmp_path, callback_url=URL, allow_mainland=False)


def test_the_text_arrives_as_it_was_written(gateway: FakeTwilio, adapter: Any) -> None:
    report = adapter.send(sms(to=ABROAD, text="您好，欢迎入住"), NOW)
    assert (report.outcome, report.provider_id) == (Outcome.SENT, "SM1")
    assert gateway.sent == [{"To": ABROAD, "From": "+15550001111", "Body": "您好，欢迎入住", "StatusCallback": URL}]


def test_a_messaging_service_stands_in_for_a_sender(gateway: FakeTwilio, tmp_path: Path) -> None:
    adapter = build("twilio", gateway, tmp_path, without="from", messaging_service_sid="MG1")
    assert adapter.send(sms(to=ABROAD), NOW).outcome is Outcome.SENT
    assert gateway.sent[0]["MessagingServiceSid"] == "MG1"
    assert "From" not in gateway.sent[0]


def test_the_mainland_is_handed_on_unless_it_is_allowed(gateway: FakeTwilio, adapter: Any, tmp_path: Path) -> None:
    report = adapter.send(sms(), NOW)
    assert (report.outcome, report.pauses, report.bounces) == (Outcome.TEMPORARY, False, False)
    assert "mainland" in report.detail
    assert gateway.asked == []
    assert build("twilio", gateway, tmp_path, allow_mainland=True).send(sms(), NOW).outcome is Outcome.SENT


@pytest.mark.parametrize(
    ("status", "code", "outcome", "bounces"),
    [
        (400, 21211, Outcome.PERMANENT, True),
        (400, 21614, Outcome.PERMANENT, True),
        (400, 21610, Outcome.PERMANENT, False),
        (400, 21617, Outcome.PERMANENT, False),
        (400, 21408, Outcome.TEMPORARY, False),
        (400, 21606, Outcome.CONFIGURATION, False),
        (401, 20003, Outcome.CONFIGURATION, False),
        (401, 99999, Outcome.CONFIGURATION, False),
        (429, 20429, Outcome.LIMIT, False),
        (400, 99999, Outcome.TEMPORARY, False),
        (500, 20500, Outcome.IN_DOUBT, False),
        (503, 20503, Outcome.TEMPORARY, False),
    ],
)
def test_codes(gateway: FakeTwilio, adapter: Any, status: int, code: int, outcome: Outcome, bounces: bool) -> None:
    gateway.refuse = (status, code)
    report = adapter.send(sms(to=ABROAD), NOW)
    assert (report.outcome, report.bounces) == (outcome, bounces)
    assert str(code) in report.detail
    assert NUMBER not in report.detail


class TestInquiry:
    STARTED = datetime.now(UTC)
    """Twilio's records have the time of the machine."""

    def test_the_same_text_to_the_same_number_since_then_was_sent(self, gateway: FakeTwilio, adapter: Any) -> None:
        assert isinstance(adapter, InquiringAdapter)
        gateway.next(drop=True, after=True)
        assert adapter.send(sms(to=ABROAD), NOW).outcome is Outcome.IN_DOUBT
        found = adapter.inquire(sms(to=ABROAD, started_at=self.STARTED), self.STARTED + timedelta(minutes=1))
        assert found is not None
        assert (found.outcome, found.provider_id) == (Outcome.SENT, "SM1")

    @pytest.mark.parametrize("fields", [{"to": ABROAD, "text": "another"}, {"to": "+85229999999"}])
    def test_another_text_or_number_is_not_it(self, gateway: FakeTwilio, adapter: Any, fields: dict[str, str]) -> None:
        adapter.send(sms(**fields), NOW)
        asked = sms(to=ABROAD, started_at=self.STARTED)
        assert adapter.inquire(asked, self.STARTED + timedelta(minutes=4)) is None
        assert adapter.inquire(asked, self.STARTED + timedelta(minutes=6)).outcome is Outcome.TEMPORARY

    def test_one_that_left_before_is_not_it(self, gateway: FakeTwilio, adapter: Any) -> None:
        adapter.send(sms(to=ABROAD), NOW)
        later = self.STARTED + timedelta(days=1)
        asked = sms(to=ABROAD, started_at=later)
        assert adapter.inquire(asked, later + timedelta(hours=1)).outcome is Outcome.TEMPORARY

    def test_a_gateway_that_cannot_say_says_nothing(self, gateway: FakeTwilio, adapter: Any) -> None:
        gateway.next(status=500)
        asked = sms(to=ABROAD, started_at=self.STARTED)
        assert adapter.inquire(asked, self.STARTED + timedelta(hours=1)) is None


class TestCallbacks:
    def call(self, adapter: Any, fields: dict[str, str], *, token: str = SECRET, url: str = URL, path: str = "") -> Any:
        from twilio.request_validator import RequestValidator

        signature = RequestValidator(token).compute_signature(url, fields)
        return adapter.heard(path, {"x-twilio-signature": signature}, {}, urlencode(fields).encode(), NOW)

    @pytest.mark.parametrize(
        ("status", "code", "receipt"),
        [
            ("delivered", None, ("delivered", False)),
            ("undelivered", "30005", ("undelivered", True)),
            ("undelivered", "30003", ("undelivered", False)),
            ("failed", "30008", ("undelivered", False)),
        ],
    )
    def test_receipts(self, adapter: Any, status: str, code: str | None, receipt: tuple[str, bool]) -> None:
        assert isinstance(adapter, ListeningAdapter)
        assert not isinstance(adapter, PollingAdapter)
        fields = {"MessageSid": "SM1", "MessageStatus": status} | ({"ErrorCode": code} if code else {})
        heard = self.call(adapter, fields)
        assert [(one.provider_id, one.status, one.bounces) for one in heard.receipts] == [("SM1", *receipt)]
        assert heard.answer == "", "whatever stood there would be sent to the person"

    @pytest.mark.parametrize("status", ["queued", "sent", "accepted"])
    def test_what_is_on_its_way_is_no_receipt_yet(self, adapter: Any, status: str) -> None:
        heard = self.call(adapter, {"MessageSid": "SM1", "MessageStatus": status})
        assert (heard.receipts, heard.replies) == ((), ())

    def test_replies(self, adapter: Any) -> None:
        fields = {"MessageSid": "SM9", "SmsStatus": "received", "From": ABROAD, "To": "+15550001111", "Body": "退订 T"}
        (reply,) = self.call(adapter, fields).replies
        assert (reply.address, reply.text, reply.id, reply.at) == (ABROAD, "退订 T", "SM9", NOW)

    def test_the_signature_covers_the_address_with_its_rest(self, adapter: Any) -> None:
        fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
        assert self.call(adapter, fields, url=f"{URL}/reply", path="/reply").receipts
        with pytest.raises(PermissionError):
            self.call(adapter, fields, url=URL, path="/reply")

    def test_a_wrong_signature_is_not_heard(self, adapter: Any, gateway: FakeTwilio, tmp_path: Path) -> None:
        fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
        with pytest.raises(PermissionError):
            self.call(adapter, fields, token="another")
        with pytest.raises(PermissionError):
            adapter.heard("", {}, {}, urlencode(fields).encode(), NOW)
        with pytest.raises(PermissionError):
            self.call(build("twilio", gateway, tmp_path), fields)

    def test_nonsense_is_refused(self, adapter: Any) -> None:
        with pytest.raises(ValueError, match="MessageSid"):
            self.call(adapter, {"Hello": "world"})
        with pytest.raises(ValueError, match="From"):
            self.call(adapter, {"MessageSid": "SM1", "Body": "R"})


def test_an_account_that_is_not_active_is_named(gateway: FakeTwilio, adapter: Any) -> None:
    gateway.state = "suspended"
    assert "suspended" in adapter.check()


@pytest.mark.parametrize("senders", [{}, {"from": "+1", "messaging_service_sid": "MG1"}])
def test_one_sender_is_wanted(senders: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="messaging_service_sid"):
        TwilioSettings.model_validate({"account_sid": "AC1"} | senders)
