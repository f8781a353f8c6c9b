"""The ``smtp`` adapter: e-mail through a mail server, one session for many mails.

What becomes of a mail is decided by how far it had got: refused or lost before the server had all of it, it is
certainly not accepted; lost after that, nobody knows.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from keguan.adapters.base import AdapterType, Outcome, OutgoingMessage, Report, Surroundings
from keguan.adapters.mail_status import is_gone, status_in
from keguan.adapters.mime import Mailbox, Sender, build_email, parse_address
from keguan.errors import ConfigError
from keguan.texts import Language, text

if TYPE_CHECKING:
    from keguan.adapters.smtp_session import Connection, Server

__all__ = ["SMTP", "SmtpAdapter", "SmtpSettings"]

_PORTS = {"none": 25, "starttls": 587, "ssl": 465}
_IDLE = 5.0
"""Seconds after which a session is asked whether it still lives before it is used again."""
_LOGIN_WANTED = frozenset({530, 534, 535, 538})
_QUEUED = re.compile(rb"queued as ([A-Za-z0-9._-]{4,64})", re.IGNORECASE)
_ADDRESS_LIKE = re.compile(r"<[^>]*>|\S*@\S*|\+?\d{7,}")


class SmtpSettings(BaseModel):
    """The table ``[adapters.NAME]`` with ``type = "smtp"``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str = Field(min_length=1)
    port: int | None = Field(default=None, ge=1, le=65535)
    """Absent: 25 for ``none``, 587 for ``starttls``, 465 for ``ssl``."""
    security: Literal["none", "starttls", "ssl"] = "starttls"
    sender: str | None = None
    """The address that customers see; absent: ``user`` if that is an address."""
    sender_name: str | None = None
    """Absent: the company's name."""
    envelope_sender: str | None = None
    """Where servers return what cannot be delivered; absent: ``sender``."""
    user: str | None = None
    """Who logs in; absent: ``sender``. Nobody logs in without a password."""
    password: SecretStr | None = None
    timeout: float = Field(default=15.0, ge=0.1, le=19.0)
    """Seconds for everything that one mail needs, connecting and logging in included."""
    ca_file: Path | None = None
    """Certificates (PEM) to trust instead of the system's, for a company's own authority."""
    hello: str | None = None
    """What we call ourselves to the server; absent: the machine's name."""
    renew_after_messages: int = Field(default=100, ge=1)
    renew_after_seconds: float = Field(default=300.0, gt=0)

    @field_validator("sender", "envelope_sender")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and parse_address(value).needs_smtputf8:
            raise ValueError("the part before @ must be ASCII")
        return value


class SmtpAdapter:
    """Sends e-mail. Used by one thread; ``send`` returns within ``timeout`` and never raises for a bad day."""

    def __init__(self, name: str, settings: SmtpSettings, server: Server, sender: Sender, language: Language) -> None:
        from keguan.adapters.smtp_session import Limit, Session  # noqa: PLC0415 - yagmail is slow to import

        self._name = name
        self._settings = settings
        self._server = server
        self._sender = sender
        self._envelope = parse_address(settings.envelope_sender).spec if settings.envelope_sender else None
        self._language: Language = language
        self._limit = Limit()
        self._session = Session(server, self._limit)
        self._opened = self._used = 0.0
        self._count = 0

    def send(self, message: OutgoingMessage, now: datetime) -> Report:
        """Hand ``message`` to the server; see ``Adapter.send``."""
        try:
            to = parse_address(message.to_address)
        except ValueError:
            return self._report(Outcome.PERMANENT, "adapter.smtp_address_invalid")
        try:
            data = build_email(message, to, self._sender, now)
        except ValueError:
            return self._report(Outcome.PERMANENT, "adapter.smtp_content_broken")
        self._limit.start(self._settings.timeout)
        kept = self._kept_session()
        if kept is not None:
            report = self._deliver(kept, message, to, data)
            if report is not None:
                return report
        try:  # there was no session, or it had ended before the mail was on its way: nothing was handed over
            fresh = self._session.open()
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self._session.drop()
            return self._not_connected(error)
        self._opened, self._count = time.monotonic(), 0
        return self._deliver(fresh, message, to, data) or self._report(Outcome.TEMPORARY, "adapter.smtp_lost_before")

    def check(self) -> str | None:
        """Connect and log in, send nothing; see ``Adapter.check``."""
        self._limit.start(self._settings.timeout)
        if self._session.smtp is not None:
            self._session.end()
        try:
            self._session.open()
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self._session.drop()
            return self._not_connected(error).detail
        self._opened, self._count = time.monotonic(), 0
        return None

    def close(self) -> None:
        """End the session; never raises."""
        self._limit.start(self._settings.timeout)
        self._session.end()

    def _kept_session(self) -> Connection | None:
        """Return the session if it is fit for one more mail."""
        kept = self._session.smtp
        if kept is None:
            return None
        now = time.monotonic()
        settings = self._settings
        if self._count >= settings.renew_after_messages or now - self._opened >= settings.renew_after_seconds:
            self._session.end()
            return None
        if now - self._used >= _IDLE:
            try:
                alive = kept.noop()[0] == 250
            except (smtplib.SMTPException, OSError):
                alive = False
            if not alive:
                self._session.drop()
                return None
        return kept

    def _deliver(self, smtp: Connection, message: OutgoingMessage, to: Mailbox, data: bytes) -> Report | None:
        """Hand one mail over; ``None`` when the session ended before the server had the whole mail."""
        smtp.handed_over = False
        try:
            report = self._dialogue(smtp, message, to, data)
        except (smtplib.SMTPException, OSError):
            self._session.drop()
            return self._report(Outcome.IN_DOUBT, "adapter.smtp_lost_after") if smtp.handed_over else None
        self._used = time.monotonic()
        self._count += 1
        if report.outcome is not Outcome.SENT:
            self._start_over()
        return report

    def _dialogue(self, smtp: Connection, message: OutgoingMessage, to: Mailbox, data: bytes) -> Report:
        """Name sender and recipient, hand the mail over, and judge each answer; raises when the line breaks."""
        options = [f"size={len(data)}"] if smtp.has_extn("size") else []
        if to.needs_smtputf8:
            if not smtp.has_extn("smtputf8"):
                return self._report(Outcome.PERMANENT, "adapter.smtp_no_smtputf8")
            options += ["SMTPUTF8", "BODY=8BITMIME"]
        code, reply = smtp.mail(self._envelope or self._sender.mailbox.spec, options)
        if code // 100 != 2:
            return self._refused("sender", code, reply, message)
        code, reply = smtp.rcpt(to.spec)
        if code // 100 != 2:
            return self._refused("recipient", code, reply, message)
        try:
            code, reply = smtp.data(data)
        except smtplib.SMTPDataError as error:
            code, reply = error.smtp_code, _as_bytes(error.smtp_error)
        if code // 100 == 2 and smtp.handed_over:
            queued = _QUEUED.search(reply)
            return Report(Outcome.SENT, provider_id=queued[1].decode() if queued else None)
        if code // 100 not in {4, 5}:  # not an answer that SMTP knows
            raise smtplib.SMTPServerDisconnected("nonsense")
        return self._refused("content", code, reply, message)

    def _start_over(self) -> None:
        """Clear what a refused mail left in the session, or give the session up."""
        smtp = self._session.smtp
        if smtp is None:
            return
        try:
            clean = smtp.rset()[0] == 250
        except (smtplib.SMTPException, OSError):
            clean = False
        if not clean:
            self._session.drop()

    def _refused(self, what: str, code: int, reply: bytes, message: OutgoingMessage) -> Report:
        """Judge a refusal of the sender, the recipient or the content."""
        said = f"{code} {_without_person(reply, message)}".strip()
        if code == 421:  # the server closes the session
            self._session.drop()
        if code in _LOGIN_WANTED:
            return self._report(Outcome.CONFIGURATION, "adapter.smtp_login_wanted", said=said)
        if code // 100 != 5:
            return self._report(Outcome.TEMPORARY, "adapter.smtp_later", said=said)
        if what == "sender" and code != 552:  # 552: this one mail is too large
            return self._report(Outcome.CONFIGURATION, "adapter.smtp_refused_sender", said=said)
        key = "adapter.smtp_refused_recipient" if what == "recipient" else "adapter.smtp_refused_content"
        report = self._report(Outcome.PERMANENT, key, said=said)
        gone = what == "recipient" and is_gone(status_in(reply.decode("utf-8", "replace")))
        return replace(report, bounces=gone)

    def _not_connected(self, error: Exception) -> Report:
        """Judge why no session came about; nothing was handed over, whatever it was.

        A certificate that is not trusted and a log-in that is refused stay so until an administrator acts, so
        they are configuration. A name that is not found may be the name server's trouble: temporary.
        """
        match error:
            case ssl.SSLCertVerificationError():
                return self._report(Outcome.CONFIGURATION, "adapter.smtp_certificate", problem=error.verify_message)
            case ssl.SSLError(reason="WRONG_VERSION_NUMBER" | "UNKNOWN_PROTOCOL" | "HTTP_REQUEST"):
                return self._report(Outcome.CONFIGURATION, "adapter.smtp_not_tls")
            case smtplib.SMTPNotSupportedError():
                return self._report(Outcome.CONFIGURATION, "adapter.smtp_not_offered", problem=str(error))
            case smtplib.SMTPResponseException(smtp_code=code) if 400 <= code < 500:
                return self._report(Outcome.TEMPORARY, "adapter.smtp_later", said=str(code))
            case smtplib.SMTPAuthenticationError(smtp_code=code):
                return self._report(Outcome.CONFIGURATION, "adapter.smtp_login_refused", said=code)
            case smtplib.SMTPResponseException(smtp_code=code):
                return self._report(Outcome.CONFIGURATION, "adapter.smtp_greeting", said=code)
            case UnicodeError():
                return self._report(Outcome.CONFIGURATION, "adapter.smtp_login_not_ascii")
            case smtplib.SMTPServerDisconnected() | OSError():
                return self._report(Outcome.TEMPORARY, "adapter.smtp_unreachable", problem=_problem(error))
        return self._report(Outcome.CONFIGURATION, "adapter.smtp_not_offered", problem=str(error))

    def _report(self, outcome: Outcome, key: str, **values: object) -> Report:
        where = {"adapter": self._name, "host": self._server.host, "port": self._server.port}
        return Report(outcome, text(self._language, key, **where, **values))


def _problem(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    return getattr(error, "strerror", None) or str(error)


def _as_bytes(reply: bytes | str) -> bytes:
    return reply if isinstance(reply, bytes) else reply.encode()


def _without_person(reply: bytes, message: OutgoingMessage) -> str:
    """Return what the server said, short and on one line, without whatever may name the recipient."""
    said = " ".join(reply.decode("utf-8", "replace").split())
    said = _ADDRESS_LIKE.sub("…", said)
    for personal in (message.to_address.partition("@")[0], message.to_name or ""):
        if len(personal) > 1:
            said = re.sub(re.escape(personal), "…", said, flags=re.IGNORECASE)
    return said[:160]


def _build(name: str, settings: object, surroundings: Surroundings) -> SmtpAdapter:
    from keguan.adapters.smtp_session import Server  # noqa: PLC0415 - yagmail is slow to import

    assert isinstance(settings, SmtpSettings)
    password = settings.password.get_secret_value() if settings.password else None
    password = password or surroundings.secret(f"adapters.{name}.password") or None
    if settings.user and password is None:
        raise ConfigError("adapter.smtp_password_missing", adapter=name, variable=name.upper())
    address = settings.sender or (settings.user if "@" in (settings.user or "") else None) or "keguan@localhost"
    try:
        sender = Sender(parse_address(address), settings.sender_name or surroundings.company_name)
    except ValueError:
        raise ConfigError("adapter.smtp_sender_wrong", adapter=name) from None
    server = Server(
        host=settings.host,
        port=settings.port or _PORTS[settings.security],
        security=settings.security,
        hello=settings.hello or _own_name(),
        user=settings.user or sender.mailbox.spec,
        password=password,
        context=None if settings.security == "none" else _trust(name, settings.ca_file, surroundings.base_dir),
    )
    return SmtpAdapter(name, settings, server, sender, surroundings.language)


def _trust(name: str, ca_file: Path | None, base_dir: Path) -> ssl.SSLContext:
    """Return a context that checks certificates and host names against ``ca_file`` or the system's list."""
    try:
        return ssl.create_default_context(cafile=str(base_dir / ca_file) if ca_file else None)
    except OSError as error:
        raise ConfigError(
            "adapter.smtp_ca_file", adapter=name, file=ca_file, problem=error.strerror or type(error).__name__
        ) from None


def _own_name() -> str:
    """Return the machine's name without asking a name server, which can take long and tells nothing better."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


SMTP = AdapterType(
    name="smtp",
    channels=frozenset({"email"}),
    settings=SmtpSettings,
    build=_build,
    in_doubt="resend",  # the Message-ID is the same on every attempt: receivers can drop a repeat
)
