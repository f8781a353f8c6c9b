"""What an answer to an SMS means."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keguan.people.answers import meaning

OUT = (
    "退订",
    "TD",
    "T",
    "N",
    "R",
    "拒收",
    "取消",
    "unsubscribe",
    "退",
    "STOP",
    "取消订阅",
    "拒绝",
    "不要再发了",
    "退订短信",
)
IN = ("恢复订阅", "重新订阅", "START", "取消退订", "订阅")


@pytest.mark.parametrize("text", OUT)
def test_what_ends_messages(text: str) -> None:
    assert meaning(text) == "opt_out"


@pytest.mark.parametrize("text", IN)
def test_what_begins_them_again(text: str) -> None:
    assert meaning(text) == "opt_in"


@pytest.mark.parametrize(
    "text",
    [
        "td",
        "ＴＤ",
        " T D ",
        "t。",
        "【退订】",
        "“退订”",
        "退 订！！",
        "退订退订\n退订",
        "回复TD",
        "请退订",
        "退订，谢谢",
        "退订了",
        "您好，麻烦退订一下，谢谢！",
        "Unsubscribe, please",
        "un-subscribe",
        "TD 退订",
        "ｒ",
        "我要退订",
    ],
)
def test_the_same_in_other_writing(text: str) -> None:
    expected = None if text.startswith("退订退订") else "opt_out"
    assert meaning(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "。。。",
        "我要退订单",
        "不退订",
        "不要退订",
        "请勿退订",
        "怎么退订？",
        "退订怎么办",
        "我要取消预约",
        "我要取消",
        "取消明天的上门",
        "不取消",
        "拒收快递",
        "N栋",
        "T恤",
        "3-1-1201",
        "R2户型",
        "return",
        "not now",
        "好的",
        "收到，谢谢",
        "谢谢",
        "退订 恢复订阅",
        "TD 明天来",
        "不收到退订短信了",
        "是",
        "1",
    ],
)
def test_what_a_person_has_to_read(text: str) -> None:
    assert meaning(text) is None


# --- Laws --------------------------------------------------------------------------------------------------------

around = st.text(st.sampled_from(" 　\t\n。，,.!！？【】[]（）()“”\"'~…-_"), max_size=6)
letters = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5)


def wide(text: str) -> str:
    """Return the text in full-width letters."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


@given(st.sampled_from(OUT + IN), around, around, st.sampled_from([str.upper, str.lower, str.title, wide]))
def test_width_case_and_punctuation_change_nothing(word: str, before: str, after: str, written: object) -> None:
    assert callable(written)
    assert meaning(before + written(word) + after) == meaning(word)


@given(st.sampled_from(OUT), st.sampled_from(IN), around)
def test_opposite_words_mean_nothing_together(out: str, into: str, between: str) -> None:
    assume(meaning(out + into) is None)  # 取消 and 订阅 make a word of their own
    assert meaning(f"{out} {between}{into}") is None


@given(
    st.sampled_from(["退订", "拒收", "取消订阅", "TD", "T", "R"]),
    st.sampled_from(["单", "吗", "不", "怎么", "没有", "快递", "楼", "号"]),
)
def test_a_word_inside_a_longer_one_means_nothing(word: str, more: str) -> None:
    assert meaning(word + more) is None
    assert meaning(more + word) is None


@given(st.text(max_size=200))
def test_any_text_has_a_meaning_or_none(text: str) -> None:
    assert meaning(text) in ("opt_out", "opt_in", None)


@given(letters, st.sampled_from(OUT))
def test_whatever_else_is_said_beside_it_needs_a_person(other: str, word: str) -> None:
    assume(meaning(other) is None)
    assume(meaning(f"请{other}") is None)
    polite = meaning(f"{word} {other}") == "opt_out"
    assert not polite or meaning(f"退订 {other}") == "opt_out"  # only politeness is overlooked, whatever the word
