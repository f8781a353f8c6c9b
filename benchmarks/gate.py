"""What the gate costs a message: 100,000 queued, limits in force, histories and opt-outs on file.

Measured is what stands between claiming a batch and handing its messages over: loading what is known of the
recipients, judging the batch, judging each message again as it leaves. The floor is bare sqlite3 reading the same
rows by the same numbers and doing nothing with them. Name and address of who passed are part of handing over, but
the gate asks for them, so they are in both.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text, update

from benchmarks.world import NOW, contracts_without_events, installation_in
from keguan.building import build_rules
from keguan.installation import Installation
from keguan.outbox.gate import WEEK, Pass
from keguan.outbox.knowledge import Knowledge
from keguan.store.schema import messages, people, permissions, suppressions
from keguan.store.types import to_stored

__all__ = ["measure"]

_AGO = tuple(timedelta(days=days, hours=1) for days in (0, 1, 3, 5, 20, 40))
"""When messages left to each person before: four within the week that counts, two outside it."""


def measure(folder: Path, *, queued: int, rounds: int) -> dict[str, float]:
    """Return the microseconds a message costs at the gate and at the floor, and the ratio of the best rounds."""
    installation = installation_in(folder)
    _fill(installation, queued)
    path = installation.store.path
    assert path is not None
    ours, floor = [], []
    for _ in range(rounds):
        floor.append(_bare(path, queued, installation.settings.runner.delivery_batch))
        ours.append(_gate(installation, queued))
    installation.close()
    return {
        "gate_us": min(ours) / queued * 1e6,
        "gate_floor_us": min(floor) / queued * 1e6,
        "gate_vs_floor": min(ours) / min(floor),
    }


def _fill(installation: Installation, queued: int) -> None:
    """A recipient for each message; one in ten has opted out, one in a hundred bounced."""
    contracts_without_events(installation, queued)
    store = installation.store
    for start in range(1, queued + 1, 5000):
        ids = range(start, min(start + 5000, queued + 1))
        with store.write() as connection:
            connection.execute(insert(messages), [_message(n, "queued") for n in ids])
            for place, ago in enumerate(_AGO):
                connection.execute(insert(messages), [_message(n, "sent", place, NOW - ago) for n in ids])
            answers = [{"granted": n % 10 != 0, **_answer(n)} for n in ids if n % 5 == 0]
            connection.execute(insert(permissions), answers)
            gone = [n for n in ids if n % 100 == 1]
            connection.execute(insert(suppressions), [_suppression(n) for n in gone])
    with store.write() as connection:
        connection.execute(update(people).values(phone_index=text("'phone-' || id")))
        connection.execute(text("ANALYZE"))


def _message(n: int, status: str, place: int = 0, sent_at: Any = None) -> dict[str, object]:
    return {
        "key": f"bench/{status}/{place}/{n}",
        "plugin": "sixplustwo",
        "action": "sms_congratulation",
        "clause": "6+2",
        "project_id": 1,
        "city": "shenzhen",
        "channel": "sms",
        "message_class": "service",
        "urgent": False,
        "late": False,
        "person_id": n,
        "template": "congratulation",
        "title": "",
        "body": "【云璟地产】恭喜您成为云璟一期业主。",
        "segments": 1,
        "status": status,
        "due_at": NOW,
        "next_at": NOW,
        "sent_at": sent_at,
        "created_at": NOW,
    }


def _answer(n: int) -> dict[str, object]:
    return {"person_id": n, "channel": "*", "message_class": "service", "at": NOW, "source": "call"}


def _suppression(n: int) -> dict[str, object]:
    return {"channel": "sms", "address_index": f"phone-{n}", "why": "gate.bounced", "at": NOW}


def _gate(installation: Installation, queued: int) -> float:
    """Judge everything that is queued, a batch after the other, as delivery does; return the seconds."""
    rules, size = build_rules(installation), installation.settings.runner.delivery_batch
    left = 0
    spent = 0.0
    for start in range(1, queued + 1, size):
        with installation.store.read() as connection:
            batch = _batch(connection, start, size)
            started = time.process_time()
            known = Knowledge.load(connection, rules, batch, NOW, adapter="file")
        ahead = known.copy()
        passed = []
        for row in batch:
            if isinstance(ahead.judge(row, NOW), Pass):
                ahead.leaves(row, NOW)
                passed.append(row)
        for row in passed:
            if isinstance(known.judge(row, NOW), Pass):
                known.leaves(row, NOW)
                left += bool(known.recipient(row).phone)
        spent += time.process_time() - started
    expected = sum(n % 10 != 0 and n % 100 != 1 for n in range(1, queued + 1))
    assert left == expected, f"{left} of {expected} passed"
    return spent


def _batch(connection: Any, start: int, size: int) -> Sequence[Any]:
    statement = select(messages).where(
        messages.c.person_id >= start, messages.c.person_id < start + size, messages.c.status == "queued"
    )
    return list(connection.execute(statement))


def _bare(path: Path, queued: int, size: int) -> float:
    """Read the same rows with bare sqlite3; return the seconds."""
    since = to_stored(NOW - WEEK)
    rows = 0
    with closing(sqlite3.connect(path)) as connection:
        started = time.process_time()
        for start in range(1, queued + 1, size):
            ids = tuple(range(start, min(start + size, queued + 1)))
            marks = ", ".join("?" * len(ids))
            for statement, more in (
                (f"SELECT id, phone_index, email_index, name, phone, email FROM people WHERE id IN ({marks})", ()),
                (f"SELECT * FROM permissions WHERE person_id IN ({marks})", ()),
                (
                    "SELECT p.id FROM people p JOIN suppressions s ON s.channel = 'sms' AND "
                    f"s.address_index = p.phone_index WHERE p.id IN ({marks})",
                    (),
                ),
                (
                    "SELECT person_id, sent_at, channel, late, message_class FROM messages "
                    f"WHERE person_id IN ({marks}) AND sent_at >= ?",
                    (since,),
                ),
            ):
                rows += len(connection.execute(statement, (*ids, *more)).fetchall())
        elapsed = time.process_time() - started
    assert rows > 5 * queued
    return elapsed
