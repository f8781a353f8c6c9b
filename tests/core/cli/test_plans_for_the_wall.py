"""``keguan journey --html`` and ``keguan yearplan``: what they write, and how they refuse."""

from __future__ import annotations

import stat
from typing import Any, Protocol

import pytest
from openpyxl import load_workbook
from tests.support.estate import Estate, at

from keguan.store.schema import accesses


class Terminal(Protocol):
    """See ``conftest.Desk``."""

    folder: Any

    def __call__(self, *words: object) -> Any: ...

    def json(self, *words: object) -> Any: ...


@pytest.fixture
def project(estate: Estate) -> int:
    """A project with a home that was sold, an event of the project, and two gatherings on one day."""
    number = estate.project()
    home = estate.home(number)
    buyer = estate.person("张小满")
    contract = estate.contract("HT-001", number, home, [buyer])
    estate.plan(subject=("contract", contract), status="done", project_id=number, until=at("2026-03-03T00:00"))
    for name in ("community_culture", "owner_talk"):
        estate.plan(name, ("project", number), due=at("2026-06-01T08:00"), clause="6+2指引 5.7", project_id=number)
    return number


@pytest.mark.usefixtures("project")
def test_a_journey_is_written_as_a_page(desk: Terminal) -> None:
    file = desk.folder / "journey.html"
    answer = desk("journey", "HT-001", "--html", file)
    assert (answer.status, answer.err) == (0, "")
    page = file.read_text(encoding="utf-8")
    assert "张**" in page
    assert "张小满" not in page
    assert "The standard is silent, our default" in page
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "it is about a customer"


@pytest.mark.usefixtures("project")
def test_names_on_the_page_are_recorded_in_the_access_log(desk: Terminal, estate: Estate) -> None:
    file = desk.folder / "journey.html"
    assert estate.rows(accesses) == []
    desk("journey", "HT-001", "--html", file, "--unmask")
    assert "张小满" in file.read_text(encoding="utf-8")
    assert [(row.what, row.who, row.rows) for row in estate.rows(accesses)] == [("journey", "li", 1)]


@pytest.mark.usefixtures("project")
def test_the_year_is_a_table_a_document_and_a_workbook(desk: Terminal) -> None:
    plan = desk.json("yearplan", "--year", "2026")
    assert [(row["date"], row["place"]["id"]) for row in plan["entries"]] == [("2026-06-01", "云璟一期")] * 2
    [clash] = plan["clashes"]
    table = desk("yearplan", "--year", "2026").out
    assert (
        f"Note: on 2026-06-01 two gatherings of 云璟一期 clash, move one of them: {' ⟷ '.join(clash['what'])}" in table
    )
    file = desk.folder / "year.xlsx"
    answer = desk("yearplan", "--year", "2026", "--out", file)
    assert answer.status == 0
    assert "Note: on 2026-06-01" in answer.out
    assert load_workbook(file).sheetnames == ["云璟一期", "List"]


@pytest.mark.usefixtures("project")
def test_the_year_can_be_rehearsed(desk: Terminal) -> None:
    rehearsed = desk.json("--at", "2026-06-02T09:00+08:00", "yearplan")
    assert rehearsed["year"] == 2026
    assert {row["status"] for row in rehearsed["entries"]} == {"due"}


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("--year", "206"), 2, "206"),
        (("--project", "云璟二期"), 1, "云璟一期"),
        (("--city", "atlantis"), 1, "atlantis"),
    ],
)
def test_what_nobody_knows_is_refused_in_one_line(
    desk: Terminal, words: tuple[str, ...], status: int, says: str
) -> None:
    answer = desk("yearplan", *words)
    assert (answer.out, answer.status) == ("", status)
    assert says in answer.err.splitlines()[-1]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("words", [("journey", "HT-001", "--html"), ("yearplan", "--out"), ("yearplan", "--html")])
def test_a_place_where_nothing_can_be_written_is_named(desk: Terminal, words: tuple[str, ...]) -> None:
    answer = desk(*words, desk.folder / "nowhere" / "report")
    assert answer.status == 1
    assert answer.err == "error: the file cannot be written (report): check folder and permissions\n"


@pytest.mark.usefixtures("project")
def test_a_report_is_written_over_that_of_last_time(desk: Terminal) -> None:
    file = desk.folder / "year.xlsx"
    file.write_bytes(b"x" * 100_000)
    assert desk("yearplan", "--year", "2026", "--out", file).status == 0
    assert load_workbook(file).sheetnames == ["云璟一期", "List"]
