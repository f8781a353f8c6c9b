"""``[drop]``: a folder whose files are imported. ``[mailboxes.NAME]``: mailboxes whose attachments are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from keguan.settings.values import mistake

__all__ = ["DropSettings", "MailboxSettings"]

_PORTS = {"none": 143, "starttls": 143, "ssl": 993}


class DropSettings(BaseModel):
    """``[drop]``: nothing is watched unless ``folder`` is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: str | None = None
    """With a folder for each kind below it: ``contracts/``, ``handovers/`` …; relative to the folder of ``config/``."""
    look_every: float = Field(default=5.0, gt=0)
    """Seconds between two looks."""
    settle: float = Field(default=5.0, ge=0)
    """Seconds for which a file must not have changed before it counts as complete."""
    max_mb: float = Field(default=1000.0, gt=0)
    """Megabytes (10⁶ bytes) above which a file is not read at all."""


def _sender(value: str) -> str:
    local, at, domain = value.strip().casefold().rpartition("@")
    if not at or not domain or " " in value.strip():
        raise mistake("config.mail_sender")  # the value may be somebody's address
    return f"{local}@{domain}"


class MailboxSettings(BaseModel):
    """``[mailboxes.NAME]``: a mailbox read by IMAP."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str = Field(min_length=1)
    port: int | None = Field(default=None, ge=1, le=65535)
    """Absent: 993 for ``ssl``, else 143."""
    security: Literal["none", "starttls", "ssl"] = "ssl"
    user: str = Field(min_length=1)
    password: SecretStr | None = None
    ca_file: Path | None = None
    """Certificates (PEM) to trust instead of the system's, for a company's own authority."""
    folder: str = "INBOX"
    allowed: tuple[Annotated[str, AfterValidator(_sender)], ...] = ()
    """Who may send files: whole addresses, or ``@example.com`` for everybody there. Nobody unless given."""
    checked_by: str | None = None
    """The mail server (its ``authserv-id``) whose word in ``Authentication-Results`` a sender needs: a From line alone
    can be forged. Absent: the From line is believed."""
    kind: str | None = None
    """What the attachments are; absent: the first word of the subject says it, such as ``contracts`` or 合同."""
    project: str | None = Field(default=None, pattern=r"^[^/\\]+$")
    """The project of rows that name none."""
    look_every: float = Field(default=60.0, gt=0)
    """Seconds between two looks."""
    max_mb: float = Field(default=25.0, gt=0)
    """Megabytes (10⁶ bytes) above which a mail is not fetched."""
    timeout: float = Field(default=30.0, gt=0, le=300)

    @property
    def at_port(self) -> int:
        """The port that is meant."""
        return self.port or _PORTS[self.security]
