"""A process that dies with many messages on the way leaves just these in doubt, and nothing leaves twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.flow import rows
from tests.support.stand_in_gateways import Rolling, fleet, sell

from keguan.store.schema import messages
from keguan.testing import SampleCity

IN_FLIGHT = 16
_CHILD = """
import os, sys, threading
from pathlib import Path
from datetime import UTC, datetime
from keguan.adapters.base import Outcome, Report
from keguan.clock import VirtualClock
from keguan.outbox.delivery import Delivery
from keguan.outbox.knowledge import Rules
from keguan.outbox.retry import RetryPolicy
from keguan.settings import parse_settings
from keguan.store.engine import open_store

url, handed, now, in_flight = sys.argv[1], open(sys.argv[2], "a"), datetime.fromisoformat(sys.argv[3]), int(sys.argv[4])

class Gateway:
    def __init__(self):
        self.in_flight = in_flight
    def submit(self, message, now, done):
        handed.write(message.key + "\\n")
        handed.flush()
        threading.Timer(0.01, done, [Report(Outcome.SENT)]).start()
    def send(self, message, now):
        raise NotImplementedError
    def check(self):
        return None
    def close(self):
        pass

settings = parse_settings('[cities.shenzhen]\\nquiet_hours = "00:00-00:00"\\n', Path("config/keguan.toml"), {})
Delivery(name="a", adapter=Gateway(), channels=("sms",), store=open_store(url, Path(".")), clock=VirtualClock(now),
         rules=Rules(settings.city), policy=RetryPolicy(), language="en").run()
"""


@pytest.mark.bad_day
@pytest.mark.parametrize("after", [1, 40, 75])
def test_a_killed_process_leaves_its_window_in_doubt_and_nothing_leaves_twice(
    greetings: Callable[..., SampleCity], store_url: str, tmp_path: Path, after: int
) -> None:
    city = greetings()
    sell(city, 120)
    city.engine.plan_all()
    while city.engine.run().claimed:
        pass
    with city.store.write() as connection:  # in clear: the keys of this database are the test's own
        connection.exec_driver_sql("UPDATE people SET name = 'Wang', phone = '+861380013800' || (id - id / 10 * 10)")
        connection.exec_driver_sql("UPDATE messages SET title = '', body = 'Hello', variables = NULL")
    handed = tmp_path / "handed"
    handed.touch()
    words = [sys.executable, "-c", _CHILD, store_url, str(handed), city.clock.now().isoformat(), str(IN_FLIGHT)]
    child = subprocess.Popen(words)
    while child.poll() is None and handed.read_text().count("\n") < after:
        pass
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "it was killed in the middle"
    first = handed.read_text().split()

    a = Rolling(IN_FLIGHT)
    fleet(city, {"a": a}).settle()
    second = [sent.message.key for sent in a.sent]
    assert len({*first, *second}) == len(first) + len(second), "something left twice"
    doubtful = {row.key for row in rows(city.store, messages) if row.status == "in_doubt"}
    assert len(doubtful) <= IN_FLIGHT
    assert {*first, *second} | doubtful == {row.key for row in rows(city.store, messages)}
    assert {row.status for row in rows(city.store, messages)} <= {"sent", "in_doubt"}
