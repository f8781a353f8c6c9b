"""No request is read beyond a limit."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BodyLimit"]


class BodyLimit:
    """Ends a request whose body grows beyond a number of bytes with status 413, announced or not.

    ``largest`` says how many for a path.
    """

    def __init__(self, app: ASGIApp, largest: Callable[[str], int]) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on while it is small enough."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        largest = self._largest(scope["path"])
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > largest:
            await _refuse(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > largest:
                raise _TooLargeError
            return message

        try:
            await self._app(scope, counted, send)
        except _TooLargeError:
            await _refuse(scope, receive, send)
        except ClientDisconnect:
            pass  # it went away, or was too slow: nobody is there to be answered


class _TooLargeError(Exception):
    pass


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("too large\n", status_code=413)(scope, receive, send)
