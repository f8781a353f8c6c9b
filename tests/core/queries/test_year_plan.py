"""The plan of a year: which days it shows for which project and company, and which gatherings clash."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.support.estate import Estate, at

from keguan.errors import InputError
from keguan.model import Action, Remarks
from keguan.queries.areas import Areas
from keguan.queries.year_plan import read_year_plan
from keguan.texts import Language


def gathers(name: str, gathering: str | None = None) -> Action:
    """A promise at which customers of the project come together."""

    def remarks(city: str, clause: str, language: Language) -> Remarks:
        return Remarks(department="物业", gathering=gathering or name)

    return Action(name, lambda _: [], label={"en": name.title(), "zh": name}, kind="task", remarks=remarks)


AREAS = Areas(
    {
        ("sixplustwo", action.name): action
        for action in (gathers("festival"), gathers("opening"), gathers("lecture", "opening"))
    }
)


@pytest.fixture
def project(estate: Estate) -> int:
    """云璟一期 in Shenzhen."""
    return estate.project()


def year_plan(estate: Estate, year: int = 2026, **more: Any) -> dict[str, Any]:
    """Return the plan as of 2 March 2026."""
    return read_year_plan(estate.reader(), year, AREAS, **more)


def shown(plan: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return date, what and status."""
    return [(entry["date"].isoformat(), entry["what"], entry["status"]) for entry in plan["entries"]]


def test_a_promise_that_did_not_come_up_stands_on_the_day_it_is_due(estate: Estate, project: int) -> None:
    estate.plan("festival", ("project", project), due=at("2026-06-01T08:00"), project_id=project)
    [entry] = year_plan(estate)["entries"]
    assert entry == {
        "date": date(2026, 6, 1),
        "place": {"type": "project", "id": "云璟一期"},
        "city": "shenzhen",
        "what": "Festival",
        "touchpoint": "festival",
        "label": "Festival",
        "plugin": "sixplustwo",
        "clause": "6+2指引 5.2.1",
        "kind": "task",
        "department": "物业",
        "status": "planned",
        "done_at": None,
        "postponed": 0,
        "task": None,
        "gathering": "festival",
    }


def test_the_year_is_that_of_the_city_from_its_first_to_its_last_day(estate: Estate, project: int) -> None:
    for due in ("2025-12-31T23:59", "2026-01-01T00:00", "2026-12-31T23:59", "2027-01-01T00:00"):
        estate.plan("festival", ("project", project), due=at(due))
    assert [row[0] for row in shown(year_plan(estate))] == ["2026-01-01", "2026-12-31"]


def test_a_task_stands_on_its_own_day_and_a_postponed_one_on_the_new(estate: Estate, project: int) -> None:
    here = ("project", project)
    plan = estate.plan("festival", here, due=at("2025-12-20T08:00"), status="done")
    estate.task("notice", here, plan=plan, due=at("2025-12-17T18:00"), status="done", closed_at=at("2025-12-17T12:00"))
    estate.task("the festival", here, plan=plan, due=at("2026-03-20T18:00"), postponed=1, form="sixplustwo.meeting")
    [entry] = year_plan(estate)["entries"]
    assert (entry["date"], entry["what"], entry["postponed"]) == (date(2026, 3, 20), "Festival", 1)
    assert [row[1] for row in shown(year_plan(estate, 2025))] == ["notice"], "its preparation stays where it was"


def test_only_the_gathering_itself_gathers_and_not_its_notice(estate: Estate, project: int) -> None:
    here = ("project", project)
    plan = estate.plan("festival", here, due=at("2026-03-20T08:00"), status="done")
    estate.task("the festival", here, plan=plan, due=at("2026-03-20T18:00"), form="sixplustwo.meeting")
    estate.task("report after it", here, plan=plan, due=at("2026-03-25T18:00"))
    assert [(row["what"], row["gathering"]) for row in year_plan(estate)["entries"]] == [
        ("Festival", "festival"),
        ("report after it", None),
    ]


def test_what_was_taken_back_is_not_in_the_plan(estate: Estate, project: int) -> None:
    here = ("project", project)
    estate.plan("festival", here, due=at("2026-06-01T08:00"), status="cancelled")
    estate.plan("festival", ("home", 1), due=at("2026-06-01T08:00"))
    assert year_plan(estate)["entries"] == []


def test_the_company_stands_before_its_projects_each_by_date(estate: Estate, project: int) -> None:
    branch = estate.branch()
    other = estate.project("云璟二期")
    estate.plan("festival", ("project", project), due=at("2026-02-01T08:00"))
    estate.plan("festival", ("project", other), due=at("2026-01-01T08:00"))
    estate.plan("opening", ("branch", branch), due=at("2026-09-01T08:00"))
    estate.plan("festival", ("branch", branch), due=at("2026-08-01T08:00"))
    assert [(row["place"]["type"], row["place"]["id"], row["date"].month) for row in year_plan(estate)["entries"]] == [
        ("branch", "深圳", 8),
        ("branch", "深圳", 9),
        ("project", "云璟一期", 2),
        ("project", "云璟二期", 1),
    ]


def test_it_can_be_narrowed_to_a_project_and_to_a_city(estate: Estate, project: int) -> None:
    estate.plan("festival", ("project", project), due=at("2026-02-01T08:00"))
    estate.plan("festival", ("branch", estate.branch("urumqi")), due=at("2026-02-02T08:00"), city="urumqi")
    assert [row["place"]["id"] for row in year_plan(estate, project="云璟一期")["entries"]] == ["云璟一期"]
    assert [row["place"]["id"] for row in year_plan(estate, city="乌鲁木齐")["entries"]] == ["乌鲁木齐"]
    with pytest.raises(InputError, match="云璟三期"):
        year_plan(estate, project="云璟三期")
    with pytest.raises(InputError, match="atlantis"):
        year_plan(estate, city="atlantis")


# --- Clashes ----------------------------------------------------------------------------------------------------


def clash(estate: Estate, **more: Any) -> list[tuple[str, list[str]]]:
    """Return the clashes by place."""
    return [(one["place"]["id"], one["what"]) for one in year_plan(estate, **more)["clashes"]]


def test_two_gatherings_of_one_project_on_one_day_clash(estate: Estate, project: int) -> None:
    estate.plan("festival", ("project", project), due=at("2026-06-01T08:00"))
    estate.plan("opening", ("project", project), due=at("2026-06-01T14:00"))
    assert clash(estate) == [("云璟一期", ["Festival", "Opening"])]
    assert year_plan(estate)["clashes"][0]["date"] == date(2026, 6, 1)


def test_what_goes_along_with_a_gathering_is_no_clash(estate: Estate, project: int) -> None:
    estate.plan("opening", ("project", project), due=at("2026-06-01T08:00"))
    estate.plan("lecture", ("project", project), due=at("2026-06-01T14:00"))
    assert clash(estate) == []


def test_gatherings_of_two_projects_or_on_two_days_do_not_clash(estate: Estate, project: int) -> None:
    estate.plan("festival", ("project", project), due=at("2026-06-01T08:00"))
    estate.plan("opening", ("project", project), due=at("2026-06-02T08:00"))
    estate.plan("opening", ("project", estate.project("云璟二期")), due=at("2026-06-01T08:00"))
    assert clash(estate) == []


def test_a_gathering_that_does_not_take_place_is_in_nobodys_way(estate: Estate, project: int) -> None:
    here = ("project", project)
    estate.plan("festival", here, due=at("2026-06-01T08:00"))
    skipped = estate.plan("opening", here, due=at("2026-06-01T08:00"), status="done")
    estate.task("opening", here, plan=skipped, due=at("2026-06-01T18:00"), status="skipped", reason="rain")
    assert clash(estate) == []


def test_a_gathering_that_was_postponed_onto_another_clashes_on_the_new_day(estate: Estate, project: int) -> None:
    here = ("project", project)
    estate.plan("festival", here, due=at("2026-06-01T08:00"))
    moved = estate.plan("opening", here, due=at("2026-05-01T08:00"), status="done")
    estate.task("opening", here, plan=moved, due=at("2026-06-01T18:00"), postponed=1)
    assert clash(estate) == [("云璟一期", ["Festival", "Opening"])]
