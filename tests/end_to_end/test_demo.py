"""``keguan demo`` as a newcomer runs it: in any folder, without a configuration, without a network."""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest


def keguan(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ``keguan WORDS`` in ``folder`` as a process of its own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("KEGUAN_")}
    return subprocess.run(
        [sys.executable, "-m", "keguan", *words],
        cwd=folder,
        env=environment | {"TMPDIR": str(folder / "tmp")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_its_summary_agrees_with_its_database(desk: Path) -> None:
    ended = keguan(desk, "--json", "demo", "--homes", "12")
    assert (ended.returncode, ended.stderr) == (0, "")
    summary = json.loads(ended.stdout)
    with closing(sqlite3.connect(Path(summary["directory"]) / "var" / "keguan.db")) as database:
        for name, statement in (
            ("messages", "SELECT status, count(*) FROM messages GROUP BY 1"),
            ("events", "SELECT type, count(*) FROM events GROUP BY 1"),
        ):
            assert summary[name] == dict(database.execute(statement).fetchall())
    assert summary["messages"]["sent"] > 0
    assert summary["events"]["tick"] > 2 * 1000  # two cities, about three years


def test_the_commands_that_it_prints_work(desk: Path) -> None:
    ended = keguan(desk, "--lang", "zh", "demo", "--homes", "8", "--no-serve")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "总" not in ended.stderr
    commands = [line.strip() for line in ended.stdout.splitlines() if line.strip().startswith("keguan --config")]
    assert len(commands) == 4
    for command in commands:
        followed = keguan(desk / "empty", *shlex.split(command)[1:])
        assert (followed.returncode, followed.stderr) == (0, ""), command
    assert list((desk / "empty").iterdir()) == []  # it works anywhere and leaves nothing


def test_it_takes_a_folder_but_never_one_that_is_in_use(desk: Path) -> None:
    taken = desk / "taken"
    taken.mkdir()
    (taken / "letter.txt").write_text("mine")
    refused = keguan(desk, "--lang", "en", "demo", "--homes", "1", "--directory", str(taken))
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: there is something in the folder already")
    assert [file.name for file in taken.iterdir()] == ["letter.txt"]
