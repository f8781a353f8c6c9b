"""An answer such as TD holds for the telephone: for whoever stands beside the number later, and after forgetting."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from tests.support.estate import SHANGHAI, Estate
from tests.support.keys import key_text

from keguan.adapters.base import Heard, Reply
from keguan.outbox.gate import Pass, Refuse, Verdict
from keguan.outbox.knowledge import Knowledge, Rules
from keguan.outbox.receipts import record_heard
from keguan.people.consent import opt_in, opt_out
from keguan.people.erasure import erase_person
from keguan.people.rotation import rotate
from keguan.people.suppressions import suppress
from keguan.sealing import KeyRing
from keguan.settings import Settings
from keguan.store.schema import messages, people
from keguan.store.sealed import digest

PHONE = "+8613800138000"
STOPPED = Refuse("suppressed", "gate.opted_out")


def answers(estate: Estate, words: str, phone: str = "13800138000") -> None:
    """Somebody answers from a telephone."""
    heard = Heard(replies=(Reply(phone, words, estate.now),))
    with estate.store.write() as connection:
        record_heard(connection, "cloud", heard, estate.now)
    estate.now += timedelta(minutes=1)


def judged(estate: Estate, person: int, **values: object) -> Verdict:
    number = estate.message(person, **values)  # type: ignore[arg-type]  # columns of the message
    with estate.store.read() as connection:
        row = connection.execute(select(messages).where(messages.c.id == number)).one()
        return Knowledge.load(connection, Rules(Settings().city), [row], estate.now).judge(row, estate.now)


def owner(estate: Estate, name: str = "张小满", email: str | None = None) -> int:
    return estate.person(name, PHONE, email=email, **indexes(estate, email))


def indexes(estate: Estate, email: str | None) -> dict[str, str | None]:
    with estate.store.read() as connection:
        mail = digest(connection, "email", email) if email else None
        return {"phone_index": digest(connection, "phone", PHONE), "email_index": mail}


def test_an_owner_who_is_entered_after_the_number_refused_gets_nothing(estate: Estate) -> None:
    answers(estate, "TD")
    later = owner(estate)
    assert judged(estate, later) == STOPPED
    assert judged(estate, later, message_class="promotion") == STOPPED
    assert judged(estate, later, urgent=True) == STOPPED


def test_codes_which_are_asked_for_go_on_and_so_does_the_mail(estate: Estate) -> None:
    answers(estate, "退订")
    later = owner(estate, email="xiaoman@example.com")
    assert judged(estate, later, message_class="code") == Pass()
    assert judged(estate, later, channel="email") == Pass()


def test_the_number_can_take_it_back(estate: Estate) -> None:
    answers(estate, "TD")
    answers(estate, "恢复订阅")
    assert judged(estate, owner(estate)) == Pass()


def test_the_word_of_a_person_frees_the_number(estate: Estate) -> None:
    answers(estate, "TD")
    later = owner(estate)
    with estate.store.write() as connection:
        opt_in(connection, later, source="call", who="li", now=estate.now)
    assert judged(estate, later) == Pass()


def test_that_codes_are_wanted_frees_nothing_else(estate: Estate) -> None:
    answers(estate, "TD")
    later = owner(estate)
    with estate.store.write() as connection:
        opt_in(connection, later, message_class="code", source="call", who="li", now=estate.now)
    assert judged(estate, later) == STOPPED


def test_a_bounce_does_not_make_a_refusal_forgotten(estate: Estate) -> None:
    answers(estate, "TD")
    later = owner(estate)
    with estate.store.write() as connection:
        found = digest(connection, "phone", PHONE)
        assert found is not None
        suppress(connection, "sms", found, why="gate.bounced", now=estate.now)
    assert judged(estate, later) == STOPPED


def test_who_was_forgotten_and_comes_again_is_not_written_to(estate: Estate) -> None:
    first = owner(estate, email="xiaoman@example.com")
    with estate.store.write() as connection:
        opt_out(connection, first, source="call", who="li", now=estate.now)
    erase_person(estate.store, first, estate.now, SHANGHAI)
    again = owner(estate, email="xiaoman@example.com")
    assert judged(estate, again) == STOPPED
    assert judged(estate, again, channel="email") == STOPPED


def test_forgetting_one_of_a_family_silences_nobody_else(estate: Estate) -> None:
    first, other = owner(estate), owner(estate, "李晓燕")
    with estate.store.write() as connection:
        opt_out(connection, first, source="call", who="li", now=estate.now)
    erase_person(estate.store, first, estate.now, SHANGHAI)
    assert judged(estate, other) == Pass()


def test_who_refused_advertising_alone_is_reached_again(estate: Estate) -> None:
    first = owner(estate)
    with estate.store.write() as connection:
        opt_out(connection, first, message_class="promotion", source="call", who="li", now=estate.now)
    erase_person(estate.store, first, estate.now, SHANGHAI)
    assert judged(estate, owner(estate)) == Pass()


def test_a_number_that_nobody_has_is_known_under_a_new_key(estate: Estate, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(key_text(0) + "\n")
    estate.store.ring = KeyRing([], file=tmp_path / "keys")
    answers(estate, "TD")
    rotate(estate.store, estate.now, "li")
    newest = (tmp_path / "keys").read_text().splitlines()[0]
    (tmp_path / "keys").write_text(newest + "\n")
    estate.store.ring = KeyRing([], file=tmp_path / "keys")
    later = owner(estate)
    assert judged(estate, later) == STOPPED
    assert [row.phone for row in estate.rows(people)] == [PHONE]
