"""What a dead process left behind is taken up again; what may have left is in doubt, and goes by its policy."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from tests.support.facts import Facts
from tests.support.passes import Out, make_engine
from tests.support.plugins import PROBE

from keguan.adapters.base import Outcome
from keguan.clock import VirtualClock
from keguan.outbox import queue
from keguan.outbox.routes import Source
from keguan.plans.due import claim_due
from keguan.store.engine import Store
from keguan.store.schema import messages, plans

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 09:00 in Shenzhen
SOON = timedelta(minutes=5)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NINE)


@pytest.fixture
def dead_worker() -> str:
    """The name that a process on this machine worked under, which has died since."""
    script = "from keguan.outbox.queue import worker_name; print(worker_name())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def statuses(store: Store) -> Counter[str]:
    with store.read() as connection:
        return Counter(connection.execute(select(messages.c.status)).scalars())


def queued(store: Store, tmp_path: Path, clock: VirtualClock) -> None:
    """Bring one contract's two messages into the outbox."""
    Facts(store).sign(1)
    engine = make_engine(store, tmp_path, clock, Out())
    engine.plan_all()
    engine.run()


def test_plans_that_a_dead_process_had_taken_run_at_once(
    store: Store, tmp_path: Path, clock: VirtualClock, dead_worker: str
) -> None:
    Facts(store).sign(3)
    out = Out()
    engine = make_engine(store, tmp_path, clock, out)
    engine.plan_all()
    with store.write() as connection:
        assert len(claim_due(connection, dead_worker, NINE, 100, ["probe"])) == 6
    assert engine.settle().sent == 6
    assert set(out.copies.values()) == {1}


def test_plans_of_a_living_process_are_left_to_it(store: Store, tmp_path: Path, clock: VirtualClock) -> None:
    Facts(store).sign(1)
    engine = make_engine(store, tmp_path, clock, Out())
    engine.plan_all()
    with store.write() as connection:
        claim_due(connection, "another-host/1/abc", NINE, 100, ["probe"])
    assert engine.settle().ran == 0
    clock.advance(timedelta(hours=1))  # its lease has ended: it is not alive after all
    assert engine.settle().ran == 2


SLOW = PROBE.replace("def letter(job):", "def letter(job):\n    meanwhile()")


def test_a_plan_that_another_worker_took_over_meanwhile_leaves_no_second_effect(
    store: Store, tmp_path: Path, clock: VirtualClock
) -> None:
    Facts(store).sign(1)
    engine = make_engine(store, tmp_path, clock, Out(), source=SLOW)
    engine.plan_all()

    def take_over() -> None:
        with store.write() as connection:
            connection.execute(update(plans).values(worker="another-host/1/abc"))

    engine.installation.plugins.actions["probe", "letter"].run.__globals__["meanwhile"] = take_over
    engine.run()
    assert statuses(store) == {}
    with store.read() as connection:
        assert set(connection.execute(select(plans.c.status)).scalars()) == {"running"}


def test_messages_claimed_and_not_started_are_simply_queued_again(
    store: Store, tmp_path: Path, clock: VirtualClock, dead_worker: str
) -> None:
    queued(store, tmp_path, clock)
    with store.write() as connection:
        assert (
            len(
                queue.claim(
                    connection, [Source("email", None), Source("sms", None)], "out", f"{dead_worker}/out", NINE, 10
                )
            )
            == 2
        )
    out = Out()
    assert make_engine(store, tmp_path, clock, out).settle().sent == 2
    with store.read() as connection:
        assert set(connection.execute(select(messages.c.doubts)).scalars()) == {0}


@pytest.mark.parametrize(("policy", "status", "copies"), [("resend", "sent", 2), ("hold", "in_doubt", 0)])
def test_messages_that_had_been_handed_over_are_in_doubt(
    store: Store, tmp_path: Path, clock: VirtualClock, dead_worker: str, policy: str, status: str, copies: int
) -> None:
    queued(store, tmp_path, clock)
    with store.write() as connection:
        for row in queue.claim(
            connection, [Source("email", None), Source("sms", None)], "out", f"{dead_worker}/out", NINE, 10
        ):
            assert queue.start(connection, row.id, f"{dead_worker}/out", NINE)
    out = Out()
    engine = make_engine(store, tmp_path, clock, out, in_doubt="resend" if policy == "resend" else "hold")
    engine.settle()
    clock.advance(SOON)
    engine.settle()
    assert statuses(store) == {status: 2}
    assert out.copies.total() == copies
    with store.read() as connection:
        assert set(connection.execute(select(messages.c.doubts)).scalars()) == {1}


def test_an_earlier_start_of_this_very_process_number_counts_as_dead(
    store: Store, tmp_path: Path, clock: VirtualClock
) -> None:
    queued(store, tmp_path, clock)
    host, number, _ = queue.worker_name().split("/")
    with store.write() as connection:
        queue.claim(
            connection, [Source("email", None), Source("sms", None)], "out", f"{host}/{number}/earlier/out", NINE, 10
        )
    assert make_engine(store, tmp_path, clock, Out()).settle().sent == 2


def test_an_adapter_that_is_no_longer_configured_leaves_its_doubts_to_a_person(
    store: Store, tmp_path: Path, clock: VirtualClock, dead_worker: str
) -> None:
    queued(store, tmp_path, clock)
    with store.write() as connection:
        for row in queue.claim(connection, [Source("email", None)], "old", f"{dead_worker}/old", NINE, 10):
            queue.start(connection, row.id, f"{dead_worker}/old", NINE)
    make_engine(store, tmp_path, clock, Out()).settle()
    assert statuses(store) == {"in_doubt": 1, "sent": 1}


@pytest.mark.bad_day
def test_a_clock_moved_back_repeats_nothing(store: Store, tmp_path: Path, clock: VirtualClock) -> None:
    facts = Facts(store)
    facts.add_project("city1", last_tick=datetime(2026, 3, 1, tzinfo=UTC).date())
    facts.sign(2)
    out = Out()
    engine = make_engine(store, tmp_path, clock, out)
    engine.fast_forward(clock, NINE + timedelta(days=3))
    before = engine_state(store)
    clock.set(NINE - timedelta(days=2))
    engine.fast_forward(clock, NINE + timedelta(days=3))
    assert engine_state(store) == before
    assert set(out.copies.values()) == {1}


def engine_state(store: Store) -> dict[str, list[object]]:
    with store.read() as connection:
        return {
            table: [tuple(row) for row in connection.exec_driver_sql(f"select {columns} from {table} order by 1")]
            for table, columns in (
                ("events", "id, state"),
                ("plans", "id, status, due_at"),
                ("messages", "key, status, sent_at"),
                ("tasks", "key, status"),
            )
        }


@pytest.mark.bad_day
def test_two_workers_at_once_win_each_plan_and_each_message_once(store: Store, tmp_path: Path) -> None:
    clock = VirtualClock(NINE)
    Facts(store).sign(120)
    out = Out()
    engines = [make_engine(store, tmp_path / str(n), clock, out) for n in range(3)]
    engines[0].plan_all()
    together = threading.Barrier(len(engines))
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            together.wait()
            while engines[number].run().claimed or engines[number].deliveries[0].run().claimed:
                pass
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(engines))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(out.copies) == 240
    assert set(out.copies.values()) == {1}
    assert statuses(store) == {"sent": 240}


def test_a_wrong_configuration_pauses_the_adapter_and_nobody_is_blamed(
    store: Store, tmp_path: Path, clock: VirtualClock
) -> None:
    Facts(store).sign(2)
    out = Out(Outcome.CONFIGURATION)
    engine = make_engine(store, tmp_path, clock, out)
    engine.settle()
    assert statuses(store) == {"queued": 4}
    clock.advance(timedelta(hours=5))
    engine.settle()
    assert statuses(store) == {"sent": 4}
    with store.read() as connection:
        assert set(connection.execute(select(messages.c.attempts)).scalars()) == {1}
