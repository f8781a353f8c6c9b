"""All keys of an installation: the newest seals, each opens what it sealed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from keguan.errors import DatabaseError
from keguan.sealing.keys import MARK, MARK_LENGTH, Key, KeyMistake, SealBroken, mark_of, parse_keys
from keguan.sealing.normal import Kind, normalised

__all__ = ["NO_KEYS", "KeyRing"]

_ESCAPE = "kg0:"
"""What stands before a value in clear that happens to begin like a sealed one."""


class KeyRing:
    """Seals, opens and digests personal values for one database. Safe to share between threads.

    Args:
        keys: newest first.
        encrypt: whether new values are sealed; without it they stand in clear, and sealed ones are still opened.
        file: the file that the keys came from. It is read again when it has changed, so that a rotation reaches
            every running process with its next transaction.
        given: keys that came from the environment; the file's order counts once it holds them all.
    """

    def __init__(
        self, keys: Sequence[Key] = (), *, encrypt: bool = True, file: Path | None = None, given: Sequence[Key] = ()
    ) -> None:
        self._file = file
        self._given = tuple(given)
        self._encrypt = encrypt
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._set(keys)
        self.refresh()

    def _set(self, keys: Iterable[Key]) -> None:
        listed = tuple({key.fingerprint: key for key in keys}.values())
        self._keys = listed
        self._by_mark = {key.mark: key for key in listed}
        self._newest = listed[0] if listed and self._encrypt else None

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self.fingerprints)})"

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The names of the keys, newest first."""
        return tuple(key.fingerprint for key in self._keys)

    @property
    def encrypts(self) -> bool:
        """Whether new values are sealed."""
        return self._encrypt

    @property
    def newest(self) -> Key | None:
        """The key that seals; ``None`` when values stay in clear."""
        return self._newest

    @property
    def file(self) -> Path | None:
        """The file of the keys, which need not exist."""
        return self._file

    @property
    def is_by_file(self) -> bool:
        """Whether a key that is put first into the file becomes the newest."""
        return self._file is not None and (not self._given or not self._foreign(self._read() or ()))

    def refresh(self) -> bool:
        """Read the key file again if it has changed; return whether that was so.

        A file that is gone or unreadable at this moment leaves the keys as they are.
        """
        if self._file is None:
            return False
        try:
            state = os.stat(self._file)  # noqa: PTH116 - asked in every transaction
        except OSError:
            return False
        seen = (state.st_mtime_ns, state.st_size, state.st_ino)
        if seen == self._seen:
            return False
        with self._lock:
            listed = self._read()
            if listed is None:
                return False
            foreign = self._foreign(listed)
            self._set((*self._given, *listed) if foreign else listed)
            self._seen = seen
        return True

    def _read(self) -> list[Key] | None:
        assert self._file is not None
        try:
            return parse_keys(self._file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, KeyMistake):
            return None

    def _foreign(self, listed: Sequence[Key]) -> bool:
        known = {key.fingerprint for key in listed}
        return any(key.fingerprint not in known for key in self._given)

    # --- Values ------------------------------------------------------------------------------------------------

    def seal(self, value: str) -> str:
        """Return ``value`` as it is stored; an empty one hides nothing and stays."""
        if self._newest is not None:
            return self._newest.seal(value) if value else value
        if self._encrypt:
            raise DatabaseError("privacy.no_key")
        return _ESCAPE + value if value.startswith((MARK, _ESCAPE)) else value

    def unseal(self, stored: str) -> str:
        """Return the value in clear; what stands in clear already is given back as it is.

        A value sealed with a key that is not known has the key file read again. Raises ``DatabaseError`` when
        the key is missing all the same, or when the value was tampered with.
        """
        key = self._by_mark.get(stored[:MARK_LENGTH])
        if key is None:
            mark = mark_of(stored)
            if mark is None:
                return stored.removeprefix(_ESCAPE)
            self.refresh()
            key = self._by_mark.get(mark)
            if key is None:
                raise DatabaseError("privacy.key_missing", keys=mark[len(MARK) : -1], file=self._file or "–")
        try:
            return key.unseal(stored)
        except SealBroken:
            raise DatabaseError("privacy.value_broken", keys=key.fingerprint) from None

    # --- Digests -------------------------------------------------------------------------------------------------

    def index(self, kind: Kind, value: str | None) -> str | None:
        """Return the blind index of a value as it is stored now; ``None`` for no value."""
        if not value:
            return None
        plain = normalised(kind, value)
        if self._newest is not None:
            return self._newest.digest(f"{kind}:{plain}")
        if self._encrypt:
            raise DatabaseError("privacy.no_key")
        return plain

    def indexes(self, kind: Kind, value: str) -> list[str]:
        """Return every index under which a value may stand: one for each key, and in clear from before sealing."""
        plain = normalised(kind, value)
        return [*(key.digest(f"{kind}:{plain}") for key in self._keys), *dict.fromkeys((plain, value))]


NO_KEYS = KeyRing(encrypt=False)
"""For a database that is opened without keys: values stand in clear."""
