"""The files in deploy/ speak of what there is: commands, extras, and a service that may do little."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import click

from keguan.cli.main import cli

ROOT = Path(__file__).parents[1]
UNIT = (ROOT / "deploy" / "keguan.service").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")


def _settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.splitlines():
        name, mark, value = line.partition("=")
        if mark and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_the_service_runs_the_daemon_under_a_user_of_its_own() -> None:
    unit = _settings()
    (start,) = unit["ExecStart"]
    program, command = start.split()
    assert Path(program).name == "keguan"
    assert cli.get_command(None, command) is not None  # type: ignore[arg-type]  # it asks for no context
    assert unit["User"] == ["keguan"]
    assert unit["Restart"] == ["always"]


def test_the_service_waits_longer_than_the_daemon_takes_to_stop_and_to_beat() -> None:
    unit = _settings()
    assert int(unit["TimeoutStopSec"][0]) > 20
    assert int(unit["WatchdogSec"][0]) > 60  # a hook may take a minute, and the planner's thread is the one that beats


def test_the_service_writes_nothing_but_its_own_data() -> None:
    unit = _settings()
    assert unit["ReadWritePaths"] == ["/srv/keguan/var"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["CapabilityBoundingSet"] == [""]
    assert unit["NoNewPrivileges"] == ["true"]


def test_the_container_runs_without_root_and_asks_for_its_health() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users
    assert users[-1] not in ("root", "0")
    (check,) = re.findall(r"^HEALTHCHECK .*CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    program, command = json.loads(check)
    assert program == "keguan"
    assert cli.get_command(None, command) is not None  # type: ignore[arg-type]  # it asks for no context


def test_the_container_installs_extras_that_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = re.findall(r"^ARG EXTRAS=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])


def test_the_nightly_backup_keeps_a_row_of_copies_where_its_service_may_write() -> None:
    service = (ROOT / "deploy" / "keguan-backup.service").read_text(encoding="utf-8")
    (line,) = re.findall(r"^ExecStart=(.+)$", service, re.MULTILINE)
    _, *words = line.split()
    context = cli.make_context("keguan", words[:1], resilient_parsing=True)
    group = cli.get_command(context, words[0])
    assert isinstance(group, click.Group)
    command = group.get_command(context, words[1])
    assert command is not None
    given = command.make_context(words[1], words[2:], parent=context).params
    assert given["keep"] == 14
    (writable,) = re.findall(r"^ReadWritePaths=(.+)$", service, re.MULTILINE)
    assert {str(given["file"]), "/srv/keguan/var"} == set(writable.split())
    timer = (ROOT / "deploy" / "keguan-backup.timer").read_text(encoding="utf-8")
    assert "Persistent=true" in timer
    assert re.search(r"^OnCalendar=\S+ \d\d:\d\d$", timer, re.MULTILINE)
