"""The catalogues: every sentence that people read, in Chinese and English, as data.

A key is ``FILE.NAME``: ``import.date_ambiguous`` stands in ``texts/zh/import.toml`` and
``texts/en/import.toml``. One file per area keeps start-up light, since only what is shown is read. Sentences
take values by name with ``str.format``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Literal

from keguan.errors import KeguanError

__all__ = ["LANGUAGES", "Language", "text"]

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@cache
def _catalogue(language: Language, area: str) -> dict[str, str]:
    """Return one area's sentences, flattened: ``{"date_ambiguous": "…", "column.due_at": "…"}``."""
    source = resources.files(__name__) / language / f"{area}.toml"
    flat: dict[str, str] = {}

    def walk(prefix: str, node: dict[str, object]) -> None:
        for name, value in node.items():
            if isinstance(value, dict):
                walk(f"{prefix}{name}.", value)
            else:
                flat[prefix + name] = str(value)

    walk("", tomllib.loads(source.read_text(encoding="utf-8")))
    return flat


def text(language: Language, key: str, /, **values: object) -> str:
    """Return the sentence ``key`` in ``language``, filled with ``values``; an error among them is said in it too.

    Raises ``KeyError`` for a key that no catalogue has: that is a defect of ours, found by
    ``tests/core/test_texts.py``, which compares the catalogues with each other and with the code.
    """
    area, _, name = key.partition(".")
    return _catalogue(language, area)[name].format(**{name: _said(language, value) for name, value in values.items()})


def _said(language: Language, value: object) -> object:
    if isinstance(value, KeguanError):
        return text(language, value.key, **value.values)
    in_ = getattr(value, "in_", None)  # words that a plugin gives in every language, such as the choices of a form
    return value if in_ is None else in_(language)
