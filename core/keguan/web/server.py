"""The web server: a thread of the daemon's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from keguan.errors import ConfigError

if TYPE_CHECKING:
    from starlette.applications import Starlette

__all__ = ["WebServer"]


class WebServer:
    """Answers on one address until it is closed.

    The address is taken at once: raises ``ConfigError`` when another program has it. ``proxies`` are addresses and
    networks whose ``X-Forwarded-For`` is believed; anybody else's says nothing.
    """

    def __init__(self, app: Starlette, host: str, port: int, proxies: Sequence[str] = ()) -> None:
        import uvicorn  # noqa: PLC0415 - only an installation that listens needs it

        from keguan.web.patience import Patient  # noqa: PLC0415 - as above

        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, port), family=family, backlog=128)
        except OSError as error:
            problem = error.strerror or type(error).__name__
            raise ConfigError("web.port_taken", listen=f"{host}:{port}", problem=problem) from None
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # addresses of customers are nobody's business
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=3,
            timeout_keep_alive=5,
            limit_concurrency=64,
            http=Patient,
            ws="none",
            h11_max_incomplete_event_size=32_768,
            forwarded_allow_ips=list(proxies),  # else uvicorn would take them from a variable of its own
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def port(self) -> int:
        """The port that was taken."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it answers."""
        return self._thread.is_alive()

    def close(self, within: float = 4.0) -> None:
        """Finish what is being answered, at most ``within`` seconds, and give the address back."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(within)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])
