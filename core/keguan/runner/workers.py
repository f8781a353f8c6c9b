"""The daemon's threads: one plans and runs what is due, one per adapter delivers. A bad day makes them wait."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import structlog

from keguan.errors import KeguanError
from keguan.outbox.delivery import Delivery
from keguan.runner.engine import Engine
from keguan.store.engine import refusal

__all__ = ["Courier", "Pauses", "Planner", "Worker"]

_LONGEST_PAUSE = 30.0


class Pauses:
    """How long to wait after one failure more: a quarter of a second, doubled each time, at most half a minute."""

    def __init__(self) -> None:
        self._next = 0.25

    def after_failure(self) -> float:
        """Return the seconds to wait now."""
        pause, self._next = self._next, min(self._next * 2, _LONGEST_PAUSE)
        return pause

    def reset(self) -> None:
        """Forget the failures: something went well."""
        self._next = 0.25


class Worker(ABC):
    """A thread that works in passes until it is told to stop, and rests when there is nothing to do.

    A pass that fails (database locked or full, server away) is told in one line, what it had claimed is taken
    back, and it is tried again after a growing pause. Only what no pass may raise ends the thread; the daemon
    then ends too, because half a daemon looks healthy and is not.
    """

    def __init__(self, name: str, stop: threading.Event, every: float) -> None:
        self.name = name
        self.died_of: BaseException | None = None
        self._stop = stop
        self._every = every
        self._wake = threading.Event()
        self._log = structlog.get_logger("keguan.runner").bind(thread=name)
        # A daemon thread: one that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)

    @abstractmethod
    def work(self) -> bool:
        """Do one pass; return whether another one should follow at once."""

    def rest(self) -> float:
        """Return the seconds to rest when there is nothing to do."""
        return self._every

    @abstractmethod
    def take_back(self) -> None:
        """Give up what a failed pass may have left claimed by this thread."""

    @abstractmethod
    def close(self) -> None:
        """Do what is left to do when the thread ends."""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """End the rest: there may be something to do. Also called to make a stop take effect at once."""
        self._wake.set()

    def join(self, seconds: float) -> bool:
        """Wait for the thread's end; return whether it has ended."""
        self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _main(self) -> None:
        try:
            self._passes()
        except BaseException as error:  # noqa: BLE001 - told by the main thread, which ends the process
            self.died_of = error
        finally:
            self.close()

    def _passes(self) -> None:
        pauses = Pauses()
        failed = False
        while not self._stop.is_set():
            try:
                if failed:
                    self.take_back()
                    failed = False
                busy = self.work()
            except Exception as error:  # noqa: BLE001 - a bad day, or a defect: both must not end the daemon
                failed = True
                pause = pauses.after_failure()
                self._tell(error, pause)
                self._stop.wait(pause)
                continue
            pauses.reset()
            if not busy:
                self._wake.wait(self.rest())
                self._wake.clear()
        if failed:
            self._last_try()

    def _last_try(self) -> None:
        try:
            self.take_back()
        except Exception as error:  # noqa: BLE001 - the next daemon takes it back
            self._tell(error, 0)

    def _tell(self, error: Exception, pause: float) -> None:
        # Of what a driver says only the first line: below it stands the row that it refused.
        what = str(error) if isinstance(error, KeguanError) else f"{type(error).__name__}: {refusal(error)}"
        self._log.error("pass failed", error=" ".join(what.split()), again_in=pause)
        self._log.debug("traceback", exc_info=error)


class Planner(Worker):
    """Plans, runs what is due, and does the small regular chores that need the database.

    ``chores`` are done between passes when they were asked for by name; ``on_messages`` is called when new
    messages stand in the outbox.
    """

    def __init__(
        self,
        engine: Engine,
        stop: threading.Event,
        every: float,
        chores: Mapping[str, Callable[[], None]],
        on_messages: Callable[[], None],
    ) -> None:
        super().__init__("planner", stop, every)
        self._engine = engine
        self._chores = chores
        self._asked = {name: threading.Event() for name in chores}
        self._on_messages = on_messages

    def ask(self, chore: str) -> None:
        """Have ``chore`` done soon; asking twice before it was done is once."""
        self._asked[chore].set()
        self.wake()

    def work(self) -> bool:
        """Do the chores asked for, plan a batch, run a batch."""
        for name in self._chores:
            self._do(name)
        busy = False
        try:
            busy = self._engine.plan().events > 0
        finally:  # what is due does not wait for an event that cannot be planned
            if not self._stop.is_set():
                ran = self._engine.run()
                busy = busy or ran.claimed > 0
                if ran.messages:
                    self._on_messages()
        return busy

    def _do(self, chore: str) -> None:
        asked = self._asked[chore]
        if not asked.is_set():
            return
        asked.clear()  # before the work: who asks meanwhile means once more
        try:
            self._chores[chore]()
        except Exception:
            asked.set()
            raise

    def take_back(self) -> None:
        """Plan again what a failed pass had taken up."""
        self._engine.take_back()

    def close(self) -> None:
        """Leave nothing: the store is closed by whoever opened it."""


class Courier(Worker):
    """Delivers through one adapter."""

    def __init__(self, delivery: Delivery, stop: threading.Event, every: float) -> None:
        super().__init__(f"adapter {delivery.name}", stop, every)
        self._delivery = delivery
        self._clock = delivery.clock

    def work(self) -> bool:
        """Deliver all that is due."""
        self._delivery.run()
        return False

    def rest(self) -> float:
        """Rest until the adapter's rate lets the next message leave, or its pause ends."""
        now = self._clock.now()
        wakes_at = self._delivery.wakes_at(now)
        return self._every if wakes_at is None else min(self._every, (wakes_at - now).total_seconds())

    def take_back(self) -> None:
        """Queue again what a failed pass had claimed and not started."""
        self._delivery.take_back()

    def close(self) -> None:
        """End the adapter's session."""
        self._delivery.close()
