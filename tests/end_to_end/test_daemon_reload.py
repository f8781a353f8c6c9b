"""A changed configuration takes effect by a restart in place; a wrong one is refused and the old one goes on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.plugins import PROBE, install_plugin
from tests.support.site import Site, until


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as site:
        yield site


LATER = PROBE.replace("LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)", "LONG_AGO = datetime(2190, 1, 1, tzinfo=UTC)")
"""Its promises are due long after this test."""


def test_switching_a_plugin_off_holds_its_plans_and_switching_it_on_gives_them_back(site: Site) -> None:
    install_plugin(site.plugins, "probe", LATER)
    site.sign(1)
    daemon = site.run()
    until(lambda: site.statuses("plans") == {"planned": 2}, "two plans")
    pid = daemon.pid

    site.config["plugins"]["probe"]["enabled"] = False
    site.write()
    until(lambda: site.statuses("plans") == {"held": 2}, "both held")
    with site.store.write() as connection:  # time passes, and with it the letter's window
        connection.exec_driver_sql("update plans set due_at = 1, run_at = 1, until_at = 2 where action = 'letter'")
        connection.exec_driver_sql("update events set received_at = 1")  # nothing came in since

    site.config["plugins"]["probe"]["enabled"] = True
    site.write()
    until(lambda: site.statuses("plans") == {"planned": 1, "missed": 1}, "given back, or missed")
    assert site.one("select action from plans where status = 'missed'") == "letter"
    assert site.rows("select 1 from messages") == []
    assert daemon.running
    assert site.rows("select pid, stopped_at from daemons") == [(pid, None)]  # in place, and never stopped
    assert daemon.stop() == 0


def test_hangup_reloads_at_once_even_what_is_no_configuration(site: Site) -> None:
    install_plugin(site.plugins, "probe", LATER)
    daemon = site.run()
    install_plugin(site.plugins, "probe", PROBE)
    daemon.tell(signal.SIGHUP)
    daemon.wait_for("started", times=2)
    site.sign(1)
    until(lambda: site.sent() == 1, "the plugin's new version is at work")
    assert daemon.stop() == 0


STOPPED_AT_START = (
    PROBE
    + """
import os, signal, sys
if sys.argv[-1] == "run":
    os.kill(os.getpid(), signal.SIGTERM)
"""
)


@pytest.mark.bad_day
def test_a_stop_that_comes_while_it_begins_anew_is_obeyed(site: Site) -> None:
    """What comes before that, between the old program and the new one: tests/core/runner/test_signals.py."""
    daemon = site.run()
    install_plugin(site.plugins, "probe", STOPPED_AT_START)
    daemon.tell(signal.SIGHUP)
    assert daemon.ended() == 0
    assert site.one("select stopped_at from daemons") is not None
    again = site.run(wait=False)  # and a first start is no different
    assert again.ended() == 0


@pytest.mark.bad_day
def test_a_wrong_configuration_is_refused_and_said_until_it_is_mended(site: Site) -> None:
    """Every kind of mistake: tests/core/runner/test_validate.py."""
    daemon = site.run()
    wrong = ("[[[", site.file.read_text().replace("[plugins.probe]", '[plugins.probe]\ncolour = "red"'))
    for times, (text, said) in enumerate(zip(wrong, ("keguan.toml", "colour"), strict=True), start=1):
        site.file.write_text(text)
        assert said in daemon.wait_for("reload refused", times)["error"]
    told = daemon.entries("reload refused")
    assert len(told) == 2
    until(lambda: site.one("select reload_error from daemons") == told[-1]["error"], "told by the status")
    assert daemon.running
    assert len(daemon.entries("started")) == 1
    site.sign(1)
    until(lambda: site.sent() == 1, "works on with the old configuration")

    site.write()  # taking the mistake back needs no restart
    until(lambda: site.one("select reload_error from daemons") is None, "nothing is wrong any more")
    assert len(daemon.entries("started")) == 1
    assert daemon.stop() == 0


@pytest.mark.bad_day
def test_a_plugin_that_fails_to_load_after_a_change_is_refused(site: Site) -> None:
    daemon = site.run()
    install_plugin(site.plugins, "broken", "raise RuntimeError('no licence file')")
    site.config["plugins"]["broken"] = {"enabled": True}
    site.write()
    assert "no licence file" in daemon.wait_for("reload refused")["error"]

    install_plugin(site.plugins, "broken", "import time\ntime.sleep(600)")
    site.config["runner"]["hook_timeout"] = 2  # of no effect: the running daemon's own limit counts
    del site.config["plugins"]["broken"]
    site.write()
    daemon.wait_for("started", times=2)
    site.config["plugins"]["broken"] = {"enabled": True}
    site.write()
    assert "2 s" in daemon.wait_for("reload refused", times=2)["error"]
    assert daemon.stop() == 0


def test_a_plugin_that_is_suspended_comes_back_when_it_is_enabled(site: Site) -> None:
    with site.store.write() as connection:
        connection.exec_driver_sql(
            "insert into plugins (name, hooks, requires, hangs, suspended_at, suspended_why) "
            "values ('probe', '[]', '[]', 2, 1, 'hung twice')"
        )
    site.sign(1)
    daemon = site.run()
    until(lambda: site.statuses("events", type="contract_signed") == {"delivered": 1}, "nobody wants anything")
    assert site.rows("select 1 from plans") == []
    site.keguan("plugins", "enable", "probe", "--backfill")
    daemon.wait_for("started", times=2)
    until(lambda: site.sent() == 1, "caught up")
    assert daemon.stop() == 0
