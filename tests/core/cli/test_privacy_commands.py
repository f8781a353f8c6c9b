"""``keguan privacy``, and what other commands say of keys and of looks at personal values."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from tests.support.estate import Estate

from keguan.store.schema import messages


class Terminal(Protocol):
    """What the fixture ``desk`` gives."""

    folder: Path

    def __call__(self, *words: object) -> Any: ...

    def json(self, *words: object) -> Any: ...


def test_the_log_lists_requests_and_looks_in_the_order_of_time(desk: Terminal, estate: Estate) -> None:
    person = estate.person("张小满")
    estate.contract("HT-001", estate.project(), None, [person])
    desk.json("privacy", "export", person)
    desk.json("customers", "list", "--unmask")
    desk.json("privacy", "erase", person, "--yes")
    log = desk.json("privacy", "log")
    assert [(row["what"], row["who"], row["customer"]) for row in log] == [
        ("export", "li", person),
        ("access", "li", None),
        ("access", "li", None),
        ("erase", "li", person),
    ]
    looks = desk.json("privacy", "log", "--kind", "access")
    assert [(row["command"], row["rows"]) for row in looks] == [(f"privacy export {person}", 1), ("customers list", 1)]
    assert [row["what"] for row in desk.json("privacy", "log", "--customer", person)] == ["export", "erase"]
    assert desk.json("privacy", "log", "--who", "nobody") == []
    assert desk.json("privacy", "log", "--to", "2020-01-01") == []
    assert len(desk.json("privacy", "log", "--from", "2020-01-01", "--limit", "2")) == 2


def test_a_purge_is_counted_first_and_recorded_when_it_was_done(desk: Terminal, estate: Estate) -> None:
    person = estate.person()
    estate.message(person, "sent", body="旧的", created_at=estate.now - timedelta(days=4000))
    assert desk.json("privacy", "purge", "--dry-run") == {"dry_run": True, "counts": {"messages": 1}}
    assert estate.rows(messages)[0].body == "旧的"
    assert desk.json("privacy", "purge") == {"dry_run": False, "counts": {"messages": 1}}
    [entry] = desk.json("privacy", "log")
    assert (entry["what"], entry["counts"]) == ("purge", {"messages": 1})
    assert desk("privacy", "purge", "--dry-run").status == 0


def test_erasing_deletes_the_rehearsal_and_the_files_of_the_file_adapter(desk: Terminal, estate: Estate) -> None:
    from keguan.adapters.file import file_name

    person, other = estate.person("张小满"), estate.person("别人")
    rehearsal = desk.folder / "var" / "rehearsal.db"
    rehearsal.write_bytes(b"a copy")
    day = desk.folder / "var" / "outbox" / "2026-03-02"
    day.mkdir(parents=True)
    for someone in (person, other):
        number = estate.message(someone, "sent")
        (day / f"{file_name(estate.one(messages, number).key)}.txt").write_text("张小满您好")
    done = desk.json("privacy", "erase", person, "--yes")
    assert (done["files"], done["rehearsal"]) == (1, "deleted")
    assert not rehearsal.exists()
    assert len(list(day.iterdir())) == 1


def test_rotating_names_the_new_key_and_those_that_may_go(desk: Terminal, estate: Estate) -> None:
    estate.person("张小满")
    done = desk.json("privacy", "rotate")
    assert done["made"]
    assert done["counts"]["people"] == 1
    assert len(done["retired"]) == 1
    lines = (desk.folder / "secrets" / "KEGUAN_PRIVACY__KEYS").read_text().splitlines()
    assert [line.partition("# ")[2][:8] for line in lines] == [done["key"], *done["retired"]]
    assert desk("--at", "2026-03-02T09:00+08:00", "privacy", "rotate").status == 2


def test_nobody_signs_the_log_with_another_name(
    desk: Terminal, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.person()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "wang")
    desk.json("customers", "list", "--unmask")
    monkeypatch.setenv("SUDO_USER", "wang")
    desk.json("customers", "list", "--unmask")
    assert [row["who"] for row in desk.json("privacy", "log", "--kind", "access")] == ["li", "wang (li)"]
