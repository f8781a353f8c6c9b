"""The daemon's ordinary life: it works, stops when asked to, and is alone."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.databases import PostgresServer
from tests.support.site import Site, until


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as site:
        yield site


def test_what_comes_in_is_planned_run_and_delivered(site: Site) -> None:
    daemon = site.run()
    site.sign(3)
    until(lambda: site.sent("email") == 3 and site.sent("sms") == 3, "all messages sent")
    assert sorted(site.delivered) == sorted(row[0] for row in site.rows("select key from messages"))
    lines = {entry["key"]: entry for entry in daemon.entries("message")}
    assert lines["probe.letter/contract/1/1"]["plugin"] == "probe"
    assert lines["probe.letter/contract/1/1"]["status"] == "sent"
    assert daemon.stop() == 0


@pytest.mark.postgres
def test_it_works_on_postgresql_too(postgres: PostgresServer, tmp_path: Path) -> None:
    with postgres.fresh(migrated=False) as url, Site(tmp_path, database=url) as site:
        daemon = site.run()
        refused = site.keguan("--lang", "en", "run", status=1)
        assert f"pid {daemon.pid}" in refused.stderr
        site.sign(3)
        until(lambda: site.sent("email") == 3 and site.sent("sms") == 3, "all messages sent")
        assert daemon.stop() == 0


def test_it_says_who_it_is_and_when_it_stopped(site: Site) -> None:
    daemon = site.run()
    host, pid, stopped = site.rows("select host, pid, stopped_at from daemons")[0]
    assert (host, pid, stopped) == (socket.gethostname(), daemon.pid, None)
    assert daemon.stop() == 0
    assert site.one("select stopped_at from daemons") is not None
    assert site.rows("select 1 from messages where status = 'sending'") == []


@pytest.mark.bad_day
def test_a_second_daemon_says_who_holds_the_database(site: Site) -> None:
    first = site.run()
    second = site.keguan("--lang", "en", "run", status=1)
    lines = [line for line in second.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert f"pid {first.pid}" in lines[0]
    assert socket.gethostname() in lines[0]
    assert first.running
    first.kill()  # however it ends, the next one may start
    assert site.run().stop() == 0


def test_a_rehearsing_daemon_is_refused(site: Site) -> None:
    refused = site.keguan("--lang", "en", "--at", "2026-03-02T09:00+08:00", "run", status=2)
    assert refused.stderr.startswith("error: ")
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.bad_day
def test_dispatch_by_hand_beside_a_running_daemon_sends_nothing_twice(site: Site) -> None:
    daemon = site.run()
    site.sign(150)
    site.keguan("dispatch")
    until(lambda: site.sent("sms") + site.sent("email") == 300, "all messages sent")
    assert len(site.delivered) == len(set(site.delivered)) == 300
    assert daemon.stop() == 0


def test_ctrl_c_stops_it_like_a_request(site: Site) -> None:
    daemon = site.run()
    daemon.tell(signal.SIGINT)
    assert daemon.ended() == 0
    assert site.one("select stopped_at from daemons") is not None
