"""One key: what it seals, and the digests by which sealed values are found again."""

from __future__ import annotations

import base64
import hmac
import os
from binascii import a2b_base64, b2a_base64

__all__ = ["DIGEST_MARK", "MARK", "MARK_LENGTH", "Key", "KeyMistake", "SealBroken", "mark_of", "new_key", "parse_keys"]

MARK = "kg1:"
"""How a sealed value begins: this, the fingerprint of its key, a colon."""
DIGEST_MARK = "kgi:"
"""How a keyed digest begins: this, the fingerprint of its key, a colon."""
_KEY_BYTES = 32
_NONCE = 12
_DIGEST = 12
"""Bytes of a digest: 96 bits tell a billion values apart, and more would only make the indexes of imports larger."""
_FINGERPRINT = 8
MARK_LENGTH = len(MARK) + _FINGERPRINT + 1


class KeyMistake(ValueError):
    """A line is no key. Its number is ``args[0]``; what stands there is never repeated."""


class SealBroken(Exception):
    """A sealed value was changed, or cut off, after it had been sealed."""


def new_key() -> str:
    """Return a fresh key as text: 32 random bytes, URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode()


def parse_keys(text: str) -> list[Key]:
    """Return the keys in ``text``, newest first: one a line or parted by commas; behind a ``#`` stands a remark.

    Raises ``KeyMistake`` for a line that is none.
    """
    keys: dict[str, Key] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        for written in filter(None, map(str.strip, line.partition("#")[0].split(","))):
            try:
                secret = base64.b64decode(written.encode("ascii"), altchars=b"-_", validate=True)
            except ValueError:
                raise KeyMistake(number) from None
            if len(secret) != _KEY_BYTES:
                raise KeyMistake(number)
            key = Key(secret)
            keys.setdefault(key.fingerprint, key)
    return list(keys.values())


def mark_of(stored: str) -> str | None:
    """Return the mark of a sealed value, which names its key; ``None`` for a value in clear."""
    if not stored.startswith(MARK) or stored[MARK_LENGTH - 1 : MARK_LENGTH] != ":":
        return None
    return stored[:MARK_LENGTH]


class Key:
    """AES-256-GCM for sealing and HMAC-SHA256 for digests, each with a key of its own derived by HKDF.

    GCM takes a sixth of the time and half of the room of a Fernet token, which planning and imports feel; its
    random nonces are good for 2³² values, more than an installation ever seals with one key.
    """

    __slots__ = ("_aead", "_index_key", "_invalid", "digest_mark", "fingerprint", "mark")

    def __init__(self, secret: bytes) -> None:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - slow to import
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

        def derived(use: bytes, length: int) -> bytes:
            return HKDF(SHA256(), length, salt=None, info=b"keguan personal data 1: " + use).derive(secret)

        self.fingerprint = derived(b"fingerprint", _FINGERPRINT // 2).hex()
        """Eight characters that name the key and tell nothing of it."""
        self.mark = f"{MARK}{self.fingerprint}:"
        self.digest_mark = f"{DIGEST_MARK}{self.fingerprint}:"
        self._invalid = InvalidTag
        self._aead = AESGCM(derived(b"seal", 32))
        self._index_key = derived(b"index", 32)

    def __repr__(self) -> str:
        return f"Key({self.fingerprint})"

    def seal(self, value: str) -> str:
        """Return ``value`` sealed, each time another text."""
        nonce = os.urandom(_NONCE)
        sealed = self._aead.encrypt(nonce, value.encode("utf-8", "surrogatepass"), None)
        return self.mark + b2a_base64(nonce + sealed, newline=False).decode("ascii")

    def unseal(self, stored: str) -> str:
        """Return what :meth:`seal` was given; raises ``SealBroken``."""
        try:
            raw = a2b_base64(stored[MARK_LENGTH:])
            return self._aead.decrypt(raw[:_NONCE], raw[_NONCE:], None).decode("utf-8", "surrogatepass")
        except (self._invalid, ValueError):
            raise SealBroken from None

    def digest(self, value: str) -> str:
        """Return the digest of ``value``, always the same; without the key nobody can try values out."""
        code = hmac.digest(self._index_key, value.encode("utf-8", "surrogatepass"), "sha256")
        return self.digest_mark + b2a_base64(code[:_DIGEST], newline=False).decode("ascii")
