"""What the plugin finds in the records, and how its promises appear in a journey."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

import keguan_sixplustwo as sixplustwo
from keguan import Context, Promised
from keguan.model import PromiseStatus, Subject
from keguan.texts import Language

DUE = datetime.fromisoformat("2026-03-02T09:30+08:00")


def promised(status: PromiseStatus, *, done: bool = False) -> Promised:
    return Promised(
        key="sixplustwo.sms_congratulation/contract/7/1",
        plugin="sixplustwo",
        action="sms_congratulation",
        clause="6+2 guide 5.2.1",
        subject=Subject("contract", 7),
        project="云璟一期",
        city="wuhan",
        due_at=DUE,
        until=None,
        status=status,
        kind="message",
        late_at_creation=False,
        why="no address",
        done_at=DUE + timedelta(days=9) if done else None,
    )


@dataclass
class Records:
    """A view over promises that the test gives."""

    given: list[Promised]
    language: Language = "en"
    now: datetime = DUE + timedelta(days=30)

    def promises(self, *, plugin: str | None = None, actions: Collection[str] = ()) -> Iterator[Promised]:
        """Return what the test gave."""
        assert plugin == "sixplustwo"
        return iter(self.given)


@pytest.mark.parametrize("status", ["missed", "failed", "late"])
def test_a_broken_promise_is_a_finding_with_its_clause(company: Callable[..., Context], status: PromiseStatus) -> None:
    [check] = sixplustwo.register_checks(company().prepared)
    [finding] = check.run(Records([promised(status)]))
    assert check.name == "promise_kept"
    assert (finding.subject, finding.project, finding.clause) == (Subject("contract", 7), "云璟一期", "6+2 guide 5.2.1")
    assert finding.message.startswith("Congratulation message, due on 2026-03-02, ")
    assert finding.message.endswith("no address")
    assert finding.evidence == ("sixplustwo.sms_congratulation/contract/7/1",)


def test_what_is_kept_excused_or_waiting_is_no_finding(company: Callable[..., Context]) -> None:
    [check] = sixplustwo.register_checks(company().prepared)
    fine: list[PromiseStatus] = ["planned", "due", "kept", "held", "cancelled", "waived"]
    assert list(check.run(Records([promised(status) for status in fine]))) == []
    assert list(check.run(Records([promised("late", done=True)]))) == []


def test_findings_are_written_in_the_language_of_the_view(company: Callable[..., Context]) -> None:
    [check] = sixplustwo.register_checks(company().prepared)
    [finding] = check.run(Records([promised("missed")], language="zh"))
    assert finding.message.startswith("签约恭贺短信应于2026-03-02完成")


def test_each_action_says_its_step_its_name_and_what_it_comes_to(company: Callable[..., Context]) -> None:
    actions = {action.name: action for action in sixplustwo.register_actions(company().prepared)}
    first = actions["sms_congratulation"]
    assert (first.step, first.kind, first.label) == (
        "2",
        "message",
        {"zh": "签约恭贺短信", "en": "Congratulation message"},
    )
    assert actions["signing_callback"].kind == "task"
    assert all(action.step and action.label for action in actions.values())
