"""The way out through a described gateway, from the queue to the gateway and back, on its bad days."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.adapters import build_adapter
from tests.support.flow import rows
from tests.support.gateway import Gateway, Received, Say
from tests.support.stand_in_gateways import fleet, sell

from keguan.adapters.base import Adapter
from keguan.store.schema import messages
from keguan.testing import SampleCity

pytestmark = pytest.mark.bad_day
Build = Callable[..., SampleCity]


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def cheap(gateway: Gateway, tmp_path: Path) -> Iterator[Adapter]:
    table: dict[str, Any] = {
        "url": gateway.url,
        "body": {"to": "{phone:national}", "text": "{text}", "key": "{key}"},
        "answer": {"code": "code", "message": "msg", "id": "id"},
        "errors": {"7": {"outcome": "permanent", "bounces": True}},
        "in_flight": 1000,
        "timeout": 1,
    }
    adapter = build_adapter(tmp_path, "http", **table)
    yield adapter
    adapter.close()


def statuses(city: SampleCity) -> Counter[str]:
    return Counter(row.status for row in rows(city.store, messages))


def copies(gateway: Gateway) -> Counter[str]:
    return Counter(request.json["key"] for request in gateway.received)


def test_each_message_ends_as_its_own_answer_says(greetings: Build, gateway: Gateway, cheap: Adapter) -> None:
    kinds = {0: Say(body={"code": 7}), 1: Say(500, body="oops"), 2: Say(body="garbage"), 3: Say(then_close=True)}

    def answer(request: Received) -> Say:
        return kinds.get(int(request.json["to"]) % 10, Say(body={"code": 0, "id": "m" + request.json["to"]}))

    gateway.always = answer
    city = greetings()
    sell(city, 50)
    fleet(city, {"cheap": cheap})
    city.settle()
    assert statuses(city) == {"sent": 35, "dead": 5, "in_doubt": 10}
    assert set(copies(gateway).values()) == {1}
    ids = {row.provider_id for row in rows(city.store, messages) if row.status == "sent"} - {"m1"}
    assert len(ids) == 30


def test_a_stop_with_many_on_the_way_leaves_no_message_without_a_fate(
    greetings: Build, gateway: Gateway, cheap: Adapter
) -> None:
    city, stop = greetings(count=2), threading.Event()
    sell(city, 75)
    engine = fleet(city, {"cheap": cheap}, stop=stop, batch=100)
    engine.plan_all()
    engine.run()
    answered = threading.Semaphore(60)

    def answer(request: Received) -> Say:
        if answered.acquire(blocking=False):
            return Say()
        stop.set()
        return Say(raw=b"")  # nothing more is answered

    gateway.always = answer
    engine.deliveries[0].run()
    arrived = copies(gateway)
    doubtful, left = len(arrived) - 60, 150 - len(arrived)
    assert +statuses(city) == +Counter(sent=60, in_doubt=doubtful, queued=left)
    assert doubtful > 0
    assert set(arrived.values()) == {1}
