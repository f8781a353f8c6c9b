"""Warranties: what ends when, one promise for all that ends on one day, and never less than the law asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keguan import Context, Home, Job, Plan, Project
from keguan.errors import PluginError
from keguan_sixplustwo.library import warranted
from keguan_sixplustwo.planning.components import Season, Warranty, components_of, read_term

Company = Callable[..., Context]
Having = Callable[..., object]
Plans = Callable[..., dict[int, Plan]]
Days = Callable[[Mapping[int, Plan]], dict[int, str]]

SEASONS = {"heating season": Season((11, 15), (3, 15)), "cooling season": Season((5, 15), (9, 15))}


@pytest.fixture
def reminding(company: Company, having: Having) -> Callable[..., Context]:
    """Return a company that reminds of each warranty a month before it ends."""
    reminder = having(
        "ending", about="home", trigger="warranty_expiry", kind="message", channel="sms", template="congratulation",
        due="warranty_expiry - 1 month at 09:30", until="warranty_expiry",
    )  # fmt: skip
    return lambda **settings: company({"wuhan": reminder}, settings=settings)


def test_what_ends_on_one_day_is_one_promise(
    reminding: Callable[..., Context], promised: Plans, days: Days, home: Callable[..., Home]
) -> None:
    plans = promised("ending", home(handed_over_on=date(2026, 6, 30), fitting="fitted"), reminding())
    assert days(plans) == {
        2: "2031-05-30",  # waterproofing, five years
        3: "2028-02-15",  # heating: 2026/27 and 2027/28, to 15 March
        4: "2028-08-15",  # cooling: 2027 and 2028, since that of 2026 had begun, to 15 September
        5: "2028-05-30",  # wiring, pipes, equipment and decoration, two years
    }
    assert not any(plan.recurs for plan in plans.values())


def test_the_journey_names_what_ends_and_that_it_is_the_legal_minimum(
    reminding: Callable[..., Context], promised: Plans, home: Callable[..., Home]
) -> None:
    handed_over = home(handed_over_on=date(2026, 6, 30), fitting="fitted")
    assert promised("ending", handed_over, reminding())[5].note == (
        "电气管线、给排水管道、设备安装、装修工程（按法定最低保修期）"
    )
    context = reminding(warranty={"electrics": "3 years"})
    plans = promised("ending", handed_over, context)
    assert plans[5].note == "电气管线"
    assert plans[6].note == "给排水管道、设备安装、装修工程（按法定最低保修期）"


def test_only_fitted_homes_have_decoration(
    reminding: Callable[..., Context], promised: Plans, home: Callable[..., Home]
) -> None:
    bare = promised("ending", home(handed_over_on=date(2026, 6, 30), fitting="bare"), reminding())
    unknown = promised("ending", home(handed_over_on=date(2026, 6, 30)), reminding())
    assert "装修" not in bare[5].note
    assert "装修" not in unknown[5].note


def test_a_project_may_promise_more(
    reminding: Callable[..., Context], promised: Plans, days: Days, home: Callable[..., Home]
) -> None:
    context = reminding(
        warranty={"waterproofing": "6 years"},
        project_warranty={"云璟一期": {"waterproofing": "8 years", "heating": "3 heating seasons"}},
    )
    plans = promised("ending", home(handed_over_on=date(2026, 6, 30)), context)
    assert days(plans)[2] == "2034-05-30"
    assert days(plans)[3] == "2029-02-15"


def test_homes_of_two_projects_keep_their_own_terms(
    reminding: Callable[..., Context], promised: Plans, days: Days, home: Callable[..., Home]
) -> None:
    context = reminding(project_warranty={"云璟一期": {"waterproofing": "8 years"}})
    ours = home(handed_over_on=date(2026, 6, 30))
    theirs = replace(ours, project=Project(2, "云璟二期", "wuhan"))
    for _ in range(2):
        assert days(promised("ending", ours, context))[2] == "2034-05-30"
        assert days(promised("ending", theirs, context))[2] == "2031-05-30"


def test_a_month_before_the_end_of_a_short_month(
    reminding: Callable[..., Context], promised: Plans, days: Days, home: Callable[..., Home]
) -> None:
    plans = promised("ending", home(handed_over_on=date(2026, 3, 31)), reminding())
    assert days(plans)[5] == "2028-02-29"


def test_a_home_that_is_not_handed_over_has_no_warranty_yet(
    reminding: Callable[..., Context], promised: Plans, home: Callable[..., Home]
) -> None:
    assert promised("ending", home(), reminding()) == {}


def test_the_message_knows_what_ends(
    reminding: Callable[..., Context], promised: Plans, home: Callable[..., Home], job: Callable[..., Job]
) -> None:
    context = reminding()
    handed_over = home(handed_over_on=date(2026, 6, 30), fitting="bare")
    plan = promised("ending", handed_over, context)[5]
    ending = components_of(job(plan, handed_over, context))
    assert [name.en for name in ending.names] == [
        "electric wiring", "water pipes and drains", "installation of equipment",
    ]  # fmt: skip
    assert ending.on == date(2028, 6, 30)
    assert components_of(job(plan, home(), context)).names == ()  # the handover was taken back


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"waterproofing": "4 years"}, r'"4 years" is less than the law asks for.*at least'),
        ({"waterproofing": "59 months"}, "promise 5 years at least"),
        ({"heating": "1 heating season"}, "promise 2 heating seasons at least"),
        ({"heating": "2 years"}, "promise 2 heating seasons at least"),  # two seasons may last longer
        ({"heating": "5 cooling seasons"}, "promise 2 heating seasons at least"),
        ({"pipes": "9 heating seasons"}, "cannot be compared"),
        ({"structure": "50 years"}, "promise design life at least"),
        ({"waterproofing": "five years"}, 'cannot read the warranty "five years"'),
        ({"waterproof": "6 years"}, 'no part of a home is called "waterproof".*nearest names: waterproofing'),
    ],
)
def test_what_is_less_than_the_law_asks_for_is_refused_at_start(
    terms: dict[str, str], told: str, reminding: Callable[..., Context]
) -> None:
    with pytest.raises(PluginError, match=told) as refused:
        reminding(warranty=terms)
    assert "[plugins.sixplustwo.warranty]" in str(refused.value)
    with pytest.raises(PluginError, match=r'\[plugins\.sixplustwo\.project_warranty\."云璟一期"\]'):
        reminding(project_warranty={"云璟一期": terms})
    assert "\n" not in str(refused.value)


def test_what_is_at_least_as_much_is_accepted(reminding: Callable[..., Context]) -> None:
    reminding(
        warranty={
            "structure": "design life",
            "waterproofing": "60 months",
            "heating": "3 years",
            "cooling": "36 months",
        }
    )


@pytest.mark.parametrize(
    ("handover", "end"),
    [
        ("2026-11-15", "2028-03-15"),  # on the day it begins: that season counts
        ("2026-11-16", "2029-03-15"),
        ("2027-03-15", "2029-03-15"),
        ("2027-03-16", "2029-03-15"),
    ],
)
def test_two_heating_seasons(handover: str, end: str) -> None:
    assert SEASONS["heating season"].end(date.fromisoformat(handover), 2) == date.fromisoformat(end)


def test_where_it_is_heated_longer_the_season_ends_later(
    reminding: Callable[..., Context], promised: Plans, days: Days, home: Callable[..., Home]
) -> None:
    context = reminding(heating_season="10-15..04-15", cooling_season="06-01..08-31")
    plans = promised("ending", home(handed_over_on=date(2026, 5, 20)), context)
    assert days(plans)[3] == "2028-03-15"
    assert days(plans)[4] == "2027-07-31"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    handover=st.dates(date(2010, 1, 1), date(2040, 12, 31)),
    fitting=st.sampled_from(["fitted", "bare", None]),
    years=st.integers(5, 20),
)
def test_each_component_ends_once_and_after_the_handover(handover: date, fitting: str | None, years: int) -> None:
    warranty = Warranty(warranted(), SEASONS, {"waterproofing": f"{years} years"}, {})
    endings = warranty.endings("云璟一期", fitting, handover)
    names = [name.en for ending in endings for name in ending.names]
    dated = [c.name.en for c in warranted() if c.minimum != "design life" and c.fitting in (None, fitting)]
    assert sorted(names) == sorted(dated)
    assert len({ending.on for ending in endings}) == len({ending.number for ending in endings}) == len(endings)
    assert all(ending.on > handover for ending in endings)


def test_a_term_covers_itself_and_shorter_ones() -> None:
    terms = [read_term(text) for text in ("2 years", "25 months", "3 years", "2 heating seasons", "3 heating seasons")]
    known = [term for term in terms if term is not None]
    assert [[one.covers(other) for other in known] for one in known] == [
        [True, False, False, False, False],
        [True, True, False, False, False],
        [True, True, True, True, False],
        [False, False, False, True, False],
        [False, False, False, True, True],
    ]
