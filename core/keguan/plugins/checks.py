"""Whether what plugins return is what their hooks promise: wrong answers are failures that name the plugin."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, cast

from keguan.errors import PluginError
from keguan.model import Effect, Email, Filled, Person, Plan, Skip, Sms, Subject, Task
from keguan.nearest import nearest
from keguan.plugins.answers import Failure
from keguan.plugins.discovery import Installed

if TYPE_CHECKING:
    from keguan.plugins.loaded import Plugins

__all__ = ["MOST_EFFECTS", "check_plans", "effects_problem", "plans_problem"]

MOST_EFFECTS = 50_000
"""What one plan may turn into: a letter to everybody who bought; more is an endless generator."""
_CLASSES = ("code", "service", "promotion")
_FIRST_YEAR, _LAST_YEAR = 1970, 2200  # further away an instant cannot be stored everywhere, and means nothing


class _Wrong(Exception):
    """What is wrong with an answer: a text of the catalogue and its values."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


def check_plans(plugins: Plugins, plugin: str, hook: str, answer: object, *, subjects: bool) -> list[Plan] | Failure:
    """Return the plans that ``plugin`` answered to ``hook``, or the failure that names what is wrong with them.

    ``subjects``: each plan must name its own subject (``daily_tick``); otherwise none may.
    """
    wrong = plans_problem(plugins.installed[plugin], hook, answer, plugins.action_names(plugin), subjects=subjects)
    if wrong is not None:
        return Failure(plugin, hook, wrong)
    for plan in cast("Sequence[Plan]", answer):
        if plugins.actions[plugin, plan.action].after is not None:
            label = plugins.installed[plugin].label
            return Failure(plugin, hook, PluginError("plugins.plan_follows", hook=hook, action=plan.action, **label))
    return answer if isinstance(answer, list) else list(answer)  # type: ignore[call-overload]  # checked: a tuple


def plans_problem(
    plugin: Installed, hook: str, answer: object, actions: Collection[str], *, subjects: bool
) -> PluginError | None:
    """Return what is wrong with ``answer`` as a list of plans, or ``None``. Called very often: keep it cheap."""
    try:
        if type(answer) is not list and not isinstance(answer, list | tuple):
            raise _Wrong("plugins.plans_type", kind=type(answer).__name__)
        seen = set()
        for plan in answer:
            if not isinstance(plan, Plan):
                raise _Wrong("plugins.plans_item", kind=type(plan).__name__)
            if type(plan.action) is not str or plan.action not in actions:
                raise _unknown_action(plan.action, actions)
            _check_plan(plan, subjects=subjects)
            key = (plan.action, plan.occurrence, plan.subject)
            if key in seen:
                raise _Wrong("plugins.plan_twice", action=plan.action, occurrence=plan.occurrence)
            seen.add(key)
    except _Wrong as wrong:
        return PluginError(wrong.key, hook=hook, **wrong.values, **plugin.label)
    return None


def _unknown_action(action: object, actions: Collection[str]) -> _Wrong:
    near = nearest(str(action), actions) or ", ".join(sorted(actions)) or "–"
    return _Wrong("plugins.plan_action", action=action, near=near)


def _check_plan(plan: Plan, *, subjects: bool) -> None:
    due, until = plan.due, plan.until
    if not _is_instant(due):
        raise _Wrong("plugins.plan_due", action=plan.action)
    if until is not None and (not _is_instant(until) or until < due):
        raise _Wrong("plugins.plan_until", action=plan.action)
    if plan.opens is not None and not _is_instant(plan.opens):
        raise _Wrong("plugins.plan_opens", action=plan.action)
    if type(plan.occurrence) is not int or not 0 <= plan.occurrence < 2**31:
        raise _Wrong("plugins.plan_occurrence", action=plan.action)
    if type(plan.clause) is not str or type(plan.note) is not str:
        raise _Wrong("plugins.plan_text", action=plan.action)
    if type(plan.by_calendar) is not bool or type(plan.recurs) is not bool:
        raise _Wrong("plugins.plan_text", action=plan.action)
    if subjects and not isinstance(plan.subject, Subject):
        raise _Wrong("plugins.plan_subject", action=plan.action)
    if not subjects and plan.subject is not None:
        raise _Wrong("plugins.plan_no_subject", action=plan.action)


def _is_instant(value: object) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None and _FIRST_YEAR <= value.year <= _LAST_YEAR


def effects_problem(
    plugin: Installed, action: str, answer: object, forms: Collection[str] = ()
) -> PluginError | tuple[Effect, ...] | Skip:
    """Return the effects (or the ``Skip``) that an action answered, or what is wrong with them.

    ``forms`` are the full names of those that exist. A generator is run here, so call it where exceptions and hangs
    are looked after.
    """
    try:
        effects = _effects(answer)
        for effect in effects if isinstance(effects, tuple) else ():
            if isinstance(effect, Task) and effect.form is not None:
                _check_form(plugin.name, effect.form, forms)
    except _Wrong as wrong:
        return PluginError(wrong.key, hook=action, **wrong.values, **plugin.label)
    return effects


def _check_form(plugin: str, form: object, forms: Collection[str]) -> None:
    own = sorted(full.partition(".")[2] for full in forms if full.partition(".")[0] == plugin)
    if form not in own:
        raise _Wrong("plugins.task_form", form=form, near=nearest(str(form), own) or ", ".join(own) or "–")


def _effects(answer: object) -> tuple[Effect, ...] | Skip:
    if isinstance(answer, Skip):
        if not isinstance(answer.reason, str) or not answer.reason:
            raise _Wrong("plugins.skip_reason")
        return answer
    if not isinstance(answer, Iterable) or isinstance(answer, str | bytes | Mapping):
        raise _Wrong("plugins.effects_type", kind=type(answer).__name__)
    effects = tuple(islice(answer, MOST_EFFECTS + 1))
    if len(effects) > MOST_EFFECTS:
        raise _Wrong("plugins.effects_many", most=MOST_EFFECTS)
    for effect in effects:
        _check_effect(effect)
    return effects


def _check_effect(effect: object) -> None:
    if isinstance(effect, Task):
        texts = (effect.title, effect.department, *effect.evidence)
        if not all(isinstance(each, str) for each in texts) or not effect.title or not _is_instant(effect.due):
            raise _Wrong("plugins.task")
        latest, filled = effect.latest, effect.filled
        if latest is not None and (not _is_instant(latest) or latest < effect.due):
            raise _Wrong("plugins.task_prepared")
        if filled is not None and (effect.form is None or not _is_filled(filled)):
            raise _Wrong("plugins.task_prepared")
    elif isinstance(effect, Sms | Email):
        if (
            not isinstance(effect.to, Person)
            or not isinstance(effect.template, str)
            or not isinstance(effect.values, Mapping)
            or effect.message_class not in _CLASSES
            or effect.code_for not in (None, "survey", "status")
        ):
            raise _Wrong("plugins.message", kind=type(effect).__name__)
    else:
        raise _Wrong("plugins.effects_item", kind=type(effect).__name__)


def _is_filled(filled: object) -> bool:
    """Whether it is of the right type; whether its values fit the form is seen when they are put into it."""
    return (
        isinstance(filled, Filled)
        and isinstance(filled.answers, Mapping)
        and isinstance(filled.lines, Sequence)
        and all(isinstance(line, Mapping) for line in filled.lines)
    )
