"""Which of our templates which gateway has approved, under which name of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from keguan.model.effects import MessageClass
from keguan.outbox.template_files import owner_of

__all__ = ["Approval", "ApprovalState", "Approvals"]

ApprovalState = Literal["approved", "submitted", "changed"]


@dataclass(frozen=True, slots=True)
class Approval:
    """One entry of the registry: a template as one gateway knows it."""

    adapter: str
    """The name of the gateway in ``[adapters]``."""
    plugin: str
    template: str
    id: str
    """The gateway's own name for it, such as ``SMS_123456``."""
    variables: tuple[str, ...] = ()
    """The names of our values in the order of the gateway's placeholders."""
    message_class: MessageClass = "service"
    approved_on: date | None = None
    """``None``: submitted, not approved yet; nothing may leave by it."""
    lead_days: int | None = None
    """How long approval takes there, in calendar days."""
    changed: bool = False
    """Our template reads otherwise than what was approved."""
    noted: bool = True
    """What was approved is written down, so that a change is noticed."""

    def in_force(self, today: date) -> bool:
        """Return whether messages may leave by it on ``today`` (a business date)."""
        return self.approved_on is not None and self.approved_on <= today and not self.changed

    def fits(self, values: Sequence[Sequence[str]] | None) -> bool:
        """Return whether it is filled in with exactly ``values``, the names and texts of one message.

        One that was composed before the template was changed and approved anew may have others.
        """
        return {name for name, _ in values or ()} == set(self.variables)

    def state(self, today: date) -> ApprovalState:
        """Return how it stands on ``today``; only ``approved`` lets messages leave."""
        if self.changed:
            return "changed"
        return "approved" if self.in_force(today) else "submitted"


class Approvals:
    """All entries of the registry."""

    def __init__(self, entries: Iterable[Approval] = ()) -> None:
        self._entries = {(one.adapter, one.plugin, one.template): one for one in entries}

    def find(self, adapter: str, plugin: str, template: str | None) -> Approval | None:
        """Return what ``adapter`` knows ``template`` of ``plugin`` as, approved yet or not."""
        return None if template is None else self._entries.get((adapter, *owner_of(plugin, template)))

    def all(self) -> tuple[Approval, ...]:
        """Return every entry, sorted by plugin, template and gateway."""
        return tuple(sorted(self._entries.values(), key=lambda one: (one.plugin, one.template, one.adapter)))
