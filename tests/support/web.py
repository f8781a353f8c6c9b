"""The web of an installation on a free port, and a plain browser for it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from keguan.web.app import build_app
from keguan.web.server import WebServer
from keguan.web.site import Site

__all__ = ["Browser", "Page", "served"]


@dataclass(frozen=True)
class Page:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Browser:
    """Asks one address."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str) -> Page:
        return self._ask("GET", path, None, {})

    def post(self, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Page:
        return self._ask("POST", path, body, headers or {})

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Page:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return Page(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()


@contextmanager
def served(site: Site, proxies: tuple[str, ...] = ()) -> Iterator[Browser]:
    """Serve ``site`` on a free port."""
    server = WebServer(build_app(site), "127.0.0.1", 0, proxies)
    server.start()
    try:
        yield Browser(server.port)
    finally:
        server.close()
