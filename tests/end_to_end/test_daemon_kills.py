"""Kill -9 at random moments: nothing is lost, and nothing leaves twice but what is marked as in doubt."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from tests.support.site import Site, until
from tests.support.smtp import SmtpSink

from keguan.adapters.mime import message_id

ROUNDS = 200 if os.environ.get("KEGUAN_LONG") else 20
CONTRACTS = 40
"""Signed in each round: twice as many messages."""
DAYS = 6
"""Of ticks that are missing in each round's new city."""


@pytest.mark.bad_day
def test_killed_at_random_moments_of_tick_planning_and_delivery(tmp_path: Path) -> None:
    luck = random.Random(20260302)
    with SmtpSink() as sink, Site(tmp_path) as site:
        site.mail_through(sink.port)
        days_ago = datetime.now(UTC).date() - timedelta(days=DAYS)
        for number in range(1, ROUNDS + 1):
            site.facts.add_project(f"city{number}", last_tick=days_ago)
            site.sign(CONTRACTS)
            left = _left(site, sink)
            daemon = site.run(wait=luck.random() < 0.5)
            if not daemon.entries("started"):  # in half of the rounds delivery is under way, in the others anything
                until(partial(_at_work, site, sink, left), "work")
            time.sleep(luck.random() * 0.3)
            daemon.kill()

        daemon = site.run()
        while _open(site):  # much may be left after many kills: what counts is that it goes on
            until(partial(_at_work, site, sink, _left(site, sink)), "what was left to do")
        until(lambda: _ticks_planned(site), "all ticks")
        assert daemon.stop() == 0

        expected = ROUNDS * CONTRACTS
        assert site.statuses("events").keys() == {"delivered"}
        assert site.statuses("messages") == {"sent": 2 * expected}
        assert site.statuses("plans").keys() == {"done"}
        _each_left_once_or_in_doubt(site, sink, expected)
        _each_day_was_ticked_once(site)


def _left(site: Site, sink: SmtpSink) -> int:
    """How many messages have left."""
    return len(sink.mails) + len(site.delivered)


def _at_work(site: Site, sink: SmtpSink, left: int) -> bool:
    return _left(site, sink) > left or not _open(site)


def _open(site: Site) -> bool:
    """Whether something is left to do."""
    return bool(
        site.statuses("events").get("new")
        or {"planned", "running"} & site.statuses("plans").keys()
        or {"queued", "sending"} & site.statuses("messages").keys()
    )


def _ticks_planned(site: Site) -> bool:
    return bool(site.one("select count(*) from events where type = 'tick' and state = 'new'") == 0)


def _each_left_once_or_in_doubt(site: Site, sink: SmtpSink, expected: int) -> None:
    files = Counter(site.delivered)
    mails = Counter(mail.message_id for mail in sink.mails)
    rows = site.rows("select key, channel, doubts from messages")
    assert len(rows) == 2 * expected
    doubted = 0
    for key, channel, doubts in rows:
        copies = files[key] if channel == "sms" else mails[message_id(key, "localhost")]
        assert 1 <= copies <= 1 + doubts, (key, copies, doubts)
        doubted += doubts > 0
    # What is known to have left is not repeated: doubt is what one message in hand per adapter and kill can come to.
    assert doubted <= 2 * ROUNDS


def _each_day_was_ticked_once(site: Site) -> None:
    """The plugin asks for one task for each tick of ``cityN``, about the project N."""
    ticks = Counter(row[0] for row in site.rows("select city from events where type = 'tick'"))
    tasks = Counter(row[0] for row in site.rows("select subject_id from tasks"))
    for number in range(1, ROUNDS + 1):
        today = site.one("select max(subject_id) from events where city = :city", city=f"city{number}")
        first = site.one("select min(subject_id) from events where city = :city", city=f"city{number}")
        assert tasks[number] == ticks[f"city{number}"] == today - first + 1
