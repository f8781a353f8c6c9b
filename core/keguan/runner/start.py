"""Starts the daemon: takes the lock, notes earlier hangs, loads the plugins under the watchdog, and runs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

import structlog

from keguan.building import build_engine, build_installation
from keguan.clock import Clock
from keguan.errors import DatabaseError, KeguanError
from keguan.plugins import Watchdog
from keguan.runner.daemon import Daemon, Ending
from keguan.runner.hangs import note_hangs
from keguan.runner.lock import DaemonLock, note_start, note_stop
from keguan.runner.memory import share_arenas
from keguan.runner.reload import ConfigWatch
from keguan.runner.scopes import apply_scopes
from keguan.runner.signals import Signals
from keguan.runner.workers import Pauses
from keguan.settings import Settings
from keguan.store.engine import Store
from keguan.web.start import open_web

__all__ = ["Ended", "run_daemon"]

T = TypeVar("T")
_PATIENCE = 60.0
"""Seconds for which a start waits for a database that is locked or full: a restart in place must survive that."""
_PASSING = ("store.locked", "store.full", "store.io", "store.unreachable")


@dataclass(frozen=True, slots=True)
class Ended:
    """How the daemon ended, and whether threads were left behind that must not be waited for."""

    ending: Ending
    hanging: bool


def run_daemon(settings: Settings, store: Store, clock: Clock, watch: ConfigWatch, signals: Signals) -> Ended:
    """Be the daemon of ``store`` until told to stop or to reload.

    Call it in the main thread. ``watch`` must have been made when ``settings`` were read; ``signals`` are noted
    already, so that a stop that comes while it starts is obeyed. Raises ``DatabaseError`` when another daemon runs,
    and what keeps this one from starting or going on.
    """
    share_arenas()
    lock = DaemonLock(store)
    lock.acquire()
    try:
        with contextlib.ExitStack() as until_end:
            patiently = _Patience(signals)
            patiently(lambda: _note(store, clock, note_start))
            try:
                daemon = _build(settings, store, clock, watch, lock, until_end, patiently)
            except KeguanError:
                _note(store, clock, note_stop)
                raise
            except _ToldToStop:
                with contextlib.suppress(DatabaseError):
                    _note(store, clock, note_stop)
                raise
            ending = daemon.run(signals)
            return Ended(ending, bool(daemon.hanging))
    except _ToldToStop:
        return Ended(Ending.STOPPED, hanging=False)
    finally:
        lock.release()


def _build(
    settings: Settings,
    store: Store,
    clock: Clock,
    watch: ConfigWatch,
    lock: DaemonLock,
    until_end: contextlib.ExitStack,
    patiently: _Patience,
) -> Daemon:
    folder = settings.path("var/watchdog")
    patiently(lambda: note_hangs(store, folder, clock.now()))
    watchdog = until_end.enter_context(Watchdog(folder, settings.runner.hook_timeout))
    installation = patiently(lambda: build_installation(settings, store, clock, watchdog=watchdog))
    for error in installation.templates.check_all():
        raise error
    patiently(lambda: apply_scopes(installation))
    stop = threading.Event()
    engine = build_engine(installation, stop=stop)
    daemon = Daemon(engine, lock, stop, watch)
    web = open_web(installation, engine.deliveries)
    if web is not None:
        until_end.callback(web.close)
        web.start()
        structlog.get_logger("keguan.web").info("listening", port=web.port)
    installation.settle()
    return daemon


def _note(store: Store, clock: Clock, note: Callable[..., None]) -> None:
    with store.write() as connection:
        note(connection, clock.now())


class _ToldToStop(Exception):
    """A signal came while the start waited for the database."""


class _Patience:
    """Waits and tries again while the database has a bad day, but not for one who is told to stop."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    def __call__(self, action: Callable[[], T]) -> T:
        """Return what ``action`` returns; raises ``_ToldToStop``, or what it raised when waiting is of no use."""
        pauses = Pauses()
        ends = monotonic() + _PATIENCE
        while True:
            try:
                return action()
            except DatabaseError as error:
                if error.key not in _PASSING or monotonic() >= ends:
                    raise
                pause = pauses.after_failure()
                structlog.get_logger("keguan.runner").error("start waits", error=str(error), again_in=pause)
                self._signals.wait(pause)
                if self._signals.told_to_stop():
                    raise _ToldToStop from error
