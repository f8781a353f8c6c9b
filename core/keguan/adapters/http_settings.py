"""The table ``[adapters.NAME]`` with ``type = "http"``: a gateway of text messages, described wholly in words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, model_validator

from keguan.adapters.base import Outcome
from keguan.adapters.http_request_settings import RequestSettings, Table, Url, Where, Words, check_pattern
from keguan.adapters.http_template import GENERAL, INQUIRY, MESSAGE, Template
from keguan.settings.values import Zone, mistake

__all__ = [
    "AnswerSettings",
    "BalanceSettings",
    "CallbackSettings",
    "ErrorRule",
    "FetchSettings",
    "HttpSettings",
    "InquirySettings",
    "ReceiptSettings",
    "ReplySettings",
    "ReturnSettings",
]

_HTTP_KEY = re.compile(r"http [1-5]\d\d")


class AnswerSettings(Table):
    """``answer``: where in an answer the gateway says what."""

    format: Literal["json", "text"] = "json"
    code: Where | None = None
    """Absent: the HTTP status alone decides."""
    success: Words = ("0",)
    """The codes that mean accepted."""
    message: Where | None = None
    id: Where | None = None

    @model_validator(mode="after")
    def _readable(self) -> AnswerSettings:
        if self.format == "text":
            for source in (self.code, self.message, self.id):
                check_pattern(source or "")
        return self


class ErrorRule(Table):
    """What one code of the gateway, or one HTTP status, means."""

    outcome: Outcome
    retry_after: float | None = Field(default=None, gt=0, le=86_400)
    """Seconds."""
    pauses: bool = False
    bounces: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"outcome": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_a_refusal(self) -> ErrorRule:
        if self.outcome is Outcome.SENT:
            raise mistake("config.http_error_sent")
        return self


class InquirySettings(RequestSettings):
    """``inquiry``: how to ask what became of one message."""

    names: ClassVar[frozenset[str]] = INQUIRY

    answer_format: Literal["json", "text"] = "json"
    status: Where
    sent: Words
    """The words that mean: the gateway has it."""
    absent: Words = ()
    """The words that mean: the gateway certainly does not have it, so it may be sent again."""
    id: Where | None = None


class BalanceSettings(RequestSettings):
    """``balance``: what ``keguan doctor`` asks, which proves log-in and address without sending."""

    answer_format: Literal["json", "text"] = "json"
    value: Where
    least: float = 0
    """Below this the doctor complains."""


class FetchSettings(RequestSettings):
    """``fetch``: the request that brings receipts or replies; ``{cursor}`` is empty the first time."""

    names: ClassVar[frozenset[str]] = GENERAL | {"cursor"}


class ReturnSettings(Table):
    """What receipts and replies have in common: fetched with ``fetch``, or brought by a call of the gateway."""

    fetch: FetchSettings | None = None
    path: str = ""
    """What follows the adapter's own address when the gateway calls."""
    format: Literal["json", "form"] = "json"
    """``form`` reads the query too."""
    items: Where = ""
    """Where the list stands; empty: the answer itself. A single object is a list of one."""
    cursor: Where | None = None
    page: int = Field(default=0, ge=0)
    """So many at once mean that more is waiting; 0: never."""
    at: Where | None = None
    time: str = "%Y-%m-%d %H:%M:%S"
    """``seconds``, ``ms``, ``iso``, or as for ``strptime``."""
    zone: Zone = "Asia/Shanghai"
    answer: str = "OK"
    """What the gateway wants to read after a call."""


class ReceiptSettings(ReturnSettings):
    """``receipts``: what became of messages after they left."""

    id: Where
    key: Where | None = None
    status: Where
    delivered: Words
    waiting: Words = ()
    """Words that say nothing final; every other one means undelivered."""
    code: Where | None = None
    bounces: Words = ()
    """Codes or statuses of numbers that do not exist."""


class ReplySettings(ReturnSettings):
    """``replies``: what people answered."""

    address: Where
    text: Where
    id: Where | None = None


class CallbackSettings(Table):
    """``callback``: how a call of the gateway proves itself. Without it no call is believed."""

    where: Literal["header", "query", "body"] = "query"
    name: str
    """Of the header, the parameter or the field (JSON or form) that holds the proof."""
    scheme: Literal["token", "md5", "sha1", "sha256", "hmac-sha1", "hmac-sha256"] = "token"
    key: str = "{secret.callback}"
    """The token itself, or the HMAC key."""
    over: str = "{body}"
    """What the gateway signs; may name ``{body}`` and fields of the call as ``{field.NAME}``."""
    output: Literal["hex", "HEX", "base64"] = "hex"


class HttpSettings(RequestSettings):
    """The whole table: the request that sends one message, and everything around it."""

    names: ClassVar[frozenset[str]] = MESSAGE

    account: dict[str, str] = Field(default_factory=dict)
    """Names and values of our own, used as ``{account.NAME}``."""
    secrets: dict[str, SecretStr] = Field(default_factory=dict, repr=False)
    """Used as ``{secret.NAME}``; they belong into the environment or the folder of secrets."""
    separator: str = Field(default=",", min_length=1)
    """Between the values of ``{variables:joined}``."""
    zone: Zone = "Asia/Shanghai"
    answer: AnswerSettings
    """Without a default: an empty table means that any HTTP 2xx is accepted."""
    errors: dict[str, ErrorRule] = Field(default_factory=dict)
    """By the gateway's code, or by HTTP status as ``"http 402"``."""
    other: Literal["in_doubt", "permanent", "temporary", "configuration"] = "in_doubt"
    """What a code means that neither ``success`` nor ``errors`` names."""
    atomic: bool = False
    """The gateway promises that an HTTP status of 500 and above means: not accepted."""
    inquiry: InquirySettings | None = None
    balance: BalanceSettings | None = None
    receipts: ReceiptSettings | None = None
    replies: ReplySettings | None = None
    callback: CallbackSettings | None = None
    in_flight: int = Field(default=16, ge=1, le=1024)
    timeout: float = Field(default=15.0, ge=0.1, le=19.0)
    """Seconds for everything that one message needs, connecting included."""
    keep_alive: float = Field(default=4.0, ge=0, le=300)
    """Seconds that an idle connection is kept; below what the gateway allows, or messages fall in doubt."""
    ca_file: Path | None = None
    proxy: Url | None = None
    """An ``http:`` proxy; those of the environment are never used."""

    @model_validator(mode="after")
    def _complete(self) -> HttpSettings:
        for code in self.errors:
            if code.startswith("http ") and not _HTTP_KEY.fullmatch(code):
                raise mistake("config.http_status", value=code)
        missing = {
            name
            for name in self.all_names()
            if name.startswith("account.") and name[len("account.") :] not in self.account
        }
        if missing:
            raise mistake("config.http_account", name=min(missing))
        return self

    @property
    def approved_templates(self) -> bool:
        """Whether the gateway sends only templates that it approved, named by their id."""
        return "template_id" in self.named()

    def all_names(self) -> frozenset[str]:
        """Return every value that some request or the check of calls needs."""
        fetches = [part.fetch for part in (self.receipts, self.replies) if part]
        requests = [part for part in (self, self.inquiry, self.balance, *fetches) if part]
        found = frozenset().union(*(request.named() for request in requests))
        return found | (Template(self.callback.key).names if self.callback else frozenset())
