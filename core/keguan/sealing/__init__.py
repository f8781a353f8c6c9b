"""Personal values at rest: sealed with keys that do not stand in the database, and found again by a keyed digest."""

from keguan.sealing.keys import Key, KeyMistake, new_key, parse_keys
from keguan.sealing.normal import Kind, normalised
from keguan.sealing.ring import NO_KEYS, KeyRing

__all__ = ["NO_KEYS", "Key", "KeyMistake", "KeyRing", "Kind", "new_key", "normalised", "parse_keys"]
