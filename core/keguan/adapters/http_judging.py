"""What an answer, or the lack of one, means for a message. Pure: nothing here touches the network.

Only what certainly was not accepted may be sent again. A gateway that answers nonsense, fails in the middle
or says a word that nobody described may have accepted the message: that is in doubt.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from keguan.adapters.base import Outcome, Report
from keguan.masking import mask_text
from keguan.texts import Language, text

if TYPE_CHECKING:
    from keguan.adapters.base import OutgoingMessage
    from keguan.adapters.http_connection import Answer, Trouble
    from keguan.adapters.http_settings import ErrorRule, HttpSettings

__all__ = ["Judge", "find", "read_answer", "word"]

_READ = 4096
"""Characters of a plain answer that regular expressions look at: a bad one must not take forever."""
_PAUSE = timedelta(minutes=1)
_LONGEST = timedelta(days=1)


def read_answer(form: str, body: bytes, encoding: str) -> Any:
    """Return an answer as JSON value or text; ``None`` for nonsense."""
    try:
        if form == "json":
            return json.loads(body if encoding == "utf-8" else body.decode(encoding))
        return body.decode(encoding, "replace")[:_READ]
    except (ValueError, RecursionError):
        return None


def find(content: Any, place: str | None) -> Any:
    """Return what stands at ``place``; ``None`` when nothing does.

    In JSON ``place`` is a path (``data.0.id``; empty: all of it), in plain text a regular expression whose first
    group, or else all of it, is meant.
    """
    if place is None:
        return None
    if isinstance(content, str):
        found = re.search(place, content)
        return None if found is None else found[1] if found.re.groups else found[0]
    for part in place.split(".") if place else ():
        if isinstance(content, Mapping):
            content = content.get(part)
        elif isinstance(content, list) and part.isascii() and part.isdigit() and int(part[:9]) < len(content):
            content = content[int(part[:9])]
        else:
            return None
    return content


def word(value: Any) -> str | None:
    """Return a value of an answer as the word that a description names; ``None`` for structures and nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):  # no database takes NUL or half a surrogate pair
        return value.replace("\0", "").encode("utf-8", "replace").decode().strip()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else repr(value)
    return None


class Judge:
    """Knows one gateway's words.

    Args:
        where: how sentences name the gateway: ``adapter`` and ``host``.
        hidden: secrets that the gateway may echo.
    """

    def __init__(
        self, settings: HttpSettings, language: Language, where: Mapping[str, object], hidden: Sequence[str]
    ) -> None:
        self._settings = settings
        self._language: Language = language
        self._where = where
        self._hidden = tuple(value for value in hidden if len(value) > 3)

    def of(self, result: Answer | Trouble, message: OutgoingMessage, now: datetime) -> Report:
        """Return what became of ``message``; its values do not stand in the report."""
        from keguan.adapters.http_connection import Trouble  # noqa: PLC0415 - httptools comes with the first request

        if isinstance(result, Trouble):
            return self.of_trouble(result)
        number = message.to_address
        unsigned = message.text.rpartition("】")[2]
        personal = [number, number[3:], message.to_name or "", message.text, unsigned]
        personal += [value for _, value in message.variables]
        return self._of_answer(result, [value for value in personal if len(value) > 1], now)

    def of_refusal(self, result: Answer | Trouble, key: str) -> str:
        """Return in one line why a question of ours was not answered."""
        from keguan.adapters.http_connection import Trouble  # noqa: PLC0415 - httptools comes with the first request

        if isinstance(result, Trouble) and result.sent:
            return self.report(Outcome.TEMPORARY, "adapter.http_silent").detail
        if isinstance(result, Trouble):
            return self.of_trouble(result).detail
        return self.report(Outcome.CONFIGURATION, key, said=self._said(result.status, None, None, ())).detail

    def _of_answer(self, answer: Answer, personal: Sequence[str], now: datetime) -> Report:
        described = self._settings.answer
        content = read_answer(described.format, answer.body, self._settings.encoding) if answer.complete else None
        code = word(find(content, described.code))
        accepts = 200 <= answer.status < 300
        if accepts and answer.complete and (described.code is None or code in described.success):
            found = word(find(content, described.id))
            return Report(Outcome.SENT, provider_id=found[:200] if found else None)
        said = self._said(answer.status, code, word(find(content, described.message)), personal)
        rule = self._rule(answer.status, code)
        if rule is not None:
            return self._by_rule(rule, said, _retry_after(answer, now))
        if accepts:
            if code is None:
                return self.report(Outcome.IN_DOUBT, "adapter.http_nonsense", said=said)
            key = "adapter.http_unknown_doubt" if self._settings.other == "in_doubt" else "adapter.http_unknown_code"
            return self.report(Outcome(self._settings.other), key, said=said)
        return self._by_status(answer, said, now)

    def of_trouble(self, trouble: Trouble) -> Report:
        """Return what it means that no answer came."""
        if trouble.sent:
            return self.report(Outcome.IN_DOUBT, f"adapter.http_after_{trouble.problem or 'lost'}")
        match trouble.error:
            case ssl.SSLCertVerificationError() as error:
                return self.report(
                    Outcome.CONFIGURATION, "adapter.http_certificate", problem=error.verify_message or error.reason
                )
            case ssl.SSLError(
                reason="WRONG_VERSION_NUMBER" | "UNKNOWN_PROTOCOL" | "HTTP_REQUEST" | "RECORD_LAYER_FAILURE"
            ):
                return self.report(Outcome.CONFIGURATION, "adapter.http_not_tls")
            case None:
                return self.report(Outcome.TEMPORARY, f"adapter.http_before_{trouble.problem or 'lost'}")
            case error:
                problem = getattr(error, "strerror", None) or type(error).__name__
                return self.report(Outcome.TEMPORARY, "adapter.http_unreachable", problem=problem)

    def report(self, outcome: Outcome, key: str, **values: object) -> Report:
        """Return a report with the sentence ``key``."""
        return Report(outcome, text(self._language, key, **self._where, **values))

    def _rule(self, status: int, code: str | None) -> ErrorRule | None:
        errors = self._settings.errors
        return errors.get(code or "") or errors.get(f"http {status}")

    def _by_rule(self, rule: ErrorRule, said: str, asked: timedelta | None) -> Report:
        wait = asked if rule.retry_after is None else timedelta(seconds=rule.retry_after)
        return Report(
            rule.outcome,
            text(self._language, f"adapter.http_said_{rule.outcome.value}", said=said, **self._where),
            retry_after=wait if rule.outcome in (Outcome.LIMIT, Outcome.TEMPORARY) else None,
            pauses=rule.pauses and rule.outcome is Outcome.LIMIT,
            bounces=rule.bounces and rule.outcome is Outcome.PERMANENT,
        )

    def _by_status(self, answer: Answer, said: str, now: datetime) -> Report:
        status, wait = answer.status, _retry_after(answer, now)
        if status == 429:
            detail = text(self._language, "adapter.http_said_limit", said=said, **self._where)
            return Report(Outcome.LIMIT, detail, retry_after=wait or _PAUSE, pauses=True)
        if 300 <= status < 400:
            return self.report(Outcome.CONFIGURATION, "adapter.http_redirect", said=said)
        if status in (401, 403, 407):
            return self.report(Outcome.CONFIGURATION, "adapter.http_login", said=said)
        if status in (404, 405, 406, 410, 411, 415, 421, 426, 501, 505):
            return self.report(Outcome.CONFIGURATION, "adapter.http_address", said=said)
        if status in (408, 425) or (status == 503 and wait is not None) or (status >= 500 and self._settings.atomic):
            detail = text(self._language, "adapter.http_said_temporary", said=said, **self._where)
            return Report(Outcome.TEMPORARY, detail, retry_after=wait)
        if 400 <= status < 500:
            return self.report(Outcome.PERMANENT, "adapter.http_said_permanent", said=said)
        return self.report(Outcome.IN_DOUBT, "adapter.http_failed", said=said)

    def _said(self, status: int, code: str | None, message: str | None, personal: Sequence[str]) -> str:
        """Return the gateway's words, short, on one line, without people and secrets."""
        words = " ".join(part for part in (code, message) if part)
        for value in sorted({*personal, *self._hidden}, key=len, reverse=True):
            words = words.replace(value, "…")
        words = mask_text("".join(char if char.isprintable() else " " for char in words))
        return " ".join(f"HTTP {status} {words}".split())[:160]


def _retry_after(answer: Answer, now: datetime) -> timedelta | None:
    """Return how long the gateway asks us to wait: seconds or a date (RFC 9110, 10.2.3), a day at most."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        wait = timedelta(seconds=min(int(value[:9]), 86_400))
    else:
        try:
            at = parsedate_to_datetime(value)
            wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
        except (ValueError, OverflowError, TypeError):
            return None
    return min(max(wait, timedelta(seconds=1)), _LONGEST)
