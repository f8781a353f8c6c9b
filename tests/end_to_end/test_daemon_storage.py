"""The database locked by another program, and the disk full: the daemon waits, goes on, and loses nothing."""

from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.site import Site, until

pytestmark = pytest.mark.bad_day


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as site:
        yield site


def test_another_program_that_holds_the_database_is_waited_for(site: Site) -> None:
    daemon = site.run()
    site.sign(3)
    database = site.folder / "var" / "keguan.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        # Longer than SQLite itself waits, so that passes fail and are tried again.
        error = daemon.wait_for("pass failed")["error"]
        assert "another program holds the database" in error
        assert len(error.splitlines()) == 1
        assert daemon.running
        other.execute("ROLLBACK")
    until(lambda: site.sent("email") == 3 and site.sent("sms") == 3, "all messages")
    assert len(site.delivered) == len(set(site.delivered)) == 6
    assert daemon.stop() == 0


def test_a_locked_database_does_not_delay_the_end(site: Site) -> None:
    site.config["runner"]["stop_within"] = 2.0
    site.write()
    daemon = site.run()
    with closing(sqlite3.connect(site.folder / "var" / "keguan.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        asked = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - asked < 20


FILLS_UP = """
import pathlib, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine

limit = pathlib.Path({limit!r})

@event.listens_for(Engine, "begin")
def _limit(connection):
    pages = limit.read_text() if limit.exists() else "0"
    connection.exec_driver_sql(f"PRAGMA max_page_count = {{pages if int(pages) else 4294967294}}")

from keguan.cli import main
main(sys.argv[1:])
"""
"""``keguan`` with databases that may have only so many pages: SQLite then says what it says on a full disk."""


def test_a_full_disk_is_said_and_waited_for(site: Site, tmp_path: Path) -> None:
    limit = tmp_path / "limit"
    limit.write_text(str(site.one("PRAGMA page_count")))
    daemon = site.run(prefix=("-c", FILLS_UP.format(limit=str(limit))), wait=False)
    site.sign(200)
    until(lambda: any("the disk is full" in entry["error"] for entry in daemon.entries("pass failed")), "disk full")
    assert daemon.running
    limit.write_text("0")  # somebody makes room
    until(lambda: site.sent("email") == 200 and site.sent("sms") == 200, "all messages")
    assert len(site.delivered) == len(set(site.delivered)) == 400
    assert site.statuses("events").keys() == {"delivered"}
    assert site.statuses("plans") == {"done": 400}
    assert daemon.stop() == 0


def test_a_disk_that_takes_no_further_byte_stops_mails_to_files_but_not_for_good(site: Site) -> None:
    if not hasattr(resource, "prlimit"):
        pytest.skip("needs prlimit, which only Linux has")
    daemon = site.run()
    site.sign(30)
    until(lambda: len(site.delivered) > 3, "delivery is under way")
    # Files may not grow any more: the database, its log, and the adapter's own files.
    before = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    site.sign(30)
    daemon.wait_for("pass failed")
    assert daemon.running
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, before)
    until(lambda: site.sent("email") == 60 and site.sent("sms") == 60, "all messages")
    delivered = site.delivered
    doubts = site.one("select sum(doubts) from messages")
    assert len(set(delivered)) == 120
    assert len(delivered) - 120 <= doubts
    assert daemon.stop() == 0
