"""One installation in a folder of its own, with its daemon as a real process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import tomlkit
from sqlalchemy import select, text
from tests.support.facts import Facts
from tests.support.plugins import install_plugin

from keguan.building import open_database
from keguan.settings import load_settings
from keguan.store.engine import Store
from keguan.store.schema import people

__all__ = ["DaemonProcess", "Site", "until"]

PATIENCE = 60.0
"""Seconds after which a condition that should come true within a few counts as never: machines are loaded."""


def until(condition: Callable[[], object], what: str = "", seconds: float = PATIENCE) -> None:
    """Wait until ``condition`` holds; fail with ``what`` when it does not."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"waited {seconds:.0f} s in vain: {what or condition}"
        time.sleep(0.03)


class Site:
    """A configuration, a database and a plugin ``probe`` (see ``tests.support.plugins``), ready to run.

    ``config`` is the configuration as nested tables; change it and call ``write``. Everything is quick: passes
    follow each other in tenths of a second.
    """

    def __init__(self, folder: Path, *, database: str | None = None) -> None:
        self.folder = folder
        self.plugins = folder / "site-packages"
        self.file = folder / "config" / "keguan.toml"
        self.config: dict[str, Any] = {
            "language": "en",
            "company": {"name": "Cloud Estates"},
            "database": {"url": database or "sqlite:///var/keguan.db"},
            "cities": {"shenzhen": {"quiet_hours": "00:00-00:00", "tick_at": "00:00"}},
            "plugins": {"sixplustwo": {"enabled": False}, "probe": {"enabled": True}},
            "runner": {
                "dispatch_every": 0.1,
                "reload_every": 0.2,
                "stop_within": 10.0,
                "retry": {"first": 0.1, "growth": 1.0, "attempts": 100},
            },
        }
        install_plugin(self.plugins, "probe")
        self.write()
        self.store: Store = open_database(load_settings(self.file, {}))
        self.facts = Facts(self.store)
        self._started: list[DaemonProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in self._started:
            daemon.kill()
        self.store.close()

    def write(self) -> None:
        """Write the configuration file, in one step as editors do."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(".part")
        part.write_text(tomlkit.dumps(self.config), encoding="utf-8")
        part.replace(self.file)

    def mail_through(self, port: int, **settings: Any) -> None:
        """Have e-mail leave through the mail server on ``port`` of this machine."""
        self.config["adapters"] = {
            "mail": {"type": "smtp", "host": "127.0.0.1", "port": port, "security": "none", "timeout": 5.0, **settings}
        }
        self.config["channels"] = {"email": ["mail"]}
        self.write()

    # --- Processes -----------------------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """What processes of this installation find in their environment."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("KEGUAN_")}
        path = os.pathsep.join(filter(None, [str(self.plugins), plain.get("PYTHONPATH", "")]))
        return plain | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}

    def keguan(self, *words: str, status: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Call the command line; ``status`` is the exit status it must have (``None``: any)."""
        done = subprocess.run(
            [sys.executable, "-m", "keguan", "--config", str(self.file), *words],
            capture_output=True,
            text=True,
            timeout=120,
            env=self.environment,
            check=False,
        )
        assert status is None or done.returncode == status, done.stderr + done.stdout
        return done

    def run(self, *, prefix: Sequence[str] = ("-m", "keguan"), wait: bool = True) -> DaemonProcess:
        """Start a daemon and, unless told otherwise, wait until it works."""
        daemon = DaemonProcess([sys.executable, *prefix, "--config", str(self.file), "run"], self.environment)
        self._started.append(daemon)
        if wait:
            daemon.wait_for("started")
        return daemon

    def addresses(self) -> list[str]:
        """Return the e-mail addresses of all people, in the order of their numbers."""
        with self.store.read() as connection:
            return [str(one) for one in connection.execute(select(people.c.email).order_by(people.c.id)).scalars()]

    # --- What became of them -------------------------------------------------------------------------------------

    def sign(self, count: int = 1) -> list[int]:
        """Record signed contracts; see ``Facts.sign``."""
        return self.facts.sign(count)

    def rows(self, statement: str, **values: object) -> list[Any]:
        """Return the rows of an SQL query."""
        with self.store.read() as connection:
            return list(connection.execute(text(statement), values))

    def one(self, statement: str, **values: object) -> Any:
        """Return the only value of an SQL query."""
        return self.rows(statement, **values)[0][0]

    def statuses(self, table: str, **where: str) -> dict[str, int]:
        """Return how many rows of ``plans``, ``messages`` or ``events`` have each status."""
        column = "state" if table == "events" else "status"
        clause = " and ".join(f"{name} = :{name}" for name in where) or "1 = 1"
        query = f"select {column}, count(*) from {table} where {clause} group by {column}"
        return {row[0]: row[1] for row in self.rows(query, **where)}

    def sent(self, channel: str = "email") -> int:
        """Return how many messages are marked as sent."""
        return self.statuses("messages", channel=channel).get("sent", 0)

    @property
    def delivered(self) -> list[str]:
        """The keys in ``delivered.jsonl``, in order."""
        file = self.folder / "var" / "outbox" / "delivered.jsonl"
        return [json.loads(line)["key"] for line in file.read_text().splitlines()] if file.exists() else []


class DaemonProcess:
    """``keguan run`` as a process, and what it logs."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(environment),
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self._lines.append(line)

    @property
    def pid(self) -> int:
        """The number of the process; a reload keeps it."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process.poll() is None

    @property
    def output(self) -> str:
        """Everything it has said."""
        return "".join(self._lines)

    def entries(self, event: str | None = None) -> list[dict[str, Any]]:
        """Return the log's lines, or those of one event."""
        found = []
        for line in list(self._lines):
            with suppress(ValueError):
                found.append(json.loads(line))
        return [entry for entry in found if event in (None, entry.get("event"))]

    def wait_for(self, event: str, times: int = 1) -> dict[str, Any]:
        """Wait until ``event`` was logged that often; return its last line."""
        until(lambda: len(self.entries(event)) >= times or not self.running, f"{event} in {self.output}")
        assert len(self.entries(event)) >= times, f"the daemon ended: {self.output}"
        return self.entries(event)[-1]

    def tell(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def ended(self, seconds: float = PATIENCE) -> int:
        """Wait for the end; return the exit status."""
        status = self.process.wait(seconds)
        self._reader.join(seconds)
        return status

    def stop(self) -> int:
        """Ask to stop; return the exit status."""
        self.tell(signal.SIGTERM)
        return self.ended()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.process.kill()
        self.ended()
