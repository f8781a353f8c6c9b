"""``keguan run``: the daemon."""

from __future__ import annotations

import logging
import os
import signal
import sys

import click

from keguan.cli.app import App, pass_app

__all__ = ["run_command"]


@click.command("run")
@pass_app
def run_command(app: App) -> None:
    """Keep time, plan, deliver, until SIGTERM or Ctrl-C; SIGHUP reloads the configuration.

    Ends with status 0 when it was asked to, 1 when another daemon runs or it cannot go on, 2 when the
    configuration is wrong.
    """
    from keguan.errors import UsageError
    from keguan.logs import configure_logs
    from keguan.runner.daemon import Ending
    from keguan.runner.heartbeat import pin_time_zone
    from keguan.runner.reload import ConfigWatch
    from keguan.runner.signals import Signals
    from keguan.runner.start import run_daemon

    if app.rehearsing_at is not None:
        raise UsageError("runner.no_rehearsal")
    pin_time_zone()
    watch = ConfigWatch(app.settings)
    store, log = app.store, app.settings.log  # opening it sets up the logs of a command: the daemon's come after
    configure_logs(
        "debug" if app.verbose else log.level,
        form=log.format,
        file=app.settings.path(log.file) if log.file else None,
        max_mb=log.max_mb,
        keep=log.keep,
    )
    with Signals(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        ended = run_daemon(app.settings, store, app.clock, watch, signals)
        if ended.ending is Ending.RELOAD:
            signals.hand_on()
            _begin_anew()
    if ended.hanging:
        _flush()
        os._exit(0)  # without waiting for threads that hang


def _begin_anew() -> None:
    """Begin anew in this very process with the arguments it was started with; nothing is carried over."""
    from keguan.errors import KeguanError

    _flush()
    try:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ourselves
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise KeguanError("runner.restart_failed", program=sys.executable, problem=problem) from error


def _flush() -> None:
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
