"""Names of files that others chose, made fit for any file system, database, log and terminal."""

from __future__ import annotations

import os
import unicodedata

__all__ = ["plain_name"]

_BYTES = 160
"""Of the 255 that a file system gives to a name: instants, numbers and ``.rejected.csv.part`` are put around it."""
_SUFFIX = 16


def plain_name(name: str) -> str:
    """Return ``name`` readable, on one line, and short enough; its suffix stays.

    Bytes that are no UTF-8 are read as GB18030, as older Windows writes names. Control characters, and those that
    turn the direction of writing to disguise a suffix, become ``_``.
    """
    readable = "".join("_" if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp") else each for each in _read(name))
    stem, dot, suffix = readable.rpartition(".")
    if not dot or len(suffix.encode()) > _SUFFIX:
        stem, dot, suffix = readable, "", ""
    return _cut(stem, _BYTES - len((dot + suffix).encode())) + dot + suffix


def _read(name: str) -> str:
    raw = os.fsencode(name) if any("\ud800" <= each <= "\udfff" for each in name) else None
    if raw is None:
        return name
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace").replace("\ufffd", "_")


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode("utf-8", "ignore")
