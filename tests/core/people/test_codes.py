"""Short codes: one for each promise, never two alike, read however people type them, and over after their time."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.estate import Estate

from keguan.model import Subject
from keguan.people.codes import (
    ALPHABET,
    LENGTH,
    SAMPLE_CODE,
    WantedCode,
    ensure_codes,
    expire_code,
    find_code,
    list_codes,
    look_up,
    new_code,
    note_use,
    read_code,
)

LOOK_ALIKE = ("0OQD", "1IL", "2Z", "5S", "6G", "8B", "UV")
CODES = st.text(st.sampled_from(ALPHABET), min_size=LENGTH, max_size=LENGTH)


def make(estate: Estate, *keys: str, codes: Iterator[str] | None = None, purpose: str = "survey") -> dict[str, str]:
    person = estate.person()
    wanted = [WantedCode(key, purpose, person, Subject("contract", 7)) for key in keys]
    with estate.store.write() as connection:
        draw = new_code if codes is None else codes.__next__
        return ensure_codes(estate.store, connection, wanted, estate.now, 90, draw)


def test_asking_again_gives_the_same(estate: Estate) -> None:
    first = make(estate, "a", "b")
    again = make(estate, "b", "c", "a")
    assert {key: again[key] for key in first} == first
    assert len({*first.values(), *again.values()}) == 3


def test_a_code_that_somebody_has_is_thrown_away(estate: Estate) -> None:
    assert make(estate, "a", codes=iter(["AAAAAA"])) == {"a": "AAAAAA"}
    drawn = iter(["AAAAAA", "CCCCCC", "CCCCCC", "AAAAAA", "DDDDDD", "EEEEEE"])
    made = make(estate, "b", "c", "d", codes=drawn)
    assert sorted(made.values()) == ["CCCCCC", "DDDDDD", "EEEEEE"]
    with estate.store.read() as connection:
        found = {code: look_up(connection, code) for code in ("AAAAAA", *made.values())}
    assert {each.key: code for code, each in found.items() if each is not None} == {"a": "AAAAAA", **made}


def test_more_than_one_statement_holds(estate: Estate) -> None:
    made = make(estate, *(f"key {number}" for number in range(1_201)))
    assert len(set(made.values())) == 1_201


def test_it_opens_for_its_time_and_not_longer(estate: Estate) -> None:
    code = make(estate, "a")["a"]
    with estate.store.write() as connection:
        found = find_code(connection, code, estate.now)
        assert found is not None
        assert (found.purpose, found.key, found.subject) == ("survey", "a", Subject("contract", 7))
        assert found.expires_at == estate.now + timedelta(days=90)
        assert find_code(connection, code, found.expires_at - timedelta(seconds=1)) is not None
        assert find_code(connection, code, found.expires_at) is None
        assert look_up(connection, code) is not None
        assert find_code(connection, "nonsense", estate.now) is None
        assert find_code(connection, "CCCCCC" if code != "CCCCCC" else "DDDDDD", estate.now) is None


def test_the_first_use_is_kept(estate: Estate) -> None:
    code = make(estate, "a")["a"]
    with estate.store.write() as connection:
        for hours in (1, 2):
            found = find_code(connection, code, estate.now)
            assert found is not None
            note_use(connection, found, estate.now + timedelta(hours=hours))
        used = look_up(connection, code)
    assert used is not None
    assert used.used_at == estate.now + timedelta(hours=1)


def test_a_person_can_end_it(estate: Estate) -> None:
    made = make(estate, "a", "b")
    with estate.store.write() as connection:
        assert expire_code(connection, made["a"].lower(), estate.now) is not None
        assert expire_code(connection, "zzzzzz", estate.now) is None
        assert [each.key for each in list_codes(connection, estate.now)] == ["b"]
        assert [each.key for each in list_codes(connection, estate.now, ended=True)] == ["a"]
        assert list_codes(connection, estate.now, purpose="status") == []
        later = estate.now + timedelta(days=1)
        assert find_code(connection, made["a"], later) is None
        assert find_code(connection, made["b"], later) is not None


def test_no_two_characters_of_it_look_alike() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET)
    for group in LOOK_ALIKE:
        assert len(set(group) & set(ALPHABET)) <= 1, group
    assert read_code(SAMPLE_CODE) == SAMPLE_CODE


@given(CODES, CODES)
def test_two_codes_are_never_taken_for_each_other(one: str, other: str) -> None:
    assert (read_code(one) == read_code(other)) is (one == other)


@given(CODES, st.data())
def test_it_is_read_however_it_is_typed(code: str, data: st.DataObject) -> None:
    twins = {"2": "Z", "5": "S", "6": "G", "8": "B", "V": "U", "D": "O"}
    typed = "".join(data.draw(st.sampled_from([each, each.lower(), twins.get(each, each)])) for each in code)
    wide = "".join(chr(ord(each) + 0xFEE0) for each in typed)
    for way in (typed, wide, f" {typed[:3]} {typed[3:]}\n", f"{typed[:3]}-{typed[3:]}"):
        assert read_code(way) == code


@given(st.text(max_size=12))
def test_whatever_is_typed_is_a_code_or_nothing(typed: str) -> None:
    read = read_code(typed)
    assert read is None or (len(read) == LENGTH and set(read) <= set(ALPHABET))


@pytest.mark.parametrize("typed", ["", "AAAAA", "AAAAAAA", "AAAAA!", "1AAAAA", "A" * 10_000, "七七七七七七"])
def test_what_is_no_code(typed: str) -> None:
    assert read_code(typed) is None


def test_new_codes_are_of_the_alphabet() -> None:
    drawn = {new_code() for _ in range(500)}
    assert all(read_code(code) == code for code in drawn)
    assert SAMPLE_CODE not in drawn
    assert len(drawn) == 500
