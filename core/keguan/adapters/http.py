"""The ``http`` adapter: text messages through any gateway with an HTTP API that the configuration describes.

One request carries one message. AWS-like canonical requests are not among the signatures; a gateway that wants
them, or batches, needs an adapter of its own.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from keguan.adapters.base import AdapterType, Heard, Outcome, OutgoingMessage, Report, Surroundings
from keguan.adapters.http_judging import Judge, find, read_answer, word
from keguan.adapters.http_request import RequestPlan, origin_of
from keguan.adapters.http_returns import Returns
from keguan.adapters.http_settings import HttpSettings
from keguan.adapters.http_template import Absent, Values
from keguan.errors import ConfigError

if TYPE_CHECKING:
    from keguan.adapters.http_client import Client
    from keguan.adapters.http_connection import Answer, Trouble
    from keguan.adapters.http_request import Request

__all__ = ["HTTP", "HttpAdapter"]


class HttpAdapter:
    """Speaks to one described gateway; several messages may be on the way at once.

    Args:
        name: its table in the configuration.
        settings: the description.
        fixed: the values ``account.…`` and ``secret.…``.
        context: whom to trust on ``https``.
        surroundings: of the installation.
    """

    def __init__(
        self,
        name: str,
        settings: HttpSettings,
        fixed: Mapping[str, str],
        context: ssl.SSLContext,
        surroundings: Surroundings,
    ) -> None:
        self.in_flight = settings.in_flight
        self._settings = settings
        self._fixed = fixed
        self._context = context
        self._zone = ZoneInfo(settings.zone)
        self._plan = RequestPlan(settings)
        self._inquiry = RequestPlan(settings.inquiry) if settings.inquiry else None
        origin = self._plan.origin
        secrets = [value for name, value in fixed.items() if name.startswith("secret.")]
        self._judge = Judge(
            settings, surroundings.language, {"adapter": name, "host": f"{origin.host}:{origin.port}"}, secrets
        )
        self._returns = Returns(settings, fixed)
        self._client: Client | None = None
        self._closed = False
        self._lock = threading.Lock()
        # The core asks what an adapter can do; this one can what its gateway is described to do.
        if self._inquiry is not None:
            self.inquire = self._inquire
        if self._returns.fetches:
            self.poll = self._poll
        if self._returns.is_called:
            self.heard = self._returns.called

    def send(self, message: OutgoingMessage, now: datetime) -> Report:
        """Hand one message over and wait; see ``Adapter.send``."""
        found: list[Report] = []
        ready = threading.Event()

        def done(report: Report) -> None:
            found.append(report)
            ready.set()

        self.submit(message, now, done)
        ready.wait()  # the client keeps the time
        return found[0]

    def submit(self, message: OutgoingMessage, now: datetime, done: Callable[[Report], None]) -> None:
        """Hand one message over without waiting; see ``ConcurrentAdapter.submit``."""
        try:
            request = self._plan.build(self._values(now, message))
        except UnicodeError:
            done(self._judge.report(Outcome.PERMANENT, "adapter.http_unencodable", encoding=self._settings.encoding))
            return
        except Absent as absent:
            done(self._judge.report(Outcome.PERMANENT, "adapter.http_absent", value=absent.args[0]))
            return

        def judged(result: Answer | Trouble) -> None:
            try:
                report = self._judge.of(result, message, now)
            except Exception as error:  # noqa: BLE001 - a fate that stays untold would block a place for good
                report = Report(Outcome.IN_DOUBT, f"{type(error).__name__} in adapter http")
            done(report)

        self._connected().submit(request, self._settings.timeout, judged)

    def _inquire(self, message: OutgoingMessage, now: datetime) -> Report | None:
        """Ask what became of ``message``; see ``InquiringAdapter``."""
        described = self._settings.inquiry
        assert described is not None
        assert self._inquiry is not None
        try:
            result = self._ask(self._inquiry.build(self._values(now, message)))
        except (Absent, UnicodeError):
            return None  # what names the message there is not known
        content = _content(result, described.answer_format, described.encoding)
        status = word(find(content, described.status))
        if status in described.sent:
            return Report(Outcome.SENT, provider_id=word(find(content, described.id)) or message.provider_id)
        if status in described.absent:
            return self._judge.report(Outcome.TEMPORARY, "adapter.http_not_there")
        return None

    def _poll(self, cursor: Any, now: datetime) -> Heard:
        """Fetch receipts and replies; see ``PollingAdapter``."""
        return self._returns.fetch(cursor, now, self._ask)

    def check(self) -> str | None:
        """Ask for the balance where that is described, else only connect; see ``Adapter.check``."""
        described = self._settings.balance
        if described is None:
            trouble = self._connected().reach(self._plan.origin, self._settings.timeout)
            return None if trouble is None else self._judge.of_trouble(trouble).detail
        result = self._ask(RequestPlan(described).build(self._values(datetime.now(UTC))))
        said = word(find(_content(result, described.answer_format, described.encoding), described.value))
        try:
            balance = float(said or "")
        except ValueError:
            return self._judge.of_refusal(result, "adapter.http_balance_unknown")
        if balance >= described.least:
            return None
        return self._judge.report(Outcome.LIMIT, "adapter.http_balance_low", balance=said, least=described.least).detail

    def close(self) -> None:
        """End every request and the thread; each message still on its way is reported; never raises."""
        with self._lock:
            self._closed, client = True, self._client
        if client is not None:
            client.close()

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                from keguan.adapters.http_client import Client  # noqa: PLC0415 - asyncio is slow to import

                settings = self._settings
                self._client = Client(
                    context=self._context,
                    proxy=origin_of(settings.proxy) if settings.proxy else None,
                    in_flight=settings.in_flight,
                    keep_alive=settings.keep_alive,
                )
                if self._closed:
                    self._client.close()
            return self._client

    def _ask(self, request: Request) -> Answer | Trouble:
        return self._connected().ask(request, self._settings.timeout)

    def _values(self, now: datetime, message: OutgoingMessage | None = None) -> Values:
        return Values(now, self._zone, self._fixed, message=message, separator=self._settings.separator)


def _content(result: Answer | Trouble, form: str, encoding: str) -> Any:
    """Return what a good answer to a question holds, ``None`` for any other."""
    status = getattr(result, "status", 0)
    return read_answer(form, result.body, encoding) if 200 <= status < 300 and result.complete else None  # type: ignore[union-attr]  # only answers have a status


def _build(name: str, settings: object, surroundings: Surroundings) -> HttpAdapter:
    assert isinstance(settings, HttpSettings)
    fixed = {f"account.{key}": value for key, value in settings.account.items()}
    given = {key.lower(): value.get_secret_value() for key, value in settings.secrets.items()}
    for full in sorted(settings.all_names()):
        kind, _, key = full.partition(".")
        if kind != "secret":
            continue
        value = given.get(key.lower()) or surroundings.secret(f"adapters.{name}.secrets.{key}")
        if not value:
            variable = f"KEGUAN_ADAPTERS__{name.upper()}__SECRETS__{key.upper()}"
            raise ConfigError("adapter.http_secret", adapter=name, secret=key, variable=variable)
        fixed[full] = value
    return HttpAdapter(name, settings, fixed, _trust(name, settings.ca_file, surroundings.base_dir), surroundings)


def _trust(name: str, ca_file: Path | None, base_dir: Path) -> ssl.SSLContext:
    """Return a context that checks certificates and host names against ``ca_file`` or the system's list."""
    try:
        return ssl.create_default_context(cafile=str(base_dir / ca_file) if ca_file else None)
    except OSError as error:
        raise ConfigError(
            "adapter.http_ca_file", adapter=name, file=ca_file, problem=error.strerror or type(error).__name__
        ) from None


HTTP = AdapterType(name="http", channels=frozenset({"sms"}), settings=HttpSettings, build=_build)
