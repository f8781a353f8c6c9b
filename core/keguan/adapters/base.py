"""What an adapter is: the one place where an effect leaves, and how it says what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from keguan.model.effects import Attachment, MessageClass
from keguan.texts import Language

__all__ = [
    "Adapter",
    "AdapterType",
    "ConcurrentAdapter",
    "Heard",
    "InquiringAdapter",
    "ListeningAdapter",
    "Outcome",
    "OutgoingMessage",
    "PollingAdapter",
    "Receipt",
    "Reply",
    "Report",
    "Surroundings",
]


class Outcome(StrEnum):
    """What became of one attempt to hand a message over."""

    SENT = "sent"
    """Accepted by the other side."""
    TEMPORARY = "temporary"
    """Certainly not accepted; worth another try later."""
    PERMANENT = "permanent"
    """Refused for good: wrong address, refused content."""
    CONFIGURATION = "configuration"
    """Our own log-in or set-up is wrong: nobody's message can leave until an administrator mends it."""
    LIMIT = "limit"
    """Certainly not accepted, because too much was sent: by us altogether, or to this address."""
    IN_DOUBT = "in_doubt"
    """Handed over, but the answer never came: it may have been accepted."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one attempt, with one line that a person can act on (no personal values)."""

    outcome: Outcome
    detail: str = ""
    provider_id: str | None = None
    """The other side's own name for the message, for receipts."""
    retry_after: timedelta | None = None
    """After ``LIMIT`` or ``TEMPORARY``: how long the other side asks us to wait; ``None`` when it does not say."""
    pauses: bool = False
    """After ``LIMIT``: nothing at all may leave through this adapter until then, not just nothing to this address."""
    bounces: bool = False
    """After ``PERMANENT``: the address itself does not exist, so nothing more should be sent to it."""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One rendered message on its way out. ``key`` is the same on every attempt."""

    key: str
    channel: str
    to_address: str = field(repr=False)
    to_name: str | None = field(repr=False)
    title: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    segments: int | None = None
    """How many SMS the operator bills; ``None`` on other channels."""
    message_class: MessageClass = "service"
    template_id: str | None = None
    """The gateway's own name of the approved template, for adapters that send templates and no text."""
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """What the gateway fills into its template: name and text, in the order of the gateway's registry entry."""
    unsubscribe: tuple[str, ...] = field(default=(), repr=False)
    """Addresses by which the recipient can opt out: an ``https:`` one that takes a one-click POST, a ``mailto:``."""
    started_at: datetime | None = None
    """When it was handed over, of a message that is asked about."""
    provider_id: str | None = None
    """What an earlier report called it, of a message that is asked about."""


class Adapter(Protocol):
    """A way out, used by one thread only. Its settings come checked; ``send`` never raises for a bad day."""

    def send(self, message: OutgoingMessage, now: datetime) -> Report:
        """Hand ``message`` over and report. Must return within its own timeout (20 s at most).

        An exception is recorded as ``in_doubt`` by the caller, because nobody knows what had left by then.
        """

    def check(self) -> str | None:
        """Log in without sending anything; return ``None`` when all is well, else one line with what is wrong."""

    def close(self) -> None:
        """End the session, if there is one; never raises."""


@runtime_checkable
class ConcurrentAdapter(Adapter, Protocol):
    """An adapter that has several messages on the way at once, such as one that waits for an HTTP gateway."""

    in_flight: int
    """How many it takes before the first has ended."""

    def submit(self, message: OutgoingMessage, now: datetime, done: Callable[[Report], None]) -> None:
        """Take ``message`` and return at once; call ``done`` once, from any thread, when it is known what became of it.

        Must not raise for a bad day; ``done`` comes within the adapter's own timeout (20 s at most).
        """


@runtime_checkable
class InquiringAdapter(Adapter, Protocol):
    """An adapter that can ask the other side what became of a message that nobody knows about."""

    def inquire(self, message: OutgoingMessage, now: datetime) -> Report | None:
        """Return what became of ``message``: ``SENT`` when it is there, ``TEMPORARY`` when it certainly is not.

        ``None`` when the other side cannot say, or not yet. Never raises for a bad day.
        """


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a gateway tells of a message after it left."""

    provider_id: str
    status: Literal["delivered", "undelivered"]
    at: datetime
    """Aware."""
    code: str | None = None
    """The gateway's own word, such as ``MK:0001``."""
    bounces: bool = False
    """The number does not exist: nothing more should be sent to it."""
    key: str | None = None
    """Our own key, where the gateway gives it back."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody answered to a message."""

    address: str = field(repr=False)
    """E.164, or as the gateway writes it."""
    text: str = field(repr=False)
    at: datetime
    """Aware."""
    id: str | None = None
    """The gateway's number of the reply, if it has one."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one poll or one call of a gateway brought."""

    receipts: tuple[Receipt, ...] = ()
    replies: tuple[Reply, ...] = field(default=(), repr=False)
    cursor: Any = None
    """Where the next poll goes on; any JSON value, kept by the core."""
    more: bool = False
    """More is waiting: poll again at once."""
    answer: str = "OK"
    """What a gateway that calls us wants to read."""


@runtime_checkable
class PollingAdapter(Adapter, Protocol):
    """An adapter whose receipts and replies have to be fetched."""

    def poll(self, cursor: Any, now: datetime) -> Heard:
        """Return what came since ``cursor`` (``None`` the first time); raises ``OSError`` when it cannot."""


@runtime_checkable
class ListeningAdapter(Adapter, Protocol):
    """An adapter whose gateway calls us with receipts and replies. Called from the thread of the web server."""

    def heard(
        self, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, now: datetime
    ) -> Heard:
        """Return what the call says; raises ``PermissionError`` for a wrong signature, ``ValueError`` for nonsense.

        ``path`` is what follows the adapter's own address; header names are in small letters.
        """


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an adapter may need to know of the installation."""

    base_dir: Path
    """The folder that holds ``config/``; relative paths start here."""
    company_name: str
    secret: Callable[[str], str | None] = field(default=lambda _name: None, repr=False)
    """Looks up what should not stand in the file, by its place in it: ``adapters.mail.password``."""
    language: Language = "en"
    """In which the details of reports are written."""
    signature: str = ""
    """What stands in 【…】 of an SMS; the company's name unless given."""


@dataclass(frozen=True, slots=True)
class AdapterType:
    """A kind of adapter that ``[adapters.NAME] type = "…"`` can name.

    ``settings`` is the pydantic model (``extra="forbid"``) of the rest of that table; ``build`` makes one
    adapter from it; ``channels`` are those it can serve.
    """

    name: str
    channels: frozenset[str]
    settings: type
    build: Callable[[str, object, Surroundings], Adapter]
    """Called with the adapter's name in the configuration, its settings and the surroundings."""
    in_doubt: str = "hold"
    """What happens to a message in doubt unless configured: ``resend`` or ``hold`` for a person."""
    approved_templates: bool = False
    """The gateway sends only templates that it approved beforehand, named by their id."""
    asks: bool = True
    """``check`` reaches the other side; where it cannot, it only sees that the settings can be used."""
