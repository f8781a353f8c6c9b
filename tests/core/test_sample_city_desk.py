"""Authors let people do the tasks, and compare a whole journey with what they read once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from tests.support.flow import Area, greet, templates

from keguan import Action, Form, Job, Plan, Task, hookimpl
from keguan.errors import Refusals
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]
LOOK = TypeAdapter(Form).validate_python(
    {
        "name": "look",
        "title": {"zh": "看房", "en": "A look"},
        "fields": [
            {"name": "pleased", "type": "yes_no", "label": {"zh": "满意", "en": "Pleased"}, "required": True},
            {
                "name": "complaint",
                "type": "long_text",
                "label": {"zh": "意见", "en": "Complaint"},
                "required_when": {"field": "pleased", "equals": False},
            },
            {"name": "stars", "type": "rating", "label": {"zh": "分", "en": "Stars"}, "required": True},
            {"name": "photo", "type": "photo", "label": {"zh": "照片", "en": "Photo"}, "required": True, "count": 2},
            {"name": "film", "type": "video", "label": {"zh": "录像", "en": "Film"}, "required": True},
            {"name": "sound", "type": "audio", "label": {"zh": "录音", "en": "Sound"}, "required": True},
        ],
        "lines": {
            "label": {"zh": "房间", "en": "Rooms"},
            "least": 2,
            "key": "room",
            "fields": [
                {"name": "room", "type": "text", "label": {"zh": "房间", "en": "Room"}, "required": True},
                {
                    "name": "height",
                    "type": "number",
                    "label": {"zh": "高", "en": "Height"},
                    "required": True,
                    "least": 2,
                },
            ],
        },
        "summary": ["pleased"],
    }
)


class Looks(Area):
    @hookimpl
    def register_forms(self) -> list[Form]:
        return [LOOK]


@pytest.fixture
def city(sample_city: Build, tmp_path: Path) -> SampleCity:
    def look(job: Job) -> list[Task]:
        return [Task("look", "service", due=job.due + timedelta(days=1), evidence=("a list", "a letter"), form="look")]

    def soon(contract: Any, context: Any) -> list[Plan]:
        morning = context.city.at(date(2026, 3, 3), time(9, 30))
        return [Plan("greet", morning), Plan("look", morning), Plan("look", morning, occurrence=2)]

    area = Looks(Action("greet", greet), Action("look", look), signed=soon)
    return sample_city({"area": area}, templates=templates(tmp_path))


def test_a_task_is_done_with_what_the_test_says_and_the_rest_made_up(city: SampleCity) -> None:
    sale = city.sign()
    city.run_until(date(2026, 3, 3))
    city.finish("look", sale, pleased=False, lines=[{"room": "hall", "height": 3}])
    result = city.expect("look", sale, "kept", done="2026-03-03 23:59").result or ""
    assert "Pleased: no" in result
    city.expect("look", sale, "due", occurrence=2)
    city.finish("look", sale.contract, occurrence=2)
    city.expect("look", sale, "kept", occurrence=2)
    with pytest.raises(AssertionError, match=r"no open task look; open is: nothing"):
        city.finish("look", sale)


def test_what_cannot_be_given_is_refused_as_at_the_desk(city: SampleCity) -> None:
    sale = city.sign()
    city.run_until(date(2026, 3, 3))
    with pytest.raises(Refusals, match="stars"):
        city.finish("look", sale, stars=9)
    with pytest.raises(Refusals, match="height"):
        city.finish("look", sale, lines=[{"room": "hall", "height": 1}])
    city.expect("look", sale, "due")


def test_a_task_that_need_not_be_done_is_left_with_its_reason(city: SampleCity) -> None:
    sale = city.sign()
    city.run_until(date(2026, 3, 3))
    city.leave("look", sale, "nobody at home", occurrence=1)
    city.expect("look", sale, why="nobody at home")


JOURNEY = """
    2026-03-03 09:30  kept      greet
    2026-03-03 09:30  due       look
    2026-03-03 09:30  kept      look 2  done 2026-03-03 23:59
"""


def lived(city: SampleCity) -> Any:
    sale = city.sign()
    city.run_until(date(2026, 3, 3))
    city.finish("look", sale, occurrence=2)
    return sale


def test_a_journey_reads_the_same_every_time(city: SampleCity) -> None:
    city.sign("900")  # the numbers of the records are others
    sale = lived(city)
    city.expect_journey(sale, JOURNEY)
    with pytest.raises(AssertionError, match=r"-2.*kept      look\n *\+2.*due       look"):
        city.expect_journey(sale, JOURNEY.replace("due ", "kept"))


def test_a_snapshot_is_written_only_when_asked_for(
    city: SampleCity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = lived(city)
    file = tmp_path / "journey.txt"
    with pytest.raises(AssertionError, match="KEGUAN_UPDATE=1"):
        city.expect_journey(sale, file)
    monkeypatch.setenv("KEGUAN_UPDATE", "1")
    city.expect_journey(sale, file)
    monkeypatch.delenv("KEGUAN_UPDATE")
    city.expect_journey(sale, file)
    assert file.read_text(encoding="utf-8") == city.journey(sale)
    file.write_text("something else\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="reads otherwise"):
        city.expect_journey(sale, file)


def test_projects_and_customers_are_known_by_what_is_stated(city: SampleCity) -> None:
    sale = city.sign()
    first = city.project(launch_on=date(2026, 4, 1))
    assert city.project(launch_on=date(2026, 5, 1)) == first
    assert [subject.type for subject in city.buyers(sale)] == ["customer"]
