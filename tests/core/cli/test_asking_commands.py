"""Asking on the command line: the keys that scripts rely on, tables for people, exit statuses, the access log."""

from __future__ import annotations

from datetime import date
from typing import Any, Protocol

import pytest
from tests.support.estate import Estate, at

from keguan.store.schema import accesses

PLAN = "id key plugin action clause subject project city due_at status provisional late_at_creation event_id"
MESSAGE = (
    "id key plugin action clause channel to title body segments status due_at expires_at sent_at attempts error "
    "message_class urgent department adapter rule held_until note delivered_at"
)
TASK = (
    "id key plugin action clause title project subject department assignee assignee_id deputy due_at latest status "
    "evidence_required evidence overdue form postponed escalated reason"
)
EVENT = "id type source time subject data deliveries"
FINDING = "check plugin clause subject project message points evidence found_at"
STEP = "step touchpoint plugin clause kind due_at status late_at_creation result why"


class Terminal(Protocol):
    """See ``conftest.Desk``."""

    def __call__(self, *words: object) -> Any: ...

    def json(self, *words: object) -> Any: ...


@pytest.fixture
def contract(estate: Estate) -> int:
    """A signed contract with everything that may hang on it."""
    project = estate.project()
    home = estate.home(project)
    buyer = estate.person("张小满")
    number = estate.contract("HT-001", project, home, [buyer])
    seq = estate.event("e-1", subject=("contract", number), taken={"sixplustwo": "failed"}, error="KeyError: x")
    plan = estate.plan(
        subject=("contract", number), status="done", project_id=project, event_seq=seq, until=at("2026-03-03T00:00")
    )
    estate.message(buyer, "dead", plan=plan, body="【云璟地产】张小满您好", project_id=project, error="550 no")
    callback = estate.plan("signing_callback", ("contract", number), status="done", project_id=project)
    estate.task(plan=callback, subject=("contract", number), project_id=project, required=["回访记录"])
    return number


@pytest.mark.usefixtures("contract")
@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("plans", "list"), PLAN),
        (("outbox", "list"), MESSAGE),
        (("tasks", "list"), TASK),
        (("events", "list"), EVENT),
        (("checks", "run"), FINDING),
    ],
)
def test_json_lists_have_exactly_the_keys_of_the_interface(desk: Terminal, words: tuple[str, ...], keys: str) -> None:
    rows = desk.json(*words)
    assert rows
    assert {" ".join(row) for row in rows} == {keys}


@pytest.mark.usefixtures("contract")
def test_a_journey_has_the_keys_of_the_interface(desk: Terminal) -> None:
    journey = desk.json("journey", "HT-001")
    assert journey["contract"] == "HT-001"
    assert journey["subject"] == {"type": "contract", "id": "HT-001"}
    assert all(set(STEP.split()) <= set(step) for step in journey["steps"])
    [congratulation, callback] = journey["steps"]
    assert (congratulation["step"], congratulation["status"], congratulation["why"]) == ("2", "failed", "550 no")
    assert (callback["kind"], callback["status"]) == ("task", "late")


@pytest.mark.usefixtures("contract")
def test_one_message_and_one_event_are_shown_whole(desk: Terminal) -> None:
    assert " ".join(desk.json("outbox", "show", 1)) == MESSAGE
    assert " ".join(desk.json("events", "show", "e-1")) == EVENT


@pytest.mark.usefixtures("contract")
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "words",
    [
        ("plans", "list"),
        ("tasks", "list"),
        ("outbox", "list"),
        ("outbox", "show", 1),
        ("events", "list"),
        ("events", "show", "e-1"),
        ("journey", "HT-001"),
        ("checks", "run"),
        ("customers", "list"),
    ],
)
def test_people_get_a_table_in_their_language(desk: Terminal, language: str, words: tuple[object, ...]) -> None:
    answer = desk("--lang", language, *words)
    assert (answer.status, answer.err) == (0, "")
    headings = {
        "zh": ("状态", "条款", "类型", "渠道", "问题", "姓名"),
        "en": ("Status", "Clause", "Type", "Finding", "Name"),
    }
    assert any(heading in answer.out for heading in headings[language])
    assert "{" not in answer.out
    assert "张小满" not in answer.out


def test_an_empty_list_is_said_to_people_and_empty_to_scripts(desk: Terminal) -> None:
    assert desk("plans", "list").out == "nothing found\n"
    assert desk("--lang", "zh", "plans", "list").out == "没有记录\n"
    assert desk.json("plans", "list") == []


def test_filters_of_lists(desk: Terminal, estate: Estate) -> None:
    project = estate.project()
    for day, status in ((1, "done"), (2, "held"), (3, "planned")):
        estate.plan(f"day_{day}", due=at(f"2026-03-0{day}T09:30"), status=status, project_id=project)

    def actions(*words: object) -> list[str]:
        return [plan["action"] for plan in desk.json("plans", "list", *words)]

    assert actions("--status", "done", "--status", "held") == ["day_1", "day_2"]
    assert actions("--from", "2026-03-02", "--to", "2026-03-02") == ["day_2"]
    assert actions("--from", "2026-03-02T09:30+08:00") == ["day_2", "day_3"]
    assert actions("--limit", 1) == ["day_1"]
    assert actions("--project", "云璟一期", "--city", "深圳", "--plugin", "sixplustwo") == ["day_1", "day_2", "day_3"]


@pytest.mark.parametrize(
    "words",
    [
        ("plans", "list", "--status", "kept"),
        ("plans", "list", "--from", "yesterday"),
        ("plans", "list", "--from", "2026-03-02T09:00"),
        ("plans", "list", "--limit", "0"),
        ("outbox", "retry"),
        ("outbox", "retry", "1", "--status", "dead"),
        ("outbox", "release"),
        ("outbox", "drop", "1"),
        ("tasks", "done"),
        ("tasks", "done", "1", "--without-evidence"),
        ("tasks", "assign", "1"),
        ("tasks", "postpone", "1", "--to", "soon", "--reason", "x"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_status_2(desk: Terminal, words: tuple[str, ...]) -> None:
    answer = desk(*words)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("plans", "list", "--project", "云璟一季"),
        ("events", "show", "e-404"),
        ("outbox", "show", "404"),
        ("journey", "HT-404"),
        ("checks", "run", "--plugin", "sixplusto"),
        ("events", "replay", "--plugin", "sixplusto"),
        ("customers", "optout", "HT-404"),
    ],
)
def test_what_does_not_exist_is_exit_status_1_and_leaves_standard_output_empty(
    desk: Terminal, words: tuple[str, ...]
) -> None:
    answer = desk("--json", *words)
    assert (answer.status, answer.out) == (1, "")
    assert answer.err.startswith("error: ")


# --- Personal values ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("contract")
def test_showing_personal_values_is_written_to_the_access_log(desk: Terminal, estate: Estate) -> None:
    [message] = desk.json("outbox", "list")
    assert (message["to"], message["body"]) == ("138****8000", "【云璟地产】张**您好")
    assert estate.rows(accesses) == []
    [message] = desk.json("outbox", "list", "--unmask")
    assert (message["to"], message["body"]) == ("+8613800138000", "【云璟地产】张小满您好")
    desk("outbox", "show", 1, "--unmask")
    desk("tasks", "list", "--unmask")
    desk("customers", "list", "--unmask")
    desk("privacy", "export", "HT-001")
    assert [(row.who, row.what, row.rows) for row in estate.rows(accesses)] == [
        ("li", "outbox list", 1),
        ("li", "outbox show", 1),
        ("li", "tasks list", 1),
        ("li", "customers list", 1),
        ("li", "privacy export 1", 1),
    ]


def test_data_cannot_paint_the_terminal(desk: Terminal, estate: Estate) -> None:
    estate.task("[bold]Call[/] \x1b[31mnow\x07")
    assert "[bold]Call[/] [31mnow" in desk("tasks", "list").out


# --- Tracebacks --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("contract")
def test_the_traceback_of_a_delivery_is_shown_with_v(desk: Terminal) -> None:
    assert "Traceback" not in desk("events", "show", "e-1").out
    assert "Traceback" in desk("events", "show", "e-1", "-v").out
    assert "Traceback" in desk("-v", "events", "show", "e-1").out
    assert desk.json("-v", "events", "show", "e-1")["deliveries"][0]["detail"] == "Traceback\nKeyError: x"


def test_an_id_that_two_sources_use_asks_which(desk: Terminal, estate: Estate) -> None:
    estate.event("e-1", source="import")
    estate.event("e-1", source="crm")
    answer = desk("events", "show", "e-1")
    assert answer.status == 1
    assert "import, crm" in answer.err
    assert desk.json("events", "show", "e-1", "--source", "crm")["source"] == "crm"


# --- Status ------------------------------------------------------------------------------------------------------


def test_status_ends_with_1_when_something_is_ill(desk: Terminal, estate: Estate) -> None:
    well = desk("--json", "status")
    assert (well.status, well.json["healthy"]) == (0, True)
    estate.plan(status="failed")
    ill = desk("--json", "status")
    assert (ill.status, ill.json["problems"]) == (1, ["failed_plans"])
    assert "plans failed" in desk("status").out
    assert "有计划执行失败" in desk("--lang", "zh", "status").out


def test_status_shows_the_last_tick_of_each_city(desk: Terminal, estate: Estate) -> None:
    estate.event("tick/1", "tick", ("day", date(2026, 3, 2).toordinal()))
    assert desk.json("status")["last_tick"] == {"shenzhen": "2026-03-02"}
