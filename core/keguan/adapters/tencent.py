"""The ``tencent`` adapter: SMS through Tencent Cloud (sms 2021-01-11).

It sends approved templates, whose variables have numbers and no names. The call may be accepted while the one
number in it is refused: the code that counts stands beside the number. Our key travels as ``SessionContext``.
Codes: cloud.tencent.com/document/product/382/59177 (sending), 59178 (receipts).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field, SecretStr

from keguan.adapters.base import AdapterType, Heard, Outcome, OutgoingMessage, Receipt, Reply, Report, Surroundings
from keguan.adapters.tencent_codes import tencent_verdict
from keguan.adapters.vendor import (
    BEIJING,
    VendorAdapter,
    VendorSettings,
    clean_code,
    is_no_such_number,
    judge_status,
    load_library,
    secret_value,
    trusted,
)
from keguan.texts import text

__all__ = ["TENCENT", "TencentAdapter", "TencentSettings"]

_LOGGERS = ("tencentcloud_sdk_common", "urllib3")
_PULL = 100
"""The most that one pull brings."""


class TencentSettings(VendorSettings):
    """The table ``[adapters.NAME]`` with ``type = "tencent"``."""

    secret_id: str = Field(min_length=1)
    secret_key: SecretStr | None = None
    sdk_app_id: str = Field(min_length=1)
    sign_name: str | None = None
    """The approved signature, without 【】; absent: the company's."""
    region: str = "ap-guangzhou"
    pull: bool | None = None
    """Fetch receipts and replies (Tencent must permit it); absent: only while no ``callback_secret`` is set."""
    endpoint: str = "sms.tencentcloudapi.com"
    protocol: Literal["https", "http"] = "https"


class _HttpStatus(Exception):
    """An answer that is none of the gateway's own: something before it spoke."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class TencentAdapter(VendorAdapter):
    """Sends approved templates through Tencent Cloud; may have several messages on the way."""

    def __init__(self, name: str, settings: TencentSettings, surroundings: Surroundings) -> None:
        super().__init__(name, settings, surroundings, settings.endpoint)
        sms, credential, client, http = load_library(
            name,
            "tencent",
            "tencentcloud.sms.v20210111.sms_client",
            "tencentcloud.common.credential",
            "tencentcloud.common.profile.client_profile",
            "tencentcloud.common.profile.http_profile",
            loggers=_LOGGERS,
        )
        self._app = settings.sdk_app_id
        self._sign_name = settings.sign_name or surroundings.signature or surroundings.company_name
        self._key = credential.Credential(
            settings.secret_id, secret_value(name, "secret_key", settings.secret_key, surroundings)
        )
        profile = client.ClientProfile(
            httpProfile=http.HttpProfile(
                protocol=settings.protocol,
                endpoint=settings.endpoint,
                reqTimeout=settings.limits(),  # handed to requests as it is: connecting, and each wait for bytes
                certification=trusted(name, settings.ca_file, surroundings),
            )
        )
        self._client = sms.SmsClient(self._key, settings.region, profile)
        pull = settings.pull
        self._pulls = self._callback_secret is None if pull is None else pull
        self._status = threading.local()
        self._note_statuses()

    def _note_statuses(self) -> None:
        """Remember the status of each answer: the library's exception for a bad one does not hold it."""
        request, status = self._client.request, self._status
        original = request.send_request

        def send_request(outgoing: Any) -> Any:
            status.code = None
            answer = original(outgoing)
            status.code = answer.status_code
            return answer

        request.send_request = send_request

    def _call(self, action: str, **parameters: Any) -> dict[str, Any]:
        """Return what stands in ``Response`` of an answer; raises whatever the library raises."""

        def call() -> dict[str, Any]:
            try:
                answer = self._client.call_json(action, parameters)
            except Exception as error:
                status = getattr(self._status, "code", None)
                if status is not None and status != 200:
                    raise _HttpStatus(status) from error
                raise
            response = answer.get("Response") if isinstance(answer, dict) else None
            return response if isinstance(response, dict) else {}

        response = self._within(call)
        if "Error" in response:  # the library only looks for it under two content types
            raise _Refused(str(response["Error"].get("Code")))
        return response

    def _send(self, message: OutgoingMessage, now: datetime) -> Report:
        if not re.fullmatch(r"\+86\d{5,12}", message.to_address):  # temporary, so that the next gateway may take it
            return self._report(Outcome.TEMPORARY, "vendor.mainland_only")
        if not message.template_id:
            return self._report(Outcome.TEMPORARY, "vendor.no_template")
        try:
            response = self._call(
                "SendSms",
                PhoneNumberSet=[message.to_address],
                SmsSdkAppId=self._app,
                SignName=self._sign_name,
                TemplateId=message.template_id,
                TemplateParamSet=[value for _, value in message.variables],
                SessionContext=message.key,
            )
            status = response["SendStatusSet"][0]
            code = str(status["Code"])
        except (LookupError, TypeError):
            return self._report(Outcome.IN_DOUBT, "vendor.nonsense", said="HTTP 200")
        except Exception as error:  # noqa: BLE001 - the library's exceptions carry its codes
            return self._call_failed(error, now)
        if code.lower() == "ok":
            return Report(Outcome.SENT, provider_id=status.get("SerialNo") or None)
        return self._judged(tencent_verdict(code, now), clean_code(code))

    def _call_failed(self, error: Exception, now: datetime) -> Report:
        """Judge a call that brought no answer, or one of the gateway's codes for the whole call."""
        if isinstance(error, _HttpStatus):
            return self._judged(judge_status(error.status), f"HTTP {error.status}")
        code = getattr(error, "code", None)
        if isinstance(code, str) and not code.startswith("Client") and getattr(error, "requestId", None):
            return self._judged(tencent_verdict(code, now), clean_code(code))
        if isinstance(error, _Refused):
            return self._judged(tencent_verdict(error.code, now), clean_code(error.code))
        return self._failed(error)

    def inquire(self, message: OutgoingMessage, now: datetime) -> Report | None:
        """Look for a receipt with our key; see ``InquiringAdapter.inquire``.

        The gateway only tells of messages that have been delivered or refused by the carrier, so one that it does
        not name may still be on its way: it is never called certainly absent.
        """
        if message.started_at is None:
            return None
        began = int(message.started_at.timestamp()) - 60
        try:
            response = self._call(
                "PullSmsSendStatusByPhoneNumber",
                BeginTime=began,
                EndTime=int(now.timestamp()),
                Offset=0,
                Limit=_PULL,
                PhoneNumber=message.to_address,
                SmsSdkAppId=self._app,
            )
        except Exception:  # noqa: BLE001 - it cannot say now
            return None
        for one in response.get("PullSmsSendStatusSet") or []:
            if one.get("SessionContext") == message.key:
                return Report(Outcome.SENT, provider_id=one.get("SerialNo") or message.provider_id)
        return None

    def poll(self, cursor: Any, now: datetime) -> Heard:
        """Fetch receipts and replies; see ``PollingAdapter.poll``. What was fetched the gateway does not give again."""
        if not self._pulls:
            return Heard()
        statuses = self._pull("PullSmsSendStatus", now)
        try:
            replies = self._pull("PullSmsReplyStatus", now)
        except OSError:
            if not statuses:
                raise
            replies = []  # they wait for the next poll; the receipts would not come again
        return Heard(
            tuple(_receipt(one, _at(one.get("UserReceiveTime"), now)) for one in statuses if one.get("SerialNo")),
            tuple(
                Reply(str(one["PhoneNumber"]), str(one.get("ReplyContent") or ""), _at(one.get("ReplyTime"), now))
                for one in replies
                if one.get("PhoneNumber")
            ),
            more=len(statuses) == _PULL or len(replies) == _PULL,
        )

    def _pull(self, action: str, now: datetime) -> list[dict[str, Any]]:
        """Fetch what the gateway gives once only, so that one odd entry must not lose the others."""
        try:
            response = self._call(action, Limit=_PULL, SmsSdkAppId=self._app)
        except Exception as error:  # noqa: BLE001 - the caller knows one kind
            raise OSError(self._call_failed(error, now).detail) from None
        return [one for one in response.get(f"{action}Set") or [] if isinstance(one, dict)]

    def heard(
        self, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, now: datetime
    ) -> Heard:
        """Read a list of receipts or one reply; see ``ListeningAdapter.heard``."""
        self._let_in(path)
        answer = '{"result":0,"errmsg":"OK"}'
        try:
            said = json.loads(body)
            if isinstance(said, list):
                return Heard(tuple(_called_receipt(one) for one in said), answer=answer)
            at = datetime.fromtimestamp(int(said["time"]), UTC)
            number = f"+{said['nationcode']}{said['mobile']}"
            return Heard(replies=(Reply(number, str(said["text"]), at),), answer=answer)
        except (ValueError, KeyError, TypeError, OverflowError):
            raise ValueError("not a call of this gateway") from None

    def check(self) -> str | None:
        """Log in and see whether the signature is approved; see ``Adapter.check``."""
        try:
            response = self._call("DescribeSmsSignList", International=0, SignIdSet=[], Limit=_PULL, Offset=0)
        except Exception as error:  # noqa: BLE001 - each becomes one line
            return self._call_failed(error, datetime.now(UTC)).detail
        known = response.get("DescribeSignListStatusSet") or []
        states = [one.get("StatusCode") for one in known if one.get("SignName") == self._sign_name]
        if 0 in states or (not states and len(known) == _PULL):
            return None
        key = "vendor.sign_waiting" if states else "vendor.sign_unknown"
        return text(self._language, key, adapter=self._name, host=self._host, sign=self._sign_name)


class _Refused(Exception):
    """The whole call was refused with one of the gateway's codes."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code


def _at(stamp: object, now: datetime) -> datetime:
    return datetime.fromtimestamp(stamp, UTC) if isinstance(stamp, int) and stamp > 0 else now


def _receipt(one: Mapping[str, Any], at: datetime) -> Receipt:
    delivered = one.get("ReportStatus") == "SUCCESS"
    code = one.get("Description")
    return Receipt(
        provider_id=str(one["SerialNo"]),
        status="delivered" if delivered else "undelivered",
        at=at,
        code=clean_code(str(code)) or None if code else None,
        bounces=not delivered and is_no_such_number(None, code),
        key=one.get("SessionContext") or None,
    )


def _called_receipt(one: Mapping[str, Any]) -> Receipt:
    delivered = one["report_status"] == "SUCCESS"
    at = datetime.strptime(one["user_receive_time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
    code = str(one.get("errmsg") or "")
    return Receipt(
        provider_id=str(one["sid"]),
        status="delivered" if delivered else "undelivered",
        at=at,
        code=clean_code(code) or None,
        bounces=not delivered and is_no_such_number(code, one.get("description")),
        key=one.get("session_context") or None,
    )


def _build(name: str, settings: object, surroundings: Surroundings) -> TencentAdapter:
    assert isinstance(settings, TencentSettings)
    return TencentAdapter(name, settings, surroundings)


TENCENT = AdapterType(
    name="tencent",
    channels=frozenset({"sms"}),
    settings=TencentSettings,
    build=_build,
    approved_templates=True,
)
