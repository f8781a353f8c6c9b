"""The bytes of one e-mail, built quickly.

``email.message.EmailMessage`` parses every header it is given and takes two milliseconds a mail, four fifths of
what it costs to deliver one. Our mails are all alike: the same sender, one recipient, a subject, a text and
perhaps HTML. So their few headers and parts are put together here, encoded by the standard library's own
encoders; mails with attachments or with a recipient beyond ASCII take the long way through ``EmailMessage``.
``tests/core/adapters/test_mime.py`` reads both back with the standard library's parser.
"""

from __future__ import annotations

import re
from base64 import encodebytes
from dataclasses import dataclass
from datetime import UTC, datetime
from email.base64mime import header_encode
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

from keguan.adapters.base import OutgoingMessage
from keguan.model import Attachment

__all__ = ["Mailbox", "Sender", "build_email", "message_id", "parse_address"]

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\ud7ff\ue000-\U0010ffff-]+"
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])+"'
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@(?P<domain>[^@\s]+)")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PLAIN_HEADER = re.compile("[!-~]+(?: [!-~]+)*")
# Lines that survive any server as they are. "From " at the start of one may come out as ">From ".
_LINES_7BIT = re.compile("(?:(?!From )[\t -~]{0,990}\n)*")
_LINES_8BIT = re.compile("(?:(?!From )[\t -~\xa0-\u2027\u202a-\ud7ff\ue000-\U0010ffff]{0,240}\n)*")
_MEDIA_TYPE = re.compile(r"(?P<main>application|audio|font|image|model|text|video)/(?P<sub>[A-Za-z0-9][\w.+-]*)")
_WORD = 11
"""Characters in one encoded word: at most 44 bytes of UTF-8, 72 characters of the 75 that RFC 2047 allows."""


class Mailbox(NamedTuple):
    """A checked e-mail address; the domain is in ASCII (punycode where needed)."""

    local: str
    domain: str

    @property
    def spec(self) -> str:
        """The address as SMTP wants it."""
        return f"{self.local}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only servers with SMTPUTF8 can take it."""
        return not self.local.isascii()


@dataclass(frozen=True)
class Sender:
    """Who our mails come from."""

    mailbox: Mailbox
    name: str

    @cached_property
    def header(self) -> str:
        """The ``From`` field, encoded once for all mails."""
        return _mailbox_header(self.name, self.mailbox)


def parse_address(text: str) -> Mailbox:
    """Return the address in ``text``; raise ``ValueError`` when no server could deliver to it.

    Accepts ``local@domain`` by RFC 5321 with international local parts (RFC 6531) and domains; refuses display
    names, comments, address literals, and what looks like an encoded word.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or len(match["local"].encode()) > 64 or "=?" in match["local"]:
        raise ValueError("not an e-mail address")
    domain = match["domain"]
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            raise ValueError("not an e-mail address") from None
    if len(domain) > 253 or _DOMAIN.fullmatch(domain) is None:
        raise ValueError("not an e-mail address")
    return Mailbox(match["local"], domain)


def message_id(key: str, domain: str) -> str:
    """Return the Message-ID of the message ``key``: the same on every attempt, so that receivers drop repeats."""
    return f"<{_fingerprint(key)}@{domain}>"


def build_email(
    message: OutgoingMessage, to: Mailbox, sender: Sender, now: datetime, *, eight_bit: bool = False
) -> bytes:
    """Return ``message`` ready to be sent or kept: CRLF line ends, no line above 998 bytes.

    Line breaks and controls in the subject and the name become spaces; line ends in the text become CRLF.

    Args:
        message: what to send, to one recipient.
        to: the recipient's checked address.
        sender: who it comes from; the domain also completes the Message-ID.
        now: aware; the ``Date`` of the mail.
        eight_bit: keep text readable as UTF-8 where possible, for files; else everything is 7-bit.

    Raises ``ValueError`` for text that is not Unicode (halves of surrogate pairs).
    """
    subject = _CONTROLS.sub(" ", message.title).strip()
    name = _CONTROLS.sub(" ", message.to_name or "").strip()
    text = _normalised(message.text)
    html = None if message.html is None else _normalised(message.html)
    if message.attachments or to.needs_smtputf8:
        return _long_way(message, subject, _address(name, to), text, html, sender, now)
    boundary = f"=_{_fingerprint(message.key)}"
    if html is None:
        body = _part("plain", text, eight_bit, None)
    else:
        body = (
            f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
            f"--{boundary}\r\n{_part('plain', text, eight_bit, boundary)}"
            f"\r\n--{boundary}\r\n{_part('html', html, eight_bit, boundary)}"
            f"\r\n--{boundary}--\r\n"
        )
    return (
        f"From: {sender.header}\r\n"
        f"To: {_mailbox_header(name, to)}\r\n"
        f"Subject: {_header(subject)}\r\n"
        f"Date: {format_datetime(now.astimezone(UTC))}\r\n"
        f"Message-ID: {message_id(message.key, sender.mailbox.domain)}\r\n"
        "Auto-Submitted: auto-generated\r\n"
        f"{_way_out(message.unsubscribe)}"
        "MIME-Version: 1.0\r\n"
        f"{body}"
    ).encode()


def _way_out(addresses: tuple[str, ...]) -> str:
    """Return the fields by which mail programs offer to end such mails (RFC 2369, RFC 8058); empty without any.

    Each address stands on a line of its own: a token is longer than a line should be.
    """
    if not addresses:
        return ""
    listed = ",\r\n ".join(f"<{one}>" for one in addresses)
    one_click = any(one.startswith("https:") for one in addresses)
    click = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" if one_click else ""
    return f"List-Unsubscribe:\r\n {listed}\r\n{click}"


def _fingerprint(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:32]


def _normalised(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") else text + "\n"


def _header(text: str) -> str:
    """Return ``text`` as the value of an unstructured field, in encoded words unless it is short plain ASCII."""
    if len(text) <= 60 and "=?" not in text and (not text or _PLAIN_HEADER.fullmatch(text)):
        return text
    return _encoded_words(text)


def _mailbox_header(name: str, mailbox: Mailbox) -> str:
    if not name:
        return mailbox.spec
    if len(name) <= 60 and "=?" not in name and _PLAIN_HEADER.fullmatch(name):
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"\r\n <{mailbox.spec}>'
    return f"{_encoded_words(name)}\r\n <{mailbox.spec}>"


def _encoded_words(text: str) -> str:
    return "\r\n ".join(
        header_encode(text[start : start + _WORD].encode(), "utf-8") for start in range(0, len(text), _WORD)
    )


def _part(subtype: str, text: str, eight_bit: bool, boundary: str | None) -> str:
    """Return the fields and the content of one text part; it ends with CRLF."""
    clashes = boundary is not None and boundary in text
    if _LINES_7BIT.fullmatch(text) and not clashes:
        encoding, content = "7bit", text
    elif eight_bit and _LINES_8BIT.fullmatch(text) and not clashes:
        encoding, content = "8bit", text
    else:
        encoding, content = "base64", encodebytes(text.replace("\n", "\r\n").encode()).decode("ascii")
    content = content.replace("\n", "\r\n")
    return f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{content}'


def _long_way(
    message: OutgoingMessage,
    subject: str,
    to: Address,
    text: str,
    html: str | None,
    sender: Sender,
    now: datetime,
) -> bytes:
    """Build the mail with the standard library alone: attachments, and addresses that need SMTPUTF8."""
    f"{subject}{to.display_name}{text}{html}".encode()  # EmailMessage would let broken characters through
    mail = EmailMessage(policy=SMTP if to.addr_spec.isascii() else SMTPUTF8)
    mail["From"] = _address(sender.name, sender.mailbox)
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = now.astimezone(UTC)
    mail["Message-ID"] = message_id(message.key, sender.mailbox.domain)
    mail["Auto-Submitted"] = "auto-generated"
    encoding = "7bit" if _LINES_7BIT.fullmatch(text) else "base64"
    mail.set_content(text, cte=encoding)
    if html is not None:
        mail.add_alternative(html, subtype="html", cte="base64")
    for attachment in message.attachments:
        _attach(mail, attachment)
    # Put in afterwards: EmailMessage would fold a long address into encoded words, which nobody reads back.
    last = b"Auto-Submitted: auto-generated\r\n"
    return mail.as_bytes().replace(last, last + _way_out(message.unsubscribe).encode("ascii"), 1)


def _address(name: str, mailbox: Mailbox) -> Address:
    if mailbox.needs_smtputf8:  # as one string the standard library refuses it
        return Address(name, mailbox.local, mailbox.domain)
    return Address(name, addr_spec=mailbox.spec)


def _attach(mail: EmailMessage, attachment: Attachment) -> None:
    kind = _MEDIA_TYPE.fullmatch(attachment.media_type)
    filename = _CONTROLS.sub(" ", attachment.filename).replace("\\", "/").rpartition("/")[2]
    mail.add_attachment(
        attachment.content,
        maintype=kind["main"] if kind else "application",
        subtype=kind["sub"] if kind else "octet-stream",
        filename=filename or "attachment",
    )
