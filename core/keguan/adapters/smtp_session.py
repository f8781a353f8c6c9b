"""One connection to a mail server: opened and logged in by yagmail, under a deadline, and honest about progress.

yagmail's ``send()`` is never called: it reconnects for each mail, repeats what may have been accepted, and
attaches files that a text happens to name. Its connection and log-in are used, with certificates checked.
"""

from __future__ import annotations

import io
import queue
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import yagmail

__all__ = ["Connection", "Limit", "Server", "Session"]

Security = Literal["none", "starttls", "ssl"]

_CHUNK = 65_536
_GOODBYE = 2.0
"""Seconds that a polite QUIT may take."""


class Limit:
    """The instant by which everything that one ``send`` does must be over, whatever the server does.

    A plain socket timeout starts again with every byte, so that a server that drips could hold us for hours.
    """

    def __init__(self) -> None:
        self._until = 0.0

    def start(self, seconds: float) -> None:
        """Begin to count ``seconds``."""
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left; raise ``TimeoutError`` when there are none."""
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("timed out")
        return seconds

    @contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """Allow only ``seconds`` for what is done inside."""
        before, self._until = self._until, min(self._until, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._until = before


class _Replies(io.RawIOBase):
    """What the server says, read under the limit."""

    def __init__(self, sock: socket.socket, limit: Limit) -> None:
        self._sock, self._limit = sock, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._limit.left())
        return self._sock.recv_into(buffer)


class Connection(smtplib.SMTP):
    """smtplib's dialogue under a ``Limit``. ``handed_over`` tells whether the server may have a whole message."""

    def __init__(self, host: str, port: str, *, limit: Limit, **options: Any) -> None:
        self.limit = limit
        self.handed_over = False
        super().__init__(host, int(port), **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Connect to the first address that answers; smtplib would give each address the whole timeout."""
        addresses = _look_up(host, port, self.limit.left())
        for tried, address in enumerate(addresses, start=1):
            share = self.limit.left() / (len(addresses) - tried + 1)
            try:
                sock = socket.create_connection(address, share)
            except OSError:
                if tried == len(addresses):
                    raise
            else:
                sock.settimeout(self.limit.left())  # the TLS handshake follows
                return sock
        raise OSError("no address")

    def send(self, s: Any) -> None:
        """Send a command (text) or the message with its final dot (bytes); smtplib uses no other way."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        if isinstance(s, str):
            self.sock.settimeout(self.limit.left())
            super().send(s)
            return
        for start in range(0, len(s), _CHUNK):
            self.sock.settimeout(self.limit.left())
            # Without its last bytes a message is not one: until then the server cannot have accepted it.
            self.handed_over = start + _CHUNK >= len(s)
            super().send(s[start : start + _CHUNK])

    def getreply(self) -> tuple[int, bytes]:
        """Return code and text of the server's next reply."""
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Replies(self.sock, self.limit))
        return super().getreply()


class _TlsConnection(smtplib.SMTP_SSL, Connection):
    """The same, encrypted from the first byte."""

    def __init__(self, host: str, port: str, *, limit: Limit, **options: Any) -> None:
        self.limit = limit
        self.handed_over = False
        smtplib.SMTP_SSL.__init__(self, host, int(port), **options)


@dataclass(frozen=True)
class Server:
    """Where to connect and as whom. Without a password nobody logs in."""

    host: str
    port: int
    security: Security
    hello: str
    user: str = field(repr=False)
    password: str | None = field(repr=False)
    context: ssl.SSLContext | None = None


class Session(yagmail.SMTP):  # type: ignore[misc]  # yagmail ships no types
    """yagmail's connection and log-in, each under ``limit``. Used by one thread only."""

    smtp: Connection | None

    def __init__(self, server: Server, limit: Limit) -> None:
        options: dict[str, Any] = {"limit": limit, "local_hostname": server.hello}
        if server.security == "ssl":
            options["context"] = server.context
        super().__init__(
            {server.user: server.user},  # as text, a user without @ would become one at another company
            server.password or "",
            host=server.host,
            port=server.port,
            smtp_ssl=server.security == "ssl",
            smtp_starttls={"context": server.context} if server.security == "starttls" else False,
            smtp_skip_login=server.password is None,
            soft_email_validation=False,
            **options,
        )
        self.set_logging(None)  # yagmail prints to standard error otherwise
        self._limit = limit

    @property
    def connection(self) -> type[Connection]:
        """The class that yagmail connects with."""
        return _TlsConnection if self.ssl else Connection

    def open(self) -> Connection:
        """Connect, encrypt and log in; raises what smtplib and the operating system raise."""
        self.login()
        assert self.smtp is not None
        self.smtp.ehlo_or_helo_if_needed()
        return self.smtp

    def drop(self) -> None:
        """Forget the connection without a word: it is broken, or nobody listens."""
        self.is_closed = True  # or yagmail talks to the server when Python throws this object away
        if self.smtp is not None:
            with suppress(OSError):
                self.smtp.close()
            self.smtp = None

    def end(self) -> None:
        """Say goodbye, briefly, and close; never raises."""
        with self._limit.at_most(_GOODBYE), suppress(smtplib.SMTPException, OSError, ValueError):
            self.close()
        self.drop()


def _look_up(host: str, port: int, seconds: float) -> list[tuple[Any, ...]]:
    """Return the addresses of ``host``; the system's look-up itself knows no timeout."""
    answer: queue.SimpleQueue[list[tuple[Any, ...]] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put([address[:2] for *_, address in found])
        except UnicodeError:
            answer.put(OSError("not a host name"))
        except OSError as error:
            answer.put(error)

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("name look-up timed out") from None
    if isinstance(found, OSError):
        raise found
    return found
