"""A client has a limited time to say what it wants: whoever sends a byte now and then holds no place for ever."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Patient"]

_PATIENCE = 20.0
"""Seconds for a whole request, from the connection or from the answer before; a proxy needs a fraction of one."""
_ARRIVING = (h11.IDLE, h11.SEND_BODY)


class Patient(H11Protocol):
    """HTTP/1.1 by h11, which limits the size of heads; its other parser, httptools, does not."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the base has it
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read on, and wait no longer once the request is there."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._rest()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state not in _ARRIVING or self.transport.is_closing():
            self._rest()
        elif self._timer is None:
            self._timer = self.loop.call_later(_PATIENCE, self.transport.close)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
