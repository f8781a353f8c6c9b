"""The daemon's own address: health while it lives, opting out from a mail that really left."""

from __future__ import annotations

import re
from email import message_from_bytes
from pathlib import Path

import pytest
from tests.support.site import Site, until
from tests.support.smtp import SmtpSink
from tests.support.web import Browser


@pytest.mark.bad_day
def test_one_click_from_a_mail_that_left_ends_such_mails(tmp_path: Path) -> None:
    with SmtpSink() as sink, Site(tmp_path) as site:
        site.config["web"] = {"listen": "127.0.0.1:0", "public_url": "https://care.example.com"}
        site.mail_through(sink.port)
        daemon = site.run()
        browser = Browser(daemon.wait_for("listening")["port"])
        assert browser.get("/readyz").status == 200
        until(lambda: browser.get("/healthz").status == 200, "a healthy daemon")
        site.sign(1)
        until(lambda: site.sent() == 1, "the first mail")
        mail = message_from_bytes(sink.mails[0].content)
        token = re.search(r"/u/([\w.-]+)>", str(mail["List-Unsubscribe"]))
        assert token is not None
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert browser.post(f"/u/{token[1]}", b"List-Unsubscribe=One-Click").status == 200
        assert site.rows("select channel, message_class, granted, source from permissions") == [
            ("email", "service", False, "link")
        ]
        assert (tmp_path / "secrets" / "KEGUAN_WEB__SECRET").stat().st_mode & 0o077 == 0
        assert daemon.stop() == 0
