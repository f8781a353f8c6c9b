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

    step: str
    name: Mapping[str, str]
    kind: str
    trigger: str
    due: str
    until: str | None
    late: str
    audience: str | None
    channel: str | list[str]
    owner: str | list[str]
    support: list[str]
    evidence: list[Mapping[str, str]] | None
    optional: bool
    optional_parts: list[Mapping[str, str]]
    coverage: Mapping[str, int] | None
    template: str
    clause: Mapping[str, object] | None


class NewTouchpoint(Fields, total=False):
    """What a variant says of a touchpoint of its own: ``step name kind trigger due owner`` at least."""


Adjustment = Literal["add", "change", "remove"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing done to a playbook, and by which plugin (``""`` until the playbook is folded)."""

    what: Adjustment
    touchpoint: str
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

    def apply(self, change: Change) -> Playbook:
        """Return a playbook to which ``change`` was done, and which remembers it."""
        touchpoints = dict(self.touchpoints)
        self._check(change)
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
        if getattr(entry, name) in (None, ()):
            return None
        return "ours" if name in entry.ours else "clause"

    def _check(self, change: Change) -> None:
        known = change.touchpoint in self.touchpoints
        if known and change.what == "add":
            raise PluginError("sixplustwo.touchpoint_exists", touchpoint=change.touchpoint, edition=self.edition)
        if not known and change.what != "add":
            raise PluginError(
                "sixplustwo.touchpoint_unknown",
                touchpoint=change.touchpoint,
                edition=self.edition,
                nearest=nearest(change.touchpoint, self.touchpoints),
            )
        adjustable = Touchpoint.model_fields.keys() - {"id", "ours"}
        for name in sorted(change.fields.keys() - adjustable):
            raise PluginError(
                "sixplustwo.field_unknown",
                field=name,
                touchpoint=change.touchpoint,
                nearest=nearest(name, adjustable),
            )

    def _build(self, fields: Mapping[str, object]) -> Touchpoint:
        try:
            entry = Touchpoint.model_validate(fields)
        except ValidationError as wrong:
            raise PluginError("sixplustwo.value_invalid", touchpoint=fields["id"], reason=explain(wrong)) from wrong
        orders = [step.order for step in self.steps]
        if entry.step not in orders:
            raise PluginError("sixplustwo.step_unknown", step=entry.step, touchpoint=entry.id, known=", ".join(orders))
        return entry


def nearest(name: str, names: Iterable[str]) -> str:
    """Return up to three of ``names`` that look like ``name``, as a list to read."""
    return ", ".join(get_close_matches(name, sorted(names), n=3, cutoff=0.0)) or "-"
