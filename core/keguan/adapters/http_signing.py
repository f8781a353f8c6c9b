"""Signatures of requests and of calls: a digest or an HMAC over exactly what is sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from keguan.adapters.http_template import Template, Values, as_text

if TYPE_CHECKING:
    from keguan.adapters.http_request_settings import SignSettings

__all__ = ["Signer", "digest"]


class _Scheme(Protocol):
    @property
    def scheme(self) -> str: ...
    @property
    def output(self) -> str: ...


def digest(how: _Scheme, key: bytes, data: bytes) -> str:
    """Return the signature of ``data`` as ``how`` wants it written; ``key`` counts for HMAC only."""
    name = how.scheme.removeprefix("hmac-")
    if how.scheme.startswith("hmac-"):
        raw = hmac.digest(key, data, name)
    else:
        raw = hashlib.new(name, data, usedforsecurity=False).digest()
    if how.output == "base64":
        return base64.b64encode(raw).decode()
    return raw.hex().upper() if how.output == "HEX" else raw.hex()


class Signer:
    """Fills ``{sign}`` and, for ``basic`` and ``bearer``, the header Authorization."""

    def __init__(self, settings: SignSettings, encoding: str) -> None:
        self._settings = settings
        self._encoding = encoding
        self._key = Template(settings.key)
        self._user = Template(settings.user)
        self._over = Template(settings.over)
        self.covers_body = "body" in self._over.names

    def sign(self, values: Values, parameters: Mapping[str, Any], body: Callable[[], bytes]) -> str | None:
        """Put ``{sign}`` into ``values``; return the header Authorization where the scheme is one.

        Args:
            values: of this request.
            parameters: what is sent in query and body, by name, as it is sent.
            body: makes the body, for signatures that cover all of it.
        """
        how = self._settings
        if how.scheme == "bearer":
            return f"Bearer {self._key.text(values)}"
        if how.scheme == "basic":
            pair = f"{self._user.text(values)}:{self._key.text(values)}"
            return "Basic " + base64.b64encode(pair.encode()).decode()
        if "sorted" in self._over.names:
            values.put("sorted", self._sorted(parameters))
        if self.covers_body:
            values.put("body", body().decode(self._encoding))
        key = self._key.text(values).encode() if how.scheme.startswith("hmac-") else b""
        values.put("sign", digest(how, key, self._over.text(values).encode(self._encoding)))
        return None

    def _sorted(self, parameters: Mapping[str, Any]) -> str:
        how = self._settings
        pairs = [
            (name, as_text(value))
            for name, value in sorted(parameters.items())
            if name not in how.leave_out and not (how.skip_empty and value in ("", None))
        ]
        if how.percent:
            pairs = [(self._percent(name), self._percent(value)) for name, value in pairs]
        return how.join.join(f"{name}{how.pair}{value}" for name, value in pairs)

    def _percent(self, value: str) -> str:
        return quote(value, safe="-_.~", encoding=self._encoding, errors="strict")
