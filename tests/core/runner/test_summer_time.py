"""The machine's own time zone and its summer time are nobody's business: ticks and quiet hours are those of cities."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

LIVES = """
import json, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from keguan.building import build_installation, build_engine, open_database
from keguan.clock import VirtualClock
from keguan.runner.heartbeat import Heartbeat, pin_time_zone
from keguan.runner.ticks import record_ticks
from keguan.settings import load_settings

if sys.argv[4] == "pinned":
    pin_time_zone()  # as the daemon does before anything else
settings = load_settings(Path(sys.argv[1]), {})
store = open_database(settings)
clock = VirtualClock(datetime.fromisoformat(sys.argv[2]))
end = datetime.fromisoformat(sys.argv[3])
installation = build_installation(settings, store, clock)
engine = build_engine(installation)
ticks, open_hours = [], {key: [] for key in installation.cities}
while clock.now() < end:
    for city, day in record_ticks(installation):
        ticks.append((city, day.isoformat(), clock.now().isoformat()))
    engine.settle()
    for key, city in installation.cities.items():
        if city.opening(clock.now()) == clock.now():
            open_hours[key].append(clock.now().isoformat())
    clock.advance(timedelta(minutes=30))
engine.close()
store.close()

# `schedule` reads the machine's local time, which here jumps as the machine's zone says.
import schedule, time

class Machine(datetime):
    at = datetime.fromisoformat(sys.argv[2])

    @classmethod
    def now(cls, tz=None):
        return datetime.fromtimestamp(cls.at.timestamp())

schedule.datetime.datetime = Machine
beats, heart = [], Heartbeat()
heart.every(1800, lambda: beats.append(Machine.at.isoformat()))
while Machine.at < end:
    Machine.at += timedelta(minutes=30)
    heart.run()
print(json.dumps({"ticks": ticks, "open": open_hours, "beats": len(beats), "zone": time.tzname[0]}))
"""
CONFIG = """
language = "en"
[company]
name = "Cloud Estates"
[cities.shenzhen]
tick_at = "06:00"
quiet_hours = "20:00-09:00"
[cities.newyork]
time_zone = "America/New_York"
tick_at = "02:30"
quiet_hours = "20:00-09:00"
[plugins.sixplustwo]
enabled = false
"""


def life(folder: Path, start: str, end: str, *, how: str = "pinned") -> Any:
    """Live from ``start`` to ``end`` in steps of half an hour, on a machine in New York."""
    config = folder / "config" / "keguan.toml"
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG, encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("KEGUAN_")}
    done = subprocess.run(
        [sys.executable, "-c", LIVES, str(config), start, end, how],
        capture_output=True,
        text=True,
        timeout=300,
        env=clean | {"TZ": "America/New_York"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("first", "last", "ticks", "opening"),
    [
        # On 8 March 2026 there is no half past two in New York: the tick comes with the hour that does not exist.
        (
            "2026-03-07T05:00+00:00",  # midnight in New York
            "2026-03-10T05:00+00:00",
            ["2026-03-07T07:30:00+00:00", "2026-03-08T07:30:00+00:00", "2026-03-09T06:30:00+00:00"],
            {"2026-03-07T14:00:00+00:00", "2026-03-08T13:00:00+00:00", "2026-03-09T13:00:00+00:00"},
        ),
        # On 1 November 2026 there is half past one twice.
        (
            "2026-10-31T04:00+00:00",
            "2026-11-03T04:00+00:00",
            ["2026-10-31T06:30:00+00:00", "2026-11-01T07:30:00+00:00", "2026-11-02T07:30:00+00:00"],
            {"2026-10-31T13:00:00+00:00", "2026-11-01T14:00:00+00:00", "2026-11-02T14:00:00+00:00"},
        ),
    ],
)
def test_each_city_has_its_ticks_and_quiet_hours_when_the_clocks_of_the_machine_change(
    tmp_path: Path, first: str, last: str, ticks: list[str], opening: set[str]
) -> None:
    lived = life(tmp_path, first, last)
    assert lived["zone"] == "UTC"
    assert [at for city, _, at in lived["ticks"] if city == "newyork"] == ticks
    # The first tick ever is today's: at noon in Shenzhen that of the morning is due at once.
    assert [at[11:16] for city, _, at in lived["ticks"] if city == "shenzhen"] == [first[11:16], *["22:00"] * 3]
    for city in ("newyork", "shenzhen"):
        days = [day for key, day, _ in lived["ticks"] if key == city]
        assert len(days) == len(set(days)), "no day twice"
    assert {at for at in lived["open"]["newyork"] if at[:16].endswith(("13:00", "14:00"))} >= opening
    begins = {at for at in lived["open"]["newyork"] if before(at) not in lived["open"]["newyork"]}
    assert begins == opening
    assert {at[11:16] for at in lived["open"]["shenzhen"]} == {f"{h:02}:{m:02}" for h in range(1, 12) for m in (0, 30)}
    assert lived["beats"] == 3 * 48, "the heart beats every half hour, that of the change included"


def before(at: str) -> str:
    """Half an hour earlier."""
    return (datetime.fromisoformat(at) - timedelta(minutes=30)).isoformat()


def test_without_the_pin_the_heart_would_miss_beats_or_make_too_many(tmp_path: Path) -> None:
    lived = life(tmp_path, "2026-10-31T04:00+00:00", "2026-11-03T04:00+00:00", how="as it is")
    assert lived["zone"] != "UTC"
    assert lived["beats"] != 3 * 48
