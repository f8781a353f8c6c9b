"""The routes: which address answers what. Handlers do database work and therefore run in threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from keguan.errors import DatabaseError
from keguan.web.calls import gateway_call
from keguan.web.code_page import enter, opened
from keguan.web.limits import BodyLimit
from keguan.web.operations import healthz, metrics, readyz
from keguan.web.site import Site
from keguan.web.unsubscribing import ask, unsubscribe

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["build_app"]

LARGEST_BODY = 1_000_000
"""Bytes of a gateway's call: it sends its receipts in batches of some hundred."""
LARGEST_FORM = 256_000
"""Bytes of what a customer may send: a survey with some long answers."""


def build_app(site: Site) -> Starlette:
    """Return the web application over ``site``."""
    app = Starlette(
        routes=[
            Route("/healthz", healthz, methods=["GET"]),
            Route("/readyz", readyz, methods=["GET"]),
            Route("/metrics", metrics, methods=["GET"]),
            Route("/u/{token}", ask, methods=["GET"]),
            Route("/u/{token}", unsubscribe, methods=["POST"]),
            Route("/s", enter, methods=["GET"]),
            Route("/s", opened, methods=["POST"]),
            Route("/gateways/{adapter}", gateway_call, methods=["GET", "POST"]),
            Route("/gateways/{adapter}/{path:path}", gateway_call, methods=["GET", "POST"]),
        ],
        middleware=[Middleware(BodyLimit, largest=_largest)],
        exception_handlers={DatabaseError: _later, Exception: _defect},
    )
    app.state.site = site
    return app


def _largest(path: str) -> int:
    return LARGEST_BODY if path.startswith("/gateways/") else LARGEST_FORM


def _later(_request: Request, _error: Exception) -> Response:
    """The database is away or locked: whoever called is to call again."""
    return PlainTextResponse("temporarily unavailable\n", status_code=503, headers={"Retry-After": "30"})


def _defect(_request: Request, _error: Exception) -> Response:
    """A defect of ours; what it was stands in the log, not in the answer."""
    return PlainTextResponse("internal error\n", status_code=500)
