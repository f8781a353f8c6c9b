"""Staff's day in the daemon itself: killed again and again, it tells each person each thing once."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from tests.support.estate import Estate
from tests.support.site import Site, until

from keguan.store.schema import messages, task_log, tasks

ROUNDS = 8
PEOPLE = 12
OVERDUE = 60
"""Tasks that come up overdue in each round."""
STEPS = ("assignee", "head", "manager")


def _always_at_work(site: Site) -> None:
    """Have the office open day and night, today and tomorrow, and let tasks climb all steps at once."""
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    site.config["company"] |= {"office_hours": ["00:00-23:59"], "workdays": [today, today + timedelta(days=1)]}
    site.config["staff"] = {
        "digest_at": "00:00",
        "ladder": [{"after": "0 workdays", "to": step} for step in STEPS],
    }
    site.config["departments"] = {"客关": {"head": "head", "manager": "manager", "email": "kefu@example.com"}}
    site.write()


@pytest.mark.bad_day
def test_killed_at_random_moments_everybody_is_told_everything_once(tmp_path: Path) -> None:
    luck = random.Random(20260302)
    with Site(tmp_path) as site:
        _always_at_work(site)
        now = datetime.now(UTC)
        estate = Estate(site.store, now)
        staff = [estate.employee(f"staff {n}", email=f"staff{n}@example.com") for n in range(PEOPLE)]
        estate.employee("head", email="head@example.com")
        estate.employee("manager", email="manager@example.com")
        given: list[int] = []
        for _ in range(ROUNDS):
            given += [estate.task(due=now - timedelta(hours=1), assignee_id=luck.choice(staff)) for _ in range(OVERDUE)]
            daemon = site.run()
            time.sleep(luck.random() * 0.4)
            daemon.kill()

        daemon = site.run()
        until(lambda: site.one("select count(*) from tasks where escalated < 3") == 0, "the ladder")
        until(lambda: set(site.statuses("messages")) == {"sent"}, "the messages to leave")
        assert daemon.stop() == 0

        with site.store.read() as connection:
            climbed = Counter(
                (row.task_id, row.detail["step"])
                for row in connection.execute(select(task_log.c.task_id, task_log.c.detail))
            )
            bodies = connection.execute(select(messages.c.key, messages.c.body, messages.c.person_id)).all()
            assert set(connection.execute(select(tasks.c.status)).scalars()) == {"open"}
        assert climbed == {(task, step): 1 for task in given for step in (1, 2, 3)}
        told: Counter[int] = Counter()
        for row in bodies:
            if row.key.startswith("escalation/"):
                told.update(map(int, re.findall(r"\[(\d+)\]", row.body)))
        assert told == dict.fromkeys(given, len(STEPS)), "the person, the head and the manager, each once"
        digests = [row.person_id for row in bodies if row.key.startswith("digest/")]
        assert len(digests) == len(set(digests))
