"""Values that come from files made harmless for a text: no hidden controls, no line where none belongs."""

from __future__ import annotations

import re

__all__ = ["one_line", "plain"]

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Controls, marks that turn the reading direction, zero-width fillers, and halves of surrogate pairs.
_HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)
_TAB_OR_BREAK = re.compile("[\t\n]+")


def plain(text: str) -> str:
    """Return ``text`` with line breaks as ``\\n``, tabs as spaces and without characters nobody can see."""
    if text.isprintable():
        return text
    return _HIDDEN.sub("", _BREAKS.sub("\n", text).replace("\t", " "))


def one_line(text: str) -> str:
    """Return ``text`` on one line: what ``plain`` does, and each run of line breaks becomes one space."""
    if text.isprintable():
        return text
    return _TAB_OR_BREAK.sub(" ", plain(text)).strip()
