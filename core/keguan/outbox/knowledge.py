"""What the gate and the adapters need to know of the people that a batch of messages is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from keguan.model import City
from keguan.outbox.gate import NO_LIMITS, WEEK, Candidate, Left, Limits, Permissions, Verdict, judge
from keguan.outbox.queue import load_permissions, recently_left
from keguan.store.records import in_chunks
from keguan.store.schema import people

__all__ = ["Knowledge", "Recipient", "Rules"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message is for."""

    name: str | None
    phone: str | None
    email: str | None

    def address(self, channel: str) -> str | None:
        """Return where ``channel`` reaches this person."""
        return self.email if channel == "email" else self.phone


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says about messages that leave."""

    city: Callable[[str], City]
    limits: Limits = NO_LIMITS
    active: Callable[[str, str], bool] = lambda _plugin, _city: True
    """Whether a plugin is on in a city."""


class Knowledge:
    """Loaded once for a batch, set by set; kept up while its messages leave."""

    def __init__(
        self,
        rules: Rules,
        recipients: dict[int, Recipient],
        permissions: dict[int, Permissions],
        recent: dict[int, list[Left]],
    ) -> None:
        self._rules = rules
        self._recipients = recipients
        self._permissions = permissions
        self._recent = recent

    @classmethod
    def load(cls, connection: Connection, rules: Rules, batch: Sequence[Any], now: datetime) -> Knowledge:
        """Return what is known at ``now`` of the recipients of ``batch``, rows of messages."""
        ids = {row.person_id for row in batch}
        recipients: dict[int, Recipient] = {}
        permissions: dict[int, Permissions] = {}
        c = people.c
        for chunk in in_chunks(ids):
            rows = connection.execute(select(c.id, c.name, c.phone, c.email).where(c.id.in_(chunk)))
            recipients.update((row[0], Recipient(*row[1:])) for row in rows)
            permissions |= load_permissions(connection, chunk)
        counted = ids if any(rules.limits) else {row.person_id for row in batch if row.late}
        return cls(rules, recipients, permissions, recently_left(connection, counted, now - WEEK) if counted else {})

    def copy(self) -> Knowledge:
        """Return the same knowledge, to be carried on by itself."""
        recent = {person: list(left) for person, left in self._recent.items()}
        return Knowledge(self._rules, self._recipients, self._permissions, recent)

    def recipient(self, row: Any) -> Recipient:
        """Return whom a message is for."""
        return self._recipients[row.person_id]

    def judge(self, row: Any, now: datetime) -> Verdict:
        """Return whether a message may leave now."""
        candidate = Candidate(
            channel=row.channel,
            message_class=row.message_class,
            urgent=row.urgent,
            late=row.late,
            has_address=bool(self.recipient(row).address(row.channel)),
            expires_at=row.expires_at,
            permissions=self._permissions.get(row.person_id, {}),
            recent=self._recent.get(row.person_id, ()),
            limits=self._rules.limits,
            plugin_on=self._rules.active(row.plugin, row.city),
        )
        return judge(candidate, self._rules.city(row.city), now)

    def leaves(self, row: Any, at: datetime) -> None:
        """Note that a message leaves."""
        if not row.urgent and row.message_class != "code":
            self._recent.setdefault(row.person_id, []).append(Left(at, row.channel, row.late))
