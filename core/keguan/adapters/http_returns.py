"""What a described gateway tells of messages after they left: fetched by us, or brought by its calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from keguan.adapters.base import Heard
from keguan.adapters.http_judging import find, read_answer, word
from keguan.adapters.http_receipts import check_call, fields_of_call, read_items, read_receipts, read_replies
from keguan.adapters.http_request import RequestPlan
from keguan.adapters.http_settings import ReceiptSettings
from keguan.adapters.http_template import Values

if TYPE_CHECKING:
    from keguan.adapters.http_connection import Answer, Trouble
    from keguan.adapters.http_request import Request
    from keguan.adapters.http_settings import HttpSettings, ReplySettings

__all__ = ["Returns"]


class Returns:
    """The way back of one gateway; ``fixed`` are the values ``account.…`` and ``secret.…``."""

    def __init__(self, settings: HttpSettings, fixed: Mapping[str, str]) -> None:
        self._settings = settings
        self._fixed = fixed
        self._parts: dict[str, ReceiptSettings | ReplySettings] = {
            name: part for name, part in (("receipts", settings.receipts), ("replies", settings.replies)) if part
        }
        self._plans = {name: RequestPlan(part.fetch) for name, part in self._parts.items() if part.fetch}
        self.fetches = bool(self._plans)
        """Whether something is to be fetched."""
        self.is_called = settings.callback is not None and len(self._plans) < len(self._parts)
        """Whether the gateway calls us, and how it proves itself."""

    def fetch(self, cursor: Any, now: datetime, ask: Callable[[Request], Answer | Trouble]) -> Heard:
        """Return what has come since ``cursor``, a table with one place for each kind.

        Raises ``OSError`` when the gateway does not answer as described.
        """
        places: dict[str, str] = dict(cursor) if isinstance(cursor, Mapping) else {}
        heard, more = Heard(), False
        for name, plan in self._plans.items():
            part = self._parts[name]
            values = Values(now, ZoneInfo(part.zone), self._fixed, more={"cursor": places.get(name, "")})
            content = self._content(name, part, ask(plan.build(values)))
            try:
                items = read_items(part, content)
            except ValueError as error:
                raise OSError(f"{name}: {error}") from None
            following = word(find(content, part.cursor))
            if following:
                more = more or (part.page > 0 and len(items) >= part.page and following != places.get(name))
                places[name] = following
            elif part.cursor is None:  # the gateway forgets what it has told
                more = more or (part.page > 0 and len(items) >= part.page)
            heard = _joined(heard, part, items, now)
        return Heard(heard.receipts, heard.replies, cursor=places or None, more=more)

    def called(
        self, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, now: datetime
    ) -> Heard:
        """Return what a call says; raises ``PermissionError`` or ``ValueError``, see ``ListeningAdapter``."""
        encoding = self._settings.encoding
        matching = [
            part for part in self._parts.values() if part.fetch is None and part.path.strip("/") == path.strip("/")
        ]
        callback = self._settings.callback
        if callback is None or not matching:
            raise PermissionError("no calls are described for this address")
        check_call(callback, self._fixed, headers, query, body, encoding, now)
        heard = Heard()
        for part in matching:
            heard = _joined(heard, part, read_items(part, fields_of_call(part, query, body, encoding)), now)
        return Heard(heard.receipts, heard.replies, answer=matching[0].answer)

    def _content(self, name: str, part: ReceiptSettings | ReplySettings, result: Answer | Trouble) -> Any:
        status = getattr(result, "status", None)
        if status is None:
            raise OSError(f"{name}: no answer")
        encoding = part.fetch.encoding if part.fetch else "utf-8"
        content = read_answer("json", result.body, encoding) if result.complete else None  # type: ignore[union-attr]  # only answers have a status
        if not 200 <= status < 300 or content is None:
            raise OSError(f"{name}: HTTP {status}")
        return content


def _joined(
    heard: Heard, part: ReceiptSettings | ReplySettings, items: list[Mapping[str, Any]], now: datetime
) -> Heard:
    if isinstance(part, ReceiptSettings):
        return Heard(heard.receipts + read_receipts(part, items, now), heard.replies)
    return Heard(heard.receipts, heard.replies + read_replies(part, items, now))
