"""What a customer's answer to an SMS means: no more messages, messages again, or something that a person has to read.

Only an answer that says nothing else counts. A word inside a sentence ("我要退订单", "不退订") may mean anything, and
nobody is cut off, or written to, on a guess.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

__all__ = ["Meaning", "meaning"]

Meaning = Literal["opt_out", "opt_in"]

_CLEAR: dict[Meaning, str] = {
    "opt_out": """
        退订 退定 退訂 退阅 退订短信 拒收 拒收短信 取消订阅 取消短信 取消推送 停止发送 停发 屏蔽
        不要再发 不要再发了 别再发 别再发了 别发了 不要发了 请勿打扰 勿扰 td unsubscribe unsub optout stopall
    """,
    "opt_in": """
        恢复订阅 恢复接收 恢复短信 重新订阅 订阅短信 接收短信 同意接收 取消退订 撤销退订
        subscribe resubscribe optin unstop
    """,
}
"""Words that mean it even behind a polite word."""
_ALONE: dict[Meaning, str] = {
    "opt_out": "t n r q tt nn rr 退 取消 拒绝 拒接 停止 stop quit cancel end no",
    "opt_in": "订阅 恢复 start resume",
}
"""Words that mean it when nothing else is said: with another word they may speak of an appointment or an order."""
_BEFORE = re.compile(r"^(?:您好|你好|麻烦|请你|请您|请|帮我|给我|我要|我想|回复|回)+")
_AFTER = re.compile(r"(?:谢谢|多谢|一下|了|吧|啊|哦|please|pls|thanks|thankyou)+$")
_BETWEEN = re.compile(r"[\W_]+")


def _by_word(words: dict[Meaning, str]) -> dict[str, Meaning]:
    return {word: each for each, listed in words.items() for word in listed.split()}


_BY_CLEAR_WORD = _by_word(_CLEAR)
_BY_WORD = _by_word(_ALONE) | _BY_CLEAR_WORD


def meaning(text: str) -> Meaning | None:
    """Return what an answer means; ``None`` when it says anything else besides, or nothing that is known.

    Width and case of letters, spaces, brackets and punctuation do not matter; words that mean opposite things
    mean nothing together.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words = [word for word in _BETWEEN.split(plain) if word]
    whole = "".join(words)
    known = _meaning_of(whole)
    if known is not None:
        return known
    found = {_meaning_of(word) for word in words if _bare(word)}  # what is only polite says nothing
    return found.pop() if len(found) == 1 else None


def _meaning_of(word: str) -> Meaning | None:
    return _BY_WORD.get(word) or _BY_CLEAR_WORD.get(_bare(word))


def _bare(word: str) -> str:
    return _AFTER.sub("", _BEFORE.sub("", word))
