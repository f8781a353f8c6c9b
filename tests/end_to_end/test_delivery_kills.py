"""Kill -9 while a file is imported and many messages are at a gateway: each customer gets each message once."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from tests.support.carrier import TOKEN, Carrier
from tests.support.premises import hide
from tests.support.site import DaemonProcess, Site, until
from tests.support.web import Browser

from keguan.building import build_engine, build_installation
from keguan.clock import VirtualClock
from keguan.settings import load_settings

ROUNDS = 40 if os.environ.get("KEGUAN_LONG") else 3
ROWS = 100
"""Contracts in the file of each round, and so messages."""
STOP_WITHIN = 5.0


@pytest.fixture
def carriers() -> Iterator[tuple[Carrier, Carrier]]:
    with Carrier("first") as first, Carrier("second") as second:
        yield first, second


@pytest.fixture
def site(tmp_path: Path, carriers: tuple[Carrier, Carrier], monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with Site(tmp_path) as site:
        for carrier in carriers:
            hide(tmp_path, f"KEGUAN_ADAPTERS__{carrier.name.upper()}__SECRETS__CALLBACK", TOKEN)
        site.config["adapters"] = {one.name: {**one.table(), "timeout": 2.0} for one in carriers}
        site.config["channels"] = {"sms": [one.name for one in carriers]}
        site.config["drop"] = {"folder": "var/drop", "settle": 0.1, "look_every": 0.1}
        site.config["web"] = {"listen": "127.0.0.1:0"}
        site.config["runner"]["stop_within"] = STOP_WITHIN
        site.write()
        monkeypatch.syspath_prepend(str(site.plugins))
        yield site
    sys.modules.pop("probe_plugin", None)


def put(site: Site, number: int) -> None:
    """Put the file of one round into the drop folder, in one step as the manual asks for."""
    lines = ["合同编号,项目,城市,楼栋,单元,房号,客户姓名,手机号,签约日期,状态"]
    for row in range(ROWS):
        phone = 13_800_000_000 + number * ROWS + row
        lines.append(f"R{number}-{row},云璟一期,shenzhen,{number},1,{row},王小明,{phone},2026-03-02,已签约")
    folder = site.folder / "var" / "drop" / "contracts"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"round{number}.csv.part"
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    part.rename(folder / f"round{number}.csv")


def importing(site: Site) -> bool:
    """Whether a file is in hand."""
    return any((site.folder / "var" / "drop" / ".working").rglob("*.csv"))


def at_the_file(site: Site, number: int) -> bool:
    """Whether the file of a round is in hand, or has been taken already."""
    return not (site.folder / "var" / "drop" / "contracts" / f"round{number}.csv").exists()


def delivering(carrier: Carrier, before: int) -> bool:
    """Whether messages are arriving at a gateway."""
    return len(carrier.received) > before


def no_longer_at_work(site: Site, expected: int) -> bool:
    """Whether every SMS that was promised so far has left, or is in doubt."""
    statuses = site.statuses("messages", channel="sms")
    return statuses.keys() <= {"sent", "in_doubt"} and sum(statuses.values()) == expected


def ask_about_doubts(site: Site) -> None:
    """Live through the minutes after which the daemon asks the gateways, on a clock that need not wait for them."""
    clock = VirtualClock(datetime.now(UTC) + timedelta(minutes=2))
    installation = build_installation(load_settings(site.file, {}), site.store, clock)
    engine = build_engine(installation)
    try:
        engine.fast_forward(clock, clock.now() + timedelta(minutes=10))
    finally:
        engine.close()


@pytest.mark.bad_day
def test_killed_in_an_import_and_in_a_delivery_each_message_reaches_one_gateway_once(
    site: Site, carriers: tuple[Carrier, Carrier]
) -> None:
    luck = random.Random(20260302)
    first, second = carriers
    for number in range(ROUNDS):
        first.mood = "down" if number == 1 else "fine"
        first.whims.extend(["silent", "deaf"] * 2)
        put(site, number)
        before = len(first.received)
        daemon = site.run()
        if number % 2:
            until(partial(delivering, first, before), "a delivery")
        else:
            until(partial(at_the_file, site, number), "an import")
        time.sleep(luck.random() * 0.15)
        daemon.kill()

    first.mood = "fine"
    first.whims.clear()
    daemon = site.run()
    until(lambda: no_longer_at_work(site, ROUNDS * ROWS), "all messages")
    healthy(daemon)
    stops_in_time(site, daemon)
    doubted = site.statuses("messages", channel="sms").get("in_doubt", 0)
    assert doubted, "nothing was in doubt, so the test shows nothing"
    assert set((first.copies + second.copies).values()) == {1}
    ask_about_doubts(site)

    promised = (ROUNDS + 1) * ROWS
    assert site.statuses("messages", channel="sms") == {"sent": promised}
    assert site.one("select count(*) from contracts") == promised
    assert len(list((site.folder / "var" / "drop" / "done").rglob("*-round*.csv"))) == ROUNDS + 1
    copies = first.copies + second.copies
    assert len(copies) == promised, "something was lost"
    assert {key: count for key, count in copies.items() if count > 1} == {}, "something left twice"
    assert len({*first.asked, *second.asked}) >= doubted


def healthy(daemon: DaemonProcess) -> None:
    """The daemon says that it lives, on its own address."""
    browser = Browser(daemon.wait_for("listening")["port"])
    until(lambda: browser.get("/healthz").status == 200, "a healthy daemon")


def stops_in_time(site: Site, daemon: DaemonProcess) -> None:
    """Asked to stop with a new file at the door, it ends within its time and loses nothing."""
    put(site, ROUNDS)
    until(lambda: importing(site) or site.one("select count(*) from contracts") > ROUNDS * ROWS, "the next import")
    asked = time.monotonic()
    daemon.tell(signal.SIGTERM)
    assert daemon.ended() == 0
    assert time.monotonic() - asked < STOP_WITHIN + 3  # the machine may be busy
    again = site.run()
    until(lambda: no_longer_at_work(site, (ROUNDS + 1) * ROWS), "what was left to do")
    assert again.stop() == 0
