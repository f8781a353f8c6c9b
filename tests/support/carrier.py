"""A gateway of text messages with a memory: it takes, is asked, tells, and knows how often it got what."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any, Literal

from tests.support.gateway import Gateway, Received, Say

__all__ = ["TOKEN", "Carrier", "Taken"]

Mood = Literal["fine", "down", "silent", "deaf"]
TOKEN = "a-token-that-only-the-gateway-has"


@dataclass(frozen=True)
class Taken:
    """One message that the gateway accepted."""

    id: str
    key: str
    mobile: str
    content: str
    template: str


class Carrier(Gateway):
    """Takes messages at ``/send``, is asked about them at ``/state``. ``mood`` is what it does with messages.

    ``whims`` go before it: what it does with the next ones, one each.

    ``fine`` accepts; ``down`` refuses for now (503 with Retry-After); ``silent`` accepts and hangs up instead of
    answering; ``deaf`` hangs up without accepting.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.mood: Mood = "fine"
        self.whims: deque[Mood] = deque()
        self.taken: list[Taken] = []
        """What was accepted, in order; a message that came twice stands here twice."""
        self.asked: list[str] = []
        """The keys of the messages that somebody asked about, in order."""
        self._numbers: dict[str, str] = {}
        self._lock = threading.Lock()
        self.always = self._answer_one

    @property
    def copies(self) -> Counter[str]:
        """How often each message was accepted, by key."""
        return Counter(one.key for one in list(self.taken))

    def to(self, mobile: str) -> list[Taken]:
        """Return what was accepted for one number."""
        return [one for one in list(self.taken) if one.mobile == mobile]

    def table(self, *, template: bool = False) -> dict[str, Any]:
        """Return ``[adapters.NAME]``: this gateway as an administrator describes it."""
        base = f"http://127.0.0.1:{self.port}"
        body = {"mobile": "{phone:national}", "content": "{text}", "key": "{key}"}
        return {
            "type": "http",
            "url": f"{base}/send",
            "body": body | ({"template": "{template_id}"} if template else {}),
            "answer": {"code": "code", "success": [0], "message": "msg", "id": "id"},
            "errors": {"1001": {"outcome": "permanent", "bounces": True}},
            "inquiry": {
                "url": f"{base}/state",
                "method": "GET",
                "query": {"key": "{key}"},
                "status": "state",
                "sent": ["TAKEN"],
                "absent": ["UNKNOWN"],
                "id": "id",
            },
            "receipts": {"path": "receipts", "id": "id", "status": "state", "delivered": ["DELIVRD"], "code": "state"},
            "replies": {"path": "replies", "address": "mobile", "text": "content", "id": "id"},
            "callback": {"where": "query", "name": "token"},
            "timeout": 5.0,
        }

    def _answer_one(self, request: Received) -> Say | Any:
        if request.target.startswith("/state"):
            return self._tell(request.query["key"])
        mood = self.whims.popleft() if self.whims else self.mood
        if mood == "down":
            return Say(503, headers={"Retry-After": "60"}, body="")
        if mood == "deaf":
            return Say(raw=b"", then_close=True)
        given = request.json
        with self._lock:
            number = self._numbers.setdefault(given["key"], f"{self.name}-{len(self._numbers) + 1}")
            self.taken.append(Taken(number, given["key"], given["mobile"], given["content"], given.get("template", "")))
        if mood == "silent":
            return Say(raw=b"", then_close=True)
        return Say(body={"code": 0, "msg": "ok", "id": number})

    def _tell(self, key: str) -> Say:
        self.asked.append(key)
        number = self._numbers.get(key)
        if number is None:
            return Say(body={"state": "UNKNOWN"})
        return Say(body={"state": "TAKEN", "id": number})
