"""Notices a changed configuration, and has it checked by a child process before the daemon restarts with it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic

from keguan.settings import Settings
from keguan.texts import Language, text

__all__ = ["Check", "ConfigWatch", "watched_files"]

_Signature = tuple[tuple[str, int, int, int], ...]
_LINES = 20


def watched_files(settings: Settings) -> Iterator[Path]:
    """Yield every file that a reload would read: the configuration, the secrets, the company's own templates."""
    if settings.config_file is not None:
        yield settings.config_file
    secrets = settings.path("secrets")
    if secrets.is_dir():
        yield from sorted(secrets.iterdir())
    templates = settings.path("config/templates")
    if templates.is_dir():
        yield from sorted(templates.rglob("*.j2"))


class ConfigWatch:
    """Looks at the files of the configuration; content counts, not a mere touch.

    ``changed`` is cheap: it reads a file only when its time, size or place on the disk is another one.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._signature = self._sign()
        self._seen = self._at_work = self._read()

    def changed(self) -> bool:
        """Return whether the content is another one than at the last call; a change back counts too."""
        signature = self._sign()
        if signature == self._signature:
            return False
        content = self._read()
        if content == self._seen:
            self._signature = signature
            return False
        if self._sign() != signature:  # still being written: the next look decides
            return False
        self._signature, self._seen = signature, content
        return True

    @property
    def as_at_start(self) -> bool:
        """Whether what was last seen is what the daemon works with."""
        return self._seen == self._at_work

    def _sign(self) -> _Signature:
        found = []
        for file in watched_files(self._settings):
            try:
                status = file.stat()
            except OSError:
                found.append((str(file), -1, -1, -1))
            else:
                found.append((str(file), status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(found)

    def _read(self) -> str:
        digest = hashlib.sha256()
        for file in watched_files(self._settings):
            digest.update(str(file).encode() + b"\0")
            try:
                digest.update(hashlib.sha256(file.read_bytes()).digest())
            except OSError as error:
                digest.update(type(error).__name__.encode())
        return digest.hexdigest()


class Check:
    """A child process that loads the changed configuration with all its plugins, so that nothing here can break.

    It has ``limit`` seconds. Never blocks: ask ``done`` from time to time.
    """

    def __init__(self, config: Path, language: Language, limit: float) -> None:
        self._limit = limit
        self._language = language
        self._ends = monotonic() + limit
        self._output = TemporaryFile()  # noqa: SIM115 - closed in `problems`
        self._child = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "keguan.runner.validate", str(config), language],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._output,
        )

    @property
    def done(self) -> bool:
        """Whether the answer is there; a child that takes too long is ended."""
        if self._child.poll() is not None:
            return True
        if monotonic() < self._ends:
            return False
        self._child.kill()
        self._child.wait()
        return True

    def problems(self) -> list[str]:
        """Return what is wrong, one line each; empty when the configuration is good. Call once, when ``done``."""
        self._output.seek(0)
        said = self._output.read().decode(errors="replace").splitlines()
        self._output.close()
        status = self._child.returncode
        if status == 0:
            return []
        lines = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
        if lines:
            return lines[:_LINES]
        if monotonic() >= self._ends:
            return [text(self._language, "runner.check_slow", seconds=round(self._limit))]
        return [text(self._language, "runner.check_died", status=status)]

    def cancel(self) -> None:
        """End the child: nobody wants the answer any more."""
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        self._output.close()
