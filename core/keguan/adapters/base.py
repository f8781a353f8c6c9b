"""What an adapter is: the one place where an effect leaves, and how it says what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from keguan.model.effects import Attachment
from keguan.texts import Language

__all__ = ["Adapter", "AdapterType", "Outcome", "OutgoingMessage", "Report", "Surroundings"]


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
    IN_DOUBT = "in_doubt"
    """Handed over, but the answer never came: it may have been accepted."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one attempt, with one line that a person can act on (no personal values)."""

    outcome: Outcome
    detail: str = ""
    provider_id: str | None = None
    """The other side's own name for the message, for receipts."""


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
