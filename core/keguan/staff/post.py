"""Messages to staff: ordinary rows of the outbox, written by the core itself, each under a key of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from keguan.outbox.knowledge import Recipient
from keguan.outbox.templates import CORE
from keguan.settings.staff import DepartmentSettings, StaffChannel
from keguan.staff.roster import Member
from keguan.store.schema import messages

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["Letter", "department_address", "post", "reached_by"]


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to a member of staff or to a department."""

    key: str
    action: str
    template: str
    """One of keguan's own."""
    values: Mapping[str, object] = field(repr=False)
    to: Member | str
    """A member, or the name of a department."""
    channel: StaffChannel
    city: str
    due_at: datetime
    expires_at: datetime | None = None


def department_address(departments: Mapping[str, DepartmentSettings], name: str | None) -> Recipient | None:
    """Return where a department is reached, ``None`` when the configuration does not know it."""
    settings = departments.get(name or "")
    if settings is None:
        return None
    return Recipient(email=settings.email, others={"chat": settings.chat} if settings.chat else {})


def reached_by(to: Member | str, channel: StaffChannel, departments: Mapping[str, DepartmentSettings]) -> bool:
    """Return whether there is an address; nobody is written a letter that cannot leave."""
    if isinstance(to, Member):
        return channel == "email" and bool(to.email)
    address = department_address(departments, to)
    return address is not None and bool(address.address(channel))


def post(installation: Installation, connection: Connection, letter: Letter, now: datetime) -> bool:
    """Put a letter into the outbox; return ``False`` when one of its key was written before.

    Raises ``TemplateError`` when the company's own template is wrong.
    """
    templates = installation.templates
    if letter.channel == "chat":
        title, body, html = "", templates.render_chat(CORE, letter.template, letter.values).text, None
    else:
        mail = templates.render_email(CORE, letter.template, letter.values)
        title, body, html = mail.subject, mail.text, mail.html
    member = isinstance(letter.to, Member)
    row: dict[str, Any] = {
        "key": letter.key,
        "plugin": CORE,
        "action": letter.action,
        "clause": "",
        "city": letter.city,
        "channel": letter.channel,
        "message_class": "service",
        "urgent": False,
        "late": False,
        "person_id": letter.to.person_id if isinstance(letter.to, Member) else None,
        "department": None if member else letter.to,
        "template": letter.template,
        "title": title,
        "body": body,
        "html": html,
        "status": "queued",
        "due_at": letter.due_at,
        "next_at": now,
        "expires_at": letter.expires_at,
        "created_at": now,
    }
    insert = (sqlite if installation.store.is_sqlite else postgresql).insert
    done = connection.execute(insert(messages).values(**row).on_conflict_do_nothing().returning(messages.c.id))
    return done.scalar() is not None
