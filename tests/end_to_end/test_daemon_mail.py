"""Mail servers that refuse, hang and hang up, under the running daemon."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.site import Site, until
from tests.support.smtp import SmtpSink

pytestmark = pytest.mark.bad_day


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def site(tmp_path: Path, sink: SmtpSink) -> Iterator[Site]:
    with Site(tmp_path) as site:
        site.mail_through(sink.port)
        yield site


def test_refusals_are_tried_again_or_rest_as_dead_letters(site: Site, sink: SmtpSink) -> None:
    site.sign(3)
    first, second, third = site.addresses()
    sink.on("rcpt", "550 5.1.1 no such user", address=first)
    sink.on("rcpt", "451 4.7.1 come again", address=second, times=3)
    daemon = site.run()
    until(lambda: site.statuses("messages", channel="email") == {"sent": 2, "dead": 1}, "two sent, one dead")
    assert Counter(mail.recipients[0] for mail in sink.mails) == {second: 1, third: 1}
    attempts = dict(site.rows("select status, max(attempts) from messages where channel = 'email' group by status"))
    assert attempts == {"dead": 1, "sent": 4}
    assert daemon.stop() == 0


def test_a_server_that_hangs_up_after_data_leaves_a_doubt_and_the_same_message_id(site: Site, sink: SmtpSink) -> None:
    sink.on("data", drop=True, times=1)
    site.sign(1)
    daemon = site.run()
    until(lambda: site.sent() == 1, "sent in the end")
    assert site.rows("select doubts, attempts from messages where channel = 'email'") == [(1, 2)]
    assert len({mail.message_id for mail in sink.mails}) == 1
    assert len(sink.mails) == 2
    assert daemon.stop() == 0


def test_in_doubt_and_held_until_a_person_decides(site: Site, sink: SmtpSink) -> None:
    site.mail_through(sink.port, in_doubt="hold")
    sink.on("data", drop=True, times=1)
    site.sign(2)
    daemon = site.run()
    until(lambda: site.statuses("messages", channel="email") == {"in_doubt": 1, "sent": 1}, "one is held")
    assert daemon.stop() == 0
    assert len(sink.mails) == 2


def test_a_hanging_server_holds_up_neither_sms_nor_the_end(site: Site, sink: SmtpSink) -> None:
    site.config["runner"]["stop_within"] = 2.0
    site.mail_through(sink.port, timeout=19.0)
    sink.on("data", delay=60)
    site.sign(5)
    daemon = site.run()
    until(lambda: site.sent("sms") == 5, "SMS leave beside the hanging mail")
    until(lambda: sink.commands["data"] == 1, "a mail in the server's hands")
    asked = time.monotonic()
    daemon.tell(signal.SIGTERM)
    assert daemon.ended() == 0
    assert time.monotonic() - asked < 19
    # One was in hand and is in doubt at the next start; the others were given back.
    in_hand = site.rows("select started_at from messages where channel = 'email' and status = 'sending'")
    assert len(in_hand) == 1
    assert in_hand[0][0] is not None
    assert site.statuses("messages", channel="email") == {"sending": 1, "queued": 4}

    sink.stop()
    sink.behave()
    sink.start()
    again = site.run()
    until(lambda: site.sent() == 5, "all mails")
    assert Counter(row[0] for row in site.rows("select doubts from messages where channel = 'email'")) == {0: 4, 1: 1}
    assert again.stop() == 0


def test_a_server_that_is_away_for_a_while(site: Site, sink: SmtpSink) -> None:
    sink.stop()
    site.sign(3)
    daemon = site.run()
    until(lambda: site.one("select coalesce(max(attempts), 0) from messages") > 1, "several tries")
    sink.start()
    until(lambda: site.sent() == 3, "all mails")
    assert set(Counter(mail.message_id for mail in sink.mails).values()) == {1}
    assert daemon.stop() == 0
