"""Signals survive the moment in which one program replaces another in the same process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from keguan.runner.signals import Signals

FIRST = """
import os, signal, sys
from keguan.runner.signals import Signals
with Signals(signal.SIGTERM, signal.SIGHUP) as signals:
    os.kill(os.getpid(), signal.SIGHUP)  # nobody took it
    signals.hand_on()
    os.kill(os.getpid(), signal.SIGTERM)  # it comes too late for this program
    os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
"""
SECOND = """
import signal
from keguan.runner.signals import Signals
with Signals(signal.SIGTERM, signal.SIGHUP) as signals:
    signals.wait(60)
    print(signals.told_to_stop(), sorted(signals.take()), signals.told_to_stop())
"""


@pytest.mark.bad_day
def test_what_comes_between_two_programs_is_told_to_the_second() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST, SECOND], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["True", "[1,", "15]", "False"]


def test_a_reload_is_no_stop() -> None:
    with Signals(signal.SIGHUP) as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        signals.wait(60)
        assert not signals.told_to_stop()
        assert signals.take() == [signal.SIGHUP]
