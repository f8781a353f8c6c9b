"""The ``apprise`` adapter: messages to staff through their chat robots (WeCom, DingTalk, Feishu and the rest).

One robot per department, named by its Apprise address. Apprise says whether a service took a message, but not what
happened when it did not; and WeCom, DingTalk and Feishu refuse with HTTP 200 and a code, which Apprise takes for
success. So this adapter watches the requests that Apprise's plug-ins make, and judges them itself.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from keguan.adapters.base import AdapterType, Outcome, OutgoingMessage, Report, Surroundings
from keguan.adapters.vendor import Late, Verdict, clean_code, judge_failure, judge_status, load_library, within
from keguan.errors import ConfigError
from keguan.masking import mask_text
from keguan.texts import Language, text

__all__ = ["ROBOTS", "RobotsAdapter", "RobotsSettings"]

_LOGGERS = ("apprise", "urllib3")
_VERBS = frozenset({"delete", "get", "patch", "post", "put", "request"})
_CODED = {"wecombot": "errcode", "dingtalk": "errcode", "feishu": "code", "lark": "code"}
"""Services that refuse with HTTP 200, and where their code stands."""
_TOO_MANY = {
    "45009": timedelta(minutes=1),
    "45033": timedelta(minutes=1),
    "130101": timedelta(minutes=10),
    "410100": timedelta(minutes=10),
    "9499": timedelta(minutes=1),
    "11232": timedelta(minutes=1),
}
"""The services' codes for more than (mostly) 20 messages a minute, and how long they then take nothing."""


class RobotsSettings(BaseModel):
    """The table ``[adapters.NAME]`` with ``type = "apprise"``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    urls: dict[str, SecretStr] = Field(default_factory=dict)
    """From a department's name to the Apprise address of its robot, which holds a token."""
    default: SecretStr | None = None
    """For departments without a robot of their own."""
    timeout: float = Field(default=10.0, ge=0.2, le=19.0)
    """Seconds for everything that one message needs."""


@dataclass(slots=True)
class _Attempt:
    """What the requests of one message brought, as far as Apprise made them."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    started: bool = False
    given_up: bool = False
    answers: list[Any] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def give_up(self) -> bool:
        """Forbid what has not begun; return whether nothing had."""
        with self.lock:
            self.given_up = True
            return not self.started


_attempt: ContextVar[_Attempt | None] = ContextVar("keguan_robots_attempt", default=None)


class _Watched:
    """Stands in for ``requests`` inside a plug-in of Apprise, and takes down what comes of each request."""

    def __init__(self, requests: Any) -> None:
        self._requests = requests

    def __getattr__(self, name: str) -> Any:
        given = getattr(self._requests, name)
        return self._watch(given) if name in _VERBS else given

    def _watch(self, call: Any) -> Any:
        def watched(*args: Any, **kwargs: Any) -> Any:
            attempt = _attempt.get()
            if attempt is None:
                return call(*args, **kwargs)
            with attempt.lock:
                if attempt.given_up:
                    raise self._requests.RequestException("the time is over")
                attempt.started = True
            try:
                answer = call(*args, **kwargs)
            except BaseException as error:
                attempt.errors.append(error)
                raise
            attempt.answers.append(answer)
            return answer

        return watched


class RobotsAdapter:
    """Tells staff through chat robots; see ``Adapter``."""

    def __init__(self, name: str, settings: RobotsSettings, surroundings: Surroundings) -> None:
        from keguan.logs import cap_logs  # noqa: PLC0415 - structlog is slow to import

        (apprise,) = load_library(name, "robots", "apprise", loggers=_LOGGERS)
        cap_logs(("apprise",), logging.CRITICAL + 1)  # it names addresses with their tokens when one is wrong
        self._apprise = apprise
        self._name = name
        self._language: Language = surroundings.language
        self._timeout = settings.timeout
        self._asset = apprise.AppriseAsset(
            app_id="keguan", app_desc="keguan", app_url="", async_mode=False, storage_mode="memory"
        )
        self._robots = {who: self._robot(who, url) for who, url in settings.urls.items()}
        self._default = self._robot("default", settings.default) if settings.default else None
        if not self._robots and self._default is None:
            raise ConfigError("vendor.robot_none", adapter=name)

    def _robot(self, who: str, url: SecretStr) -> Any:
        """Return the service behind an address; raises ``ConfigError`` that does not show it."""
        with warnings.catch_warnings():  # the first call loads every service, some over what Python will drop
            warnings.simplefilter("ignore", DeprecationWarning)
            robot = self._apprise.Apprise.instantiate(url.get_secret_value(), asset=self._asset)
        if robot is None:
            raise ConfigError("vendor.robot_url", adapter=self._name, who=who)
        connect = min(4.0, self._timeout / 2)
        robot.socket_connect_timeout, robot.socket_read_timeout = connect, self._timeout - connect
        robot.request_rate_per_sec = 0  # it would sleep before each message; the core keeps the pace
        robot.overflow_mode = self._apprise.OverflowMode.SPLIT
        module = vars(sys.modules[type(robot).__module__])
        if "requests" in module and not isinstance(module["requests"], _Watched):
            module["requests"] = _Watched(module["requests"])
        return robot

    def send(self, message: OutgoingMessage, now: datetime) -> Report:
        """Tell the department that is the message's address; see ``Adapter.send``."""
        robot = self._robots.get(message.to_address, self._default)
        if robot is None:  # temporary, so that another adapter of the channel may know the way
            return self._report(Outcome.TEMPORARY, "vendor.robot_unknown", who=mask_text(message.to_address)[:40])
        attempt = _Attempt()
        context = copy_context()

        def tell() -> bool:
            _attempt.set(attempt)
            return bool(robot.notify(body=message.text, title=message.title, body_format="text"))

        try:
            taken = within(self._timeout + 0.5, lambda: context.run(tell))
        except Late as error:
            if attempt.give_up():
                return self._report(Outcome.TEMPORARY, "vendor.unreachable", problem="timed out", host=_host(robot))
            return self._failed(robot, error)
        except Exception as error:  # noqa: BLE001 - a service's plug-in is foreign code
            return self._failed(robot, error)
        return self._judge(robot, attempt, taken)

    def check(self) -> str | None:
        """Nothing is asked: robots know no log-in, and any request would show in the chat; see ``Adapter.check``.

        That every address can be read was seen when the adapter was built.
        """
        return None

    def close(self) -> None:
        """Nothing stays open; see ``Adapter.close``."""

    def _judge(self, robot: Any, attempt: _Attempt, taken: bool) -> Report:
        reports = [self._judge_answer(robot, answer) for answer in attempt.answers]
        reports += [self._failed(robot, error) for error in attempt.errors]
        if not reports:  # a service without HTTP
            return (
                Report(Outcome.SENT)
                if taken
                else self._report(Outcome.IN_DOUBT, "vendor.robot_refused", said="–", host=_host(robot))
            )
        bad = [report for report in reports if report.outcome is not Outcome.SENT]
        if not bad:
            # Every answer was good by itself, and yet the plug-in is not content.
            return (
                Report(Outcome.SENT)
                if taken
                else self._report(Outcome.IN_DOUBT, "vendor.robot_refused", said="–", host=_host(robot))
            )
        if len(bad) < len(reports):  # a long text went in parts, and some arrived
            return self._report(Outcome.IN_DOUBT, "vendor.robot_partly", said=bad[0].detail, host=_host(robot))
        return bad[0]

    def _judge_answer(self, robot: Any, answer: Any) -> Report:
        """Judge one HTTP answer of a robot's service. What is wrong with one robot does not stop the others."""
        status = int(answer.status_code)
        code, readable = _code(robot, answer)
        said = f"HTTP {status}" + (f" {clean_code(code)}" if code else "")
        if code in _TOO_MANY or status == 429:
            wait = _TOO_MANY.get(code or "", timedelta(minutes=1))
            return self._judged(robot, Verdict(Outcome.LIMIT, "vendor.robot_limit", wait), said)
        if status in (400, 413, 422) and code is None:
            return self._judged(robot, Verdict(Outcome.PERMANENT, "vendor.refused_message"), said)
        if 200 <= status < 300:
            if not readable:
                return self._judged(robot, Verdict(Outcome.IN_DOUBT, "vendor.nonsense"), said)
            return Report(Outcome.SENT) if code is None else self._refused(robot, said)
        if status < 500:
            return self._refused(robot, said)
        return self._judged(robot, judge_status(status), said)

    def _refused(self, robot: Any, said: str) -> Report:
        # A wrong token, keyword or address list concerns this one robot, so the adapter does not rest.
        return self._judged(robot, Verdict(Outcome.TEMPORARY, "vendor.robot_refused"), said)

    def _failed(self, robot: Any, error: BaseException) -> Report:
        trouble = judge_failure(error)
        if trouble.outcome is Outcome.CONFIGURATION:  # of this one robot, so the adapter does not rest
            return self._report(Outcome.TEMPORARY, "vendor.robot_tls", problem=trouble.problem, host=_host(robot))
        return self._report(
            trouble.outcome, trouble.key, problem=trouble.problem, said=trouble.problem, host=_host(robot)
        )

    def _judged(self, robot: Any, verdict: Verdict, said: str) -> Report:
        detail = text(self._language, verdict.key, adapter=self._name, host=_host(robot), said=said)
        return Report(verdict.outcome, detail, retry_after=verdict.retry_after)

    def _report(self, outcome: Outcome, key: str, **values: object) -> Report:
        return Report(outcome, text(self._language, key, **({"adapter": self._name} | values)))


def _host(robot: Any) -> str:
    """Return the name of the service; its address would show the token."""
    return str(robot.service_name)


def _code(robot: Any, answer: Any) -> tuple[str | None, bool]:
    """Return the service's code of a refusal (``None`` for success), and whether the answer could be read."""
    field_name = _CODED.get(str(robot.secure_protocol))
    if field_name is None:
        return None, True
    try:
        code = answer.json()[field_name]
    except (ValueError, LookupError, TypeError):
        return None, False
    return (None if code in (0, "0") else str(code)), True


def _build(name: str, settings: object, surroundings: Surroundings) -> RobotsAdapter:
    assert isinstance(settings, RobotsSettings)
    return RobotsAdapter(name, settings, surroundings)


ROBOTS = AdapterType(
    name="apprise",
    channels=frozenset({"chat"}),
    settings=RobotsSettings,
    build=_build,
    asks=False,
    in_doubt="resend",  # a digest told twice harms nobody; one that never came does
)
