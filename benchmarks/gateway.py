"""Delivery through the ``http`` adapter against bare aiohttp: one gateway that takes 50 ms, 256 requests in flight.

The whole path is measured: messages queued in SQLite, the gate with limits and opt-outs, the start on disk, the
request, the answer judged and written. The gateway runs in a process of its own and is lighter than any client.
"""

from __future__ import annotations

import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from benchmarks.world import NOW, contracts_without_events, installation_in
from keguan.adapters.base import Adapter, Outcome, OutgoingMessage, Report, Surroundings
from keguan.adapters.http import HTTP, HttpAdapter
from keguan.building import build_rules
from keguan.installation import Installation
from keguan.outbox.delivery import Delivery
from keguan.outbox.retry import RetryPolicy
from keguan.store.schema import messages, permissions

__all__ = ["measure"]

_FLIGHT = 256
_DELAY = 0.05
_TEXT = "【云璟地产】恭喜您成为云璟一期业主，请携合同和身份证到签约中心办理后续手续，如有疑问请致电 400-000-0000。"


def measure(folder: Path, *, count: int, rounds: int) -> dict[str, float]:
    """Return messages a second of bare aiohttp, of the adapter alone and of the whole path, which take turns."""
    port = _free_port()
    gateway = multiprocessing.get_context("spawn").Process(target=_serve, args=(port,), daemon=True)
    gateway.start()
    try:
        _wait_for(port)
        installation = installation_in(folder)
        contracts_without_events(installation, count)
        with installation.store.write() as connection:
            connection.execute(insert(permissions), [_answer(n) for n in range(1, count + 1, 5)])
            connection.execute(insert(messages), [_message(n, "sent") for n in range(1, count + 1)])
        bare, alone, whole, engine = [], [], [], []
        for number in range(rounds):
            bare.append(_bare(port, count))
            alone.append(_alone(port, count))
            whole.append(_delivered(installation, _adapter(port), count, number))
            engine.append(_delivered(installation, _Nowhere(), count, f"{number}-nowhere"))
        installation.close()
        building = _building(port, count)
    finally:
        gateway.terminate()
        gateway.join()
    return {
        "http_vs_aiohttp": min(bare) / min(whole),
        "http_aiohttp_per_s": count / min(bare),
        "http_adapter_per_s": count / min(alone),
        "http_keguan_per_s": count / min(whole),
        "http_build_us": building / count * 1e6,
        "http_engine_us": min(engine) / count * 1e6,
    }


def _bare(port: int, count: int) -> float:
    """Send the same bodies with aiohttp and nothing else."""
    import asyncio

    import aiohttp

    async def run() -> float:
        url, headers = f"http://127.0.0.1:{port}/send", {"Content-Type": "application/json"}
        numbers = iter(range(1, count + 1))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_FLIGHT)) as session:

            async def send() -> None:
                for n in numbers:
                    body = {"to": f"138{n:08d}", "text": _TEXT, "key": f"bench/bare/{n}"}
                    data = json.dumps(body, ensure_ascii=False).encode()
                    async with session.post(url, data=data, headers=headers) as answer:
                        assert json.loads(await answer.read())["code"] == 0

            started = time.perf_counter()
            await asyncio.gather(*(send() for _ in range(_FLIGHT)))
            return time.perf_counter() - started

    return asyncio.run(run())


def _alone(port: int, count: int) -> float:
    """Submit to the adapter as fast as it takes messages."""
    adapter, places, sent = _adapter(port), threading.Semaphore(_FLIGHT), [0]

    def done(report: Report) -> None:
        sent[0] += report.outcome is Outcome.SENT
        places.release()

    started = time.perf_counter()
    for n in range(1, count + 1):
        places.acquire()
        adapter.submit(_outgoing(n), NOW, done)
    for _ in range(_FLIGHT):
        places.acquire()
    elapsed = time.perf_counter() - started
    adapter.close()
    assert sent[0] == count, f"{sent[0]} of {count} were sent"
    return elapsed


def _building(port: int, count: int) -> float:
    """Only fill requests."""
    adapter = _adapter(port)
    adapter.close()  # from now on everything is refused behind the request's building
    started = time.perf_counter()
    for n in range(1, count + 1):
        adapter.submit(_outgoing(n), NOW, lambda _report: None)
    return time.perf_counter() - started


def _delivered(installation: Installation, adapter: Adapter, count: int, round_name: object) -> float:
    """Deliver as the daemon does: claim, judge, start, submit, mark, with each step on disk."""
    with installation.store.write() as connection:
        connection.execute(text("DELETE FROM messages WHERE key LIKE 'bench/queued/%'"))
        connection.execute(insert(messages), [_message(n, "queued", round_name) for n in range(1, count + 1)])
    delivery = Delivery(
        name="cheap",
        adapter=adapter,
        channels=("sms",),
        store=installation.store,
        clock=installation.clock,
        rules=build_rules(installation),
        policy=RetryPolicy(),
        language="zh",
        batch=installation.settings.runner.delivery_batch,
    )
    started = time.perf_counter()
    tally = delivery.run()
    elapsed = time.perf_counter() - started
    delivery.close()
    assert tally.sent == count, f"{tally.sent} of {count} were sent"
    return elapsed


class _Nowhere:
    """Takes everything at once: what remains is what the core costs."""

    in_flight = _FLIGHT

    def send(self, message: OutgoingMessage, now: Any) -> Report:
        return Report(Outcome.SENT, provider_id="12345678")

    def submit(self, message: OutgoingMessage, now: Any, done: Callable[[Report], None]) -> None:
        done(Report(Outcome.SENT, provider_id="12345678"))

    def check(self) -> str | None:
        return None

    def close(self) -> None: ...


def _adapter(port: int) -> HttpAdapter:
    settings = HTTP.settings(
        url=f"http://127.0.0.1:{port}/send",
        body={"to": "{phone:national}", "text": "{text}", "key": "{key}"},
        answer={"code": "code", "message": "msg", "id": "id"},
        in_flight=_FLIGHT,
    )
    adapter = HTTP.build("cheap", settings, Surroundings(Path(), "云璟地产"))
    assert isinstance(adapter, HttpAdapter)
    return adapter


def _outgoing(n: int) -> OutgoingMessage:
    return OutgoingMessage(f"bench/alone/{n}", "sms", f"+86138{n:08d}", "张三", "", _TEXT)


def _message(n: int, status: str, round_name: object = 0) -> dict[str, object]:
    return {
        "key": f"bench/{status}/{round_name}/{n}",
        "plugin": "sixplustwo",
        "action": "sms",
        "clause": "6+2",
        "project_id": 1,
        "city": "shenzhen",
        "channel": "sms",
        "message_class": "service",
        "urgent": False,
        "late": False,
        "person_id": n,
        "title": "",
        "body": _TEXT,
        "segments": 1,
        "status": status,
        "due_at": NOW - timedelta(minutes=1),
        "next_at": NOW - timedelta(minutes=1),
        "sent_at": NOW - timedelta(days=3) if status == "sent" else None,
        "created_at": NOW,
    }


def _answer(n: int) -> dict[str, object]:
    return {
        "person_id": n,
        "channel": "*",
        "message_class": "service",
        "granted": True,
        "at": NOW - timedelta(days=9),
        "source": "call",
    }


def _serve(port: int) -> None:
    """A gateway that answers everything after 50 ms, with as little work as possible."""
    import asyncio

    body = b'{"code":0,"msg":"ok","id":"12345678"}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    class Gateway(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport, self.buffer = transport, b""

        def data_received(self, data: bytes) -> None:
            self.buffer += data
            head, mark, rest = self.buffer.partition(b"\r\n\r\n")
            if not mark:
                return
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            if len(rest) >= int(length or 0):  # one request at a time on each connection
                self.buffer = b""
                loop.call_later(_DELAY, self.transport.write, answer)

    async def run() -> None:
        server = await loop.create_server(Gateway, "127.0.0.1", port, backlog=2048)
        await server.serve_forever()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(run())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the gateway did not start")
