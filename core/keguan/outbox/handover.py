"""From a row of the outbox to what an adapter is handed, and from what it answers to a report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from keguan.adapters.base import Outcome, OutgoingMessage, Report
from keguan.masking import mask_email, mask_phone
from keguan.model import Attachment

if TYPE_CHECKING:
    from keguan.adapters.base import Adapter
    from keguan.outbox.approvals import Approvals
    from keguan.outbox.knowledge import Recipient

__all__ = ["Handover", "Unsubscribe", "damaged", "masked"]

Unsubscribe = Callable[[Any, "Recipient"], tuple[str, ...]]
"""Returns the addresses by which the recipient of a row can opt out."""


class Handover:
    """Hands messages to one adapter, whatever that does."""

    def __init__(
        self, name: str, adapter: Adapter, approvals: Approvals, unsubscribe: Unsubscribe | None = None
    ) -> None:
        self.name = name
        self._adapter = adapter
        self._approvals = approvals
        self._unsubscribe = unsubscribe

    def message(self, row: Any, recipient: Recipient) -> OutgoingMessage:
        """Return the message of a row as this adapter needs it; raises whatever a damaged row makes it raise."""
        template_id, variables = self._template(row)
        return OutgoingMessage(
            key=row.key,
            channel=row.channel,
            to_address=recipient.address(row.channel) or "",
            to_name=recipient.name,
            title=row.title,
            text=row.body,
            html=row.html,
            attachments=_attachments(row.attachments) if row.attachments else (),
            segments=row.segments,
            message_class=row.message_class,
            template_id=template_id,
            variables=variables,
            unsubscribe=() if self._unsubscribe is None else self._unsubscribe(row, recipient),
            started_at=row.started_at,
            provider_id=row.provider_id,
        )

    def send(self, row: Any, recipient: Recipient, now: datetime) -> Report:
        """Hand the message of a row over and wait for what becomes of it."""
        try:
            message = self.message(row, recipient)
        except Exception as error:  # noqa: BLE001 - a damaged row must not stop the others
            return damaged(error)
        try:
            report: object = self._adapter.send(message, now)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - an adapter is foreign code: nobody knows what had left
            return self.failed(error)
        return self.checked(report)

    def failed(self, error: BaseException) -> Report:
        """Return what an exception of the adapter means: nobody knows what had left by then."""
        return Report(Outcome.IN_DOUBT, f"{type(error).__name__} in adapter {self.name}")

    def checked(self, report: object) -> Report:
        """Return ``report`` if it is one; an adapter is foreign code."""
        if isinstance(report, Report):
            return report
        return Report(Outcome.IN_DOUBT, f"{type(report).__name__} as report of adapter {self.name}")

    def _template(self, row: Any) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        """Return the gateway's name of the row's template, and our values in the order it wants them."""
        given = dict(row.variables or ())
        approval = self._approvals.find(self.name, row.plugin, row.template)
        if approval is None:
            return None, tuple(given.items())
        return approval.id, tuple((name, given.get(name, "")) for name in approval.variables)


def damaged(error: Exception) -> Report:
    """Return what it means that a message could not even be put together."""
    return Report(Outcome.PERMANENT, f"{type(error).__name__} while the message was put together")


def masked(row: Any, recipient: Recipient) -> str | None:
    """Return the address of a row's recipient as people may see it."""
    address = recipient.address(row.channel)
    if not address:
        return None
    return mask_email(address) if row.channel == "email" else mask_phone(address)


def _attachments(stored: list[dict[str, str]]) -> tuple[Attachment, ...]:
    import base64  # noqa: PLC0415 - few messages carry files

    return tuple(Attachment(item["filename"], base64.b64decode(item["content"]), item["media_type"]) for item in stored)
