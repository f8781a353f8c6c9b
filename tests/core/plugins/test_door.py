"""One failure stays one failure: the door names it and the other plugins go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan import Action, Email, Event, Home, Person, Plan, Project, Skip, Sms, Subject, Task, hookimpl, hookspecs
from keguan.model import Context, Effect, Job
from keguan.plugins import Failure, Installed, Plugins, Result, check_plans, load_plugins
from keguan.settings import Settings
from keguan.texts import text

DUE = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
HOME = Home(1, Project(1, "云璟一期", "shenzhen"), "3", "1", "1201")
CONTEXT: Any = SimpleNamespace(city="shenzhen")  # what these plugins look at


def plugin(answer: Callable[[], object], **more: Callable[..., object]) -> object:
    """A plugin whose ``on_handover`` gives ``answer()``."""

    class Plugin:
        @hookimpl
        def on_handover(self, home: Home, context: Context) -> Any:
            return answer()

        @hookimpl
        def register_actions(self) -> list[Action]:
            return [Action("visit", lambda job: []), Action("call", lambda job: [])]

    for name, function in more.items():
        setattr(Plugin, name, staticmethod(hookimpl(function)))
    return Plugin()


def loaded(**plugins: object) -> Plugins:
    settings = Settings.model_validate({"plugins": {name: {"enabled": True} for name in plugins}})
    installed = {
        name: Installed(name, lambda each=each: each, f"keguan-{name}", "0.3")  # type: ignore[misc]  # early binding
        for name, each in sorted(plugins.items())
    }
    return load_plugins(settings, installed=installed)


def raising(error: BaseException) -> Callable[[], object]:
    def answer() -> object:
        raise error

    return answer


def test_a_plugin_that_raises_is_named_and_the_others_go_on_in_name_order() -> None:
    plugins = loaded(c=plugin(list), b=plugin(raising(ValueError("no such step"))), a=plugin(list))
    first, second, third = plugins.call(hookspecs.on_handover, home=HOME, context=CONTEXT)
    assert (first, third) == (Result("a", []), Result("c", []))
    assert isinstance(second, Failure)
    assert (second.plugin, second.hook) == ("b", "on_handover")
    assert str(second) == "plugin 'b' 0.3 (keguan-b) failed in on_handover: ValueError: no such step"
    assert "raise error\nValueError: no such step" in second.traceback
    assert text("zh", second.error.key, **second.error.values).startswith(
        "插件 'b' 0.3（keguan-b）在 on_handover 中出错"
    )


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError(), "RuntimeError"),
        (RuntimeError("two\n  lines"), "RuntimeError: two lines"),
        (SystemExit(2), "SystemExit: 2"),
        (RecursionError("deep"), "RecursionError: deep"),
        (ValueError("call 13800138000 or zhang@example.com"), "ValueError: call 138****8000 or z***@example.com"),
    ],
)
def test_whatever_a_plugin_raises_is_one_line_without_personal_values(error: BaseException, line: str) -> None:
    plugins = loaded(b=plugin(raising(error)))
    failure = plugins.call_one("b", hookspecs.on_handover, home=HOME, context=CONTEXT)
    assert str(failure) == f"plugin 'b' 0.3 (keguan-b) failed in on_handover: {line}"
    assert isinstance(failure, Failure)
    assert "13800138000" not in failure.traceback


def test_an_error_whose_message_raises_is_still_one_line() -> None:
    class Nasty(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    plugins = loaded(b=plugin(raising(Nasty())))
    failure = plugins.call_one("b", hookspecs.on_handover, home=HOME, context=CONTEXT)
    assert str(failure) == "plugin 'b' 0.3 (keguan-b) failed in on_handover: Nasty"


def test_ctrl_c_is_no_plugins_failure() -> None:
    plugins = loaded(b=plugin(raising(KeyboardInterrupt())))
    with pytest.raises(KeyboardInterrupt):
        plugins.call_one("b", hookspecs.on_handover, home=HOME, context=CONTEXT)


def test_a_plugin_gets_only_the_arguments_it_takes_and_one_without_the_hook_is_not_called() -> None:
    seen: list[Home] = []

    class Small:
        @hookimpl
        def on_handover(self, home: Home) -> list[Plan]:
            seen.append(home)
            return []

    plugins = loaded(a=Small())
    assert plugins.call_one("a", hookspecs.on_handover, home=HOME, context=CONTEXT) == Result("a", [])
    event = Event(1, "test", "1", "move_in", DUE, HOME.ref, "shenzhen")
    assert plugins.call_one("a", hookspecs.on_event, event=event, record=HOME, context=CONTEXT) is None
    assert list(plugins.call(hookspecs.on_event, event=event, record=HOME, context=CONTEXT)) == []
    assert seen == [HOME]
    with pytest.raises(TypeError, match="by keyword"):
        plugins.call_one("a", hookspecs.on_handover, HOME, CONTEXT)


# --- Nonsense -----------------------------------------------------------------------------------------------

VISIT = Plan("visit", DUE)
NONSENSE = {
    "None": (None, "the hook returned NoneType"),
    "a plan alone": (VISIT, "the hook returned Plan"),
    "a generator": ((VISIT for _ in "a"), "the hook returned generator"),
    "a text": ("visit", "the hook returned str"),
    "texts": (["visit"], "the hook returned a list with str in it"),
    "unknown action": ([Plan("vist", DUE)], "a plan names an action 'vist' that the plugin does not have"),
    "no action": ([Plan(None, DUE)], "a plan names an action 'None'"),  # type: ignore[arg-type]  # nonsense
    "naive due": ([Plan("visit", datetime(2026, 3, 2))], "the plan's due is not an instant"),  # noqa: DTZ001 - the nonsense
    "a date": ([Plan("visit", DUE.date())], "the plan's due is not an instant"),  # type: ignore[arg-type]  # nonsense
    "far future": ([Plan("visit", datetime.max.replace(tzinfo=UTC))], "the plan's due is not an instant"),
    "window backwards": ([Plan("visit", DUE, until=DUE - timedelta(1))], "the plan's until is not an instant"),
    "naive opens": ([Plan("visit", DUE, opens=datetime(2026, 3, 2))], "the plan's opens is not an instant"),  # noqa: DTZ001 - the nonsense
    "number as recurs": ([Plan("visit", DUE, recurs=1)], "the plan's clause, note, by_calendar or recurs has"),  # type: ignore[arg-type]  # the nonsense
    "naive until": ([Plan("visit", DUE, until=datetime(2027, 1, 1))], "the plan's until is not"),  # noqa: DTZ001 - the nonsense
    "occurrence": ([Plan("visit", DUE, occurrence="1")], "the plan's occurrence is not"),  # type: ignore[arg-type]  # nonsense
    "yes": ([Plan("visit", DUE, occurrence=True)], "the plan's occurrence is not"),
    "huge": ([Plan("visit", DUE, occurrence=2**40)], "the plan's occurrence is not"),
    "clause": ([Plan("visit", DUE, clause=None)], "the plan's clause, note, by_calendar or recurs"),  # type: ignore[arg-type]  # nonsense
    "subject": ([Plan("visit", DUE, subject=HOME.ref)], "the plan names a subject of its own"),
    "twice": ([VISIT, Plan("visit", DUE + timedelta(1))], "the hook returned two plans for one action"),
}


@pytest.mark.parametrize(("answer", "problem"), NONSENSE.values(), ids=NONSENSE)
def test_a_plugin_that_returns_nonsense_fails_by_name(answer: object, problem: str) -> None:
    plugins = loaded(b=plugin(lambda: answer))
    result = plugins.call_one("b", hookspecs.on_handover, home=HOME, context=CONTEXT)
    assert isinstance(result, Result)
    failure = check_plans(plugins, "b", "on_handover", result.value, subjects=False)
    assert isinstance(failure, Failure)
    assert str(failure).startswith(problem)
    assert "plugin 'b' 0.3, keguan-b, hook on_handover" in str(failure)


def test_the_plans_of_a_tick_name_their_subjects() -> None:
    plugins = loaded(b=plugin(list))
    failure = check_plans(plugins, "b", "daily_tick", [VISIT], subjects=True)
    assert str(failure).startswith("the plan says not whom it is for")
    good = [replace(VISIT, subject=Subject("home", number)) for number in (1, 2)]
    assert check_plans(plugins, "b", "daily_tick", good, subjects=True) == good


zones = st.sampled_from([UTC, ZoneInfo("Asia/Shanghai"), timezone(timedelta(hours=-11))])
instants = st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=zones)  # noqa: DTZ001 - bounds


@given(
    due=instants,
    window=st.timedeltas(timedelta(0), timedelta(365)) | st.none(),
    occurrences=st.lists(st.integers(0, 3000), unique=True, max_size=5),
)
def test_sound_plans_pass_unchanged(due: datetime, window: timedelta | None, occurrences: list[int]) -> None:
    plugins = loaded(b=plugin(list))
    until = None if window is None else due + window
    plans = [Plan("visit", due, until, "guide 3.1", number, True, "note") for number in occurrences]
    assert check_plans(plugins, "b", "on_handover", plans, subjects=False) == plans
    assert check_plans(plugins, "b", "on_handover", tuple(plans), subjects=False) == plans


# --- Actions ------------------------------------------------------------------------------------------------

JOB: Any = None  # no action below looks at it
TASK = Task("Visit", "service", DUE)
SMS = Sms(Person(1), "hello")


def run(action: Callable[[Job], object]) -> object:
    return loaded(b=plugin(list)).run_action("b", "visit", action, JOB)  # type: ignore[arg-type]  # nonsense among them


def test_an_actions_effects_come_back_as_a_tuple_and_a_skip_as_itself() -> None:
    assert run(lambda job: [TASK, SMS]) == (TASK, SMS)
    assert run(lambda job: iter([SMS])) == (SMS,)
    assert run(lambda job: ()) == ()
    assert run(lambda job: Skip("nobody lives there")) == Skip("nobody lives there")


def test_an_action_that_raises_halfway_through_is_a_failure() -> None:
    def halfway(job: Job) -> Any:
        yield SMS
        raise ValueError("out of paper")

    assert str(run(halfway)) == "plugin 'b' 0.3 (keguan-b) failed in visit: ValueError: out of paper"


def endless(job: Job) -> Any:
    while True:
        yield SMS


EFFECT_NONSENSE: dict[str, tuple[Callable[[Job], object], str]] = {
    "None": (lambda job: None, "the action returned NoneType"),
    "alone": (lambda job: SMS, "the action returned Sms"),
    "text": (lambda job: "sms", "the action returned str"),
    "texts": (lambda job: ["sms"], "the action returned a list with str in it"),
    "endless": (endless, "the action returned more than 50000 effects"),
    "no reason": (lambda job: Skip(""), "the Skip gives no reason"),
    "naive task": (lambda job: [replace(TASK, due=DUE.replace(tzinfo=None))], "a Task needs a title"),
    "untitled": (lambda job: [replace(TASK, title="")], "a Task needs a title"),
    "phone": (lambda job: [Sms("13800138000", "hello")], "Sms needs a person"),  # type: ignore[arg-type]  # nonsense
    "class": (lambda job: [Email(Person(1), "x", message_class="spam")], "Email needs a person"),  # type: ignore[arg-type]  # nonsense
}


@pytest.mark.parametrize(("action", "problem"), EFFECT_NONSENSE.values(), ids=EFFECT_NONSENSE)
def test_an_action_that_returns_nonsense_fails_by_name(action: Callable[[Job], object], problem: str) -> None:
    failure = run(action)
    assert isinstance(failure, Failure)
    assert str(failure).startswith(problem)
    assert "plugin 'b' 0.3, keguan-b, action visit" in str(failure)


def test_types_are_seen_through_the_door() -> None:
    """mypy reads this: the answer to ``on_handover`` is a list of plans."""
    answer = loaded(b=plugin(lambda: [VISIT])).call_one("b", hookspecs.on_handover, home=HOME, context=CONTEXT)
    assert isinstance(answer, Result)
    plans: list[Plan] = answer.value
    effects: tuple[Effect, ...] = ()
    assert (plans, effects) == ([VISIT], ())
