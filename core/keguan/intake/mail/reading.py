"""What a mail says, from its bytes: pure, and never surprised by what people and servers send."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import EmailPolicy
from itertools import islice

from keguan.adapters.mail_status import is_gone
from keguan.intake.names import plain_name
from keguan.people.unsubscribe import MAIL_SUBJECT

__all__ = ["Bounce", "File", "Mail", "kind_of", "may_send", "read_mail"]

_LONGEST_HEADER = 4000
"""Characters of a header that are read: the library's parser takes minutes for 100 kB of quotation marks."""
_MOST_PARTS = 100
"""Parts of a mail that are looked at."""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]+")
_TABLES = (".csv", ".tsv", ".txt", ".xlsx")
_TOKEN = re.compile(rf"\s*(?:re:\s*)?{MAIL_SUBJECT}\s+([A-Za-z0-9_.-]{{10,500}})\s*", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"^Message-ID:\s*(<[^<>\s]{1,300}>)", re.IGNORECASE | re.MULTILINE)
_BRACKETED = re.compile(r"<\s*([^<>]*?)\s*>")
_DMARC = re.compile(r"\bdmarc=pass\b(?:[^;]*?\bheader\.from=([^\s;]+))?")
_WORDS = {
    "项目": "projects",
    "合同": "contracts",
    "签约": "contracts",
    "交付": "handovers",
    "客户": "customers",
    "员工": "staff",
    "事件": "events",
}
"""What people write into a subject for the kinds of import."""


@dataclass(frozen=True, slots=True)
class File:
    """An attachment that may be a table."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bounce:
    """One address that a server gave up on (RFC 3464)."""

    address: str = field(repr=False)
    status: str
    gone: bool
    """The address does not exist; anything else may be better tomorrow."""
    message_id: str | None
    """Which mail came back, as its returned headers say."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says that matters to us."""

    sender: str | None = field(default=None, repr=False)
    """The address of the From line, in small letters."""
    subject: str = field(default="", repr=False)
    files: tuple[File, ...] = ()
    others: int = 0
    """Attachments that are no tables, such as pictures of a signature."""
    bounces: tuple[Bounce, ...] = ()
    token: str | None = field(default=None, repr=False)
    """The token of somebody who wants no more messages."""
    verdicts: tuple[tuple[str, str], ...] = ()
    """From ``Authentication-Results``: server and what it found, newest first."""


class _Bounded(EmailPolicy):
    """Cuts headers that no honest program writes before they are parsed."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_HEADER]


_POLICY = _Bounded()


def read_mail(content: bytes) -> Mail:
    """Return what a mail says. Whatever is broken in it counts as not there; never raises."""
    try:
        return _read(message_from_bytes(content, policy=_POLICY))
    except Exception:  # noqa: BLE001 - the parser raises all kinds of things for what robots send
        return Mail()


def _read(mail: Message) -> Mail:
    subject = _header(mail, "Subject")
    asked = _TOKEN.fullmatch(subject)
    files, others = [], 0
    for part in islice(_attachments(mail), _MOST_PARTS):
        name = _safe(part.get_filename() or "")
        if not name.lower().endswith(_TABLES):
            others += 1
            continue
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            files.append(File(name, payload))
    return Mail(
        sender=_sender(mail),
        subject=subject,
        files=tuple(files),
        others=others,
        bounces=tuple(_bounces(mail)),
        token=asked[1] if asked else None,
        verdicts=tuple(_verdicts(mail)),
    )


def _header(mail: Message, name: str) -> str:
    try:
        return " ".join(str(mail[name] or "").split())
    except Exception:  # noqa: BLE001 - a header that cannot be decoded
        return ""


def _sender(mail: Message) -> str | None:
    """Return the one address that it comes from: of several, nobody knows which one the server has looked at.

    The library reads ``one@example.com <other@example.com>`` as the first, everybody else as the second.
    """
    headers = mail.get_all("From") or []
    found = [one for header in headers for one in getattr(header, "addresses", ())]
    if len(headers) != 1 or len(found) != 1 or not found[0].domain:
        return None
    address = str(found[0].addr_spec).casefold()
    written = [str(value) for name, value in mail.raw_items() if name.lower() == "from"]
    bracketed = _BRACKETED.findall(written[0].casefold())
    return address if not bracketed or bracketed == [address] else None


def _attachments(part: Message) -> Iterator[Message]:
    """Yield the parts with a name; not those of mails that are attached themselves, which others wrote."""
    if part.get_content_type() == "message/rfc822":
        return
    if part.is_multipart():
        for child in part.get_payload():
            if isinstance(child, Message):
                yield from _attachments(child)
    elif part.get_filename():
        yield part


def _safe(name: str) -> str:
    """Return a file name that leads nowhere; the suffix stays when it is cut."""
    return plain_name(_UNSAFE.sub("_", name.strip()).lstrip("."))


def _bounces(mail: Message) -> Iterator[Bounce]:
    if mail.get_content_type() != "multipart/report" or mail.get_param("report-type") != "delivery-status":
        return
    returned = _returned_id(mail)
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else ():
            if not isinstance(block, Message):
                continue
            address = str(block.get("Final-Recipient") or block.get("Original-Recipient") or "").rpartition(";")[2]
            status = str(block.get("Status") or "").split()
            if str(block.get("Action") or "").strip().lower() == "failed" and "@" in address and status:
                yield Bounce(address.strip(" <>").casefold(), status[0], is_gone(status[0]), returned)


def _returned_id(mail: Message) -> str | None:
    """Return the Message-ID of the mail that came back, from its headers or from the whole of it."""
    for part in mail.walk():
        if part.get_content_type() not in ("text/rfc822-headers", "message/rfc822"):
            continue
        inner = part.get_payload()
        text = inner if isinstance(inner, str) else str(inner[0]) if isinstance(inner, list) and inner else ""
        found = _MESSAGE_ID.search(text)
        if found:
            return found[1]
    return None


def _verdicts(mail: Message) -> Iterator[tuple[str, str]]:
    for value in mail.get_all("Authentication-Results") or ():
        server, _, found = " ".join(str(value).split()).partition(";")
        yield server.split()[0].casefold() if server.split() else "", found.casefold()


def may_send(mail: Mail, allowed: Sequence[str], checked_by: str | None) -> bool:
    """Return whether the sender is one of ``allowed`` and, where ``checked_by`` is asked, really is who they say.

    Only the newest word of that server counts, for whoever writes a mail can put in words of their own below it.
    """
    if mail.sender is None or not any(
        mail.sender == one or (one.startswith("@") and mail.sender.endswith(one)) for one in allowed
    ):
        return False
    if checked_by is None:
        return True
    if not mail.verdicts or mail.verdicts[0][0] != checked_by.casefold():
        return False
    found = _DMARC.search(mail.verdicts[0][1])
    if found is None:
        return False
    return found[1] is None or found[1] == mail.sender.rpartition("@")[2]


def kind_of(mail: Mail, kinds: Sequence[str]) -> str | None:
    """Return which kind of file the subject announces: by its English name, or by the word people use."""
    first = re.split(r"[\s:：,，]+", mail.subject.strip(), maxsplit=1)[0].casefold()
    if first in kinds:
        return first
    return next((kind for word, kind in _WORDS.items() if mail.subject.strip().startswith(word)), None)
