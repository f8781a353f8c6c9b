"""Playbooks as values: the steps and touchpoints of one edition, and what variants did to them.

A playbook never changes: :meth:`Playbook.change`, :meth:`Playbook.add` and :meth:`Playbook.remove` return a new
one that remembers what was done to it, so that clashes are found and every value can say where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal, TypedDict, Unpack

from pydantic import ValidationError

from keguan.errors import PluginError
from keguan_sixplustwo.touchpoint import Edition, Proxy, Step, Text, Touchpoint, explain

__all__ = ["Adjustment", "Change", "Fields", "NewTouchpoint", "Playbook", "nearest"]


class Fields(TypedDict, total=False):
    """What a variant may change; timings as expressions, the rest as the data files write it."""

    domain: str | None
    step: str
    name: Mapping[str, str]
    kind: str
    about: str | None
    within: str | None
    trigger: str | None
    due: str | list[str]
    opens: str | None
    until: str | None
    postpone_to: str | None
    late: str
    every: str | None
    each: str | None
    begins: str | None
    ends: str | None
    by_fitting: Mapping[str, Mapping[str, object]]
    audience: str | None
    channel: str | list[str] | None
    owner: str | list[str] | None
    support: list[str]
    evidence: list[Mapping[str, str]] | None
    form: str | None
    gate: str | None
    notice: int | None
    optional: bool
    optional_parts: list[Mapping[str, str]]
    coverage: Mapping[str, object] | None
    template: str | None
    clause: Mapping[str, object] | None
    limits: list[str]
    consequence: Mapping[str, str] | None
    notes: Mapping[str, str] | None


class NewTouchpoint(Fields, total=False):
    """What a variant says of a touchpoint of its own: ``step name kind trigger due owner`` at least."""


Adjustment = Literal["add", "change", "remove", "rename"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing done to a playbook, and by which plugin (``""`` until the playbook is folded)."""

    what: Adjustment
    touchpoint: str
    """Its id; the order of the step, of a step that was renamed."""
    fields: Mapping[str, object] = field(default_factory=dict)
    by: str = ""


@dataclass(frozen=True, slots=True)
class Playbook:
    """The touchpoints of one edition, by id and in the order of the steps."""

    edition: Edition
    name: Text
    steps: tuple[Step, ...]
    touchpoints: Mapping[str, Touchpoint]
    proxies: Mapping[str, Proxy] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    notes: Text | None = None
    """What a reader should know of the edition as a whole."""
    lenient: bool = False
    """The edition is not configured: adjustments of what it does not have are passed over instead of refused."""

    def __contains__(self, touchpoint: str) -> bool:
        return touchpoint in self.touchpoints

    def change(self, touchpoint: str, /, **fields: Unpack[Fields]) -> Playbook:
        """Return a playbook in which ``touchpoint`` has these ``fields``; what is not named stays.

        Raises ``PluginError`` with the nearest names when the touchpoint or a field does not exist here, and
        with the reason when a value does not fit. An edition may lack a touchpoint: ask ``id in playbook``.
        """
        return self.apply(Change("change", touchpoint, dict(fields)))

    def add(self, touchpoint: str, /, **fields: Unpack[NewTouchpoint]) -> Playbook:
        """Return a playbook with one touchpoint more. Raises ``PluginError`` when its id is taken."""
        return self.apply(Change("add", touchpoint, dict(fields)))

    def remove(self, touchpoint: str, /) -> Playbook:
        """Return a playbook without ``touchpoint``. Raises ``PluginError`` when it does not exist here."""
        return self.apply(Change("remove", touchpoint))

    def rename_step(self, order: str, /, *, zh: str | None = None, en: str | None = None) -> Playbook:
        """Return a playbook in which the step ``order`` has other names. Raises ``PluginError`` when there is none."""
        given = {"zh": zh, "en": en}
        return self.apply(Change("rename", order, {language: name for language, name in given.items() if name}))

    def apply(self, change: Change) -> Playbook:
        """Return a playbook to which ``change`` was done, and which remembers it."""
        if self.lenient and not self._has(change):
            return self
        self._check(change)
        if change.what == "rename":
            return replace(self, steps=self._renamed(change), changes=(*self.changes, change))
        touchpoints = dict(self.touchpoints)
        match change.what:
            case "remove":
                del touchpoints[change.touchpoint]
            case "add":
                touchpoints[change.touchpoint] = self._build({"id": change.touchpoint, **change.fields})
            case "change":
                old = touchpoints[change.touchpoint]
                fields = {name: getattr(old, name) for name in type(old).model_fields}
                fields |= change.fields
                fields["ours"] = old.ours - change.fields.keys()
                touchpoints[change.touchpoint] = self._build(fields)
        return replace(self, touchpoints=MappingProxyType(touchpoints), changes=(*self.changes, change))

    def origin(self, touchpoint: str, name: str) -> str | None:
        """Return where the value of field ``name`` comes from: a plugin's name, ``ours``, ``clause``, or ``None``.

        ``None`` means that there is no value: the source is silent and nobody filled the gap. A change that no
        plugin's name was put to yet is from ``a variant``.
        """
        entry = self.touchpoints[touchpoint]
        for change in reversed(self.changes):
            if change.touchpoint == touchpoint and (change.what == "add" or name in change.fields):
                return change.by or "a variant"
        if getattr(entry, name) in (None, (), {}):
            return None
        return "ours" if name in entry.ours else "clause"

    def _has(self, change: Change) -> bool:
        """Return whether what is to be adjusted is there; what is to be added need not be."""
        if change.what == "rename":
            return any(step.order == change.touchpoint for step in self.steps)
        return change.what == "add" or change.touchpoint in self.touchpoints

    def _check(self, change: Change) -> None:
        name = change.touchpoint
        if not self._has(change):
            if change.what == "rename":
                raise PluginError("sixplustwo.step_missing", step=name, edition=self.edition, known=self._orders())
            raise PluginError(
                "sixplustwo.touchpoint_unknown",
                touchpoint=name,
                edition=self.edition,
                nearest=nearest(name, self.touchpoints),
            )
        if change.what == "add" and name in self.touchpoints:
            raise PluginError("sixplustwo.touchpoint_exists", touchpoint=name, edition=self.edition)
        if change.what == "rename":
            return
        adjustable = Touchpoint.model_fields.keys() - {"id", "ours"}
        for field_name in sorted(change.fields.keys() - adjustable):
            raise PluginError(
                "sixplustwo.field_unknown",
                field=field_name,
                touchpoint=name,
                nearest=nearest(field_name, adjustable),
            )

    def _orders(self) -> str:
        return ", ".join(step.order for step in self.steps)

    def _renamed(self, change: Change) -> tuple[Step, ...]:
        return tuple(
            step.model_copy(update={"name": step.name.model_copy(update=dict(change.fields))})
            if step.order == change.touchpoint
            else step
            for step in self.steps
        )

    def _build(self, fields: Mapping[str, object]) -> Touchpoint:
        try:
            entry = Touchpoint.model_validate(fields)
        except ValidationError as wrong:
            raise PluginError("sixplustwo.value_invalid", touchpoint=fields["id"], reason=explain(wrong)) from wrong
        if all(step.order != entry.step for step in self.steps):
            raise PluginError("sixplustwo.step_unknown", step=entry.step, touchpoint=entry.id, known=self._orders())
        return entry


def nearest(name: str, names: Iterable[str]) -> str:
    """Return up to three of ``names`` that look like ``name``, as a list to read."""
    return ", ".join(get_close_matches(name, sorted(names), n=3, cutoff=0.0)) or "-"
