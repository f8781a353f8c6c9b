"""A fact is accepted once by its source and id, whoever brings it how often."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from tests.support.flow import only, rows

from keguan.events.log import NewEvent, append, is_known
from keguan.model import Subject
from keguan.store.engine import Store
from keguan.store.schema import events

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


def fact(event_id: str = "HT-1/1", source: str = "import", **data: object) -> NewEvent:
    return NewEvent(source, event_id, "contract_signed", NOW, Subject("contract", 1), "shenzhen", data)


def accept(store: Store, *facts: NewEvent) -> None:
    with store.write() as connection:
        append(store, connection, facts, NOW)


def test_a_fact_is_kept_as_it_was_told(store: Store) -> None:
    accept(store, fact(signed_on="2026-03-01", 备注="无"))
    row = only(rows(store, events))
    assert (row.source, row.id, row.type, row.time) == ("import", "HT-1/1", "contract_signed", NOW)
    assert (row.subject_type, row.subject_id, row.city, row.state) == ("contract", 1, "shenzhen", "new")
    assert row.data == {"signed_on": "2026-03-01", "备注": "无"}


def test_the_same_id_again_changes_nothing_whatever_it_says(store: Store) -> None:
    accept(store, fact(signed_on="2026-03-01"))
    accept(store, fact(signed_on="2026-04-01"), fact())
    assert only(rows(store, events)).data == {"signed_on": "2026-03-01"}


def test_ids_are_the_sources_own(store: Store) -> None:
    accept(store, fact(), fact(source="crm"))
    assert len(rows(store, events)) == 2
    with store.read() as connection:
        assert is_known(connection, "crm", "HT-1/1")
        assert not is_known(connection, "cli", "HT-1/1")


def test_facts_keep_their_order(store: Store) -> None:
    accept(store, *(fact(str(number)) for number in range(50)))
    assert [row.id for row in rows(store, events, "id", "seq")] == [str(number) for number in range(50)]


def test_of_many_that_bring_it_at_once_one_is_accepted(store: Store) -> None:
    together = threading.Barrier(4)
    failures: list[BaseException] = []

    def bring() -> None:
        try:
            together.wait()
            for number in range(10):
                accept(store, fact(str(number)), fact(str(number + 1)))
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=bring) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(row.id for row in rows(store, events)) == sorted(str(number) for number in range(11))


def test_what_is_rolled_back_was_never_told(store: Store) -> None:
    class Interrupted(Exception):
        pass

    try:
        with store.write() as connection:
            append(store, connection, [fact()], NOW)
            raise Interrupted
    except Interrupted:
        pass
    assert rows(store, events) == []
