"""Laws of sealing: what goes in comes out, and only equal values have equal indexes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.keys import key, key_text, ring

from keguan.errors import DatabaseError
from keguan.sealing import NO_KEYS, Key, KeyMistake, KeyRing, Kind, new_key, normalised, parse_keys
from keguan.sealing.keyfile import KEYS_FILE
from keguan.sealing.opening import load_ring
from keguan.settings import parse_settings

KINDS: tuple[Kind, ...] = ("name", "phone", "email", "id_no")
any_text = st.text() | st.text(alphabet="kg01:abcdef") | st.sampled_from(["kg1:", "kg0:", "kg1:0a1b2c3d:", "kg0:kg1:x"])
CLEAR = KeyRing(encrypt=False)
TURNED_OFF = KeyRing([key()], encrypt=False)


@given(any_text)
def test_any_text_comes_back_as_it_was_given(value: str) -> None:
    for each in (ring(), CLEAR, TURNED_OFF):
        assert each.unseal(each.seal(value)) == value


@given(st.text(min_size=8))
def test_a_sealed_text_shows_nothing_and_is_another_each_time(value: str) -> None:
    sealed = ring().seal(value)
    assert value not in sealed.removeprefix(key().mark)
    assert ring().seal(value) != sealed


@given(any_text, st.permutations([0, 1, 2]))
def test_every_key_of_the_ring_opens_whatever_the_order(value: str, order: list[int]) -> None:
    sealed = [ring(number).seal(value) for number in order]
    assert [ring(2, 0, 1).unseal(each) for each in sealed] == [value] * 3


@given(st.sampled_from(KINDS), st.text(min_size=1), st.text(min_size=1))
def test_an_index_is_equal_exactly_when_the_normalised_value_is(kind: Kind, one: str, other: str) -> None:
    same = normalised(kind, one) == normalised(kind, other)
    assert (ring().index(kind, one) == ring().index(kind, other)) == same
    assert (CLEAR.index(kind, one) == CLEAR.index(kind, other)) == same


@given(st.sampled_from(KINDS), st.text())
def test_normalising_twice_is_once(kind: Kind, value: str) -> None:
    once = normalised(kind, value)
    assert normalised(kind, once) == once


def test_what_is_written_differently_is_the_same_value() -> None:
    assert normalised("name", " Li  XIAO ") == normalised("name", "ｌｉ xiao")
    assert normalised("email", "Li@Example.COM") == "li@example.com"
    assert normalised("id_no", "44030019900305123x") == "44030019900305123X"
    assert normalised("phone", "+86 138 0013 8000") == "+8613800138000"


@given(st.text(min_size=1))
def test_equal_values_of_two_kinds_or_under_two_keys_have_nothing_in_common(value: str) -> None:
    assert ring().index("phone", value) != ring().index("id_no", value)
    assert ring(0).index("phone", value) != ring(1).index("phone", value)
    assert {ring(0).index("phone", value), ring(1).index("phone", value)} < set(ring(1, 0).indexes("phone", value))


@pytest.mark.parametrize("place", [14, 30, -1])
def test_a_value_that_was_tampered_with_is_not_opened(place: int) -> None:
    sealed = ring().seal("张小满")
    other = "A" if sealed[place] != "A" else "B"
    broken = sealed[:place] + other + (sealed[place + 1 :] if place != -1 else "")
    with pytest.raises(DatabaseError) as failed:
        ring().unseal(broken)
    assert failed.value.key == "privacy.value_broken"


def test_a_value_under_a_key_that_nobody_has_names_the_key_and_nothing_else() -> None:
    with pytest.raises(DatabaseError) as failed:
        ring(1).unseal(ring(0).seal("张小满"))
    assert failed.value.key == "privacy.key_missing"
    assert key(0).fingerprint in str(failed.value)
    assert "张小满" not in str(failed.value)


def test_without_any_key_nothing_is_written_in_clear_by_accident() -> None:
    with pytest.raises(DatabaseError):
        KeyRing([]).seal("张小满")
    assert NO_KEYS.seal("张小满") == "张小满"


# --- Keys --------------------------------------------------------------------------------------------------------


def test_keys_stand_one_a_line_or_parted_by_commas_with_remarks() -> None:
    first, second, third = (new_key() for _ in range(3))
    text = f"\n{first}  # 0a1b2c3d, 2026-11-22\n# all that follows is old\n{second},{third}\n{first}\n"
    assert [each.fingerprint for each in parse_keys(text)] == [
        parse_keys(each)[0].fingerprint for each in (first, second, third)
    ]


@pytest.mark.parametrize("wrong", ["secret", key_text()[:-4], key_text() + "AAAA", "密钥"])
def test_a_line_that_is_no_key_is_named_by_its_number_only(wrong: str) -> None:
    with pytest.raises(KeyMistake) as failed:
        parse_keys(f"{key_text()}\n{wrong}\n")
    assert failed.value.args == (2,)


def test_no_key_shows_itself() -> None:
    assert repr(key()) == f"Key({key().fingerprint})"
    assert key_text() not in repr(ring())
    assert isinstance(key(), Key)


# --- The file ----------------------------------------------------------------------------------------------------


def test_a_value_under_a_key_that_has_just_come_into_the_file_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(key_text(0))
    running = KeyRing(parse_keys(key_text(0)), file=file)
    file.write_text(f"{key_text(1)}\n{key_text(0)}\n")
    assert running.unseal(ring(1).seal("张小满")) == "张小满"
    assert running.newest is not None
    assert running.newest.fingerprint == key(1).fingerprint


def test_a_file_that_is_gone_or_half_written_leaves_the_keys_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(key_text(0))
    running = KeyRing([], file=file)
    file.write_text(key_text(1)[:20])
    assert not running.refresh()
    file.unlink()
    assert not running.refresh()
    assert running.fingerprints == (key(0).fingerprint,)


def test_keys_of_the_environment_come_before_those_of_a_file_that_lacks_them(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(key_text(0))
    running = KeyRing([], file=file, given=[key(1)])
    assert running.fingerprints == (key(1).fingerprint, key(0).fingerprint)
    assert not running.is_by_file
    file.write_text(f"{key_text(2)}\n{key_text(1)}\n{key_text(0)}")
    assert running.refresh()
    assert running.fingerprints[0] == key(2).fingerprint
    assert running.is_by_file


def test_a_key_that_was_taken_out_of_the_file_seals_nothing_more(tmp_path: Path) -> None:
    file = tmp_path / KEYS_FILE
    file.parent.mkdir()
    file.write_text(key_text(0))
    settings = parse_settings("", tmp_path / "config" / "keguan.toml", {})
    running = load_ring(settings)
    file.write_text(f"{key_text(1)}\n{key_text(0)}\n")
    running.refresh()
    file.write_text(f"{key_text(1)}\n")  # as `keguan privacy rotate` says one may
    running.refresh()
    assert running.fingerprints == (key(1).fingerprint,)
    by_environment = parse_settings("", tmp_path / "config" / "keguan.toml", {"KEGUAN_PRIVACY__KEYS": key_text(2)})
    assert load_ring(by_environment).fingerprints == (key(2).fingerprint, key(1).fingerprint)
