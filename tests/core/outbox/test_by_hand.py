"""What a person decides about messages."""

from __future__ import annotations

import pytest
from tests.support.estate import Estate, at

from keguan.errors import Refusals
from keguan.outbox import by_hand
from keguan.store.engine import Store
from keguan.store.schema import messages

NOW = at("2026-03-02T09:00")


@pytest.fixture
def estate(store: Store) -> Estate:
    """An empty company, on the morning of 2 March 2026."""
    return Estate(store, NOW)


def states(estate: Estate) -> list[str]:
    return [row.status for row in sorted(estate.rows(messages), key=lambda row: row.id)]


@pytest.mark.parametrize("status", ["dead", "in_doubt", "undelivered"])
def test_what_failed_is_queued_again_due_now_with_all_its_tries(estate: Estate, status: str) -> None:
    number = estate.message(
        estate.person(), status, due=at("2026-03-01T09:30"), attempts=8, why="gate.no_address", provider_id="x"
    )
    assert by_hand.retry(estate.store, [number], NOW) == by_hand.Retried(1)
    row = estate.one(messages, number)
    assert (row.status, row.attempts, row.next_at, row.why, row.provider_id) == ("queued", 0, NOW, None, None)


@pytest.mark.parametrize("status", ["queued", "sending", "sent", "held", "dropped", "expired", "suppressed"])
def test_what_did_not_fail_is_not_retried(estate: Estate, status: str) -> None:
    number = estate.message(estate.person(), status)
    with pytest.raises(Refusals, match=f"it is {status} and cannot be retried"):
        by_hand.retry(estate.store, [number], NOW)
    assert estate.one(messages, number).status == status


def test_what_has_expired_is_not_sent_any_more(estate: Estate) -> None:
    person = estate.person()
    over = estate.message(person, "dead", expires_at=NOW)
    still = estate.message(person, "dead", expires_at=at("2026-03-02T09:01"))
    with pytest.raises(Refusals) as failed:
        by_hand.retry(estate.store, [still, over], NOW)
    assert [error.key for error in failed.value.errors] == ["outbox.window_passed"]
    assert states(estate) == ["dead", "dead"]
    assert by_hand.retry_all(estate.store, "dead", NOW) == by_hand.Retried(1, expired=1)
    assert states(estate) == ["dead", "queued"]


def test_all_of_a_status_are_retried_however_many(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_hand, "_BATCH", 2)
    person = estate.person()
    for status in ("dead", "dead", "in_doubt", "dead", "dead", "dead"):
        estate.message(person, status)
    assert by_hand.retry_all(estate.store, "dead", NOW) == by_hand.Retried(5)
    assert states(estate) == ["queued", "queued", "in_doubt", "queued", "queued", "queued"]


def test_held_messages_are_released_to_be_judged_again(estate: Estate) -> None:
    person = estate.person()
    held = estate.message(person, "held", why="gate.quiet_hours", due=at("2026-03-02T20:00"))
    doubtful = estate.message(person, "in_doubt")
    assert by_hand.release_all(estate.store, "held", NOW) == 1
    assert (estate.one(messages, held).next_at, estate.one(messages, held).why) == (NOW, None)
    assert estate.one(messages, doubtful).status == "in_doubt"
    assert by_hand.release(estate.store, [doubtful], NOW) == 1
    assert states(estate) == ["queued", "queued"]


def test_only_what_waits_for_a_word_is_released(estate: Estate) -> None:
    number = estate.message(estate.person(), "dead")
    with pytest.raises(Refusals, match="it is dead and cannot be released"):
        by_hand.release(estate.store, [number], NOW)


def test_what_has_not_left_can_be_dropped_with_a_reason(estate: Estate) -> None:
    person = estate.person()
    numbers = [estate.message(person, status) for status in by_hand.DROPPABLE]
    assert by_hand.drop(estate.store, numbers, "he called us") == len(numbers)
    assert {(row.status, row.why) for row in estate.rows(messages)} == {("dropped", "he called us")}


def test_nothing_is_dropped_when_one_of_them_has_left(estate: Estate) -> None:
    person = estate.person()
    queued, sent = estate.message(person), estate.message(person, "sent")
    with pytest.raises(Refusals) as failed:
        by_hand.drop(estate.store, [queued, sent, 999_999], "x")
    assert [error.key for error in failed.value.errors] == ["outbox.not_droppable", "outbox.unknown"]
    assert states(estate) == ["queued", "sent"]
