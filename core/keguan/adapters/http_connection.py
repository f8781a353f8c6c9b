"""One HTTP/1.1 connection and one exchange on it at a time; knows whether a byte of the request has left."""

from __future__ import annotations

import asyncio
import contextlib
import select
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import httptools

if TYPE_CHECKING:
    import ssl

    from keguan.adapters.http_request import Origin, Request

__all__ = ["BODY_LIMIT", "Answer", "Connection", "ProxyRefused", "Trouble", "open_connection"]

BODY_LIMIT = 64 * 1024
"""Bytes of an answer's body that are read; what is longer is no gateway's answer."""
_HEAD_LIMIT = 32 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in small letters."""
    body: bytes = field(repr=False)
    complete: bool = True
    """``False`` when the answer was cut off or too long."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why no answer came."""

    sent: bool
    """Whether a byte of the request may have left."""
    problem: str = ""
    """``timeout``, ``closed`` (by us), ``lost`` or ``nonsense``."""
    error: Exception | None = None
    """What went wrong while connecting."""


class ProxyRefused(OSError):
    """The proxy does not connect us."""


class Connection(asyncio.Protocol):
    """Carries one exchange after the other."""

    def __init__(self, *, through_proxy: bool = False) -> None:
        self._transport: asyncio.Transport | None = None
        self._through_proxy = through_proxy
        self._parser: httptools.HttpResponseParser | None = None
        self._done: Callable[[Answer | Trouble], None] | None = None
        self._poll: select.poll | None = None
        self._begin()
        self.sent = False
        """Whether the exchange in hand, or the last one, had begun to leave."""
        self.reusable = False
        """Whether another exchange may follow."""

    def send(self, request: Request, done: Callable[[Answer | Trouble], None]) -> None:
        """Send ``request``; ``done`` is called once."""
        self.sent = self.reusable = False
        transport = self._transport
        if transport is None or transport.is_closing():
            done(Trouble(sent=False, problem="lost"))
            return
        self._done = done
        self._parser = httptools.HttpResponseParser(self)
        self._begin()
        self.sent = True
        transport.write(_message(request, absolute=self._through_proxy))

    def is_quiet(self) -> bool:
        """Return whether the other side has neither closed nor said anything since the last answer.

        Asks the operating system, because the loop may not have come to see it.
        """
        transport = self._transport
        if transport is None or transport.is_closing() or not self.reusable:
            return False
        if self._poll is None:
            return True
        return not self._poll.poll(0)

    def abort(self) -> None:
        """Drop the connection at once."""
        self._done = None
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast("asyncio.Transport", transport)
        socket = transport.get_extra_info("socket")
        if socket is not None and hasattr(select, "poll"):
            self._poll = select.poll()
            self._poll.register(socket.fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._done is None or self._parser is None:
            self.abort()  # it speaks unasked
            return
        self._size += len(data)
        broken = False
        try:
            self._parser.feed_data(data)
        except Exception:  # noqa: BLE001 - llhttp and its callbacks raise kinds of their own
            broken = True
        if self._complete:  # told only now: the next request must not begin while the parser is at work
            self.reusable = self._keeps and not broken
            self._end(self._answer(complete=True))
        elif broken or self._size > BODY_LIMIT + _HEAD_LIMIT:
            self._end(self._cut_off("nonsense"))

    def eof_received(self) -> bool:
        """End an answer that lasts as long as the connection."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End what was in hand."""
        self.reusable = False
        if self._done is None:
            return
        if exc is None and self._head_read and not self._sized:
            self._end(self._answer(complete=True))
        else:
            self._end(self._cut_off("lost"))

    # --- httptools ------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Expect a new answer."""
        self._size = 0
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._body_size = 0
        self._head_read = self._sized = self._complete = self._keeps = False

    def on_message_begin(self) -> None:
        """Refuse what follows the answer."""
        if self._complete:
            raise ValueError("two answers")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        lowered = name.decode("latin-1").lower()
        self._sized = self._sized or lowered in ("content-length", "transfer-encoding")
        self._headers[lowered] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Know the status."""
        self._head_read = True

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body, up to the limit."""
        self._body.append(data[: BODY_LIMIT - self._body_size])
        self._body_size += len(data)
        if self._body_size > BODY_LIMIT:
            raise ValueError("too long")

    def on_message_complete(self) -> None:
        """End the exchange, unless this was only an interim answer."""
        assert self._parser is not None
        if self._parser.get_status_code() < 200:
            size = self._size
            self._begin()
            self._size = size
            return
        self._complete = True
        self._keeps = self._parser.should_keep_alive()  # afterwards llhttp has forgotten

    def _answer(self, *, complete: bool) -> Answer:
        assert self._parser is not None
        return Answer(self._parser.get_status_code(), self._headers, b"".join(self._body), complete)

    def _cut_off(self, problem: str) -> Answer | Trouble:
        """Return the beginning of an answer, if its status came."""
        return self._answer(complete=False) if self._head_read else Trouble(sent=True, problem=problem)

    def _end(self, result: Answer | Trouble) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(result)


def _message(request: Request, *, absolute: bool) -> bytes:
    target = request.target
    if absolute:
        origin = request.origin
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        target = f"http://{host}:{origin.port}{target}"
    length = f"Content-Length: {len(request.body)}\r\n" if request.body or request.method != "GET" else ""
    first = f"{request.method} {target} HTTP/1.1\r\n".encode("ascii")
    return b"".join((first, request.head, length.encode(), b"\r\n", request.body))


async def open_connection(origin: Origin, context: ssl.SSLContext | None, proxy: Origin | None) -> Connection:
    """Connect to ``origin``, TLS included; raises ``OSError`` (``ssl.SSLError`` among them) when it cannot."""
    loop = asyncio.get_running_loop()
    if proxy is None:
        _, connection = await loop.create_connection(
            Connection, origin.host, origin.port, ssl=context if origin.tls else None, happy_eyeballs_delay=0.25
        )
        return connection
    if not origin.tls:
        _, connection = await loop.create_connection(lambda: Connection(through_proxy=True), proxy.host, proxy.port)
        return connection
    transport, tunnel = await loop.create_connection(_Tunnel, proxy.host, proxy.port)
    try:
        await tunnel.open(origin)
        connection = Connection()
        assert context is not None
        secured = await loop.start_tls(transport, connection, context, server_hostname=origin.host)
        assert secured is not None
        connection.connection_made(secured)
    except BaseException:
        transport.abort()
        raise
    return connection


class _Tunnel(asyncio.Protocol):
    """Asks a proxy for a connection."""

    def __init__(self) -> None:
        self._said = b""
        self._open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    async def open(self, origin: Origin) -> None:
        assert self._transport is not None
        name = f"{origin.host}:{origin.port}"
        self._transport.write(f"CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode("ascii"))
        await self._open

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._said += data
        if b"\r\n\r\n" in self._said and not self._open.done():
            status = self._said.split(b" ", 2)[1:2]
            if status == [b"200"]:
                self._open.set_result(None)
            else:
                self._refuse()
        elif len(self._said) > _HEAD_LIMIT:
            self._refuse()

    def connection_lost(self, exc: Exception | None) -> None:
        self._refuse()

    def _refuse(self) -> None:
        with contextlib.suppress(asyncio.InvalidStateError):
            self._open.set_exception(ProxyRefused("proxy"))
