"""What the demo says must be what the tables hold."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text

from keguan.demo.life import Lived
from keguan.demo.summary import summarise


@pytest.fixture(scope="module")
def account(lived: Lived) -> dict[str, Any]:
    return summarise(lived, "en")


def ask(lived: Lived, statement: str) -> dict[Any, Any]:
    with lived.installation.store.read() as connection:
        return {row[0]: row[1] for row in connection.execute(text(statement))}


def test_every_count_is_that_of_the_tables(lived: Lived, account: dict[str, Any]) -> None:
    assert account["events"] == ask(lived, "SELECT type, count(*) FROM events GROUP BY type")
    assert account["messages"] == ask(lived, "SELECT status, count(*) FROM messages GROUP BY status")
    stored = ask(lived, "SELECT status, count(*) FROM plans GROUP BY status")
    assert {name: count for name, count in account["plans"].items() if name != "late_at_creation"} == stored
    late = ask(lived, "SELECT 'late', count(*) FROM plans WHERE late_at_creation")["late"]
    assert account["plans"]["late_at_creation"] == late > 0
    tasks = ask(lived, "SELECT status, count(*) FROM tasks GROUP BY status")
    assert {name: count for name, count in account["tasks"].items() if name in tasks} == tasks
    missed = ask(lived, "SELECT action, count(*) FROM plans WHERE status = 'missed' GROUP BY action")
    told: Counter[str] = Counter()
    for row in account["missed"]:
        told[row["action"]] += row["count"]
    assert told == missed


def test_the_rows_that_came_in_are_those_of_the_import_log(lived: Lived, account: dict[str, Any]) -> None:
    with lived.installation.store.read() as connection:
        sums = connection.execute(
            text("SELECT count(*), sum(accepted), sum(unchanged), sum(rejected) FROM imports")
        ).one()
    rows = account["rows"]
    assert (account["files"], rows["accepted"], rows["unchanged"], rows["rejected"]) == tuple(sums)
    assert rows["rejected"] == len({(row["file"], row["row"]) for row in account["rejected"]})
    assert all(row["reason"] for row in account["rejected"])


def test_what_was_sent_lies_in_the_outbox_folder_once(lived: Lived, account: dict[str, Any]) -> None:
    lines = (lived.folder / "var" / "outbox" / "delivered.jsonl").read_text(encoding="utf-8").splitlines()
    keys = [json.loads(line)["key"] for line in lines]
    assert len(keys) == len(set(keys)) == account["messages"]["sent"]
    files = [*(lived.folder / "var" / "outbox").glob("*/*.txt"), *(lived.folder / "var" / "outbox").glob("*/*.eml")]
    assert len(files) == len(keys)


def test_every_promise_is_accounted_for(lived: Lived, account: dict[str, Any]) -> None:
    """Nothing is lost: each plan that was done has an effect, or says why it needs none.

    Beside those are what follows on tasks in which nothing was agreed, and letters that nobody waited for.
    """
    done = ask(
        lived,
        "SELECT 'n', count(*) FROM plans WHERE status = 'done' AND why IS NULL AND kind <> 'after' "
        "AND action <> 'progress_letter' AND NOT EXISTS (SELECT 1 FROM messages WHERE plan_id = plans.id) "
        "AND NOT EXISTS (SELECT 1 FROM tasks WHERE plan_id = plans.id)",
    )
    assert done["n"] == 0
    assert account["failures"] == []


def test_the_staff_worked_after_a_task_was_there_and_before_the_end(lived: Lived) -> None:
    early = ask(lived, "SELECT 'n', count(*) FROM tasks WHERE closed_at < created_at")
    assert early["n"] == 0
    bare = ask(
        lived,
        "SELECT 'n', count(*) FROM tasks WHERE status = 'done' AND json_array_length(evidence_required) > "
        "(SELECT count(*) FROM evidence WHERE task_id = tasks.id)",
    )
    assert bare["n"] == 0


def test_staff_are_told_in_the_morning_and_write_into_forms(lived: Lived, account: dict[str, Any]) -> None:
    told = ask(lived, "SELECT action, count(*) FROM messages WHERE channel = 'email' GROUP BY action")
    assert account["staff"]["digests"] == told["digest"] > 0
    assert account["staff"]["newest"].startswith("客关")
    filled = ask(lived, "SELECT complete, count(*) FROM form_entries GROUP BY complete")
    assert filled == {1: account["forms"]}


def test_nobody_who_opted_out_got_another_message(lived: Lived) -> None:
    after = ask(
        lived,
        "SELECT 'n', count(*) FROM messages JOIN permissions USING (person_id) WHERE NOT granted AND sent_at > at",
    )
    assert after["n"] == 0


def test_the_journey_shown_is_one_that_tells_something(account: dict[str, Any]) -> None:
    steps = account["journey"]["steps"]
    assert {step["status"] for step in steps} & {"kept", "late"}
    assert all(step["clause"] for step in steps)


def test_the_account_holds_no_names_or_numbers(lived: Lived, account: dict[str, Any]) -> None:
    told = json.dumps(account, ensure_ascii=False, default=str)
    with lived.installation.store.read() as connection:
        for name, phone in connection.execute(text("SELECT name, phone FROM people")):
            assert name not in told or len(name) < 3  # two characters may stand in any sentence
            assert phone is None or phone.removeprefix("+86") not in told


def test_the_same_day_gives_the_same_life(lived: Lived, tmp_path_factory: pytest.TempPathFactory) -> None:
    from datetime import date

    from keguan.demo.life import live

    again = live(tmp_path_factory.mktemp("again"), 16, date(2025, 12, 31), "zh", years=1)
    try:
        ours, theirs = summarise(lived, "en"), summarise(again, "en")
    finally:
        again.installation.close()
    different = {"directory", "config"}
    assert {k: v for k, v in ours.items() if k not in different} == {
        k: v for k, v in theirs.items() if k not in different
    }
