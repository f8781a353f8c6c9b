"""Checks: what they may ask, and what becomes of what they find."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.estate import Estate, at

from keguan import Check, Finding, View
from keguan.errors import InputError
from keguan.model import Subject
from keguan.queries.view import RecordsView, finding_rows


def broken(view: View) -> Iterator[Finding]:
    """Find every broken promise."""
    for promised in view.promises(plugin="sixplustwo"):
        if promised.broken:
            yield Finding(promised.subject, f"{promised.action} {promised.status}", project=promised.project)


KEPT = Check("promise_kept", "6+2", broken)


def test_a_finding_has_the_keys_of_the_interface(estate: Estate) -> None:
    project = estate.project()
    contract = estate.contract("HT-001", project)

    def one(_: View) -> list[Finding]:
        return [
            Finding(Subject("contract", contract), "no message", project="云璟一期", points=0.5, evidence=("plan 7",))
        ]

    assert list(finding_rows(estate.reader(), [("sixplustwo", Check("sent", "5.2.1", one))])) == [
        {
            "check": "sent",
            "plugin": "sixplustwo",
            "clause": "5.2.1",
            "subject": {"type": "contract", "id": "HT-001"},
            "project": "云璟一期",
            "message": "no message",
            "points": 0.5,
            "evidence": ["plan 7"],
            "found_at": at("2026-03-02T09:00"),
        }
    ]


def test_missed_failed_and_overdue_promises_are_broken_and_no_others(estate: Estate) -> None:
    person = estate.person()
    estate.plan("future", due=at("2026-04-01T09:00"))
    estate.plan("missed", status="missed")
    estate.plan("cancelled", status="cancelled")
    estate.plan("failed", status="failed")
    estate.plan("other_plugin", status="failed", plugin="complaints")
    dead = estate.plan("dead", status="done")
    estate.message(person, "dead", plan=dead)
    sent = estate.plan("sent", status="done")
    estate.message(person, "sent", plan=sent, sent_at=at("2026-03-02T08:00"))
    overdue = estate.plan("overdue", status="done")
    estate.task(plan=overdue, due=at("2026-03-01T18:00"))
    done_late = estate.plan("done_late", status="done")
    estate.task(plan=done_late, due=at("2026-03-01T18:00"), status="done", closed_at=at("2026-03-02T08:00"))
    found = [finding["message"] for finding in finding_rows(estate.reader(), [("sixplustwo", KEPT)])]
    assert sorted(found) == ["dead failed", "failed failed", "missed missed", "overdue late"]


def test_findings_can_be_narrowed_to_one_project(estate: Estate) -> None:
    for name in ("云璟一期", "云璟二期"):
        estate.plan("missed", status="missed", project_id=estate.project(name))
    rows = list(finding_rows(estate.reader(), [("sixplustwo", KEPT)], "云璟二期"))
    assert [row["project"] for row in rows] == ["云璟二期"]
    with pytest.raises(InputError, match="no project"):
        list(finding_rows(estate.reader(), [("sixplustwo", KEPT)], "云璟三期"))


def test_a_check_may_ask_for_some_actions_only(estate: Estate) -> None:
    estate.plan("visit")
    estate.plan("letter")
    view = RecordsView(estate.reader())
    assert [promised.action for promised in view.promises(actions=["letter"])] == ["letter"]


def test_more_findings_than_a_batch_come_once_each(estate: Estate) -> None:
    def many(_: View) -> Iterator[Finding]:
        return (Finding(Subject("customer", number), "x") for number in range(1, 1202))

    rows = finding_rows(estate.reader(), [("sixplustwo", Check("many", "", many))])
    assert len({row["subject"]["id"] for row in rows}) == 1201
