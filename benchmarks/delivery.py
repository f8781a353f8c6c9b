"""E-mail delivery against bare smtplib: one local sink, one reused connection, a message built for each mail."""

from __future__ import annotations

import multiprocessing
import smtplib
import socket
import time
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from sqlalchemy import insert, text, update

from benchmarks.world import NOW, contracts_without_events, installation_in
from keguan.adapters.base import Surroundings
from keguan.adapters.smtp import SMTP, SmtpSettings
from keguan.building import build_rules
from keguan.installation import Installation
from keguan.outbox.delivery import Delivery
from keguan.outbox.retry import RetryPolicy
from keguan.store.schema import messages, people

__all__ = ["measure"]

_TITLE = "恭喜您成为云璟一期业主"
_BODY = "尊敬的业主：\n\n后续备案、贷款等手续，请携合同和身份证到签约中心办理。\n如有疑问，请致电 400-000-0000。\n" * 3


def measure(folder: Path, *, mails: int, rounds: int) -> dict[str, float]:
    """Return mails a second of both and the ratio of the best rounds, which take turns."""
    port = _free_port()
    context = multiprocessing.get_context("spawn")
    sink = context.Process(target=_serve, args=(port,), daemon=True)
    sink.start()
    try:
        _wait_for(port)
        installation = installation_in(folder)
        contracts_without_events(installation, mails)
        with installation.store.write() as connection:
            connection.execute(update(people).values(email="owner@example.com"))
        bare, ours = [], []
        for number in range(rounds):
            bare.append(_bare(port, mails))
            ours.append(_keguan(installation, port, mails, number))
        installation.close()
    finally:
        sink.terminate()
        sink.join()
    return {
        "smtp_bare_per_s": mails / min(bare),
        "smtp_keguan_per_s": mails / min(ours),
        "smtp_vs_bare": min(bare) / min(ours),
    }


def _serve(port: int) -> None:
    """A sink that takes everything and keeps nothing."""
    import asyncio

    from aiosmtpd import smtp
    from aiosmtpd.handlers import Sink

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: smtp.SMTP(Sink(), loop=loop), "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(run())


def _bare(port: int, mails: int) -> float:
    started = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as session:
        for n in range(mails):
            message = EmailMessage()
            message["From"] = Address("云璟地产", addr_spec="care@example.com")
            message["To"] = Address("张三", addr_spec="owner@example.com")
            message["Subject"] = _TITLE
            message["Date"] = format_datetime(NOW)
            message["Message-ID"] = f"<{n}@example.com>"
            message.set_content(_BODY)
            session.send_message(message)
    return time.perf_counter() - started


def _keguan(installation: Installation, port: int, mails: int, number: int) -> float:
    """Deliver as the daemon does: claim, judge, start, send, mark, with each step on disk."""
    with installation.store.write() as connection:
        connection.execute(text("DELETE FROM messages"))
        connection.execute(insert(messages), [_message(n, number) for n in range(1, mails + 1)])
    settings = SmtpSettings(host="127.0.0.1", port=port, security="none", sender="care@example.com")
    adapter = SMTP.build("mail", settings, Surroundings(installation.base_dir, "云璟地产"))
    delivery = Delivery(
        name="mail",
        adapter=adapter,
        channels=("email",),
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
    assert tally.sent == mails, f"{tally.sent} of {mails} mails were sent"
    return elapsed


def _message(n: int, number: int) -> dict[str, object]:
    return {
        "key": f"bench/{number}/{n}",
        "plugin": "sixplustwo",
        "action": "mail",
        "clause": "6+2",
        "project_id": 1,
        "city": "shenzhen",
        "channel": "email",
        "message_class": "service",
        "urgent": False,
        "late": False,
        "person_id": n,
        "title": _TITLE,
        "body": _BODY,
        "status": "queued",
        "due_at": NOW - timedelta(minutes=1),
        "next_at": NOW - timedelta(minutes=1),
        "created_at": NOW,
    }


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
    raise TimeoutError("the sink did not start")
