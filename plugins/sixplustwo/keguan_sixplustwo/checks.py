"""What can be asked about the promises of the 6+2 steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from keguan.model import Check, Finding, Promised, View
from keguan.texts import Language, text

__all__ = ["checks"]

PLUGIN = "sixplustwo"


Labels = Mapping[str, Mapping[Language, str]]
"""What people call each touchpoint."""


def checks(labels: Labels) -> list[Check]:
    """Return the checks of the area. Each finding carries the clause of its own touchpoint."""
    return [Check("promise_kept", "", partial(_promise_kept, labels))]


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
