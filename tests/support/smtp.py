"""Mail servers for tests: one that works and can have every kind of bad day, one that follows a script.

>>> with SmtpSink() as sink:
...     sink.on("rcpt", "550 5.1.1 no such user", address="gone@example.com")
...     sink.on("data", drop=True, times=1)      # accepts one mail, then hangs up without an answer
...     deliver_to("127.0.0.1", sink.port)
...     assert sink.copies["<id@example.com>"] == 1
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, Self

import trustme
from aiosmtpd.smtp import SMTP, AuthResult

__all__ = ["ReceivedMail", "ScriptedServer", "SmtpSink", "Stage", "Step", "trust_file"]

Stage = Literal["mail", "rcpt", "data"]
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


def trust_file(folder: Path) -> Path:
    """Write the certificate of the authority that signs every sink's own; for ``ca_file``."""
    file = folder / "authority.pem"
    _authority().cert_pem.write_to_path(file)
    return file


@dataclass(frozen=True)
class ReceivedMail:
    """One mail that the sink accepted: the envelope, and the content as it came."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @cached_property
    def message(self) -> EmailMessage:
        """The content, parsed by the standard library."""
        parsed = BytesParser(policy=default).parsebytes(self.content)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def message_id(self) -> str:
        """The Message-ID, which says which message this is a copy of."""
        return str(self.message["Message-ID"]).strip()

    def text(self, kind: Literal["plain", "html"] = "plain") -> str:
        """The text of that kind, with plain line ends."""
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


@dataclass
class _Act:
    reply: str | None
    delay: float
    drop: bool
    address: str | None
    times: float


class SmtpSink:
    """A real mail server (aiosmtpd) in a thread, which keeps what it accepts. Use it in a ``with`` statement.

    Args:
        security: as in the adapter's settings; certificates are for ``localhost``.
        expired: whether its certificate ran out in 2020.
        login: user and password that it wants; ``None``: everybody may send.
        smtputf8: whether it takes addresses beyond ASCII.
        max_size: bytes of the largest mail it takes.

    ``stop()`` makes connections fail; ``start()`` brings it back on the same port.
    """

    def __init__(
        self,
        *,
        security: Literal["none", "starttls", "ssl"] = "none",
        expired: bool = False,
        login: tuple[str, str] | None = None,
        smtputf8: bool = True,
        max_size: int = 30_000_000,
    ) -> None:
        self.host = "localhost"
        self.port = 0
        self.mails: list[ReceivedMail] = []
        """What was accepted, in order."""
        self.connections = 0
        self.logins: list[str] = []
        """The users who logged in, in order."""
        self.commands: Counter[str] = Counter()
        """How often each of ``mail``, ``rcpt``, ``data``, ``noop``, ``quit`` came."""
        self._login = login
        self._options: dict[str, Any] = {"enable_SMTPUTF8": smtputf8, "data_size_limit": max_size}
        self._security = security
        self._dates: dict[str, Any] = (
            {"not_before": _LONG_AGO, "not_after": _LONG_AGO + timedelta(days=90)} if expired else {}
        )
        self._acts: dict[Stage, list[_Act]] = {"mail": [], "rcpt": [], "data": []}
        self._greylisted: set[str] | None = None
        self._thread: threading.Thread | None = None
        self._protocols: set[_Server] = set()

    @property
    def copies(self) -> Counter[str]:
        """How many times each Message-ID was accepted."""
        return Counter(mail.message_id for mail in list(self.mails))

    def on(
        self,
        stage: Stage,
        reply: str | None = None,
        *,
        delay: float = 0.0,
        drop: bool = False,
        address: str | None = None,
        times: float = float("inf"),
    ) -> None:
        """Have a bad day at ``stage``: ``mail`` (sender), ``rcpt`` (recipient) or ``data`` (the whole mail is here).

        Args:
            stage: when.
            reply: what to answer; a mail refused at ``data`` is not kept. ``None``: as usual.
            delay: seconds before the answer; a large number hangs.
            drop: hang up instead of answering; at ``data`` the mail has been accepted and is kept.
            address: only for this recipient (at ``rcpt``).
            times: how often; afterwards the next behaviour, or the usual one.
        """
        self._acts[stage].append(_Act(reply, delay, drop, address, times))

    def greylist(self) -> None:
        """Send each recipient's first mail away with 451."""
        self._greylisted = set()

    def behave(self) -> None:
        """Forget all bad days."""
        for acts in self._acts.values():
            acts.clear()
        self._greylisted = None

    def start(self) -> None:
        """Listen; returns when connections are taken."""
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10), "the sink did not start"

    def stop(self) -> None:
        """Hang up everywhere and stop listening."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)
            self._thread = None

    def hang_up(self) -> None:
        """End all sessions without a word, as a server does that grew tired of waiting; go on listening."""
        done = threading.Event()

        def abort() -> None:
            for protocol in list(self._protocols):
                protocol.abort()
            done.set()

        self._loop.call_soon_threadsafe(abort)
        done.wait(10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        context = None
        if self._security != "none":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            _authority().issue_cert("localhost", **self._dates).configure_cert(context)
        if self._security == "starttls":
            self._options["tls_context"] = context
        if self._login is not None:
            self._options |= {"authenticator": self._authenticate, "auth_require_tls": False}
        server = await self._loop.create_server(
            lambda: _Server(self, self._loop, self._options),
            "127.0.0.1",
            self.port,
            ssl=context if self._security == "ssl" else None,
        )
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stopping.wait()
        server.close()
        for protocol in list(self._protocols):
            protocol.abort()
        await asyncio.sleep(0.01)  # lets the transports close

    def _authenticate(
        self, _server: object, _session: object, _envelope: object, _method: str, data: Any
    ) -> AuthResult:
        good = (data.login.decode(), data.password.decode()) == self._login
        if good:
            self.logins.append(data.login.decode())
        return AuthResult(success=good, handled=False)

    async def _act(self, server: _Server, stage: Stage, address: str | None = None) -> str | None:
        """Do what is due at ``stage``; return the answer to give instead of the usual one."""
        for act in self._acts[stage]:
            if act.times >= 1 and act.address in {None, address}:
                act.times -= 1
                if stage == "data" and act.reply is None:
                    self._keep(server.envelope)
                if act.delay:
                    await asyncio.sleep(act.delay)
                if act.drop:
                    server.abort()
                return act.reply or "250 OK"
        if stage == "data":
            self._keep(server.envelope)
        return None

    def _keep(self, envelope: Any) -> None:
        self.mails.append(ReceivedMail(envelope.mail_from, tuple(envelope.rcpt_tos), envelope.original_content))

    # What aiosmtpd calls:

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        self.commands["mail"] += 1
        if self._login is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        answer = await self._act(server, "mail") or "250 OK"
        if answer.startswith("2"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        self.commands["rcpt"] += 1
        if self._greylisted is not None and address not in self._greylisted:
            self._greylisted.add(address)
            return "451 4.7.1 greylisted, come again"
        answer = await self._act(server, "rcpt", address) or "250 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.commands["data"] += 1
        return await self._act(server, "data") or "250 2.0.0 Ok: queued as 4F2AB19C"

    async def handle_NOOP(self, server: Any, session: Any, envelope: Any, arg: str) -> str:  # noqa: N802 - aiosmtpd's name
        self.commands["noop"] += 1
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.commands["quit"] += 1
        return "221 Bye"


class _Server(SMTP):
    """One session, known to its sink so that it can be ended."""

    def __init__(self, sink: SmtpSink, loop: asyncio.AbstractEventLoop, options: dict[str, Any]) -> None:
        super().__init__(sink, loop=loop, hostname="sink.example", **options)
        self._sink = sink

    def connection_made(self, transport: Any) -> None:
        if self._original_transport is None:  # not STARTTLS within a session
            self._sink.connections += 1
            self._sink._protocols.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._sink._protocols.discard(self)
        super().connection_lost(error)

    def abort(self) -> None:
        """Hang up without a word."""
        transport: Any = self._original_transport or self.transport
        if transport is not None:
            transport.abort()


Step = bytes | float | Literal["line", "mail"]


class ScriptedServer:
    """A server that follows a script in each connection and then hangs up: for what no decent server does.

    Steps: bytes are sent, a number is a pause in seconds, ``"line"`` waits for a line, ``"mail"`` for the dot
    that ends a mail. ``seen`` collects what came in.
    """

    def __init__(self, *steps: Step) -> None:
        self.seen: list[bytes] = []
        self._steps = steps
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._follow, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _follow(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader, contextlib.suppress(OSError):
            for step in self._steps:
                if isinstance(step, bytes):
                    connection.sendall(step)
                elif isinstance(step, float | int):
                    self._stopping.wait(step)
                elif step == "line":
                    self.seen.append(reader.readline())
                else:
                    while (line := reader.readline()) not in {b".\r\n", b""}:
                        self.seen.append(line)
