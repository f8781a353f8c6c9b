"""The ``twilio`` adapter: SMS in free text to numbers outside the Chinese mainland.

Numbers of the mainland are handed on unless ``allow_mainland`` is set: their owners' data would leave the country
(PIPL articles 38 and 39 ask for separate consent), and carriers there drop what carries no filed signature.
Codes: twilio.com/docs/api/errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pydantic import Field, SecretStr, model_validator

from keguan.adapters.base import AdapterType, Heard, Outcome, OutgoingMessage, Receipt, Reply, Report, Surroundings
from keguan.adapters.vendor import (
    SETTLED,
    VendorAdapter,
    VendorSettings,
    Verdict,
    judge_status,
    load_library,
    secret_value,
    trusted,
)

__all__ = ["TWILIO", "TwilioAdapter", "TwilioSettings"]

_LOGGERS = ("twilio", "urllib3")
_HISTORY = 200
"""How many of the latest messages to a number are looked through."""
_NUMBER = Verdict(Outcome.PERMANENT, "vendor.refused_number", bounces=True)
_REFUSED = Verdict(Outcome.PERMANENT, "vendor.refused_message")
_SET_UP = Verdict(Outcome.CONFIGURATION, "vendor.configuration")
_BUSY = Verdict(Outcome.LIMIT, "vendor.limit_all", timedelta(seconds=10), pauses=True)
_FULL = Verdict(Outcome.LIMIT, "vendor.limit_all", timedelta(hours=1), pauses=True)
_NOT_THERE = Verdict(Outcome.TEMPORARY, "vendor.not_there")
"""Not to that country or carrier with what is set: another gateway of the channel may."""
_CODES: dict[int, Verdict] = {
    **dict.fromkeys((21211, 21214, 21217, 21219, 21614), _NUMBER),
    **dict.fromkeys((21602, 21610, 21617, 21619, 30007), _REFUSED),
    **dict.fromkeys((20003, 20005, 20006, 20008, 20404, 21603, 21606, 21659, 21660, 21701, 21703, 21705), _SET_UP),
    **dict.fromkeys((21408, 21612), _NOT_THERE),
    **dict.fromkeys((14107, 20429, 21611, 30001), _BUSY),
    63038: _FULL,
}
_GONE = frozenset({"30005", "30006"})
"""An unknown destination, or a landline."""


class TwilioSettings(VendorSettings):
    """The table ``[adapters.NAME]`` with ``type = "twilio"``."""

    account_sid: str = Field(min_length=1)
    auth_token: SecretStr | None = None
    sender: str | None = Field(default=None, alias="from")
    """The number or name that recipients see."""
    messaging_service_sid: str | None = None
    allow_mainland: bool = False
    callback_url: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    """Where Twilio reaches this adapter from outside; receipts are asked for with it, and its signature covers it."""
    endpoint: str | None = Field(default=None, pattern=r"^https?://[^/\s]+$")
    """Instead of Twilio's own address, such as that of a proxy."""

    @model_validator(mode="after")
    def _has_one_sender(self) -> TwilioSettings:
        if (self.sender is None) == (self.messaging_service_sid is None):
            raise ValueError("either from or messaging_service_sid must be set")
        return self


class TwilioAdapter(VendorAdapter):
    """Sends free text through Twilio; may have several messages on the way."""

    def __init__(self, name: str, settings: TwilioSettings, surroundings: Surroundings) -> None:
        super().__init__(
            name, settings, surroundings, (settings.endpoint or "https://api.twilio.com").partition("//")[2]
        )
        rest, http, validator = load_library(
            name, "twilio", "twilio.rest", "twilio.http.http_client", "twilio.request_validator", loggers=_LOGGERS
        )
        token = secret_value(name, "auth_token", settings.auth_token, surroundings)
        self._settings = settings
        transport = _transport(http.TwilioHttpClient, settings, trusted(name, settings.ca_file, surroundings))
        self._client = rest.Client(settings.account_sid, token, http_client=transport)
        self._validator = validator.RequestValidator(token)
        self._messages = self._client.messages  # loads what the library imports late, before a message's time runs
        self._me = self._client.api.v2010.accounts(settings.account_sid)

    def _send(self, message: OutgoingMessage, now: datetime) -> Report:
        if message.to_address.startswith("+86") and not self._settings.allow_mainland:
            # Temporary, so that the next gateway of the channel takes it; neither this adapter rests nor the message.
            return self._report(Outcome.TEMPORARY, "vendor.abroad_only")
        fields: dict[str, Any] = {"to": message.to_address, "body": message.text}
        if self._settings.messaging_service_sid:
            fields["messaging_service_sid"] = self._settings.messaging_service_sid
        else:
            fields["from_"] = self._settings.sender
        if self._settings.callback_url:
            fields["status_callback"] = self._settings.callback_url
        try:
            sent = self._within(lambda: self._messages.create(**fields))
        except Exception as error:  # noqa: BLE001 - the library's exceptions have no common base that tells
            return self._call_failed(error)
        if not isinstance(sent.sid, str) or not sent.sid:
            return self._report(Outcome.IN_DOUBT, "vendor.nonsense", said="no sid")
        return Report(Outcome.SENT, provider_id=sent.sid)

    def _call_failed(self, error: Exception) -> Report:
        status, code = getattr(error, "status", None), getattr(error, "code", None)
        if not isinstance(status, int):
            return self._failed(error)
        verdict = _CODES.get(code) if isinstance(code, int) else None
        if verdict is None:
            # Below 500 what is not known is certainly refused; above, Twilio itself does not know.
            verdict = _SET_UP if status == 401 else judge_status(status)
        return self._judged(
            verdict, f"HTTP {status}" + (f" {code}" if isinstance(code, int) and code != status else "")
        )

    def inquire(self, message: OutgoingMessage, now: datetime) -> Report | None:
        """Look for a message to that number with that text since then; see ``InquiringAdapter.inquire``.

        Twilio keeps no key of ours, so the text must tell: one with the same text that left later to the same
        number would be taken for it, which errs on the side of not sending twice.
        """
        started = message.started_at
        if started is None:
            return None
        try:
            known = self._within(lambda: list(self._messages.list(to=message.to_address, limit=_HISTORY)))
        except Exception:  # noqa: BLE001 - it cannot say now
            return None
        since = [one for one in known if one.date_created and one.date_created >= started - timedelta(seconds=5)]
        for one in since:
            if one.body == message.text and str(one.direction).startswith("outbound"):
                return Report(Outcome.SENT, provider_id=one.sid)
        if len(since) == _HISTORY or now - started < SETTLED:
            return None
        return self._report(Outcome.TEMPORARY, "vendor.never_came")

    def heard(
        self, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, now: datetime
    ) -> Heard:
        """Read one receipt or one reply, signed by Twilio; see ``ListeningAdapter.heard``."""
        base = self._settings.callback_url
        if base is None:
            raise PermissionError("callback_url")
        rest = path.strip("/")
        url = base + (f"/{rest}" if rest else "") + (f"?{urlencode(query)}" if query else "")
        fields = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True))
        if not self._validator.validate(url, fields, headers.get("x-twilio-signature", "")):
            raise PermissionError("x-twilio-signature")
        sid = fields.get("MessageSid") or fields.get("SmsSid")
        if not sid:
            raise ValueError("no MessageSid")
        # What the answer says would be sent to the person who wrote, so it says nothing.
        status = fields.get("MessageStatus") or fields.get("SmsStatus")
        if "Body" in fields and status in {None, "received"}:
            if "From" not in fields:
                raise ValueError("no From")
            return Heard(replies=(Reply(fields["From"], fields["Body"], now.astimezone(UTC), id=sid),), answer="")
        if status not in {"delivered", "undelivered", "failed"}:
            return Heard(answer="")
        code = fields.get("ErrorCode") or None
        receipt = Receipt(
            provider_id=sid,
            status="delivered" if status == "delivered" else "undelivered",
            at=now.astimezone(UTC),
            code=code,
            bounces=code in _GONE,
        )
        return Heard((receipt,), answer="")

    def check(self) -> str | None:
        """Fetch the account; see ``Adapter.check``."""
        try:
            account = self._within(self._me.fetch)
        except Exception as error:  # noqa: BLE001 - each becomes one line
            return self._call_failed(error).detail
        if account.status != "active":
            return self._report(Outcome.CONFIGURATION, "vendor.configuration", said=f"account {account.status}").detail
        return None


def _transport(base: Any, settings: TwilioSettings, ca_file: str | None) -> Any:
    """Return Twilio's HTTP client with our limits of time, and another address if one is set."""

    class Transport(base):  # type: ignore[misc]  # the library is imported at run time only
        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            if settings.endpoint:
                url = settings.endpoint + url[url.index("/", len("https://")) :]
            kwargs["timeout"] = None  # ours is a pair, which the library hands on but cannot compare
            return super().request(method, url, *args, **kwargs)

        def log_request(self, kwargs: Any) -> None:
            """Say nothing: the address of a query holds the recipient's number."""

        def log_response(self, status_code: int, response: Any) -> None:
            """Say nothing."""

    transport = Transport()
    transport.timeout = settings.limits()
    if ca_file:
        merge = transport.session.merge_environment_settings  # where a variable of the environment would win

        def merge_environment_settings(url: Any, proxies: Any, stream: Any, _verify: Any, cert: Any) -> Any:
            return merge(url, proxies, stream, ca_file, cert)

        transport.session.merge_environment_settings = merge_environment_settings
    return transport


def _build(name: str, settings: object, surroundings: Surroundings) -> TwilioAdapter:
    assert isinstance(settings, TwilioSettings)
    return TwilioAdapter(name, settings, surroundings)


TWILIO = AdapterType(name="twilio", channels=frozenset({"sms"}), settings=TwilioSettings, build=_build)
