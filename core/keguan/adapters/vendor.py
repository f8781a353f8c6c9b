"""What the adapters over vendors' libraries share: load the library, keep it quiet, bound its time, judge its failures.

All of these libraries speak HTTP through ``requests`` and turn its exceptions into their own; whether a message
may have left is still written in the chain of causes.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import re
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from keguan.adapters.base import Outcome, OutgoingMessage, Report, Surroundings
from keguan.errors import ConfigError
from keguan.texts import Language, text

__all__ = [
    "BEIJING",
    "SETTLED",
    "Late",
    "Trouble",
    "VendorAdapter",
    "VendorSettings",
    "Verdict",
    "clean_code",
    "is_no_such_number",
    "judge_failure",
    "judge_status",
    "load_library",
    "secret_value",
    "trusted",
    "until_tomorrow",
    "within",
]

T = TypeVar("T")
BEIJING = ZoneInfo("Asia/Shanghai")
"""The time in which China's gateways write dates and count days."""
SETTLED = timedelta(minutes=5)
"""After this long a gateway that does not know a message never got it; earlier its records may lag behind."""
_GRACE = 0.9
"""Seconds by which the libraries' own limits end before ours."""
_CONNECTING = frozenset({"_validate_conn", "_new_conn", "_prepare_proxy"})
"""What urllib3 is in until a request can leave; under other names a failure would only be judged more carefully."""
_NO_SUCH_NUMBER = frozenset({"MK:0001", "MN:0001", "CB:0001", "CB:0053", "DB:0101", "isv.MOBILE_NUMBER_ILLEGAL"})
"""What the carriers call a number that is not in use; codes that may as well mean a switched-off phone are left out."""


class VendorSettings(BaseModel):
    """What every gateway's table may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)

    timeout: float = Field(default=10.0, ge=0.2, le=19.0)
    """Seconds for everything that one message needs, connecting included."""
    in_flight: int = Field(default=8, ge=1, le=64)
    """How many messages may wait for the gateway's answer at once."""
    ca_file: Path | None = None
    """Certificates (PEM) to trust, for a company's own authority, such as that of its proxy."""
    callback_secret: SecretStr | None = Field(default=None, min_length=16)
    """The last part of the address that the gateway calls; without one nobody is listened to."""

    def limits(self) -> tuple[float, float]:
        """Return the seconds for connecting and for the answer."""
        connect = min(5.0, self.timeout / 2)
        return connect, self.timeout - connect


class Late(Exception):
    """The time for one message is over, and its request is still under way."""


class Trouble(NamedTuple):
    """Why there was no answer: the outcome, the sentence, and what the system said."""

    outcome: Outcome
    key: str
    problem: str


class Verdict(NamedTuple):
    """What one of a gateway's codes means for a message."""

    outcome: Outcome
    key: str
    retry_after: timedelta | None = None
    pauses: bool = False
    bounces: bool = False


def load_library(adapter: str, extra: str, *modules: str, loggers: tuple[str, ...]) -> list[Any]:
    """Import ``modules``; raises one ``ConfigError`` that names the extra when they are not installed.

    Their ``loggers`` are capped after the import, because some libraries set their own level while they load.
    """
    from keguan.logs import cap_logs  # noqa: PLC0415 - structlog is slow to import

    cap_logs(loggers)
    try:
        loaded = [importlib.import_module(module) for module in modules]
    except ImportError:
        raise ConfigError("vendor.extra_missing", adapter=adapter, extra=extra) from None
    cap_logs(loggers)
    cap_logs(("urllib3.connectionpool",), logging.ERROR)  # it warns of each connection beyond ten, which is no trouble
    return loaded


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return what ``call`` returns or raises, or raise ``Late`` after ``seconds``.

    The libraries bound the time between two bytes, which a slow server can stretch without end. What comes too
    late runs to its own end in a thread of its own, and nobody hears of it.
    """
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True, name="keguan-vendor").start()
    if not wait([answer], seconds).done:
        raise Late
    return answer.result()


def judge_failure(error: BaseException) -> Trouble:
    """Return what an exception of a vendor's library means for the message that was under way.

    Whatever may have happened after the request had left is *in doubt*. The exceptions' own words are not used:
    they hold addresses with the recipient's number in them.
    """
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, ssl.SSLCertVerificationError):
            return Trouble(Outcome.CONFIGURATION, "vendor.certificate", link.verify_message)
        if isinstance(link, ssl.SSLError) and link.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}:
            return Trouble(Outcome.CONFIGURATION, "vendor.not_tls", "")
    if any(isinstance(link, json.JSONDecodeError) for link in chain):
        return Trouble(Outcome.IN_DOUBT, "vendor.nonsense", "no JSON")
    problem = next(filter(None, (_problem(link) for link in reversed(chain))), type(chain[-1]).__name__)
    if any(_never_left(link) for link in chain):
        return Trouble(Outcome.TEMPORARY, "vendor.unreachable", problem)
    return Trouble(Outcome.IN_DOUBT, "vendor.no_answer", problem)


def _chain(error: BaseException | None, seen: set[int] | None = None) -> Iterator[BaseException]:
    """Yield ``error`` and everything that it wraps, whichever way the libraries wrap."""
    seen = set() if seen is None else seen
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield error
    wrapped = (getattr(error, "inner_exception", None), getattr(error, "reason", None), *error.args)
    for inner in (*wrapped, error.__cause__, error.__context__):
        if isinstance(inner, BaseException):
            yield from _chain(inner, seen)


def _never_left(link: BaseException) -> bool:
    if type(link).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ConnectTimeout"}:
        return True
    if type(link).__name__ in {"InvalidURL", "InvalidSchema", "MissingSchema", "InvalidProxyURL", "ProxyError"}:
        return True
    traceback = link.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name in _CONNECTING:
            return True
        traceback = traceback.tb_next
    return False


def _problem(link: BaseException) -> str | None:
    if isinstance(link, TimeoutError | Late) or "Timeout" in type(link).__name__:
        return "timed out"
    if isinstance(link, OSError) and link.strerror and isinstance(link.errno, int):
        return link.strerror
    return "connection ended" if type(link).__name__ in {"RemoteDisconnected", "IncompleteRead"} else None


def judge_status(status: int) -> Verdict:
    """Return what an HTTP status means where the answer holds none of the gateway's own codes."""
    if status == 429:
        return Verdict(Outcome.LIMIT, "vendor.limit_all", timedelta(seconds=10), pauses=True)
    if status == 503 or 300 <= status < 500:
        return Verdict(Outcome.TEMPORARY, "vendor.later")
    return Verdict(Outcome.IN_DOUBT, "vendor.nonsense")


def is_no_such_number(code: str | None, words: str | None) -> bool:
    """Return whether a receipt says that the number does not exist, and not merely that its phone is off."""
    said = words or ""
    return code in _NO_SUCH_NUMBER or (
        "空号" in said and not any(other in said for other in ("停机", "关机", "黑名单"))
    )


def clean_code(code: str) -> str:
    """Return a gateway's code without anything that might be a number or a sentence."""
    return re.sub(r"[^A-Za-z0-9 ._:-]|\d{7,}", "", code)[:60]


def until_tomorrow(now: datetime) -> timedelta:
    """Return how long it is until midnight in Beijing, when the gateways' daily counts begin anew."""
    local = now.astimezone(BEIJING)
    return (local + timedelta(days=1)).replace(hour=0, minute=1, second=0, microsecond=0) - local


class VendorAdapter(ABC):
    """The part of a gateway's adapter that is the same for all: reports, secrets, several messages at once.

    Subclasses send in ``_send``.
    """

    def __init__(self, name: str, settings: VendorSettings, surroundings: Surroundings, host: str) -> None:
        self.in_flight = settings.in_flight
        self._name = name
        self._host = host
        self._limit = settings.timeout + _GRACE
        self._language: Language = surroundings.language
        given = settings.callback_secret.get_secret_value() if settings.callback_secret else None
        self._callback_secret = given or surroundings.secret(f"adapters.{name}.callback_secret") or None

    @abstractmethod
    def _send(self, message: OutgoingMessage, now: datetime) -> Report:
        """Hand ``message`` over and wait for the answer; may raise whatever the library raises."""

    def send(self, message: OutgoingMessage, now: datetime) -> Report:
        """Hand ``message`` over and report; see ``Adapter.send``."""
        try:
            return self._send(message, now)
        except Exception as error:  # noqa: BLE001 - whatever a vendor's library raises is a bad day
            return self._failed(error)

    def submit(self, message: OutgoingMessage, now: datetime, done: Callable[[Report], None]) -> None:
        """Take ``message`` and return at once; see ``ConcurrentAdapter.submit``."""
        try:
            threading.Thread(
                target=lambda: done(self.send(message, now)), daemon=True, name=f"{self._name}-send"
            ).start()
        except RuntimeError:  # the system gives no more threads
            done(self._report(Outcome.TEMPORARY, "vendor.unreachable", problem="no thread"))

    def close(self) -> None:  # noqa: B027 - the libraries keep no session
        """Nothing stays open that would have to be ended; see ``Adapter.close``."""

    def _within(self, call: Callable[[], T]) -> T:
        return within(self._limit, call)

    def _failed(self, error: Exception) -> Report:
        trouble = judge_failure(error)
        return self._report(trouble.outcome, trouble.key, problem=trouble.problem, said=trouble.problem)

    def _judged(self, verdict: Verdict, code: str) -> Report:
        report = self._report(verdict.outcome, verdict.key, said=code)
        return Report(
            report.outcome,
            report.detail,
            retry_after=verdict.retry_after,
            pauses=verdict.pauses,
            bounces=verdict.bounces,
        )

    def _report(self, outcome: Outcome, key: str, **values: object) -> Report:
        return Report(outcome, text(self._language, key, adapter=self._name, host=self._host, **values))

    def _let_in(self, path: str) -> None:
        """Raise ``PermissionError`` unless ``path`` begins with the secret that was agreed with the gateway."""
        import hmac  # noqa: PLC0415 - few processes are called by gateways

        given = path.strip("/").partition("/")[0]
        wanted = self._callback_secret
        if wanted is None or not hmac.compare_digest(given.encode(), wanted.encode()):
            raise PermissionError("callback_secret")


def secret_value(adapter: str, key: str, given: SecretStr | None, surroundings: Surroundings) -> str:
    """Return a secret from the table, the environment or a file in ``secrets/``; raises ``ConfigError`` without one."""
    value = given.get_secret_value() if given else None
    value = value or surroundings.secret(f"adapters.{adapter}.{key}")
    if not value:
        raise ConfigError("vendor.secret_missing", adapter=adapter, name=key, variable=f"{adapter}__{key}".upper())
    return value


def trusted(adapter: str, ca_file: Path | None, surroundings: Surroundings) -> str | None:
    """Return the path of ``ca_file`` if it can be used; raises ``ConfigError`` when not."""
    if ca_file is None:
        return None
    path = surroundings.base_dir / ca_file
    problem = "no certificates in it"
    with contextlib.suppress(ssl.SSLError):
        try:
            ssl.create_default_context(cafile=str(path))
        except OSError as error:
            if isinstance(error, ssl.SSLError):
                raise
            problem = error.strerror or type(error).__name__
        else:
            return str(path)
    raise ConfigError("adapter.smtp_ca_file", adapter=adapter, file=ca_file, problem=problem)
