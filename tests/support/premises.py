"""A whole installation on a virtual clock: the daemon's own code, real servers on the loopback, and a desk to ask at.

What the daemon's threads do, one thread does here, at the instants at which there is something to do; people act
between them through the command line, whose clock is the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self
from unittest import mock

import structlog
import tomlkit
from tests.support.cli import Answer, Desk
from tests.support.estate import SHANGHAI
from tests.support.web import Browser

from keguan.building import build_engine, build_installation, open_database
from keguan.clock import VirtualClock
from keguan.installation import Installation
from keguan.logs import configure_logs
from keguan.outbox.receipts import apply_waiting
from keguan.runner.engine import Engine
from keguan.runner.health import HEALTH_FILE, measure, write_health
from keguan.runner.retention import DailyPurge
from keguan.runner.scopes import apply_scopes
from keguan.settings import load_settings
from keguan.store.engine import Store
from keguan.web.server import WebServer
from keguan.web.start import open_web

__all__ = ["ClockedDesk", "Premises", "moment"]


def moment(text: str) -> datetime:
    """Return the instant that clocks in Shanghai show as ``2035-02-05 09:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class ClockedDesk(Desk):
    """A desk whose commands take the time from ``clock``; keeps what they printed."""

    def __init__(self, folder: Path, clock: VirtualClock, *, verbose: bool = False) -> None:
        super().__init__(folder)
        self.clock = clock
        self.printed: list[tuple[tuple[str, ...], str]] = []
        """The words and everything they brought, in order."""
        self._verbose = ("--verbose",) if verbose else ()

    def type_bare(self, *words: str, environment: dict[str, str] | None = None) -> Answer:
        """Type ``keguan WORDS`` at the time of the clock."""
        logs = structlog.get_config()
        with mock.patch("keguan.clock.RealClock", return_value=self.clock):
            answer = super().type_bare(*self._verbose, *words, environment=environment)
        structlog.configure(**logs)  # a command sets up its own, which a process of its own would take with it
        self.printed.append((words, answer.out + answer.err))
        return answer


class Premises:
    """One installation in a folder. ``config`` are its tables; change them and ``restart``.

    Args:
        debug: have everything told at the level ``debug``, the daemon into ``var/log/keguan.log``.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any], start: str, *, debug: bool = False) -> None:
        self.folder = folder
        self.clock = VirtualClock(moment(start))
        self.config: dict[str, Any] = dict(config)
        self.debug = debug
        self.desk = ClockedDesk(folder, self.clock, verbose=debug)
        self.store: Store
        self.installation: Installation
        self.engine: Engine
        self._web: WebServer | None = None
        self._purge: DailyPurge
        self._logs: Any
        self._is_open = False
        self.restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- Start and end --------------------------------------------------------------------------------------

    def restart(self) -> None:
        """Start as the daemon does: read the configuration, load the plugins, build the adapters, listen."""
        self.close()
        self.desk.write_config(tomlkit.dumps(self.config))
        settings = load_settings(self.desk.config, {})
        self._log()
        self.store = open_database(settings)
        self.installation = build_installation(settings, self.store, self.clock)
        apply_scopes(self.installation)
        self.engine = build_engine(self.installation)
        self._purge = DailyPurge(self.installation)
        self._web = open_web(self.installation, self.engine.deliveries)
        if self._web is not None:
            self._web.start()
        self._is_open = True

    def close(self) -> None:
        """End, and leave the database to others."""
        if self._is_open:
            self._is_open = False
            if self._web is not None:
                self._web.close()
            self.engine.close()
            self.store.close()
            self._logs._file.close()
            structlog.reset_defaults()

    def _log(self) -> None:
        """Log as the daemon does."""
        level: Literal["debug", "error"] = "debug" if self.debug else "error"
        configure_logs(level, form="json", file=self.folder / "var" / "log" / "keguan.log")
        self._logs = structlog.get_config()["logger_factory"]

    def secret(self, name: str, value: str) -> None:
        """Put a secret where the daemon finds it; before the start that needs it."""
        hide(self.folder, name, value)

    @property
    def browser(self) -> Browser:
        """What calls this installation's web server."""
        assert self._web is not None
        return Browser(self._web.port)

    # --- Time -----------------------------------------------------------------------------------------------

    def until(self, text: str) -> None:
        """Live through the time until then."""
        self.engine.fast_forward(self.clock, moment(text), self._chores)
        self._chores(self.clock.now())

    def _chores(self, now: datetime) -> bool:
        """What the daemon's planner does besides: late receipts, the day's purge, the sign of life."""
        with self.store.write() as connection:
            apply_waiting(connection, now)
        while self._purge.work():
            pass
        with self.store.read() as connection:
            health = measure(connection, now, None)
        write_health(self.folder / HEALTH_FILE, health)
        return True  # what came in late may have messages leave

    # --- What comes in --------------------------------------------------------------------------------------

    def drop(self, kind: str, name: str, content: str | bytes, *, project: str = "") -> None:
        """Put a file into the drop folder."""
        folder = self.folder / "var" / "drop" / kind / project
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    def take_in(self) -> list[dict[str, Any]]:
        """Take in what lies in the drop folder and in the mailboxes; return what came of each file."""
        found: list[dict[str, Any]] = self.desk.type("--json", "intake", "run").json
        return found

    def call(self, path: str, body: bytes, token: str) -> str:
        """Call us as a gateway does, with JSON; return the answer."""
        page = self.browser.post(f"/gateways/{path}?token={token}", body, {"Content-Type": "application/json"})
        assert page.status == 200, page.text
        return page.text

    # --- Moving house ---------------------------------------------------------------------------------------

    def moved_to(self, folder: Path, backup: Path) -> Premises:
        """Restore ``backup`` in another folder with the same configuration and keys, and start there."""
        shutil.copytree(self.folder / "config", folder / "config")
        shutil.copytree(self.folder / "secrets", folder / "secrets")
        desk = ClockedDesk(folder, self.clock)
        desk.ask("db", "restore", str(backup))
        start = self.clock.now().astimezone(SHANGHAI)
        return Premises(folder, self.config, start.replace(tzinfo=None).isoformat(" "), debug=self.debug)


def hide(folder: Path, name: str, value: str) -> None:
    """Write a secret that only its owner can read."""
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = secrets / name
    file.touch(mode=0o600)
    file.write_text(value, encoding="utf-8")
