"""Whole processes: the import's memory, the idle daemon's, its start, and ``--help``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from benchmarks.due import fill_with_pending
from benchmarks.world import contracts_without_events, installation_in

__all__ = ["keguan_words", "measure_daemon", "measure_help", "measure_import", "memory_mb"]

_HEADER = "合同编号,项目,城市,楼栋,单元,房号,客户姓名,手机号,签约日期,约定交付日期,总价\n"


def measure_import(folder: Path, *, rows: int) -> dict[str, float]:
    """Import ``rows`` contracts in a process of their own; return its peak memory and the time a row took."""
    installation_in(folder).close()
    file = folder / "contracts.csv"
    signed = date(2026, 3, 2)
    with file.open("w", encoding="gb18030") as handle:
        handle.write(_HEADER)
        for n in range(rows):
            day = signed - timedelta(days=n % 300)
            handle.write(
                f"HT-{n:07d},云璟{n // 2000 + 1}期,深圳,{n % 2000 // 200 + 1},1,{n % 200 + 101:04d},"
                f"张{n % 1000:03d},138{n:08d},{day},2027-06-30,2000000\n"
            )
    started = time.perf_counter()
    words = [*keguan_words(folder), "--json", "import", "contracts", str(file)]
    answer = folder / "report.json"
    with answer.open("wb") as out:
        process = subprocess.Popen(words, stdout=out)
        peak = 0.0
        # The system's own record of a child's peak starts with the memory of the parent that forked it.
        while process.poll() is None:
            peak = max(peak, _peak_mb(process.pid))
            time.sleep(0.1)
    elapsed = time.perf_counter() - started
    assert process.returncode == 0, f"the import ended with {process.returncode}"
    report = json.loads(answer.read_bytes())
    assert report["accepted"] == rows, report
    return {"import_rows": rows, "import_peak_mb": peak, "import_us_a_row": elapsed / rows * 1e6}


def measure_daemon(folder: Path, *, pending: int) -> dict[str, float]:
    """Start the daemon without and with ``pending`` plans; return its memory at rest and what the plans cost."""
    empty = installation_in(folder / "empty")
    contracts_without_events(empty, 1)
    empty.close()
    full = installation_in(folder / "full")
    contracts_without_events(full, 10_000)
    fill_with_pending(full, 10_000, pending)
    full.close()
    bare, idle = _start(folder / "empty")
    loaded, _ = _start(folder / "full")
    return {"idle_daemon_mb": idle, "start_s": bare, "start_with_pending_s": loaded, "start_growth_s": loaded - bare}


def _start(folder: Path) -> tuple[float, float]:
    """Start the daemon in ``folder`` until its first heartbeat, let it rest, and stop it."""
    started = time.perf_counter()
    daemon = subprocess.Popen([*keguan_words(folder), "run"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while not _beats(folder, daemon.pid):
            if daemon.poll() is not None:
                raise RuntimeError((daemon.stderr.read() if daemon.stderr else b"").decode()[-500:])
            time.sleep(0.02)
        elapsed = time.perf_counter() - started
        time.sleep(3)
        return elapsed, _resident_mb(daemon.pid)
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=30)


def _beats(folder: Path, pid: int) -> bool:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(folder / "var" / "keguan.db")) as database:
        row = database.execute("SELECT pid FROM daemons WHERE stopped_at IS NULL AND heartbeat_at > 0").fetchone()
    return row is not None and row[0] == pid


def _resident_mb(pid: int) -> float:
    return memory_mb(pid, "VmRSS")


def _peak_mb(pid: int) -> float:
    return memory_mb(pid, "VmHWM")


def memory_mb(pid: int, figure: str) -> float:
    """Return one figure of a living process; 0 for one that has just ended."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{figure}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def measure_help(*, rounds: int) -> dict[str, float]:
    """Return the best time of ``keguan --help`` and the plugin modules it imported (none)."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "keguan", "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - started)
    listed = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "keguan", "--help"], capture_output=True, text=True, check=True
    )
    plugins = sum("keguan_" in line for line in listed.stderr.splitlines())
    return {"help_s": min(times), "help_plugin_imports": float(plugins)}


def keguan_words(folder: Path) -> list[str]:
    """Return how the command is called for the installation in ``folder``."""
    os.environ.pop("KEGUAN_CONFIG", None)
    return [sys.executable, "-m", "keguan", "--config", str(folder / "config" / "keguan.toml")]
