"""The lists of plans and events: what scripts read."""

from __future__ import annotations

from datetime import date

import pytest
from tests.support.estate import Estate, at

from keguan.errors import InputError
from keguan.queries.events import list_events
from keguan.queries.plans import list_plans
from keguan.queries.reader import Filters

ALL = Filters()


def test_a_plan_has_the_keys_of_the_interface(estate: Estate) -> None:
    project = estate.project()
    contract = estate.contract("HT-001", project)
    signed = estate.event("e-1", subject=("contract", contract))
    number = estate.plan(
        subject=("contract", contract), due=at("2026-03-03T09:30"), project_id=project, event_seq=signed, occurrence=1
    )
    assert list(list_plans(estate.reader(), ALL)) == [
        {
            "id": number,
            "key": f"sixplustwo.sms_congratulation/contract/{contract}/1",
            "plugin": "sixplustwo",
            "action": "sms_congratulation",
            "clause": "6+2指引 5.2.1",
            "subject": {"type": "contract", "id": "HT-001"},
            "project": "云璟一期",
            "city": "shenzhen",
            "due_at": at("2026-03-03T09:30"),
            "status": "planned",
            "provisional": False,
            "late_at_creation": False,
            "event_id": "e-1",
        }
    ]


def test_what_nobody_knows_of_a_plan_is_null_and_not_absent(estate: Estate) -> None:
    estate.plan(clause="", subject=("customer", 7))
    [plan] = list_plans(estate.reader(), ALL)
    assert (plan["clause"], plan["project"], plan["event_id"]) == (None, None, None)


def test_subjects_go_by_the_names_people_know(estate: Estate) -> None:
    project = estate.project("云璟一期")
    home = estate.home(project, "3", "", "1201")
    contract = estate.contract("HT-001", project)
    day = date(2026, 3, 2).toordinal()
    for subject in [
        ("project", project),
        ("home", home),
        ("contract", contract),
        ("customer", 7),
        ("day", day),
        ("case", 5),
    ]:
        estate.plan(subject=subject)
    assert [(plan["subject"]["type"], plan["subject"]["id"]) for plan in list_plans(estate.reader(), ALL)] == [
        ("project", "云璟一期"),
        ("home", "云璟一期/3-1201"),
        ("contract", "HT-001"),
        ("customer", "7"),
        ("day", "2026-03-02"),
        ("case", "5"),
    ]


def test_instants_carry_the_offset_of_their_city(estate: Estate) -> None:
    estate.plan(city="shenzhen")
    estate.plan(city="urumqi")
    estate.plan(city="nowhere_configured")
    shown = [plan["due_at"].isoformat() for plan in list_plans(estate.reader(), ALL)]
    assert shown == ["2026-03-02T09:00:00+08:00", "2026-03-02T07:00:00+06:00", "2026-03-02T09:00:00+08:00"]


def test_a_day_begins_and_ends_by_the_clocks_of_each_city(estate: Estate) -> None:
    estate.plan("before", due=at("2026-03-02T23:59:59"))
    estate.plan("first", due=at("2026-03-03T00:00"))
    estate.plan("yesterday_in_urumqi", city="urumqi", due=at("2026-03-03T01:00"))
    estate.plan("last", due=at("2026-03-03T23:59"))
    estate.plan("still_today_in_urumqi", city="urumqi", due=at("2026-03-04T01:00"))
    estate.plan("after", due=at("2026-03-04T00:00"))
    wanted = Filters(since=date(2026, 3, 3), until=date(2026, 3, 3))
    assert [plan["action"] for plan in list_plans(estate.reader(), wanted)] == [
        "first",
        "last",
        "still_today_in_urumqi",
    ]


def test_a_period_may_be_given_in_instants(estate: Estate) -> None:
    for hour in (9, 10, 11):
        estate.plan(f"at_{hour}", due=at(f"2026-03-02T{hour:02}:00"))
    wanted = Filters(since=at("2026-03-02T10:00"), until=at("2026-03-02T11:00"))
    assert [plan["action"] for plan in list_plans(estate.reader(), wanted)] == ["at_10"]


def test_filters_narrow_the_plans_together(estate: Estate) -> None:
    ours, theirs = estate.project("云璟一期"), estate.project("云璟二期", city="urumqi")
    estate.plan("kept", project_id=ours, status="done")
    estate.plan("other_status", project_id=ours, status="held")
    estate.plan("other_plugin", project_id=ours, status="done", plugin="complaints")
    estate.plan("other_project", project_id=theirs, status="done", city="urumqi")
    wanted = Filters(statuses=("done", "failed"), plugin="sixplustwo", project="云璟一期", city="深圳")
    assert [plan["action"] for plan in list_plans(estate.reader(), wanted)] == ["kept"]


def test_without_a_limit_all_plans_come_and_with_one_the_earliest(estate: Estate) -> None:
    for day in (5, 3, 4):
        estate.plan(f"day_{day}", due=at(f"2026-03-0{day}T09:00"))
    assert [plan["action"] for plan in list_plans(estate.reader(), ALL)] == ["day_3", "day_4", "day_5"]
    assert [plan["action"] for plan in list_plans(estate.reader(), Filters(limit=2))] == ["day_3", "day_4"]


def test_more_plans_than_a_page_come_once_each(estate: Estate) -> None:
    from sqlalchemy import insert

    from keguan.store.schema import plans

    first = estate.plan()
    template = dict(estate.one(plans, first)._mapping)
    del template["id"]
    with estate.store.write() as connection:
        connection.execute(insert(plans), [template | {"occurrence": 1000 + n} for n in range(2500)])
    assert len({plan["id"] for plan in list_plans(estate.reader(), ALL)}) == 2501


def test_an_unknown_project_or_city_is_named_and_not_an_empty_list(estate: Estate) -> None:
    estate.project("云璟一期")
    with pytest.raises(InputError, match=r"no project.*云璟一季.*nearest is 云璟一期"):
        list(list_plans(estate.reader(), Filters(project="云璟一季")))
    with pytest.raises(InputError, match=r"no city.*shenzen.*nearest is shenzhen"):
        list(list_plans(estate.reader(), Filters(city="shenzen")))


def test_a_city_that_only_a_project_names_can_be_asked_for(estate: Estate) -> None:
    estate.project("远山", city="lhasa")
    estate.plan(city="lhasa")
    assert len(list(list_plans(estate.reader(), Filters(city="lhasa")))) == 1


# --- Events ------------------------------------------------------------------------------------------------------


def test_an_event_has_the_keys_of_the_interface(estate: Estate) -> None:
    contract = estate.contract("HT-001", estate.project())
    estate.event(
        "e-1",
        subject=("contract", contract),
        time=at("2026-03-01T00:00"),
        data={"floor": 12},
        taken={"wuhan": "skipped", "sixplustwo": "failed"},
        error="KeyError: 'x'",
    )
    assert list(list_events(estate.reader(), ALL)) == [
        {
            "id": "e-1",
            "type": "contract_signed",
            "source": "import",
            "time": at("2026-03-01T00:00"),
            "subject": {"type": "contract", "id": "HT-001"},
            "data": {"floor": 12},
            "deliveries": [
                {"plugin": "sixplustwo", "status": "failed", "error": "KeyError: 'x'"},
                {"plugin": "wuhan", "status": "skipped", "error": None},
            ],
        }
    ]


def test_the_traceback_is_shown_only_to_who_asks_for_it(estate: Estate) -> None:
    estate.event("e-1", taken={"sixplustwo": "failed"}, error="boom")
    [plain] = list_events(estate.reader(), ALL)
    [full] = list_events(estate.reader(), ALL, event_id="e-1", detail=True)
    assert "detail" not in plain["deliveries"][0]
    assert full["deliveries"][0]["detail"] == "Traceback\nboom"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(statuses=("failed",)), ["failed_one"]),
        (Filters(statuses=("new",)), ["fresh"]),
        (Filters(statuses=("new", "failed")), ["failed_one", "fresh"]),
        (Filters(plugin="wuhan"), ["failed_one"]),
        (Filters(statuses=("failed",), plugin="wuhan"), []),
    ],
)
def test_events_are_found_by_how_a_plugin_took_them(estate: Estate, filters: Filters, expected: list[str]) -> None:
    estate.event("done_one", taken={"sixplustwo": "done"})
    estate.event("failed_one", taken={"sixplustwo": "failed", "wuhan": "done"})
    estate.event("fresh", state="new")
    assert [event["id"] for event in list_events(estate.reader(), filters)] == expected


def test_the_events_of_a_project_are_those_of_its_homes_contracts_and_people(estate: Estate) -> None:
    ours, theirs = estate.project("云璟一期"), estate.project("云璟二期")
    home = estate.home(ours)
    buyer, stranger = estate.person(), estate.person()
    contract = estate.contract("HT-001", ours, home, [buyer])
    for name, subject in {
        "project": ("project", ours),
        "home": ("home", home),
        "contract": ("contract", contract),
        "buyer": ("customer", buyer),
        "stranger": ("customer", stranger),
        "other": ("project", theirs),
        "tick": ("day", 739_000),
    }.items():
        estate.event(name, subject=subject)
    found = [event["id"] for event in list_events(estate.reader(), Filters(project="云璟一期"))]
    assert found == ["project", "home", "contract", "buyer"]
