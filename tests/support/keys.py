"""Keys for tests: the databases of the fixture ``store`` are sealed with ``ring()``."""

from __future__ import annotations

import base64

from keguan.sealing import Key, KeyRing, parse_keys

__all__ = ["key", "key_text", "ring"]


def key_text(number: int = 0) -> str:
    """Return a key as it stands in the file, always the same for a number."""
    return base64.urlsafe_b64encode(bytes([number % 256]) * 32).decode()


def key(number: int = 0) -> Key:
    """Return a key, always the same for a number."""
    return parse_keys(key_text(number))[0]


def ring(*numbers: int) -> KeyRing:
    """Return a ring of keys, newest first."""
    return KeyRing([key(number) for number in numbers or (0,)])
