"""Deciding on the command line: tasks, messages, consent, forgetting, replay."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Protocol

import pytest
from tests.support.estate import Estate, at
from tests.support.papers import PDF

from keguan.store.schema import evidence, messages, people, permissions, plans, tasks

FAR = at("2099-03-05T18:00")


class Terminal(Protocol):
    """See ``conftest.Desk``."""

    folder: Path

    def __call__(self, *words: object) -> Any: ...

    def json(self, *words: object) -> Any: ...


# --- Tasks -------------------------------------------------------------------------------------------------------


def test_a_task_is_done_with_its_evidence_kept_by_sha_256(desk: Terminal, estate: Estate, tmp_path: Path) -> None:
    task = estate.task(required=["回访记录"], due=FAR)
    refused = desk("tasks", "done", task)
    assert refused.status == 1
    assert refused.err == (
        f"error: 1 pieces of evidence are missing (task {task}): it needs 回访记录; attach files with --evidence, "
        "or say why not with --without-evidence --reason\n"
    )
    sheet = tmp_path / "回访.pdf"
    sheet.write_bytes(PDF)
    digest = hashlib.sha256(PDF).hexdigest()
    [row] = desk.json("tasks", "done", task, "--evidence", sheet, "--result", "满意", "--by", "王强")
    assert (row["status"], [file["sha256"] for file in row["evidence"]]) == ("done", [digest])
    assert (desk.folder / "var" / "evidence" / digest[:2] / digest).read_bytes() == PDF
    assert (estate.one(tasks, task).result, estate.one(tasks, task).closed_by) == ("满意", "王强")
    again = desk("tasks", "done", task)
    assert (again.status, again.err.startswith("error: the task is closed already, as done")) == (1, True)


def test_a_task_can_be_done_without_evidence_for_a_reason(desk: Terminal, estate: Estate) -> None:
    task = estate.task(required=["照片"], due=FAR)
    assert desk("tasks", "done", task, "--without-evidence", "--reason", "camera broken").status == 0
    assert (estate.one(tasks, task).reason, estate.one(tasks, task).closed_by) == ("camera broken", "li")


def test_every_task_that_cannot_be_closed_has_a_line_of_its_own(desk: Terminal, estate: Estate) -> None:
    fine, closed = estate.task(), estate.task(status="done")
    answer = desk("tasks", "skip", fine, closed, 404, "--reason", "x")
    assert answer.status == 1
    assert [line.partition("(")[2].partition(")")[0] for line in answer.err.splitlines()] == [
        f"task {closed}",
        "task 404",
    ]
    assert estate.one(tasks, fine).status == "open"


def test_evidence_that_does_not_exist_is_named(desk: Terminal, estate: Estate) -> None:
    answer = desk("tasks", "done", estate.task(), "--evidence", "gone.pdf")
    assert (answer.status, "--evidence gone.pdf" in answer.err) == (1, True)
    assert estate.rows(evidence) == []


def test_tasks_are_skipped_assigned_and_postponed(desk: Terminal, estate: Estate) -> None:
    estate.employee("李晓燕")
    first, second = estate.task(due=FAR), estate.task(due=FAR)
    rows = desk.json("tasks", "assign", first, second, "--to", "李晓燕")
    assert [row["assignee"] for row in rows] == ["李**", "李**"]
    [row] = desk.json("tasks", "postpone", first, "--to", "2099-04-01", "--reason", "abroad")
    assert row["due_at"] == "2099-04-01T18:00:00+08:00"
    assert estate.one(tasks, first).postponed == 1
    [row] = desk.json("tasks", "skip", first, "--reason", "sold")
    assert row["status"] == "skipped"


# --- Messages ----------------------------------------------------------------------------------------------------


def test_messages_are_retried_released_and_dropped(desk: Terminal, estate: Estate) -> None:
    person = estate.person()
    dead, held, doubtful = (estate.message(person, status) for status in ("dead", "held", "in_doubt"))
    assert desk.json("outbox", "retry", dead) == {"queued": 1, "expired": 0}
    assert desk.json("outbox", "release", "--all") == {"queued": 1}
    assert estate.one(messages, held).status == "queued"
    assert estate.one(messages, doubtful).status == "in_doubt"
    assert desk.json("outbox", "release", "--all", "--status", "in_doubt") == {"queued": 1}
    assert desk.json("outbox", "drop", dead, held, "--reason", "he called us") == {"dropped": 2}
    assert [row["error"] for row in desk.json("outbox", "list", "--status", "dropped")] == ["he called us"] * 2


def test_a_retry_that_leaves_expired_messages_behind_says_so_and_ends_with_1(desk: Terminal, estate: Estate) -> None:
    person = estate.person()
    estate.message(person, "dead")
    estate.message(person, "dead", expires_at=at("2026-01-01T00:00"))
    answer = desk("--json", "outbox", "retry", "--status", "dead")
    assert (answer.status, answer.json) == (1, {"queued": 1, "expired": 1})


# --- People ------------------------------------------------------------------------------------------------------


def test_a_customer_opts_out_and_in_by_phone_number(desk: Terminal, estate: Estate) -> None:
    person = estate.person(phone="+8613800138000")
    answer = desk.json("customers", "optout", "13800138000", "--channel", "sms", "--source", "reply TD")
    assert answer == {"customer": person, "channel": "sms", "message_class": "*", "granted": False}
    [row] = estate.rows(permissions)
    assert (row.person_id, row.channel, row.granted, row.source) == (person, "sms", False, "reply TD")
    desk.json("customers", "optin", person)
    granted = {(row.channel, row.message_class): row.granted for row in estate.rows(permissions)}
    assert granted[("*", "service")] is True
    assert ("*", "promotion") not in granted


def test_an_ambiguous_customer_is_an_error_that_lists_numbers(desk: Terminal, estate: Estate) -> None:
    owners = [estate.person("张小满"), estate.person("李晓燕")]
    estate.contract("HT-001", estate.project(), None, owners)
    answer = desk("customers", "optout", "HT-001")
    assert (answer.status, f"numbers {owners[0]}, {owners[1]}" in answer.err) == (1, True)
    assert estate.rows(permissions) == []


def test_an_export_is_one_json_document_with_and_without_json(desk: Terminal, estate: Estate) -> None:
    person = estate.person("张小满")
    assert desk.json("privacy", "export", person)["customer"]["name"] == "张小满"
    assert desk("privacy", "export", person).json["customer"]["name"] == "张小满"


def test_forgetting_needs_a_yes(desk: Terminal, estate: Estate) -> None:
    person = estate.person("张小满")
    estate.message(person, "held", body="张小满您好")
    assert desk("privacy", "erase", person).status == 2
    assert estate.one(people, person).name == "张小满"
    done = desk.json("privacy", "erase", person, "--yes")
    assert {name: done[name] for name in ("customer", "messages", "dropped", "plans", "files", "rehearsal")} == {
        "customer": person,
        "messages": 1,
        "dropped": 1,
        "plans": 0,
        "files": 0,
        "rehearsal": None,
    }
    assert estate.one(people, person).name is None
    [message] = desk.json("outbox", "list")
    assert (message["status"], message["error"]) == ("dropped", "the person's data was erased")


# --- Replay ------------------------------------------------------------------------------------------------------


def test_replay_asks_again_and_plans_what_failed(desk: Terminal, estate: Estate) -> None:
    from sqlalchemy import update

    from keguan.store.schema import contracts

    project = estate.project()
    contract = estate.contract("HT-001", project, estate.home(project), [estate.person()])
    with estate.store.write() as connection:
        connection.execute(update(contracts).values(signed_on=at("2099-03-01T00:00").date()))
    estate.event("e-1", subject=("contract", contract))
    first = desk.json("events", "replay", "--plugin", "sixplustwo")
    assert set(first) == {"events", "inserted", "moved", "cancelled", "failures"}
    assert (first["events"], first["failures"]) == (1, [])
    assert first["inserted"] == len(desk.json("plans", "list")) > 0
    assert desk.json("events", "replay")["inserted"] == 0
    with estate.store.write() as connection:
        connection.execute(update(plans).values(status="failed"))
    assert desk.json("events", "replay", "--since", "2026-03-01")["moved"] == first["inserted"]
    assert {plan["status"] for plan in desk.json("plans", "list")} == {"planned"}
    assert desk.json("events", "replay", "--since", "2026-03-03")["events"] == 0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_decision_is_confirmed_to_people_in_their_language(desk: Terminal, estate: Estate, language: str) -> None:
    person = estate.person()
    message = estate.message(person, "dead")
    for words in (
        ("outbox", "retry", message),
        ("outbox", "release", "--all"),
        ("outbox", "drop", message, "--reason", "x"),
        ("customers", "optout", person),
        ("customers", "optin", person),
        ("events", "replay"),
        ("privacy", "erase", person, "--yes"),
    ):
        answer = desk("--lang", language, *words)
        assert (answer.status, answer.err) == (0, "")
        assert answer.out.strip()
        assert any("\u4e00" <= char <= "\u9fff" for char in answer.out) == (language == "zh")
