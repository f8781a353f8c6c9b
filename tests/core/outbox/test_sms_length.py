"""What the operator bills for a text message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan.outbox.sms import length, segments

anything = st.text(max_size=300)


@pytest.mark.parametrize(
    ("characters", "billed"),
    [(0, 1), (1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)],
)
def test_seventy_fit_in_one_message_and_sixty_seven_in_each_part(characters: int, billed: int) -> None:
    assert segments("汉" * characters) == billed


def test_letters_count_as_much_as_chinese_characters() -> None:
    assert length("【云璟物业】Hello，3号楼\n") == 16


def test_characters_outside_the_basic_plane_count_two() -> None:
    assert length("𠮷🏠") == 4
    assert segments("🏠" * 35) == 1
    assert segments("🏠" * 36) == 2


@given(anything)
def test_length_is_what_travels_as_utf16(text: str) -> None:
    assert length(text) == len(text.encode("utf-16-le")) // 2


@given(anything, anything)
def test_more_text_never_costs_less_and_never_more_than_two_messages(first: str, second: str) -> None:
    assert max(segments(first), segments(second)) <= segments(first + second)
    assert segments(first + second) <= segments(first) + segments(second) + 1


@given(anything)
def test_the_parts_hold_the_text_and_one_part_fewer_does_not(text: str) -> None:
    parts = segments(text)
    assert length(text) <= (70 if parts == 1 else 67 * parts)
    if parts > 1:
        assert length(text) > max(70, 67 * (parts - 1))
