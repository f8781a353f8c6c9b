"""Playbook values as people say them: ``3 days before handover`` instead of ``handover - 3 days``."""

from __future__ import annotations

from collections.abc import Sequence

from keguan.texts import Language, text
from keguan_sixplustwo.library import labels
from keguan_sixplustwo.playbook import Playbook
from keguan_sixplustwo.timing import Moment, Timing
from keguan_sixplustwo.touchpoint import About, Channel, Coverage, Fitting, Period, Text, Touchpoint, Trigger

__all__ = ["say_ours", "say_timing"]

_AND = {"zh": "、", "en": ", "}
_COLON = {"zh": "：", "en": ": "}
_TIMINGS = ("due", "opens", "until", "postpone_to", "begins", "ends")


def say_timing(timing: Timing, playbook: Playbook, language: Language) -> str:
    """Return when it is: ``2 days after handover, 09:30``."""
    said = _moment(timing.moment, playbook, language)
    if timing.clock is None:
        return said
    return text(language, "sixplustwo.timing.at", moment=said, clock=f"{timing.clock:%H:%M}")


def say_ours(entry: Touchpoint, playbook: Playbook, language: Language) -> tuple[str, ...]:
    """Return what is a default of ours in a touchpoint, field by field, as ``due: 2 days after handover``.

    What a variant changed is the variant's and no default of ours.
    """
    found = []
    for name in type(entry).model_fields:
        if name in entry.ours and playbook.origin(entry.id, name) == "ours":
            label = text(language, f"sixplustwo.column.{name}")
            found.append(f"{label}{_COLON[language]}{_value(name, entry, playbook, language)}")
    return tuple(found)


def _value(name: str, entry: Touchpoint, playbook: Playbook, language: Language) -> str:
    value = getattr(entry, name)
    if name in _TIMINGS:
        timings = value if isinstance(value, tuple) else (value,)
        return _AND[language].join(say_timing(timing, playbook, language) for timing in timings)
    if name == "step":
        return next(step.name.in_(language) for step in playbook.steps if step.order == value)
    if name == "by_fitting":
        parts = (_fitting(which, each, playbook, language) for which, each in value.items())
        return {"zh": "；", "en": "; "}[language].join(parts)
    if isinstance(value, tuple):
        return _AND[language].join(_item(each, language) for each in value)
    return _item(value, language)


def _item(item: object, language: Language) -> str:
    names = labels()
    match item:
        case Text():
            return item.in_(language)
        case Channel():
            return names.channels[item].in_(language)
        case Trigger():
            return names.triggers[item].in_(language)
        case About():
            return text(language, f"words.subject.{'branch' if item is About.COMPANY else item.value}")
        case Period():
            return text(language, f"sixplustwo.period.{item.value}")
        case Coverage():
            return _coverage(item, language)
        case bool():
            return text(language, "cli.yes" if item else "cli.no")
    code = str(item)
    known = names.departments.get(code) or names.audiences.get(code)
    return code if known is None else known.in_(language)


def _coverage(wanted: Coverage, language: Language) -> str:
    said = []
    for name in ("percent", "most", "times"):
        if (number := getattr(wanted, name)) is not None:
            period = text(language, f"sixplustwo.period.{wanted.per.value}") if wanted.per and name == "times" else ""
            said.append(text(language, f"sixplustwo.coverage.{name}", number=number, period=period).strip())
    return _AND[language].join(said)


def _fitting(which: str, fitting: Fitting, playbook: Playbook, language: Language) -> str:
    said: Sequence[str]
    if fitting.off:
        said = [text(language, "sixplustwo.fitting.off")]
    else:
        timings = (*(fitting.due or ()), fitting.opens, fitting.until)
        said = [say_timing(timing, playbook, language) for timing in timings if timing is not None]
    return f"{text(language, f'sixplustwo.fitting.{which}')}{_COLON[language]}{_AND[language].join(said)}"


def _moment(moment: Moment, playbook: Playbook, language: Language) -> str:
    if isinstance(moment.base, str):
        said = _anchor(moment.base, playbook, language)
    else:
        each = _AND[language].join(_moment(one, playbook, language) for one in moment.base.moments)
        said = text(language, "sixplustwo.timing.earliest", moments=each)
    for number, shift in enumerate(moment.shifts):
        size = abs(shift.count)
        unit = text(language, f"sixplustwo.timing.{shift.unit}" if size == 1 else f"sixplustwo.timing.{shift.unit}s")
        key = ("after" if shift.count > 0 else "before") if number == 0 else ("on" if shift.count > 0 else "back")
        said = text(language, f"sixplustwo.timing.{key}", count=size, unit=unit, moment=said)
    return said


def _anchor(name: str, playbook: Playbook, language: Language) -> str:
    """Return a date of a record by its name; another touchpoint by what it is called."""
    if name in playbook.touchpoints:
        return playbook.touchpoints[name].name.in_(language)
    return text(language, f"sixplustwo.anchor.{name}")
