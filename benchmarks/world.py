"""A database full of contracts to measure with, made without the import."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from keguan.building import build_installation, open_database
from keguan.clock import VirtualClock
from keguan.events.log import NewEvent, append
from keguan.installation import Installation
from keguan.model import Subject
from keguan.runner.scopes import apply_scopes
from keguan.settings import load_settings
from keguan.store.schema import contracts, homes, owners, people, projects

__all__ = [
    "NOW",
    "SIGNED_ON",
    "contracts_without_events",
    "installation_in",
    "record_signings",
    "signing_events",
]

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SIGNED_ON = date(2026, 3, 2)
FIRST_HANDOVER_ON = date(2027, 6, 30)

_CONFIG = """
language = "zh"
[company]
name = "云璟地产"
hotline = "400-000-0000"
[cities.shenzhen]
name = "深圳"
"""


def installation_in(folder: Path) -> Installation:
    """Build an installation on SQLite in ``folder`` as the daemon does, its clock standing at ``NOW``."""
    config = folder / "config" / "keguan.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(_CONFIG, encoding="utf-8")
    settings = load_settings(config, {key: value for key, value in os.environ.items() if key != "KEGUAN_CONFIG"})
    store = open_database(settings)
    installation = build_installation(settings, store, VirtualClock(NOW))
    apply_scopes(installation)
    installation.settle()
    return installation


def contracts_without_events(installation: Installation, count: int) -> None:
    """Insert ``count`` contracts with a home and an owner each, in one project.

    They were signed over most of a year, and each building of 500 homes is handed over on a date of its own.
    """
    with installation.store.write() as connection:
        connection.execute(insert(projects), [{"id": 1, "name": "云璟一期", "city": "shenzhen"}])
    for start in range(1, count + 1, 5000):
        ids = range(start, min(start + 5000, count + 1))
        with installation.store.write() as connection:
            connection.execute(
                insert(homes),
                [{"id": n, "project_id": 1, "building": str(n // 500), "unit": "1", "room": str(n)} for n in ids],
            )
            connection.execute(insert(people), [{"id": n, "name": "张三", "phone": f"+86138{n:08d}"} for n in ids])
            connection.execute(
                insert(contracts),
                [
                    {
                        "id": n,
                        "project_id": 1,
                        "contract_no": f"HT-{n:07d}",
                        "home_id": n,
                        "status": "signed",
                        "signed_on": SIGNED_ON + timedelta(days=n % 300),
                        "planned_handover_on": FIRST_HANDOVER_ON + timedelta(days=n // 500 % 20 * 7),
                    }
                    for n in ids
                ],
            )
            connection.execute(
                insert(owners),
                [{"person_id": n, "home_id": n, "contract_id": n, "position": 0} for n in ids],
            )


def signing_events(first: int, last: int) -> list[NewEvent]:
    """Return the signing of the contracts ``first`` to ``last``."""
    return [
        NewEvent(
            "import", f"contract_signed/1/HT-{n:07d}/1", "contract_signed", NOW, Subject("contract", n), "shenzhen"
        )
        for n in range(first, last + 1)
    ]


def record_signings(installation: Installation, count: int) -> None:
    """Put one signing per contract into the event log, a thousand in a transaction."""
    for start in range(1, count + 1, 1000):
        with installation.store.write() as connection:
            append(installation.store, connection, signing_events(start, min(start + 999, count)), NOW)
