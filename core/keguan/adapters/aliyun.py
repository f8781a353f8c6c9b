"""The ``aliyun`` adapter: SMS through Alibaba Cloud's Short Message Service (Dysmsapi 2017-05-25).

It sends approved templates to mainland numbers. A refusal comes as HTTP 200 with a code in the body, and there is
no key that would make a repeat harmless: after a timeout the message is looked up by our own key (``OutId``).
Codes: help.aliyun.com/document_detail/101346 (calls) and 101347 (receipts).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field, SecretStr

from keguan.adapters.aliyun_codes import aliyun_verdict
from keguan.adapters.base import AdapterType, Heard, Outcome, OutgoingMessage, Receipt, Reply, Report, Surroundings
from keguan.adapters.vendor import (
    BEIJING,
    SETTLED,
    Late,
    VendorAdapter,
    VendorSettings,
    Verdict,
    clean_code,
    is_no_such_number,
    judge_status,
    load_library,
    secret_value,
    trusted,
)
from keguan.texts import text

__all__ = ["ALIYUN", "AliyunAdapter", "AliyunSettings"]

_LOGGERS = ("alibabacloud-tea", "darabonba-core", "credentials", "urllib3")
_PAGE = 50
_PAGES = 4
_MAINLAND = re.compile(r"\+?86(1\d{10})")
_KEPT = timedelta(days=30)
"""How far back the gateway can be asked."""


class AliyunSettings(VendorSettings):
    """The table ``[adapters.NAME]`` with ``type = "aliyun"``."""

    access_key_id: str = Field(min_length=1)
    access_key_secret: SecretStr | None = None
    sign_name: str | None = None
    """The approved signature, without 【】; absent: the company's."""
    endpoint: str = "dysmsapi.aliyuncs.com"
    protocol: Literal["https", "http"] = "https"


class AliyunAdapter(VendorAdapter):
    """Sends approved templates through Alibaba Cloud; may have several messages on the way."""

    def __init__(self, name: str, settings: AliyunSettings, surroundings: Surroundings) -> None:
        super().__init__(name, settings, surroundings, settings.endpoint)
        client, models, config, runtime = load_library(
            name,
            "aliyun",
            "alibabacloud_dysmsapi20170525.client",
            "alibabacloud_dysmsapi20170525.models",
            "alibabacloud_tea_openapi.utils_models",
            "darabonba.runtime",
            loggers=_LOGGERS,
        )
        self._models = models
        self._sign_name = settings.sign_name or surroundings.signature or surroundings.company_name
        connect, read = settings.limits()
        self._runtime = runtime.RuntimeOptions(
            autoretry=False,
            connect_timeout=int(connect * 1000),
            read_timeout=int(read * 1000),
            ca=trusted(name, settings.ca_file, surroundings),
        )
        self._client = client.Client(
            config.Config(
                access_key_id=settings.access_key_id,
                access_key_secret=secret_value(name, "access_key_secret", settings.access_key_secret, surroundings),
                endpoint=settings.endpoint,
                protocol=settings.protocol,
            )
        )

    def _send(self, message: OutgoingMessage, now: datetime) -> Report:
        number = _MAINLAND.fullmatch(message.to_address)
        if number is None:  # temporary, so that the next gateway of the channel may take it
            return self._report(Outcome.TEMPORARY, "vendor.mainland_only")
        if not message.template_id:
            return self._report(Outcome.TEMPORARY, "vendor.no_template")
        request = self._models.SendSmsRequest(
            phone_numbers=number[1],
            sign_name=self._sign_name,
            template_code=message.template_id,
            template_param=json.dumps(dict(message.variables), ensure_ascii=False) if message.variables else None,
            out_id=message.key,
        )
        body = self._ask(lambda: self._client.send_sms_with_options(request, self._runtime))
        if isinstance(body, Report):
            return body
        if body.code != "OK":
            return self._refused(body.code, body.message, now)
        return Report(Outcome.SENT, provider_id=body.biz_id)

    def _ask(self, call: Any) -> Any:
        """Return the body of an answer that has a code, or the report of why there is none."""
        try:
            answer = self._within(call)
        except Late as error:
            return self._failed(error)
        except Exception as error:  # noqa: BLE001 - the library's exceptions have no common base that tells
            status, code = getattr(error, "status_code", None), getattr(error, "code", None)
            if not isinstance(status, int) or not isinstance(code, str):
                return self._failed(error)
            return self._refused_call(error, status, code)
        body = getattr(answer, "body", None)
        if body is None or not isinstance(body.code, str):
            return self._report(Outcome.IN_DOUBT, "vendor.nonsense", said="HTTP 200")
        return body

    def _refused_call(self, error: Exception, status: int, code: str) -> Report:
        """Judge an answer of HTTP 4xx or 5xx, which should hold one of the gateway's codes."""
        verdict = aliyun_verdict(code) or judge_status(status)
        wait = getattr(error, "retry_after", None)  # milliseconds
        if verdict.outcome is Outcome.LIMIT and isinstance(wait, int) and wait > 0:
            verdict = verdict._replace(retry_after=timedelta(milliseconds=wait))
        return self._judged(verdict, clean_code(f"HTTP {status}" + (f" {code}" if code != "None" else "")))

    def _refused(self, code: str, words: str | None, now: datetime) -> Report:
        # What is not known is certainly refused: tried again, or by the next gateway, and dead in the end.
        verdict = aliyun_verdict(code, words or "", now) or Verdict(Outcome.TEMPORARY, "vendor.later")
        return self._judged(verdict, clean_code(code))

    def inquire(self, message: OutgoingMessage, now: datetime) -> Report | None:
        """Look the message up by number, day and our key; see ``InquiringAdapter.inquire``."""
        number = _MAINLAND.fullmatch(message.to_address)
        started = message.started_at
        if number is None or started is None or now - started >= _KEPT:
            return None
        days = {at.astimezone(BEIJING).strftime("%Y%m%d") for at in (started, started + SETTLED)}
        complete = True
        for day in sorted(days):
            found = self._look_up(number[1], day, message.key)
            if found:
                return Report(Outcome.SENT, provider_id=message.provider_id)
            complete = complete and found is False
        if not complete or now - started < SETTLED:
            return None
        return self._report(Outcome.TEMPORARY, "vendor.never_came")

    def _look_up(self, number: str, day: str, key: str) -> bool | None:
        """Return whether the gateway's records of that day hold our key; ``None`` when they were not all seen."""
        for page in range(1, _PAGES + 1):
            request = self._models.QuerySendDetailsRequest(
                phone_number=number, send_date=day, page_size=_PAGE, current_page=page
            )
            body = self._ask(lambda: self._client.query_send_details_with_options(request, self._runtime))  # noqa: B023 - called at once
            if isinstance(body, Report) or body.code != "OK":
                return None
            details = (body.sms_send_detail_dtos and body.sms_send_detail_dtos.sms_send_detail_dto) or []
            if any(one.out_id == key for one in details):
                return True
            if len(details) < _PAGE:
                return False
        return None

    def heard(
        self, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, now: datetime
    ) -> Heard:
        """Read a batch of receipts (SmsReport) or replies (SmsUp); see ``ListeningAdapter.heard``."""
        self._let_in(path)
        try:
            batch = json.loads(body)
            if not isinstance(batch, list):
                raise TypeError
            receipts = tuple(_receipt(one) for one in batch if "content" not in one)
            replies = tuple(_reply(one) for one in batch if "content" in one)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ValueError("not a call of this gateway") from None
        return Heard(receipts, replies, answer='{"code":0,"msg":"OK"}')

    def check(self) -> str | None:
        """Log in and see whether the signature is approved; see ``Adapter.check``."""
        request = self._models.QuerySmsSignListRequest(page_index=1, page_size=_PAGE)
        body = self._ask(lambda: self._client.query_sms_sign_list_with_options(request, self._runtime))
        if isinstance(body, Report):
            return body.detail
        if body.code != "OK":
            return self._refused(body.code, body.message, datetime.now(UTC)).detail
        signs = {one.sign_name: one.audit_status for one in body.sms_sign_list or []}
        state = signs.get(self._sign_name)
        if state == "AUDIT_STATE_PASS" or (state is None and (body.total_count or 0) > len(signs)):
            return None
        key = "vendor.sign_unknown" if state is None else "vendor.sign_waiting"
        return text(self._language, key, adapter=self._name, host=self._host, sign=self._sign_name)


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)


def _receipt(one: Mapping[str, Any]) -> Receipt:
    code = str(one["err_code"])
    return Receipt(
        provider_id=str(one["biz_id"]),
        status="delivered" if one["success"] is True else "undelivered",
        at=_instant(one["report_time"]),
        code=code[:60],
        bounces=one["success"] is not True and is_no_such_number(code, one.get("err_msg")),
        key=one.get("out_id") or None,
    )


def _reply(one: Mapping[str, Any]) -> Reply:
    number = str(one["phone_number"])
    sequence = one.get("sequence_id")
    return Reply(
        address=f"+86{number}" if re.fullmatch(r"1\d{10}", number) else number,
        text=str(one["content"]),
        at=_instant(one["send_time"]),
        id=str(sequence) if sequence is not None else None,
    )


def _build(name: str, settings: object, surroundings: Surroundings) -> AliyunAdapter:
    assert isinstance(settings, AliyunSettings)
    return AliyunAdapter(name, settings, surroundings)


ALIYUN = AdapterType(
    name="aliyun",
    channels=frozenset({"sms"}),
    settings=AliyunSettings,
    build=_build,
    approved_templates=True,
)
