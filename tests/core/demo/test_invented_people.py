"""Invented people pass for customers in every file, and can belong to nobody."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from keguan.demo.people import invent_person
from keguan.intake.identity import parse_email, parse_id_no
from keguan.intake.phones import is_mobile, parse_phone

numbers = st.integers(0, 999_999)


@settings(max_examples=60)
@given(numbers, st.integers())
def test_an_import_takes_them_and_an_sms_could_reach_their_phone(number: int, seed: int) -> None:
    person = invent_person(Random(seed), number)
    assert person.phone is not None
    assert is_mobile(parse_phone(person.phone))
    assert parse_id_no(person.id_no) == person.id_no
    assert person.email is None or parse_email(person.email) == person.email
    assert person.id_no[6:14] == f"{person.birthday:%Y%m%d}"


@settings(max_examples=60)
@given(numbers, st.integers())
def test_their_numbers_and_addresses_lie_where_nobody_has_one(number: int, seed: int) -> None:
    person = invent_person(Random(seed), number)
    assert person.phone is not None
    assert person.phone.startswith("17400")  # kept for satellite services
    assert person.id_no.startswith("999999")  # no area
    assert person.email is None or person.email.endswith("@example.com")  # RFC 2606


@given(st.lists(numbers, min_size=2, max_size=20, unique=True))
def test_no_two_share_a_phone(chosen: list[int]) -> None:
    phones = {invent_person(Random(1), number).phone for number in chosen}
    assert len(phones) == len(chosen)


def test_nothing_personal_shows_in_logs() -> None:
    person = invent_person(Random(3), 7)
    assert person.name not in repr(person)
    assert str(person.phone) not in repr(person)
