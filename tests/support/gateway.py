"""A text message gateway for tests, on the loopback: it works, and can have every kind of bad day.

>>> with Gateway() as gateway:
...     gateway.next(Say(429, headers={"Retry-After": "30"}), "drop")
...     send_to(gateway.url)
...     assert gateway.received[0].json == {"mobile": "13800138000"}
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

import trustme

__all__ = ["Gateway", "Received", "Say", "Step", "trust_gateway"]


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def query(self) -> dict[str, str]:
        """The parameters in the address; each may stand there once only."""
        return _single(urlsplit(self.target).query, "utf-8")

    def form(self, encoding: str = "utf-8") -> dict[str, str]:
        """The body as a form."""
        return _single(self.body.decode("ascii"), encoding)


def _single(text: str, encoding: str) -> dict[str, str]:
    found = parse_qs(text, keep_blank_values=True, strict_parsing=bool(text), encoding=encoding, errors="strict")
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


@dataclass(frozen=True)
class Say:
    """An answer, sent whole unless ``raw`` says otherwise."""

    status: int = 200
    body: bytes | str | dict[str, Any] = field(default_factory=lambda: {"code": 0, "msg": "ok", "id": "m1"})
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    then_close: bool = False
    """Hang up behind the answer, although it promised to stay."""

    def data(self) -> bytes:
        """The bytes of the answer."""
        if self.raw is not None:
            return self.raw
        body = json.dumps(self.body) if isinstance(self.body, dict) else self.body
        body = body.encode() if isinstance(body, str) else body
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return f"HTTP/1.1 {self.status} Said\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


Trouble = Literal["drop", "hang", "drip", "flood", "reset"]
Step = Say | Trouble | Callable[[Received], Say]


class Gateway:
    """Answers each request with the next step, and with ``always`` when there is none left."""

    def __init__(self, *, tls: Literal["good", "expired", "stranger"] | None = None) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self.always: Step = Say()
        self.arrived = threading.Semaphore(0)
        """Released once for each request."""
        self.hung_up = threading.Semaphore(0)
        """Released once for each connection that an answer with ``then_close`` ended."""
        self._next: deque[Step] = deque()
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._serving: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def next(self, *steps: Step) -> None:
        """Answer the coming requests with ``steps``."""
        self._next.extend(steps)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/send"

    def wait_for(self, requests: int) -> None:
        """Return when so many more requests have come; fails after ten seconds."""
        for _ in range(requests):
            assert self.arrived.acquire(timeout=10), "the request did not come"

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        context = _context(self._tls) if self._tls else None
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context, backlog=2048)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, whatever is on the way."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others & self._serving:  # asyncio's own, which take connections in, end by themselves
                task.cancel()
            await asyncio.wait(others, timeout=0.1)
        await asyncio.sleep(0.02)  # transports close in rounds of their own

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.connections += 1
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take one request and answer it; return whether the connection stays."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Received(method, target, headers, body)
        self.received.append(request)
        step = self._next.popleft() if self._next else self.always
        self.arrived.release()
        if callable(step):
            step = step(request)
        if isinstance(step, Say):
            writer.write(step.data())
            await writer.drain()
            if step.then_close:
                writer.close()
                await writer.wait_closed()
                self.hung_up.release()
            return not step.then_close
        return await self._trouble(step, writer)

    async def _trouble(self, step: Trouble, writer: asyncio.StreamWriter) -> bool:
        if step == "hang":
            await asyncio.sleep(3600)
        if step == "flood":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
            for _ in range(1600):
                writer.write(b"x" * 65_536)
                await writer.drain()
        if step == "drip":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        return False


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


@cache
def _context(kind: str) -> ssl.SSLContext:
    authority = trustme.CA() if kind == "stranger" else _authority()
    until = datetime(2020, 1, 1, tzinfo=UTC) if kind == "expired" else None
    since = datetime(2019, 1, 1, tzinfo=UTC) if kind == "expired" else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_before=since, not_after=until).configure_cert(context)
    return context


def trust_gateway(folder: Path) -> Path:
    """Write the certificate of the authority that signs every good gateway's own; for ``ca_file``."""
    file = folder / "gateway-authority.pem"
    _authority().cert_pem.write_to_path(file)
    return file
