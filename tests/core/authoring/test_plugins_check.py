"""Six invented years show what a plugin would never do, and nothing that is not its fault."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from keguan import Action, Contract, Form, Home, Job, Plan, Skip, Sms, Task, hookimpl
from keguan.authoring.check import check_plugin, problems
from keguan.authoring.years import Fate, Lived
from keguan.errors import InputError, TemplateError
from keguan.plugins.discovery import Installed
from keguan.settings import parse_settings

CONFIG = """
language = "zh"
[company]
name = "云璟地产"
signature = "云璟"
hotline = "400-000-0000"
[cities.wuhan]
name = "武汉"
"""
PAPER = TypeAdapter(Form).validate_python(
    {
        "name": "paper",
        "title": {"zh": "表", "en": "Paper"},
        "departments": ["others"],
        "fields": [{"name": "fine", "type": "yes_no", "label": {"zh": "好", "en": "Fine"}, "required": True}],
    }
)


def at(day: Any, context: Any, **after: int) -> Any:
    return context.city.at(day, context.city.quiet_until) + timedelta(**after)


class Good:
    """Greets the buyer, and has somebody call on the owner."""

    @hookimpl
    def on_contract_signed(self, contract: Contract, context: Any) -> list[Plan]:
        return [Plan("greet", at(contract.signed_on, context, days=1))]

    @hookimpl
    def on_handover(self, home: Home, context: Any) -> list[Plan]:
        return [Plan("visit", at(home.handed_over_on, context, days=7))]

    @hookimpl
    def register_actions(self) -> list[Action]:
        return [Action("greet", self.greet), Action("visit", self.visit)]

    def greet(self, job: Job) -> Sequence[Any] | Skip:
        owners = job.record.owners  # type: ignore[attr-defined]  # contracts have owners
        return [Sms(owners[0], "hello", {"home": "1"})]

    def visit(self, job: Job) -> list[Task]:
        return [Task("visit", "service", due=job.due, evidence=("a photo",))]


class Bad(Good):
    """Does everything wrong that can be done wrong."""

    @hookimpl
    def on_contract_signed(self, contract: Contract, context: Any) -> list[Plan]:
        signed = contract.signed_on
        return [
            Plan("greet", at(signed, context, days=1)),
            Plan("early", at(signed, context, days=-30)),
            Plan("empty", at(signed, context, days=3)),
            Plan("paper", at(signed, context, days=3)),
        ]

    @hookimpl
    def register_actions(self) -> list[Action]:
        return [
            Action("greet", self.greet),
            Action("visit", self.visit),
            Action("early", self.visit),
            Action("empty", lambda job: Skip("nobody is there")),
            Action("paper", lambda job: [Task("paper", "service", due=job.due, form="paper")]),
            Action("never", self.visit),
        ]

    @hookimpl
    def register_forms(self) -> list[Form]:
        return [PAPER]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package whose message is right in Chinese, and lacks a value in English."""
    folder = tmp_path / "keguan_area"
    for language, words in (("zh", "您好 {{ home }}"), ("en", "Hello {{ nobody }}")):
        (folder / "templates" / language).mkdir(parents=True)
        (folder / "templates" / language / "hello.sms.j2").write_text(words, encoding="utf-8")
    (folder / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield "keguan_area"
    sys.modules.pop("keguan_area", None)


def found(plugin: object, package: str, tmp_path: Path) -> list[tuple[str, str]]:
    settings = parse_settings(CONFIG, tmp_path / "config" / "keguan.toml", {})
    importlib.import_module(package)
    there = type("There", (type(plugin),), {"__module__": package})()  # its templates are those of the package
    installed = {"area": Installed("area", lambda: there, "keguan-area", "1.0", package)}
    wrong = check_plugin(settings, "area", installed)
    return [(each.key.partition(".")[2], str(each.values.get("action") or each.values["template"])) for each in wrong]


def test_every_kind_of_mistake_is_found_once(package: str, tmp_path: Path) -> None:
    assert found(Bad(), package, tmp_path) == [
        ("never_planned", "area.never"),
        ("late_from_the_start", "area.early"),
        ("never_kept", "area.empty"),
        ("stuck", "area.paper"),
        ("unrenderable", "area/hello sms"),
    ]


def test_a_plugin_that_does_what_it_promises_has_no_problem(package: str, tmp_path: Path) -> None:
    english = tmp_path / "keguan_area" / "templates" / "en" / "hello.sms.j2"
    english.write_text("Hello {{ home }}", encoding="utf-8")
    assert found(Good(), package, tmp_path) == []


def test_the_real_world_is_left_alone(package: str, tmp_path: Path) -> None:
    found(Good(), package, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keguan_area"]


def lived(**changes: Any) -> Lived:
    base: dict[str, Any] = {
        "fates": {},
        "expected": frozenset(),
        "stuck": {},
        "unrenderable": {},
        "departments": {},
        "named": frozenset(),
    }
    return Lived(**{**base, **changes})


def test_each_problem_is_one_line_that_says_how_to_mend_it() -> None:
    action = ("area", "visit")
    wrong = lived(
        fates={("area", "early"): Fate(promised=4, done=4, past=4, late_from_the_start=3)},
        expected=frozenset({action}),
        stuck={action: InputError("tasks.unknown", task=1)},
        unrenderable={("en", "area", "hello", "sms"): TemplateError("template.subject_empty", file="x")},
        departments={"servcie": action},
    )
    lines = [str(problem) for problem in problems(wrong, frozenset({"service"}))]
    assert [line.count("\n") for line in lines] == [0] * 5
    assert all("): " in line or "(" in line for line in lines)
    assert "servcie" in lines[-1]


@pytest.mark.parametrize(("late", "told"), [(2, False), (3, True)])
def test_a_promise_is_called_late_when_most_of_it_is(late: int, told: bool) -> None:
    fate = Fate(promised=4, done=4, past=4, late_from_the_start=late)
    assert bool(list(problems(lived(fates={("area", "a"): fate}), frozenset()))) is told


def test_what_lies_ahead_is_not_called_missed() -> None:
    assert not list(problems(lived(fates={("area", "a"): Fate(promised=4)}), frozenset()))
