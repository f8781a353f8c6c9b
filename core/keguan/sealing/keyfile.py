"""The file of the keys: made once, readable by its owner only, replaced in one step."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from keguan.errors import DatabaseError
from keguan.sealing.keys import Key, new_key, parse_keys
from keguan.secret_files import make_secret, replace_secret

__all__ = ["KEYS_FILE", "add_key", "make_keys"]

KEYS_FILE = Path("secrets/KEGUAN_PRIVACY__KEYS")
"""Where the keys lie; relative to the folder that holds ``config/``."""


def make_keys(file: Path, today: date) -> None:
    """Make the file with one fresh key; one that another process has made meanwhile is left as it is.

    Raises ``DatabaseError`` when it cannot be written.
    """
    try:
        make_secret(file, _line(new_key(), today))
    except OSError as error:
        raise DatabaseError("privacy.keys_unwritable", file=file, problem=error.strerror or "?") from error


def add_key(file: Path, today: date) -> Key:
    """Put a fresh key before those in the file and return it; raises ``DatabaseError`` when that fails."""
    line = _line(new_key(), today)
    try:
        replace_secret(file, line + file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatabaseError("privacy.keys_unwritable", file=file, problem=error.strerror or "?") from error
    return parse_keys(line)[0]


def _line(key: str, today: date) -> str:
    return f"{key}  # {parse_keys(key)[0].fingerprint}, {today}\n"
