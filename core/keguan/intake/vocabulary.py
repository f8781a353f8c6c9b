"""The words that exports use, from ``vocabulary.toml``, and how headers are compared with them."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

__all__ = ["Vocabulary", "normal_header", "normal_word", "vocabulary"]

_BLANK = re.compile(r"[\s_-]+")
_REMARK = re.compile(r"[(\[{【]([^()\[\]{}【】]*)[)\]}】]$")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Headers and values as exports write them. Words are in normal form, see :func:`normal_word`."""

    remarks: frozenset[str]
    groups: frozenset[str]
    subtotals: frozenset[str]
    notes: frozenset[str]
    pages: re.Pattern[str]
    headers: Mapping[str, tuple[str, ...]]
    """Field to header names as written, in every kind of file that has the field."""
    of_customer: Mapping[str, tuple[str, ...]]
    """The same, only in kinds of file that have the field ``customer``."""
    kinds: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Kind of file to the same, for names that mean something only there."""
    values: Mapping[str, Mapping[str, str]]
    """Field to word to what it means: ``{"fitting": {"精装": "fitted"}}``."""


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary, read once."""
    source = resources.files(__package__) / "vocabulary.toml"
    raw = tomllib.loads(source.read_text(encoding="utf-8"))
    return Vocabulary(
        remarks=frozenset(map(normal_word, raw["remarks"])),
        groups=frozenset(map(normal_word, raw["groups"])),
        subtotals=frozenset(map(normal_word, raw["subtotals"])),
        notes=frozenset(map(normal_word, raw["notes"])),
        pages=re.compile("|".join(raw["pages"])),
        headers={field: tuple(names) for field, names in raw["headers"].items()},
        of_customer={field: tuple(names) for field, names in raw["of_customer"].items()},
        kinds={kind: {field: tuple(names) for field, names in fields.items()} for kind, fields in raw["kinds"].items()},
        values={
            field: {normal_word(word): value for value, words in meanings.items() for word in words}
            for field, meanings in raw["values"].items()
        },
    )


def normal_word(text: str) -> str:
    """Return ``text`` as words are compared: half width, lower case, no blanks, no invisible characters."""
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(char for char in plain if unicodedata.category(char) not in ("Cf", "Cc") or char in "\t\r\n")
    return _BLANK.sub("", plain).casefold()


@lru_cache(maxsize=4096)
def normal_header(text: str) -> str:
    """Return ``text`` as headers are compared: ``总价（元）`` and ``* 总 价`` are both ``总价``.

    Only remarks that change nothing are taken off: ``总价(万元)`` stays what it is, because it counts in
    another unit.
    """
    word = normal_word(text).strip("*:")
    while (found := _REMARK.search(word)) and found[1].strip("*:") in vocabulary().remarks:
        word = word[: found.start()].strip("*:")
    return word
