"""``keguan run``: the main thread keeps time and signals, one thread plans, one per adapter delivers."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from enum import Enum
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from keguan.errors import DatabaseError, KeguanError
from keguan.outbox.receipts import apply_waiting
from keguan.plugins.recorded import suspended_names
from keguan.runner.health import HEALTH_FILE, measure, notify_systemd, write_health
from keguan.runner.heartbeat import Heartbeat
from keguan.runner.intake import Intake, open_intake
from keguan.runner.lock import DaemonLock, daemon_row, note_beat, note_reload_error, note_stop
from keguan.runner.reload import Check, ConfigWatch
from keguan.runner.retention import DailyPurge
from keguan.runner.ticks import record_ticks
from keguan.runner.workers import Courier, Planner, Worker

if TYPE_CHECKING:
    from keguan.installation import Installation
    from keguan.runner.engine import Engine
    from keguan.runner.signals import Signals

__all__ = ["Daemon", "Ending"]

_BEAT_EVERY = 5.0
_RECOVER_EVERY = 15.0
_RETENTION_EVERY = 60.0
"""How often is asked whether a day's purge is due."""
_TICKS_EVERY = 5.0
_STAFF_EVERY = 15.0
_LONGEST_CHECK = 60.0
_FAREWELL = 0.2
"""The part of the time for stopping that is kept for writing down that the daemon has stopped."""


class Ending(Enum):
    """Why the daemon ended."""

    STOPPED = "stopped"
    RELOAD = "reload"


class Daemon:
    """Runs an engine until a signal, a changed configuration, or what must not happen ends it.

    ``stop`` is the event that the engine's deliveries listen to; ``watch`` tells when the configuration changes.
    """

    def __init__(self, engine: Engine, lock: DaemonLock, stop: threading.Event, watch: ConfigWatch) -> None:
        self._engine = engine
        self._installation: Installation = engine.installation
        self._settings = engine.installation.settings
        self._lock = lock
        self._stop = stop
        self._ending: Ending | None = None
        self._failure: KeguanError | None = None
        self._suspended: set[str] = set()
        self._watch = watch
        self._check: Check | None = None
        self._reload_error: str | None = None
        self._recheck = False
        self._log = structlog.get_logger("keguan.runner")
        every = self._settings.runner.dispatch_every
        self._couriers = [Courier(delivery, stop, every * 2) for delivery in engine.deliveries]
        for delivery in engine.deliveries:
            delivery.on_handed_on = self._wake_couriers
        self._daily_purge = DailyPurge(self._installation)
        self._planner = Planner(engine, stop, every * 2, self._chores(), self._wake_couriers)
        places = open_intake(self._installation)
        look_every = self._settings.drop.look_every
        self._intake = [Intake(places, stop, look_every, self._planner.wake)] if places else []
        self._workers: Sequence[Worker] = (self._planner, *self._couriers, *self._intake)
        self.hanging: list[str] = []
        """Threads that had not ended when ``run`` returned: the process must then end without waiting for them."""

    def run(self, signals: Signals) -> Ending:
        """Work until the end; return how it ended. Raises what made it impossible to go on.

        Call it in the main thread, with the lock held. ``signals`` notes SIGTERM, SIGINT and SIGHUP.
        """
        with self._installation.store.read() as connection:
            self._suspended = suspended_names(connection)
        heartbeat = self._heartbeat()
        for worker in self._workers:
            worker.start()
        notify_systemd("READY=1")
        self._log.info("started", adapters=[delivery.name for delivery in self._engine.deliveries])
        while self._ending is None:
            rest = heartbeat.run()
            self._look_after_workers()
            self._look_after_check()
            if self._ending is None:
                signals.wait(min(rest, 0.1) if self._check else rest)
            for number in signals.take():
                self._on_signal(number)
        self._shut_down()
        if self._failure is not None:
            raise self._failure
        return self._ending

    # --- Time and signals ----------------------------------------------------------------------------------------

    def _heartbeat(self) -> Heartbeat:
        runner = self._settings.runner
        heartbeat = Heartbeat()
        heartbeat.every(runner.dispatch_every, self._wake_all)
        heartbeat.every(min(_TICKS_EVERY, runner.dispatch_every), lambda: self._planner.ask("ticks"))
        heartbeat.every(_STAFF_EVERY, lambda: self._planner.ask("staff"))
        heartbeat.every(_BEAT_EVERY, lambda: self._planner.ask("beat"))
        heartbeat.every(_RECOVER_EVERY, lambda: self._planner.ask("recover"))
        heartbeat.every(_RECOVER_EVERY, lambda: self._planner.ask("receipts"))
        heartbeat.every(_RETENTION_EVERY, lambda: self._planner.ask("retention"))
        heartbeat.every(runner.reload_every, self._look_at_configuration)
        for chore in ("beat", "recover", "ticks", "staff"):
            self._planner.ask(chore)
        return heartbeat

    def _wake_all(self) -> None:
        self._planner.wake()
        self._wake_couriers()

    def _wake_couriers(self) -> None:
        for courier in self._couriers:
            courier.wake()

    def _on_signal(self, number: int) -> None:
        name = signal.Signals(number).name
        if number == signal.SIGHUP:
            self._log.info("asked to reload", signal=name)
            self._watch.changed()
            self._start_check()
        elif self._ending is not Ending.STOPPED:
            self._log.info("asked to stop", signal=name)
            self._ending = Ending.STOPPED

    def _look_after_workers(self) -> None:
        """End the daemon when one of its threads has ended: half a daemon looks healthy and is not."""
        for worker in self._workers:
            if not worker.alive and self._ending is None:
                problem = worker.died_of
                line = f"{type(problem).__name__}: {problem}" if problem else "?"
                if isinstance(problem, _LockLost):
                    self._failure = problem.error
                else:
                    self._failure = KeguanError("runner.thread_died", thread=worker.name, problem=line)
                self._ending = Ending.STOPPED

    # --- Chores of the planner's thread --------------------------------------------------------------------------

    def _chores(self) -> dict[str, Callable[[], None]]:
        return {
            "beat": self._beat,
            "recover": self._engine.recover,
            "ticks": self._ticks,
            "receipts": self._receipts,
            "staff": self._staff,
            "reload error": self._note_reload_error,
            "retention": self._retention,
        }

    def _beat(self) -> None:
        """Show that the planner lives; make sure that this is still the daemon, with the plugins it may have."""
        notify_systemd("WATCHDOG=1")  # first: a database that is away is no reason to be started anew
        if not self._lock.keep():
            with self._installation.store.read() as connection:
                row = daemon_row(connection)
            host, pid = (row.host, row.pid) if row else ("–", "–")
            raise _LockLost(DatabaseError("runner.lock_lost", host=host, pid=pid))
        with self._installation.store.write() as connection:
            note_beat(connection, self._installation.clock.now())
            suspended = suspended_names(connection)
            health = measure(connection, self._installation.clock.now(), self._reload_error)
        write_health(self._settings.path(str(HEALTH_FILE)), health)
        if suspended != self._suspended:
            self._suspended = suspended
            self._recheck = True

    def _ticks(self) -> None:
        ticks = record_ticks(self._installation)
        if ticks:
            self._log.info("ticks", days=[f"{city} {day}" for city, day in ticks])

    def _staff(self) -> None:
        if self._engine.staff():
            self._wake_couriers()
            self._planner.ask("staff")

    def _retention(self) -> None:
        if self._daily_purge.work():
            self._planner.ask("retention")  # after the other chores, and a batch of planning

    def _receipts(self) -> None:
        """Apply receipts that were faster than our own record of the sending."""
        with self._installation.store.write() as connection:
            apply_waiting(connection, self._installation.clock.now())

    def _note_reload_error(self) -> None:
        with self._installation.store.write() as connection:
            note_reload_error(connection, self._reload_error)

    # --- Reload --------------------------------------------------------------------------------------------------

    def _look_at_configuration(self) -> None:
        if self._watch.changed():
            self._log.info("configuration changed")
            if self._watch.as_at_start:
                self._refused([])  # a mistake was taken back: there is nothing to reload and nothing wrong
            else:
                self._start_check()
        elif self._recheck:
            self._log.info("suspensions changed")
            self._start_check()
        self._recheck = False

    def _start_check(self) -> None:
        if self._check is not None:
            self._check.cancel()
        config = self._settings.config_file
        assert config is not None  # the command line always reads a file
        limit = min(self._settings.runner.hook_timeout, _LONGEST_CHECK)
        self._check = Check(config, self._settings.language, limit)

    def _look_after_check(self) -> None:
        if self._check is None or not self._check.done:
            return
        problems = self._check.problems()
        self._check = None
        if problems:
            self._refused(problems)
        elif self._watch.changed():  # what was found good is not what stands there now
            self._start_check()
        elif self._ending is None:
            self._log.info("reloading")
            self._ending = Ending.RELOAD

    def _refused(self, problems: Sequence[str]) -> None:
        for problem in problems:
            self._log.error("reload refused", error=problem)
        self._reload_error = " | ".join(problems) or None
        self._planner.ask("reload error")

    # --- The end -------------------------------------------------------------------------------------------------

    def _shut_down(self) -> None:
        """Stop claiming, let every thread finish what it has in hand, and go when the time is up all the same."""
        notify_systemd("STOPPING=1" if self._ending is Ending.STOPPED else "RELOADING=1")
        within = self._settings.runner.stop_within
        deadline = monotonic() + within
        self._stop.set()
        if self._check is not None:
            self._check.cancel()
        for worker in self._workers:
            worker.wake()
        hanging = [worker for worker in self._workers if not worker.join(deadline - within * _FAREWELL - monotonic())]
        self.hanging = [worker.name for worker in hanging]
        for name in self.hanging:
            self._log.warning("not waiting any longer", thread=name)
        farewell = threading.Thread(target=self._farewell, args=(hanging,), daemon=True)  # the database may be locked
        farewell.start()
        farewell.join(max(deadline - monotonic(), 0.2))
        self._log.info("stopped" if self._ending is Ending.STOPPED else "restarting", hanging=len(hanging))

    def _farewell(self, hanging: Sequence[Worker]) -> None:
        """Give back what hanging threads had claimed and not started, and write down the end."""
        try:
            for worker in hanging:
                worker.take_back()
            if self._ending is Ending.STOPPED:
                with self._installation.store.write() as connection:
                    note_stop(connection, self._installation.clock.now())
        except KeguanError as error:
            self._log.warning("end not recorded", error=str(error))


class _LockLost(BaseException):
    """Another daemon works on this database: no pause and no further try can mend that."""

    def __init__(self, error: DatabaseError) -> None:
        super().__init__(str(error))
        self.error = error
