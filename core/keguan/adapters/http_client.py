"""The connections of the ``http`` adapter: an event loop in a thread of its own, HTTP/1.1 with connections kept.

Of every request it is known whether a byte of it had left, because that decides whether it may be sent again.
General clients do not tell: they repeat a request by themselves when a kept connection breaks, which for a
gateway of text messages is a second message. llhttp (httptools) reads the answers, asyncio does names,
connections and TLS; what is left here is when to send and when to give up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from keguan.adapters.http_connection import Answer, Connection, Trouble, open_connection

if TYPE_CHECKING:
    import ssl

    from keguan.adapters.http_request import Origin, Request

__all__ = ["Client"]

_LOG = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Exchange:
    """One request on its way, until ``done`` has been called."""

    request: Request = field(repr=False)
    leave_by: float
    """As ``time.monotonic`` and the loop count. What leaves with little time left only falls in doubt."""
    deadline: float
    done: Callable[[Answer | Trouble], None] = field(repr=False)
    connection: Connection | None = None
    timer: asyncio.TimerHandle | None = None
    task: asyncio.Task[None] | None = None


class Client:
    """Sends requests, at most ``in_flight`` at once; the rest wait their turn within their own time.

    The thread starts with the first request and ends with ``close``.

    Args:
        context: for ``https``.
        proxy: an ``http:`` proxy for everything.
        keep_alive: seconds that an idle connection is kept.
    """

    def __init__(
        self, *, context: ssl.SSLContext | None, proxy: Origin | None, in_flight: int, keep_alive: float
    ) -> None:
        self._context, self._proxy = context, proxy
        self._in_flight, self._keep_alive = in_flight, keep_alive
        self._lock = threading.Lock()
        self._inbox: deque[_Exchange] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._awake = False
        self._closed = False
        self._waiting: deque[_Exchange] = deque()
        self._running: set[_Exchange] = set()
        self._idle: dict[Origin, list[tuple[Connection, float]]] = {}

    def submit(self, request: Request, timeout: float, done: Callable[[Answer | Trouble], None]) -> None:
        """Send ``request``; ``done`` is called once, from the client's thread, within ``timeout`` seconds.

        Half of that may pass until it leaves.
        """
        now = time.monotonic()
        exchange = _Exchange(request, now + timeout / 2, now + timeout, done)
        with self._lock:
            closed = self._closed
            if not closed:
                self._inbox.append(exchange)
                if not self._awake:
                    self._awake = True
                    self._started().call_soon_threadsafe(self._take)
        if closed:
            done(Trouble(sent=False, problem="closed"))

    def ask(self, request: Request, timeout: float) -> Answer | Trouble:
        """Send ``request`` and wait for what becomes of it."""
        found: list[Answer | Trouble] = []
        ready = threading.Event()

        def done(result: Answer | Trouble) -> None:
            found.append(result)
            ready.set()

        self.submit(request, timeout, done)
        ready.wait()
        return found[0]

    def reach(self, origin: Origin, timeout: float) -> Trouble | None:
        """Connect to ``origin`` without a request; return what stands in the way."""

        async def connect() -> Trouble | None:
            try:
                async with asyncio.timeout(timeout):
                    connection = await open_connection(origin, self._context, self._proxy)
            except TimeoutError:
                return Trouble(sent=False, problem="timeout")
            except Exception as error:  # noqa: BLE001 - as when a request is to be sent
                return Trouble(sent=False, error=error)
            connection.abort()
            return None

        with self._lock:
            if self._closed:
                return Trouble(sent=False, problem="closed")
            future = asyncio.run_coroutine_threadsafe(connect(), self._started())
        return future.result()

    def close(self) -> None:
        """End every request, telling of each whether it had left, and the thread. It can be used no more."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        with contextlib.suppress(RuntimeError):  # somebody else closed it
            loop.call_soon_threadsafe(self._end)
        if thread is not threading.current_thread():
            thread.join()

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._loop.set_debug(False)
            self._loop.set_exception_handler(_tell)
            self._thread = threading.Thread(target=self._run, args=(self._loop,), name="http", daemon=True)
            self._thread.start()
        return self._loop

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_forever()
        finally:
            loop.close()

    # --- everything below runs in the loop's thread ---------------------------------------------------------

    def _take(self) -> None:
        """Take up what was submitted; one wake-up serves many."""
        with self._lock:
            taken = list(self._inbox)
            self._inbox.clear()
            self._awake = False
        loop = asyncio.get_running_loop()
        for exchange in taken:
            exchange.timer = loop.call_at(exchange.leave_by, self._late, exchange)
        self._waiting.extend(taken)
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and len(self._running) < self._in_flight:
            exchange = self._waiting.popleft()
            self._running.add(exchange)
            connection = self._kept(exchange.request.origin)
            if connection is not None:
                self._send(exchange, connection)
            else:
                exchange.task = asyncio.get_running_loop().create_task(self._connect_and_send(exchange))

    def _kept(self, origin: Origin) -> Connection | None:
        """Return a connection that still lives, the one used last first."""
        kept = self._idle.get(origin)
        while kept:
            connection, since = kept.pop()
            if time.monotonic() - since < self._keep_alive and connection.is_quiet():
                return connection
            connection.abort()
        return None

    async def _connect_and_send(self, exchange: _Exchange) -> None:
        try:
            connection = await open_connection(exchange.request.origin, self._context, self._proxy)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of the request had left
            self._finish(exchange, Trouble(sent=False, error=error))
        else:
            exchange.task = None
            if exchange in self._running:
                self._send(exchange, connection)
            else:
                connection.abort()

    def _send(self, exchange: _Exchange, connection: Connection) -> None:
        exchange.connection = connection
        connection.send(exchange.request, lambda result: self._finish(exchange, result))

    def _late(self, exchange: _Exchange) -> None:
        loop = asyncio.get_running_loop()
        if exchange.connection is not None and loop.time() < exchange.deadline:
            exchange.timer = loop.call_at(exchange.deadline, self._late, exchange)
        elif exchange in self._running:
            self._give_up(exchange, "timeout")
        elif exchange in self._waiting:
            self._waiting.remove(exchange)
            _hand_over(exchange, Trouble(sent=False, problem="timeout"))

    def _give_up(self, exchange: _Exchange, problem: str) -> None:
        """End a running exchange from our side."""
        if exchange.task is not None:
            exchange.task.cancel()
        connection = exchange.connection
        if connection is not None:
            connection.abort()
        self._finish(exchange, Trouble(sent=connection is not None and connection.sent, problem=problem))

    def _finish(self, exchange: _Exchange, result: Answer | Trouble) -> None:
        if exchange not in self._running:
            return
        self._running.discard(exchange)
        if exchange.timer is not None:
            exchange.timer.cancel()
        connection = exchange.connection
        if connection is not None:
            if connection.reusable and self._keep_alive > 0:
                self._idle.setdefault(exchange.request.origin, []).append((connection, time.monotonic()))
            else:
                connection.abort()
        _hand_over(exchange, result)
        self._go_on()

    def _end(self) -> None:
        with self._lock:
            waiting = [*self._waiting, *self._inbox]
            self._inbox.clear()
        self._waiting.clear()
        for exchange in waiting:
            if exchange.timer is not None:
                exchange.timer.cancel()
            _hand_over(exchange, Trouble(sent=False, problem="closed"))
        for exchange in list(self._running):
            self._give_up(exchange, "closed")
        for kept in self._idle.values():
            for connection, _ in kept:
                connection.abort()
        self._idle.clear()
        loop = asyncio.get_running_loop()
        loop.create_task(_stop(loop))  # noqa: RUF006 - the loop holds it until it ends, and so does the loop


def _hand_over(exchange: _Exchange, result: Answer | Trouble) -> None:
    """Call ``done``; what fails in there must not stop the others."""
    try:
        exchange.done(result)
    except Exception as error:  # noqa: BLE001 - it is foreign code
        _LOG.error("a result was not taken: %s", type(error).__name__)


async def _stop(loop: asyncio.AbstractEventLoop) -> None:
    """Stop once cancelled tasks and aborted connections have ended, or some cannot."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    loop.stop()


def _tell(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """Log a failure inside the loop by its kind alone: asyncio's own line would show requests."""
    _LOG.warning("failure in the event loop: %s", type(context.get("exception")).__name__)
