"""Campaigns: which homes of a project are visited, drawn so that everybody can draw them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.duties import do, homes_of, only_task, tasks

from keguan import Context, Plan, Project, Task
from keguan_sixplustwo.sampling import draw, sample_size, seed_of
from keguan_sixplustwo.touchpoint import Coverage

Companies = Callable[..., Context]
Plans = Callable[..., dict[int, Plan]]

HANDED_OVER = date(2025, 10, 1)
PROJECT = Project(1, "云璟一期", "wuhan", handed_over_on=HANDED_OVER)
RULE = Coverage(percent=10, most=60, sample=True)


@pytest.mark.parametrize(
    ("homes", "drawn"),
    [(1, 1), (9, 1), (10, 1), (11, 2), (100, 10), (590, 59), (591, 60), (600, 60)],
)
def test_the_sample_is_a_tenth_of_the_homes_rounded_up(homes: int, drawn: int) -> None:
    size = sample_size(homes, RULE)
    assert size.size == drawn
    assert not size.contradicts


def test_from_601_homes_on_a_tenth_and_sixty_contradict_each_other() -> None:
    assert sample_size(601, RULE).contradicts
    assert (sample_size(700, RULE).size, sample_size(700, RULE).share) == (60, 70)
    assert sample_size(700, RULE, "percent").size == 70


@given(st.integers(0, 5000), st.text(max_size=20), st.integers(0, 5000))
def test_the_same_seed_draws_the_same_homes_each_once_and_in_their_order(count: int, seed: str, size: int) -> None:
    labels = [f"3-1-{number:04}" for number in range(count)]
    drawn = draw(labels, size, seed)
    assert drawn == draw(labels, size, seed)
    assert len(drawn) == min(size, count)
    assert drawn == sorted(set(drawn))
    assert set(drawn) <= set(labels)


@given(st.integers(2, 300), st.text(max_size=20), st.data())
def test_a_home_that_comes_later_changes_one_of_the_drawn_at_most(count: int, seed: str, data: st.DataObject) -> None:
    labels = [f"3-1-{number:04}" for number in range(count)]
    size = data.draw(st.integers(1, count))
    before, after = set(draw(labels, size, seed)), set(draw([*labels, "9-9-9999"], size, seed))
    assert len(before - after) <= 1


def test_another_promise_or_another_company_draws_other_homes() -> None:
    labels = [f"3-1-{number:04}" for number in range(1000)]
    seeds = [seed_of("key/1", "ours"), seed_of("key/2", "ours"), seed_of("key/1", "theirs")]
    assert len({tuple(draw(labels, 60, seed)) for seed in seeds}) == 3


def test_sampling_is_fair_to_all_homes() -> None:
    labels = [f"3-1-{number:04}" for number in range(100)]
    often = dict.fromkeys(labels, 0)
    for number in range(2000):
        for label in draw(labels, 10, seed_of(f"key/{number}", "")):
            often[label] += 1
    assert min(often.values()) > 140  # of 200 expected; five standard deviations are 67
    assert max(often.values()) < 268


@pytest.fixture
def visit(company: Companies, promised: Plans) -> Callable[..., Task | None]:
    """Return the task of the visits at month three, for so many homes of which so many were handed over."""

    def build(handed_over: int, *, waiting: int = 0, context: Context | None = None) -> Task | None:
        city = context or company()
        [plan] = promised("three_month_visit", PROJECT, city).values()
        homes = [
            *homes_of(PROJECT, handed_over, handed_over_on=HANDED_OVER),
            *(replace(home, building="4") for home in homes_of(PROJECT, waiting)),
        ]
        outcome = do("three_month_visit", PROJECT, city, plan=plan, homes=homes)
        return only_task(outcome) if outcome else None

    return build


def test_the_task_has_a_line_for_each_home_that_was_drawn(visit: Callable[..., Task]) -> None:
    task = visit(590, waiting=110)
    assert task.form == "three_month_visit"
    assert task.filled is not None
    assert len(task.filled.lines) == 59
    assert {line["home"] for line in task.filled.lines} <= {f"3-1-{number:04}" for number in range(1, 591)}
    assert task.filled.answers["homes_handed_over"] == 590
    assert task.filled.answers["homes_drawn"] == 59
    assert "contradiction" not in task.filled.answers


def test_the_seed_that_was_recorded_draws_the_same_homes_again(visit: Callable[..., Task]) -> None:
    filled = visit(590).filled
    assert filled is not None
    labels = [f"3-1-{number:04}" for number in range(1, 591)]
    assert [line["home"] for line in filled.lines] == draw(labels, 59, str(filled.answers["seed"]))
    assert visit(590).filled == filled


def test_above_six_hundred_homes_sixty_are_drawn_and_the_form_says_why(visit: Callable[..., Task]) -> None:
    filled = visit(700).filled
    assert filled is not None
    assert len(filled.lines) == 60
    assert filled.answers["contradiction"] == ("10%应抽70户，标准又要求不超过60户，两者不能同时满足；按设置抽取60户")


def test_a_company_may_have_the_share_count(visit: Callable[..., Task], company: Companies) -> None:
    filled = visit(700, context=company(settings={"sample_rule": "percent"})).filled
    assert filled is not None
    assert len(filled.lines) == 70
    assert "contradiction" in filled.answers


def test_a_company_draws_by_a_seed_of_its_own(visit: Callable[..., Task], company: Companies) -> None:
    ours = visit(590, context=company(settings={"sample_seed": "2026 云璟"})).filled
    plain = visit(590).filled
    assert ours is not None
    assert plain is not None
    assert ours.lines != plain.lines


def test_nothing_is_to_be_done_while_no_home_was_handed_over(visit: Callable[..., Task | None]) -> None:
    assert visit(0, waiting=12) is None


def test_the_visits_may_slip_to_the_sixth_month(visit: Callable[..., Task], clock: Callable[..., str]) -> None:
    task = visit(10)
    # handed over on 1 October; 60 days stand in for moving in: 30 November; three months later is a make-up working day
    assert clock(task.due) == "2026-02-28 18:00"
    assert task.latest is not None
    assert clock(task.latest)[:10] == "2026-05-30"


def test_the_house_check_of_one_year_lists_every_home(company: Companies, promised: Plans) -> None:
    context = company()
    [plan] = promised("one_year_house_check", PROJECT, context).values()
    homes = homes_of(PROJECT, 700, handed_over_on=HANDED_OVER)
    task = only_task(do("one_year_house_check", PROJECT, context, plan=plan, homes=homes))
    assert task.filled is not None
    assert len(task.filled.lines) == 700
    assert "seed" not in task.filled.answers


def test_more_homes_than_a_form_can_hold_are_several_tasks(company: Companies, promised: Plans) -> None:
    context = company()
    [plan] = promised("one_year_house_check", PROJECT, context).values()
    homes = homes_of(PROJECT, 2001, handed_over_on=HANDED_OVER)
    papers = [task.filled for task in tasks(do("one_year_house_check", PROJECT, context, plan=plan, homes=homes))]
    assert [len(filled.lines) for filled in papers if filled is not None] == [2000, 1]
