"""Plugins that raise, answer nonsense and hang: the others go on, and the culprit is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.plugins import install_plugin
from tests.support.site import Site, until

pytestmark = pytest.mark.bad_day


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as site:
        yield site


RAISING = """
from datetime import UTC, datetime

from keguan.hookspecs import hookimpl
from keguan.model import Action, Plan


@hookimpl
def on_contract_signed(contract):
    if contract.id % 2:
        raise SystemExit("a plugin has no say in that")
    return [Plan(action="fails", due=datetime(2020, 1, 1, tzinfo=UTC))]


@hookimpl
def daily_tick():
    return "nonsense"


def fails(job):
    raise RuntimeError(f"no such number: +8613800138000")


@hookimpl
def register_actions():
    return [Action("fails", fails)]
"""


def test_what_a_plugin_raises_or_answers_wrongly_is_its_own_affair(site: Site) -> None:
    install_plugin(site.plugins, "raising", RAISING)
    site.config["plugins"]["raising"] = {"enabled": True}
    site.write()
    site.sign(2)
    daemon = site.run()
    until(lambda: site.sent("email") == 2 and site.sent("sms") == 2, "the other plugin's messages")
    until(lambda: len(daemon.entries("action failed")) == 1, "the failing action")

    failed = dict(
        site.rows(
            "select type, min(error) from deliveries, events where seq = event_seq and status = "
            "'failed' and plugin = 'raising' group by type"
        )
    )
    assert failed.keys() == {"contract_signed", "tick"}
    assert "on_contract_signed" in failed["contract_signed"]
    assert "daily_tick" in failed["tick"]
    assert site.statuses("deliveries", plugin="raising") == {"failed": 2, "done": 1}
    assert site.statuses("deliveries", plugin="probe") == {"done": 3}
    assert "13800138000" not in daemon.output  # nobody's number gets into a log, whoever raises it
    assert daemon.stop() == 0


def test_one_that_fails_to_load_stops_the_start_with_one_line(site: Site) -> None:
    install_plugin(site.plugins, "broken", "raise RuntimeError('no licence file')")
    site.config["plugins"]["broken"] = {"enabled": True}
    site.write()
    refused = site.keguan("--lang", "en", "run", status=2)
    lines = refused.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert "broken" in lines[0]
    assert "no licence file" in lines[0]
    site.config["plugins"]["broken"] = {"enabled": False}  # never imported: switching it off is the rescue
    site.write()
    assert site.run().stop() == 0


HANGING = """
import re
import time
from pathlib import Path

from keguan.hookspecs import hookimpl

HOW = Path(__file__).with_name("how").read_text()

if HOW == "import":
    time.sleep(600)


@hookimpl
def on_contract_signed(contract):
    if HOW == "sleep":
        time.sleep(600)
    while HOW == "busy":
        pass
    if HOW == "c":  # never lets another thread run, so nothing written in Python could end it
        re.match("(a+)+$", "a" * 64 + "b")
    return []
"""


def test_one_that_hangs_ends_the_daemon_and_is_suspended_when_it_does_so_again(site: Site) -> None:
    package = install_plugin(site.plugins, "hanging", HANGING)
    site.config["plugins"]["hanging"] = {"enabled": True}
    site.config["runner"]["hook_timeout"] = 1
    site.write()
    site.sign(1)

    for how in ("sleep", "busy"):
        package.joinpath("how").write_text(how)
        daemon = site.run(wait=False)
        assert daemon.ended() == 1
        assert site.statuses("messages") == {}
    first = daemon.wait_for("plugin hung")  # the second daemon tells of the first one's end
    assert (first["plugin"], first["hook"], first["suspended"]) == ("hanging", "on_contract_signed", False)

    package.joinpath("how").write_text("not at all")
    daemon = site.run()
    hung = daemon.wait_for("plugin hung")
    assert (hung["plugin"], hung["hook"], hung["suspended"]) == ("hanging", "on_contract_signed", True)
    assert site.rows("select hangs, suspended_at is null from plugins where name = 'hanging'") == [(2, False)]
    until(lambda: site.sent() == 1, "the other plugin's work goes on")
    assert daemon.stop() == 0

    package.joinpath("how").write_text("c")
    site.keguan("plugins", "enable", "hanging")
    site.sign(1)
    assert site.run(wait=False).ended() == 1
    package.joinpath("how").write_text("import")
    assert site.run(wait=False).ended() == 1
    again = site.run()
    assert [entry["hook"] for entry in again.entries("plugin hung")] == ["import"]
    assert site.rows("select hangs from plugins where name = 'hanging'") == [(2,)]
    until(lambda: site.sent() == 2, "the other plugin's work goes on")
    assert again.stop() == 0


ENDING = """
from keguan.adapters.base import AdapterType
from keguan.hookspecs import hookimpl
from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Adapter:
    def send(self, message, now):
        raise KeyboardInterrupt

    def check(self):
        return None

    def close(self):
        pass


@hookimpl
def register_adapters():
    return [AdapterType("ending", frozenset({"email"}), Settings, lambda *_: Adapter(), in_doubt="hold")]
"""


def test_a_thread_that_ends_ends_the_daemon_with_one_clear_line(site: Site) -> None:
    install_plugin(site.plugins, "ending", ENDING)
    site.config["plugins"]["ending"] = {"enabled": True}
    site.config["adapters"] = {"ending": {"type": "ending"}}
    site.config["channels"] = {"email": ["ending"]}
    site.write()
    site.sign(1)
    daemon = site.run(wait=False)
    assert daemon.ended() == 1
    lines = [line for line in daemon.output.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert "adapter ending" in lines[0]
    # Nobody knows what that message came to, and the next daemon says so.
    site.config["channels"] = {"email": ["file"]}
    site.write()
    assert site.statuses("messages", channel="email") == {"sending": 1}
    daemon = site.run()
    until(lambda: site.statuses("messages", channel="email") == {"in_doubt": 1}, "in doubt")
    assert daemon.stop() == 0
