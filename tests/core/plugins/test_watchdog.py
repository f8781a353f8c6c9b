"""A plugin that hangs ends the process, and the next process knows which one it was. Real processes really hang."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keguan.plugins import Watchdog, forget, last_hang

PROGRAM = """
import sys, time, ctypes, re
from pathlib import Path
from keguan import hookimpl, hookspecs
from keguan.plugins import Installed, Watchdog, load_plugins
from keguan.settings import Settings

def sleep(): time.sleep(60)
def busy():
    while True: pass
def hold_the_lock(): ctypes.PyDLL(None).sleep(60)
def regex(): re.match(r"(a+)+$", "a" * 64 + "b")
def nothing(): pass

class Calm:
    @hookimpl
    def on_handover(self, home): return []

class Plugin(Calm):
    @hookimpl
    def on_handover(self, home): return [globals()[sys.argv[2]]()]

watchdog = Watchdog(Path(sys.argv[1]), 0.8)
installed = {"calm": Installed("calm", Calm), "wuhan": Installed("wuhan", Plugin)}
settings = Settings.model_validate({"plugins": {name: {"enabled": True} for name in installed}})
plugins = load_plugins(settings, installed=installed, watchdog=watchdog)

def call(name):
    plugins.call_one(name, hookspecs.on_handover, home=1, context=2)
"""


def run(folder: Path, hang: str, calls: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM + textwrap.dedent(calls)
    command = [sys.executable, "-c", program, str(folder), hang]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


IN_A_BATCH = """
with watchdog.batch():
    for _ in range(1000):
        call("calm")
    call("wuhan")
print("never")
"""
ALONE = "call('calm')\ncall('wuhan')\nprint('never')"


HANGS = [(hang, IN_A_BATCH) for hang in ("sleep", "busy", "hold_the_lock", "regex")] + [("hold_the_lock", ALONE)]


@pytest.mark.bad_day
@pytest.mark.parametrize(("hang", "calls"), HANGS)
def test_a_hang_ends_the_process_and_is_told_by_name(tmp_path: Path, hang: str, calls: str) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    ended = run(tmp_path, hang, calls)
    assert ended.returncode == 1
    assert "never" not in ended.stdout
    found = last_hang(tmp_path)
    assert found is not None
    assert (found.plugin, found.hook) == ("wuhan", "on_handover")
    assert before <= found.at <= datetime.now(UTC)
    assert f"in {hang}" in found.traceback
    with Watchdog(tmp_path, 60):
        assert last_hang(tmp_path) == found, "a new process must not lose what nobody has stored yet"
    forget(found)
    assert last_hang(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.bad_day
def test_many_short_calls_are_no_hang_and_neither_is_what_happens_outside_them(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        "nothing",
        """
        with watchdog.batch():
            end = time.monotonic() + 2
            while time.monotonic() < end:
                call("wuhan")
                time.sleep(0.01)
        time.sleep(1.5)
        call("wuhan")
        time.sleep(1.5)
        watchdog.close()
        print("done")
        """,
    )
    assert (ended.stdout, ended.returncode) == ("done\n", 0), ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.bad_day
def test_a_plugin_that_hangs_after_asking_another_is_told_and_not_the_other(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        "nothing",
        """
        class Asking:
            @hookimpl
            def on_handover(self, home):
                call("calm")
                time.sleep(60)
        plugins = load_plugins(settings, installed=installed | {"calm": Installed("calm", Calm), "wuhan":
            Installed("wuhan", Asking)}, watchdog=watchdog)
        call("wuhan")
        """,
    )
    assert ended.returncode == 1
    found = last_hang(tmp_path)
    assert found is not None
    assert found.plugin == "wuhan", "the inner call had ended, the outer one hung"


@pytest.mark.bad_day
def test_a_process_killed_from_outside_left_no_hang_and_its_files_are_swept(tmp_path: Path) -> None:
    program = PROGRAM + "print('ready', flush=True)\nwith watchdog.batch(): call('wuhan')"
    command = [sys.executable, "-c", program.replace("0.8)", "600)"), str(tmp_path), "sleep"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert last_hang(tmp_path) is None, "it is still at work"
        with Watchdog(tmp_path, 60):
            assert len(list(tmp_path.glob("*.mark"))) == 2, "the files of a living process stay"
        time.sleep(0.1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
    assert last_hang(tmp_path) is None
    with Watchdog(tmp_path, 60):
        assert len(list(tmp_path.glob("*.mark"))) == 1
