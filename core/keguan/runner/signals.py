"""Signals of the system as values: the main thread waits for them and for nothing else."""

from __future__ import annotations

import os
import select
import signal
from collections import deque
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["Signals"]

_STOPPING = frozenset({int(signal.SIGTERM), int(signal.SIGINT)})


class Signals:
    """Collects signals while a ``with`` statement lasts; afterwards the earlier handlers are in place again.

    A handler that sets a ``threading.Event`` can lock up when it interrupts a ``wait`` on that very event. So the
    handlers only note the number, and the system itself writes to a pipe that ``wait`` listens to.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        self._numbers = numbers
        self._came: deque[int] = deque()
        self._before: dict[signal.Signals, Any] = {}

    def wait(self, seconds: float) -> None:
        """Return when a signal has come, or after ``seconds``."""
        if select.select([self._reader], [], [], max(0.0, seconds))[0]:
            os.read(self._reader, 512)

    def take(self) -> list[int]:
        """Return the signals that came since the last call, in order."""
        came = []
        while self._came:
            came.append(self._came.popleft())
        return came

    def told_to_stop(self) -> bool:
        """Return whether a signal to stop has come that nobody took yet."""
        return not _STOPPING.isdisjoint(self._came)

    def hand_on(self) -> None:
        """Let what nobody took, and what comes from now on, wait for the program that replaces this one.

        What is blocked stays so over an ``exec``, and what came meanwhile is delivered when the next ``Signals``
        begins. Without this a stop that comes while the daemon begins anew would kill it.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers)
        for number in self.take():
            os.kill(os.getpid(), number)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._came.append(number)

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in self._numbers:
            self._before[number] = signal.signal(number, self._note)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._numbers)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._reader)
        os.close(self._writer)
