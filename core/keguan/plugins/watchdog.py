"""Ends the process when a plugin hangs, and tells the next one which plugin it was.

Code that hangs cannot be stopped from inside: a busy loop may be, a hang in C that holds the interpreter's lock
cannot. So before each call the plugin's and the hook's names are written into a small mapped file, which costs
less than a microsecond and survives the process, and a timer of ``faulthandler``, which needs no interpreter
lock, writes the traceback and ends the process.
"""

from __future__ import annotations

import contextlib
import faulthandler
import fcntl
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import TracebackType
from uuid import uuid4

from keguan.masking import mask_text

__all__ = ["Hang", "Unwatched", "Watchdog", "forget", "last_hang", "mark"]

_SIZE = 256
_IDLE = bytes(_SIZE)
_TRACE = 64_000


@dataclass(frozen=True, slots=True)
class Hang:
    """A call that an earlier process never came back from."""

    plugin: str | None
    """``None`` when the process hung outside any plugin."""
    hook: str | None
    at: datetime
    """When the process was ended, in UTC."""
    traceback: str = field(repr=False)
    file: Path = field(repr=False)


def mark(plugin: str, hook: str) -> bytes:
    """Return the record that says where the process is. Make it once for each plugin and hook."""
    return f"{plugin}\n{hook}".encode()[:_SIZE].ljust(_SIZE, b"\0")


class Unwatched:
    """No watchdog: for commands that a person can interrupt."""

    def enter(self, record: bytes) -> bytes:
        """Do nothing."""
        return record

    def leave(self, before: bytes) -> None:
        """Do nothing."""

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """Do nothing."""
        yield


class Watchdog(Unwatched):
    """Watches the calls of one thread of this process; there is one per process, as there is one timer.

    ``folder`` holds its files, ``timeout`` is in seconds. Inside ``batch`` the timer is set again only when an
    eighth of the timeout has passed, so that a call costs no system call; keep to calls of plugins there, for
    whatever else takes long in a batch counts as hanging too. Outside a batch each call sets and stops it.
    """

    def __init__(self, folder: Path, timeout: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        self._slack = timeout / 8
        self._timeout = timeout + self._slack
        self._file = folder / f"{uuid4().hex}.mark"
        with self._file.open("w+b") as file:
            file.write(_IDLE)
            file.flush()
            self._map = mmap.mmap(file.fileno(), _SIZE)
        self._trace_file = self._file.with_suffix(".trace")
        self._trace = self._trace_file.open("wb")
        fcntl.flock(self._trace, fcntl.LOCK_EX)  # held as long as the process lives
        self._current = _IDLE
        self._batches = 0
        self._again_at = 0.0

    def enter(self, record: bytes) -> bytes:
        """Note that the call ``record`` begins; return what ``leave`` must be given when it has ended."""
        if monotonic() >= self._again_at:
            self._arm()
        before = self._current
        self._current = record
        self._map[:] = record
        return before

    def leave(self, before: bytes) -> None:
        """Note that the call has ended."""
        self._current = before
        self._map[:] = before
        if not self._batches and before is _IDLE:
            self._disarm()

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """Keep the timer running over many calls."""
        self._batches += 1
        try:
            yield
        finally:
            self._batches -= 1
            if not self._batches:
                self._disarm()

    def _arm(self) -> None:
        faulthandler.dump_traceback_later(self._timeout, exit=True, file=self._trace)
        self._again_at = monotonic() + self._slack if self._batches else 0.0

    def _disarm(self) -> None:
        faulthandler.cancel_dump_traceback_later()
        self._again_at = 0.0

    def close(self) -> None:
        """Stop the timer and remove the files."""
        self._disarm()
        self._map.close()
        self._trace.close()
        self._file.unlink(missing_ok=True)
        self._trace_file.unlink(missing_ok=True)

    def __enter__(self) -> Watchdog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def last_hang(folder: Path) -> Hang | None:
    """Return the oldest hang that nobody has taken note of yet.

    ``folder`` is the watchdog's. Store the hang durably, then ``forget`` it, and ask again. A process that was
    killed from outside left no hang.
    """
    traces = [trace for trace in folder.glob("*.trace") if trace.stat().st_size and _is_left(trace)]
    for trace in sorted(traces, key=lambda each: each.stat().st_mtime_ns):
        text = trace.read_bytes()[:_TRACE].decode(errors="replace")
        at = datetime.fromtimestamp(trace.stat().st_mtime, UTC)
        file = trace.with_suffix(".mark")
        record = file.read_bytes() if file.exists() else b""
        plugin, _, hook = record.rstrip(b"\0").decode(errors="replace").partition("\n")
        return Hang(plugin or None, hook or None, at, mask_text(text), file)
    return None


def forget(hang: Hang) -> None:
    """Remove the files of ``hang``: it has been stored elsewhere."""
    hang.file.with_suffix(".trace").unlink(missing_ok=True)
    hang.file.unlink(missing_ok=True)


def _is_left(trace: Path) -> bool:
    """Return whether the process that wrote ``trace`` is gone: then nobody holds its lock."""
    with contextlib.suppress(OSError), trace.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _sweep(folder: Path) -> None:
    """Remove what processes left behind that were killed without hanging."""
    for trace in folder.glob("*.trace"):
        if not trace.stat().st_size and _is_left(trace):
            trace.with_suffix(".mark").unlink(missing_ok=True)
            trace.unlink(missing_ok=True)
