"""Signs of life that a watchdog can read."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.cli import Desk
from tests.support.site import Site, until

from keguan.runner.health import HEALTH_FILE, Health, notify_systemd, read_health, write_health

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
AGE, LAG = timedelta(seconds=60), timedelta(minutes=15)


def test_a_daemon_is_judged_by_its_last_beat_and_by_what_waits() -> None:
    assert Health(NOW - timedelta(seconds=60), 1, 0).problem(NOW, AGE, LAG) is None
    assert Health(NOW - timedelta(seconds=61), 1, 0).problem(NOW, AGE, LAG) == "health.stale"
    assert Health(NOW, 1, 901).problem(NOW, AGE, LAG) == "health.lagging"


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    health = Health(NOW, 17, 12.5, "config: wrong")
    write_health(tmp_path / "var" / "health.json", health)
    assert read_health(tmp_path / "var" / "health.json") == health


@pytest.mark.parametrize("content", ["", "{", "[]", '{"at": "never"}', '{"at": "2026-03-02T01:00+00:00"}'])
def test_what_cannot_be_read_counts_as_not_there(tmp_path: Path, content: str) -> None:
    file = tmp_path / "health.json"
    file.write_text(content, encoding="utf-8")
    assert read_health(file) is None


def test_a_folder_that_takes_nothing_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be", encoding="utf-8")
    write_health(tmp_path / "var" / "health.json", Health(NOW, 1, 0))


def test_systemd_hears_what_it_is_told(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bus:
        bus.bind(address)
        notify_systemd("READY=1", address)
        assert bus.recv(64) == b"READY=1"
    notify_systemd("WATCHDOG=1", address)  # nobody listens any more
    notify_systemd("WATCHDOG=1", "")


def test_the_command_tells_of_a_daemon_that_was_never_there(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write_config('language = "en"\n')
    answer = desk.type("health")
    assert answer.status == 1
    assert "keguan run" in answer.out


@pytest.mark.bad_day
def test_a_living_daemon_shows_itself_and_a_dead_one_does_not(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    file = tmp_path / HEALTH_FILE
    with Site(tmp_path) as site:
        daemon = site.run()
        until(lambda: read_health(file), "the first beat")
        answer = desk.type("--json", "health")
        assert answer.status == 0, answer.out + answer.err
        assert answer.json["healthy"] is True
        assert answer.json["pid"] == daemon.pid
        daemon.kill()
    document = json.loads(file.read_text(encoding="utf-8"))
    earlier = datetime.fromisoformat(document["at"]) - timedelta(minutes=5)
    file.write_text(json.dumps({**document, "at": earlier.isoformat()}), encoding="utf-8")
    answer = desk.type("--json", "health")
    assert (answer.status, answer.json["problem"]) == (1, "stale")
