"""Forms that plugins register, and tasks that name one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from types import ModuleType

import pytest

from keguan import Action, Form, Plan, Task, hookimpl
from keguan.errors import PluginError
from keguan.store.schema import tasks
from keguan.testing import SampleCity

WORDS = {"zh": "问", "en": "Q"}
CALL = Form.model_validate(
    {
        "name": "call",
        "title": WORDS,
        "fields": [{"name": "mood", "type": "text", "label": WORDS, "required": True}],
        "proves": [{"zh": "通话记录", "en": "record of the call"}],
    }
)


def plugin(forms: object, names: str | None = "call") -> ModuleType:
    """Return a plugin that registers ``forms`` and makes a task with the form ``names`` of each contract."""

    @hookimpl
    def register_forms() -> object:
        return forms

    @hookimpl
    def register_actions() -> list[Action]:
        def run(job: object) -> list[Task]:
            due = job.now + timedelta(days=1)  # type: ignore[attr-defined]  # a Job
            return [Task("call", "客关", due, ("record of the call", "photo"), form=names)]

        return [Action("call", run)]

    @hookimpl
    def on_contract_signed(context: object) -> list[Plan]:
        due = context.city.at(date(2026, 3, 3), time(9))  # type: ignore[attr-defined]
        return [Plan("call", due)]

    module = ModuleType("probe")
    vars(module).update(
        register_forms=register_forms, register_actions=register_actions, on_contract_signed=on_contract_signed
    )
    return module


def test_a_form_has_its_plugins_name_in_front_and_two_plugins_may_use_one_name(
    sample_city: Callable[..., SampleCity],
) -> None:
    city = sample_city({"one": plugin([CALL]), "two": plugin([CALL])})
    assert sorted(city.installation.plugins.forms) == ["one.call", "two.call"]


def test_a_task_carries_its_form_which_is_itself_the_evidence_it_records(
    sample_city: Callable[..., SampleCity],
) -> None:
    city = sample_city({"one": plugin([CALL])})
    city.sign("1201", on=date(2026, 3, 2))
    city.run_until(date(2026, 3, 3))
    with city.store.read() as connection:
        [task] = connection.execute(tasks.select()).all()
    assert (task.form, task.evidence_required) == ("one.call", ["photo"])


def test_a_task_that_names_a_form_which_is_not_there_is_the_plugins_failure(
    sample_city: Callable[..., SampleCity],
) -> None:
    city = sample_city({"one": plugin([CALL], "cal")})
    sale = city.sign("1201", on=date(2026, 3, 2))
    city.run_until(date(2026, 3, 4))
    promised = city.expect("call", sale)
    assert promised.status not in ("kept", "due")
    assert "the form 'cal'" in (promised.why or "")
    assert "did you mean call?" in (promised.why or "")


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({"call": CALL}, "plugins.register_type"),
        ([WORDS], "plugins.register_item"),
        ([CALL, CALL], "plugins.register_twice"),
    ],
)
def test_what_is_no_list_of_forms_is_refused_by_name(
    sample_city: Callable[..., SampleCity], answer: object, key: str
) -> None:
    with pytest.raises(PluginError) as failed:
        sample_city({"one": plugin(answer)})
    assert failed.value.key == key
    assert (failed.value.values["plugin"], failed.value.values["hook"]) == ("one", "register_forms")
