"""Call-backs: one result per question on five steps, refused and unreachable counted, coverage shown both ways."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.answers import call, filled, promised

from keguan import FilledForm
from keguan_sixplustwo.callbacks import RESULTS, SCALE, Reach, calls_of, coverage, is_callback, tally, tried_enough
from keguan_sixplustwo.library import forms
from keguan_sixplustwo.touchpoint import Period


def counted(*given_calls: FilledForm, by: Period = Period.WEEK) -> list[dict[str, object]]:
    return tally(calls_of(given_calls, forms()), by)


def test_a_week_is_counted_by_project_from_monday_to_sunday() -> None:
    rows = counted(
        call(1, satisfaction="very_satisfied", on="2026-03-02"),
        call(2, satisfaction="satisfied", on="2026-03-08"),
        call(3, satisfaction="satisfied", on="2026-03-09"),
        call(4, satisfaction="neutral", on="2026-03-04", project="云璟二期"),
    )
    shape = [(row["project"], str(row["from"]), str(row["until"]), row["calls"]) for row in rows]
    assert shape == [
        ("云璟一期", "2026-03-02", "2026-03-08", 2),
        ("云璟一期", "2026-03-09", "2026-03-15", 1),
        ("云璟二期", "2026-03-02", "2026-03-08", 1),
    ]
    assert (rows[0]["very_satisfied"], rows[0]["satisfied"], rows[0]["neutral"]) == (1, 1, 0)


def test_it_can_be_counted_by_month() -> None:
    [row] = counted(call(1, on="2026-03-02"), call(2, on="2026-03-31"), by=Period.MONTH)
    assert (row["from"], row["until"], row["calls"]) == (date(2026, 3, 1), date(2026, 3, 31), 2)


def test_each_question_of_a_call_has_a_row_of_its_own() -> None:
    answers = {"called_on": "2026-03-04", "reached": "answered"}
    answers |= {"home_satisfaction": "satisfied", "service_satisfaction": "dissatisfied"}
    rows = counted(filled("handover_callback", "handover_callback", answers=answers))
    assert [(row["question"], row["satisfied"], row["dissatisfied"]) for row in rows] == [
        ("home_satisfaction", 1, 0),
        ("service_satisfaction", 0, 1),
    ]


@pytest.mark.parametrize(
    ("reached", "satisfaction", "result"),
    [
        ("answered", "refused", "refused"),
        ("refused", None, "refused"),
        ("no_answer", None, "unreachable"),
        ("wrong_number", None, "unreachable"),
        ("answered", None, "unanswered"),
    ],
)
def test_who_would_not_answer_and_who_was_not_reached_count_apart(
    reached: str, satisfaction: str | None, result: str
) -> None:
    [row] = counted(call(1, reached, satisfaction))
    assert [name for name in RESULTS if row[name]] == [result]


@given(st.lists(st.tuples(st.sampled_from(["answered", "refused", "no_answer"]), st.sampled_from([*SCALE, None]))))
def test_the_columns_of_a_row_sum_up_to_its_calls(outcomes: list[tuple[str, str | None]]) -> None:
    calls = [call(number, reached, answer) for number, (reached, answer) in enumerate(outcomes)]
    rows = counted(*calls)
    for row in rows:
        assert sum(int(str(row[name])) for name in RESULTS) == row["calls"]
    assert sum(int(str(row["calls"])) for row in rows) == len(calls)


def test_what_is_only_half_filled_in_is_no_call() -> None:
    assert counted(call(1, satisfaction="satisfied", complete=False)) == []


def test_a_call_without_a_day_counts_on_the_day_of_its_last_attempt() -> None:
    tried = filled(
        "signing_callback",
        "signing_callback",
        answers={"reached": "no_answer"},
        lines=[{"tried_on": "2026-02-20"}, {"tried_on": "2026-02-25"}],
    )
    [row] = counted(tried)
    assert row["from"] == date(2026, 2, 23)


def reach(statuses: str, *given_calls: FilledForm) -> Reach:
    """The coverage of promises number 1, 2, …: k(ept), w(aived), m(issed), p(lanned), c(ancelled)."""
    names = {"k": "kept", "w": "waived", "m": "missed", "p": "planned", "c": "cancelled"}
    promises = [
        promised(names[letter], number, action="signing_callback")  # type: ignore[arg-type]  # one of them
        for number, letter in enumerate(statuses, start=1)
    ]
    return coverage(promises, calls_of(given_calls, forms()), lambda one: one.project)["云璟一期"]


def test_coverage_is_shown_of_all_and_of_those_who_could_be_reached() -> None:
    found = reach("kkkkm", call(1, satisfaction="satisfied"), call(2, "refused"), call(3, "no_answer"), call(4))
    assert (found.all, found.reached, found.unreachable) == (5, 3, 1)
    assert (found.of_all, found.of_reachable) == (60.0, 75.0)
    assert not found.meets(100)


def test_who_cannot_be_reached_does_not_lower_the_share_of_the_reachable() -> None:
    found = reach("kkw", call(1), call(2, "no_answer"))
    assert found.of_all == pytest.approx(100 / 3)
    assert found.of_reachable == 100
    assert found.meets(100)


def test_calls_that_are_not_due_or_cancelled_are_not_in_it() -> None:
    assert reach("kpc", call(1)).all == 1


def test_nobody_to_call_is_no_share_at_all() -> None:
    found = reach("w")
    assert found.of_reachable is None
    assert found.meets(100)


@pytest.mark.parametrize(
    ("tries", "enough"),
    [
        (["2026-03-02", "2026-03-02", "2026-03-03"], True),
        (["2026-03-02", "2026-03-02", "2026-03-02"], False),
        (["2026-03-02", "2026-03-03"], False),
        ([], False),
    ],
)
def test_nobody_is_unreachable_before_three_attempts_on_two_days(tries: list[str], enough: bool) -> None:
    assert tried_enough(call(1, "no_answer", tries=tries)) is enough


@pytest.mark.parametrize("reached", ["answered", "refused", "wrong_number"])
def test_other_outcomes_need_no_further_attempts(reached: str) -> None:
    assert tried_enough(call(1, reached))


def test_every_form_of_a_call_back_speaks_the_same_words() -> None:
    callbacks = [form for form in forms().values() if is_callback(form)]
    assert Counter(form.name for form in callbacks).keys() == {
        "signing_callback",
        "handover_callback",
        "marketing_callback",
    }
    for form in callbacks:
        [reached] = [field for field in form.fields if field.name == "reached"]
        assert {choice.name for choice in reached.choices} == {"answered", "no_answer", "refused", "wrong_number"}
        assert form.lines is not None
        assert "tried_on" in {field.name for field in form.lines.fields}
