"""One look into a mailbox by IMAP: which mails are new, how large, and their bytes."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from typing import Any

from keguan.errors import KeguanError
from keguan.settings.arrivals import MailboxSettings

__all__ = ["Box", "MailboxError", "open_box"]

_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_VALIDITY = re.compile(rb"(\d+)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class MailboxError(KeguanError):
    """A mailbox cannot be read now; the next look may succeed."""


class Box:
    """An open folder of a mailbox, read only: nothing in it is marked, moved or deleted."""

    def __init__(self, connection: imaplib.IMAP4, validity: int) -> None:
        self._connection = connection
        self.validity = validity
        """While this stays the same, a number means the same mail (RFC 9051, 2.3.1.1)."""

    def since(self, day: date) -> list[int]:
        """Return the numbers of the mails that arrived on ``day`` or later, ascending."""
        return self._search("SINCE", f"{day.day:02}-{_MONTHS[day.month - 1]}-{day.year}")

    def after(self, uid: int) -> list[int]:
        """Return the numbers of the mails behind ``uid``, ascending."""
        return [one for one in self._search("UID", f"{uid + 1}:*") if one > uid]  # "*" alone always matches one

    def size(self, uid: int) -> int | None:
        """Return how many bytes a mail has; ``None`` when it has gone."""
        for part in self._fetch(uid, "(RFC822.SIZE)"):
            found = _SIZE.search(part if isinstance(part, bytes) else part[0] if part else b"")
            if found:
                return int(found[1])
        return None

    def content(self, uid: int) -> bytes | None:
        """Return the bytes of a mail without marking it as read; ``None`` when it has gone."""
        for part in self._fetch(uid, "(BODY.PEEK[])"):
            if isinstance(part, tuple):
                return bytes(part[1])
        return None

    def _search(self, *words: str) -> list[int]:
        status, found = self._connection.uid("SEARCH", *words)
        if status != "OK":
            raise imaplib.IMAP4.error("SEARCH refused")
        return sorted(int(number) for part in found if part for number in part.split())

    def _fetch(self, uid: int, what: str) -> list[Any]:
        status, found = self._connection.uid("FETCH", str(uid), what)
        if status != "OK":
            raise imaplib.IMAP4.error("FETCH refused")
        return list(found)


@contextmanager
def open_box(name: str, settings: MailboxSettings) -> Iterator[Box]:
    """Log in and open the folder; raises ``MailboxError`` for whatever goes wrong, without what the server said.

    Servers repeat what they were given, and that is personal.
    """
    connection: imaplib.IMAP4 | None = None
    try:
        connection = _connect(settings)
        password = settings.password.get_secret_value() if settings.password else ""
        try:
            connection.login(settings.user, password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            raise MailboxError("mail.login", name=name, host=settings.host) from None
        status, _ = connection.select(_quoted(settings.folder), readonly=True)
        if status != "OK":
            raise MailboxError("mail.no_folder", name=name, folder=settings.folder)
        answer = connection.response("UIDVALIDITY")[1]
        found = _VALIDITY.search(answer[0]) if answer and isinstance(answer[0], bytes) else None
        yield Box(connection, int(found[1]) if found else 0)
        connection.logout()
    except ssl.SSLCertVerificationError as error:
        raise MailboxError("mail.certificate", name=name, host=settings.host, problem=error.verify_message) from None
    except (OSError, imaplib.IMAP4.error, ValueError) as error:
        problem = getattr(error, "strerror", None) or type(error).__name__
        raise MailboxError("mail.unreachable", name=name, host=settings.host, problem=problem) from None
    finally:
        if connection is not None:
            with suppress(OSError):  # closed already, as a rule
                connection.shutdown()


def _connect(settings: MailboxSettings) -> imaplib.IMAP4:
    if settings.security == "none":
        return imaplib.IMAP4(settings.host, settings.at_port, timeout=settings.timeout)
    context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    if settings.security == "ssl":
        return imaplib.IMAP4_SSL(settings.host, settings.at_port, ssl_context=context, timeout=settings.timeout)
    connection = imaplib.IMAP4(settings.host, settings.at_port, timeout=settings.timeout)
    try:
        connection.starttls(context)
    except BaseException:
        connection.shutdown()
        raise
    return connection


def _quoted(folder: str) -> str:
    """Return the folder's name as IMAP wants it: in its own UTF-7, quoted."""
    encoded = "".join(_utf7(run) if not run[0].isascii() else run.replace("&", "&-") for run in _runs(folder))
    return '"' + encoded.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _runs(text: str) -> list[str]:
    return re.findall(r"[\x20-\x7e]+|[^\x20-\x7e]+", text)


def _utf7(run: str) -> str:
    """Encode characters beyond ASCII by RFC 9051, 5.1.3: UTF-7 with ``&`` and ``,``."""
    from base64 import b64encode  # noqa: PLC0415 - folders with Chinese names only

    return "&" + b64encode(run.encode("utf-16-be")).decode("ascii").rstrip("=").replace("/", ",") + "-"
