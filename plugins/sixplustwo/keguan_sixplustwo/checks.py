"""What can be asked about the promises of the 6+2 steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial

from keguan.model import Check, Finding, Promised, View
from keguan.texts import Language, text
from keguan_sixplustwo import coverage_checks
from keguan_sixplustwo.asking import PLUGIN, actions_that, entry_in_force
from keguan_sixplustwo.planning.rows import interval
from keguan_sixplustwo.prepared import Prepared
from keguan_sixplustwo.touchpoint import Kind

__all__ = ["checks"]


Labels = Mapping[str, Mapping[Language, str]]
"""What people call each action."""


def checks(prepared: Prepared, labels: Labels) -> list[Check]:
    """Return the checks of the area. Each finding carries the clause of its own touchpoint."""
    return [
        Check("promise_kept", "", partial(_promise_kept, labels)),
        Check("letter_interval", "", partial(_letter_interval, prepared)),
        *coverage_checks.checks(prepared),
    ]


def _promise_kept(labels: Labels, view: View) -> Iterator[Finding]:
    """Every touchpoint that was due and whose effect is not there: missed, failed, or a task overdue and open."""
    for promised in view.promises(plugin=PLUGIN):
        if promised.broken:
            yield Finding(
                subject=promised.subject,
                project=promised.project,
                clause=promised.clause or None,
                message=_message(promised, labels, view),
                evidence=(promised.key,),
            )


def _message(promised: Promised, labels: Labels, view: View) -> str:
    """Say which promise is broken, since when, and why, as far as that is known."""
    return text(
        view.language,
        f"sixplustwo.finding.{promised.status}",
        touchpoint=labels.get(promised.action, {}).get(view.language, promised.action),
        due=f"{promised.due_at:%Y-%m-%d}",
        why=promised.why or "–",
    )


def _letter_interval(prepared: Prepared, view: View) -> Iterator[Finding]:
    """Two letters to the buyers of one project that left further apart than the standard allows."""
    letters = {f"{name}_sending": name for name in actions_that(prepared, lambda entry: entry.kind is Kind.LETTER)}
    if not letters:
        return
    last: dict[tuple[str | None, str], date] = {}
    for promised in view.promises(plugin=PLUGIN, actions=sorted(letters)):  # due when the letter was approved
        entry = entry_in_force(prepared, letters[promised.action], promised.city, promised.project)
        if entry is None or entry.every is None or promised.done_at is None:
            continue
        day, key = promised.done_at.date(), (promised.project, promised.action)
        before = last.get(key)
        last[key] = day
        if before is not None and day > interval(entry.every)(before, 1):
            yield Finding(
                subject=promised.subject,
                project=promised.project,
                clause=promised.clause or None,
                message=text(
                    view.language,
                    "sixplustwo.finding.letter_interval",
                    touchpoint=entry.name.in_(view.language),
                    before=before,
                    day=day,
                ),
                evidence=(promised.key,),
            )
