"""Surveys: how many homes were heard, against 85 per cent, and the mean of each dimension."""

from __future__ import annotations

import pytest
from tests.support.answers import filled

from keguan import FilledForm
from keguan.model import Form
from keguan_sixplustwo.library import forms
from keguan_sixplustwo.surveys import HEARD, UNHEARD, Survey, survey_of


def paper(heard: int, homes: int, **marks: int) -> FilledForm:
    lines: list[dict[str, object]] = [
        {"home": f"3-1-{number:04}", "method": "phone" if number <= heard else "unreached"}
        for number in range(1, homes + 1)
    ]
    if heard:
        lines[0] |= marks
    return filled("estate_survey", "estate_survey", lines=lines, occurrence=2026)


def surveyed(*papers: FilledForm) -> Survey:
    return survey_of(papers, forms()["estate_survey"], "en")


@pytest.mark.parametrize(("heard", "met"), [(849, False), (850, True), (1000, True), (0, False)])
def test_84_9_per_cent_fail_and_85_pass(heard: int, met: bool) -> None:
    found = surveyed(paper(heard, 1000))
    assert found.coverage == heard / 10
    assert found.meets(85) is met


def test_several_papers_of_one_project_count_together() -> None:
    found = surveyed(paper(1, 2), paper(2, 2))
    assert (found.homes, found.heard) == (4, 3)


def test_a_project_without_homes_has_no_share() -> None:
    assert surveyed(paper(0, 0)).coverage is None


def test_each_dimension_has_its_mean() -> None:
    found = surveyed(paper(1, 3, comfort=5, repairs=2), paper(1, 1, comfort=4))
    assert (found.dimensions["comfort"].count, found.dimensions["comfort"].mean) == (2, 4.5)
    assert found.dimensions["repairs"].mean == 2
    assert found.dimensions["grounds"].mean is None


def test_the_dimensions_are_the_six_groups_of_the_source() -> None:
    found = survey_of([], forms()["estate_survey"], "zh")
    assert [each.label for each in found.dimensions.values()] == [
        "居住的便利性",
        "小区内部设计",
        "内部居住舒适性",
        "房屋的设计",
        "物业服务",
        "工程维修",
    ]


def by_home(form: Form) -> bool:
    return form.lines is not None and form.lines.key == "home"


@pytest.mark.parametrize("name", sorted(name for name, form in forms().items() if by_home(form)))
def test_of_every_outcome_of_a_home_it_is_known_whether_it_was_heard(name: str) -> None:
    lines = forms()[name].lines
    assert lines is not None
    choices = {each.name for field in lines.fields if field.name in ("outcome", "method") for each in field.choices}
    assert choices & HEARD
    assert choices & UNHEARD
    assert choices <= HEARD | UNHEARD
