"""What gateways tell after a message left: kept once, applied when its message is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from keguan.adapters.base import Heard, Receipt, Reply
from keguan.outbox.receipts import Noted, apply_waiting, record_heard
from keguan.store.engine import Store
from keguan.store.schema import messages, people, permissions, receipts, replies, suppressions
from keguan.store.sealed import digest

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PHONE = "+8613800138000"


class Gateway:
    """What was sent through one gateway, and what it tells."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._count = 0

    def person(self, phone: str = PHONE) -> int:
        with self.store.write() as connection:
            values = {"name": "张三", "phone": phone, "phone_index": digest(connection, "phone", phone)}
            return int(connection.execute(insert(people).values(values).returning(people.c.id)).scalar_one())

    def message(self, person: int, provider_id: str | None = "biz-1", status: str = "sent", key: str = "") -> int:
        self._count += 1
        with self.store.write() as connection:
            statement = insert(messages).values(
                key=key or f"probe.sms/contract/{self._count}/1",
                plugin="probe",
                action="sms",
                clause="x",
                city="shenzhen",
                channel="sms",
                message_class="service",
                urgent=False,
                late=False,
                person_id=person,
                body="b",
                status=status,
                due_at=NOW,
                next_at=NOW,
                created_at=NOW,
                adapter="cloud",
                provider_id=provider_id,
                sent_at=NOW if status == "sent" else None,
            )
            return int(connection.execute(statement.returning(messages.c.id)).scalar_one())

    def tells(self, *news: Receipt | Reply, at: datetime = NOW) -> Noted:
        heard = Heard(
            receipts=tuple(one for one in news if isinstance(one, Receipt)),
            replies=tuple(one for one in news if isinstance(one, Reply)),
        )
        with self.store.write() as connection:
            return record_heard(connection, "cloud", heard, at)

    def catches_up(self, at: datetime = NOW) -> int:
        with self.store.write() as connection:
            return apply_waiting(connection, at)

    def status(self, message: int) -> str:
        with self.store.read() as connection:
            return str(connection.execute(select(messages.c.status).where(messages.c.id == message)).scalar_one())

    def rows(self, table: Any, *columns: str) -> list[tuple[Any, ...]]:
        with self.store.read() as connection:
            found = connection.execute(select(*(table.c[name] for name in columns)).order_by(*table.primary_key))
            return [tuple(row) for row in found]


@pytest.fixture
def gateway(store: Store) -> Gateway:
    return Gateway(store)


def receipt(
    status: Literal["delivered", "undelivered"] = "delivered",
    provider_id: str = "biz-1",
    code: str | None = None,
    bounces: bool = False,
    key: str | None = None,
    at: datetime = NOW + MINUTE,
) -> Receipt:
    return Receipt(provider_id, status, at, code, bounces, key)


def reply(text: str, address: str = PHONE, number: str | None = None) -> Reply:
    return Reply(address, text, NOW, number)


# --- Receipts -------------------------------------------------------------------------------------------------------


def test_a_message_that_arrived_says_so_and_when(gateway: Gateway) -> None:
    message = gateway.message(gateway.person())
    assert gateway.tells(receipt()).delivered == 1
    assert gateway.rows(messages, "status", "delivered_at") == [("delivered", NOW + MINUTE)]
    assert gateway.rows(receipts, "provider_id", "message_id") == [("biz-1", message)]


def test_a_message_that_did_not_arrive_says_why(gateway: Gateway) -> None:
    gateway.message(gateway.person())
    gateway.tells(receipt("undelivered", code="MK:0001"))
    assert gateway.rows(messages, "status", "error") == [("undelivered", "MK:0001")]


def test_a_receipt_that_comes_twice_is_kept_once(gateway: Gateway) -> None:
    gateway.message(gateway.person())
    gateway.tells(receipt())
    noted = gateway.tells(receipt(), receipt())
    assert (noted.repeated, noted.delivered) == (2, 0)
    assert len(gateway.rows(receipts, "id")) == 1


@pytest.mark.parametrize("order", list(permutations(["undelivered", "delivered"])))
def test_that_it_arrived_is_the_last_word_in_whatever_order(gateway: Gateway, order: tuple[Any, Any]) -> None:
    message = gateway.message(gateway.person())
    for status in order:
        gateway.tells(receipt(status))
    assert gateway.status(message) == "delivered"


def test_a_receipt_for_a_message_nobody_knows_is_kept_and_changes_nothing(gateway: Gateway) -> None:
    message = gateway.message(gateway.person())
    assert gateway.tells(receipt(provider_id="someone-else's")).unknown == 1
    assert gateway.status(message) == "sent"
    assert gateway.rows(receipts, "message_id") == [(None,)]


def test_another_gateways_number_means_another_message(gateway: Gateway, store: Store) -> None:
    message = gateway.message(gateway.person())
    with store.write() as connection:
        record_heard(connection, "other", Heard(receipts=(receipt(),)), NOW)
    assert gateway.status(message) == "sent"


def test_a_receipt_that_is_faster_than_our_own_record_is_applied_afterwards(gateway: Gateway, store: Store) -> None:
    message = gateway.message(gateway.person(), provider_id=None, status="sending")
    gateway.tells(receipt())
    assert gateway.catches_up() == 0
    with store.write() as connection:
        connection.execute(update(messages).values(status="sent", provider_id="biz-1", sent_at=NOW))
    assert gateway.catches_up() == 1
    assert gateway.status(message) == "delivered"
    assert gateway.catches_up() == 0


def test_a_receipt_without_a_message_is_looked_after_for_three_days_only(gateway: Gateway) -> None:
    gateway.tells(receipt())
    gateway.message(gateway.person())
    assert gateway.catches_up(NOW + timedelta(days=3)) == 0
    assert gateway.catches_up(NOW + timedelta(days=2)) == 1


def test_a_receipt_with_our_own_key_ends_a_doubt(gateway: Gateway) -> None:
    message = gateway.message(gateway.person(), provider_id=None, status="in_doubt", key="probe.sms/contract/9/1")
    gateway.tells(receipt(key="probe.sms/contract/9/1"))
    assert gateway.status(message) == "delivered"
    ((sent_at,),) = gateway.rows(messages, "sent_at")
    assert sent_at == NOW + MINUTE


def test_a_dropped_message_stays_dropped_whatever_a_receipt_says(gateway: Gateway) -> None:
    message = gateway.message(gateway.person(), status="dropped")
    gateway.tells(receipt())
    assert gateway.status(message) == "dropped"


def test_a_number_that_does_not_exist_gets_nothing_more(gateway: Gateway) -> None:
    gateway.message(gateway.person())
    gateway.tells(receipt("undelivered", code="MK:0001", bounces=True))
    assert gateway.rows(suppressions, "channel", "why", "detail") == [("sms", "gate.bounced", "MK:0001")]


def test_a_number_that_does_not_exist_is_noted_however_early_its_receipt_comes(gateway: Gateway, store: Store) -> None:
    gateway.message(gateway.person(), provider_id=None, status="sending")
    gateway.tells(receipt("undelivered", code="MK:0001", bounces=True))
    assert gateway.rows(suppressions, "channel") == []
    with store.write() as connection:
        connection.execute(update(messages).values(status="sent", provider_id="biz-1", sent_at=NOW))
    gateway.tells(receipt("undelivered", code="MK:0001", bounces=True))
    gateway.catches_up()
    assert gateway.rows(messages, "status") == [("undelivered",)]
    assert gateway.rows(suppressions, "channel", "detail") == [("sms", "MK:0001")]


def test_a_receipt_with_our_own_key_waits_for_the_end_of_a_sending_that_never_learnt_its_number(
    gateway: Gateway, store: Store
) -> None:
    message = gateway.message(gateway.person(), provider_id=None, status="sending", key="probe.sms/contract/9/1")
    gateway.tells(receipt(key="probe.sms/contract/9/1"))
    with store.write() as connection:  # the process died before the answer came
        connection.execute(update(messages).values(status="in_doubt"))
    assert gateway.catches_up() == 1
    assert gateway.status(message) == "delivered"


@given(st.lists(st.sampled_from(["delivered", "undelivered", "late"]), max_size=6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_any_order_of_news_a_message_ends_as_the_best_that_was_told(gateway: Gateway, story: list[str]) -> None:
    with gateway.store.write() as connection:
        connection.execute(delete(receipts))
        connection.execute(delete(messages))
    message = gateway.message(gateway.person(f"+86138{len(story):08}"))
    for each in story:
        if each == "late":
            gateway.catches_up()
        else:
            gateway.tells(receipt(each))  # type: ignore[arg-type]  # one of the two words
    wanted = "delivered" if "delivered" in story else "undelivered" if "undelivered" in story else "sent"
    assert gateway.status(message) == wanted
    assert len(gateway.rows(receipts, "id")) == len(set(story) - {"late"})


# --- Replies --------------------------------------------------------------------------------------------------------


def test_who_answers_r_gets_no_more_service_or_promotion_by_sms(gateway: Gateway) -> None:
    person = gateway.person()
    assert gateway.tells(reply("R")).opted_out == 1
    assert sorted(gateway.rows(permissions, "person_id", "channel", "message_class", "granted", "source")) == [
        (person, "sms", "promotion", False, "sms:cloud"),
        (person, "sms", "service", False, "sms:cloud"),
    ]


def test_everybody_with_the_number_is_meant(gateway: Gateway) -> None:
    both = {gateway.person(), gateway.person()}
    gateway.tells(reply("退订"))
    assert {row[0] for row in gateway.rows(permissions, "person_id")} == both


def test_taking_it_back_agrees_to_service_and_never_to_promotion(gateway: Gateway) -> None:
    person = gateway.person()
    gateway.tells(reply("TD", number="1"))
    gateway.tells(reply("恢复订阅", number="2"))
    answers = {row[:2]: row[2] for row in gateway.rows(permissions, "person_id", "message_class", "granted")}
    assert answers == {(person, "service"): True, (person, "promotion"): False}


def test_what_is_no_clear_word_is_kept_for_a_person_to_read(gateway: Gateway) -> None:
    gateway.person()
    assert gateway.tells(reply("我要退订单里的车位，怎么办")).unread == 1
    assert gateway.rows(permissions, "id") == []
    assert gateway.rows(replies, "meaning", "text") == [(None, "我要退订单里的车位，怎么办")]


def test_a_reply_that_comes_twice_is_taken_once(gateway: Gateway) -> None:
    gateway.person()
    gateway.tells(reply("你好"))
    assert gateway.tells(reply("你好")).repeated == 1
    assert len(gateway.rows(replies, "id")) == 1


def test_a_reply_from_a_number_nobody_has_is_kept(gateway: Gateway) -> None:
    assert gateway.tells(reply("R", address="13900139000")).opted_out == 1
    assert gateway.rows(replies, "person_id", "meaning") == [(None, "opt_out")]
    assert gateway.rows(permissions, "id") == []
