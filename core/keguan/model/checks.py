"""Checks: named questions about the records, what they may ask, and what they find."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from keguan.model.records import Subject

if TYPE_CHECKING:
    from keguan.texts import Language

__all__ = ["Check", "FilledForm", "Finding", "PromiseStatus", "Promised", "View"]

PromiseStatus = Literal["planned", "due", "kept", "late", "missed", "held", "cancelled", "waived", "failed"]
"""How a promise stands, by its effects: a plan that ran but whose message is dead is not kept."""


@dataclass(frozen=True, slots=True)
class Promised:
    """One plan and what became of it, as of the instant that was asked for."""

    key: str
    plugin: str
    action: str
    clause: str
    subject: Subject
    project: str | None
    """The project's name."""
    city: str
    due_at: datetime
    """In the city's time, as are the other instants."""
    until: datetime | None
    status: PromiseStatus
    kind: Literal["message", "task"] | None
    """What it came to; ``None`` as long as it did not run."""
    late_at_creation: bool
    why: str | None = None
    """A sentence in the reader's language: why it is missed, held, waived …, or what its date was counted from."""
    result: str | None = None
    """The proof in short: when what was sent, what was done, how many files show it."""
    done_at: datetime | None = None
    """When the last of its effects was done; ``None`` while something of it is open."""

    @property
    def broken(self) -> bool:
        """Whether it was due and its effect is not there: missed, failed, or overdue and still open."""
        return self.status in ("missed", "failed") or (self.status == "late" and self.done_at is None)


@dataclass(frozen=True, slots=True)
class FilledForm:
    """One form as it stands, with the task it belongs to; the answers may be personal."""

    form: str
    """The plugin's own name of it."""
    subject: Subject
    project: str | None
    """The project's name."""
    city: str
    at: datetime
    """When it was filled in last, in the city's time, as is ``due_at``."""
    complete: bool
    answers: Mapping[str, object] = field(repr=False)
    lines: Sequence[Mapping[str, object]] = field(repr=False)
    action: str | None = None
    """The plugin's own name of the action that the task came from; ``None``: it hangs on no task."""
    occurrence: int | None = None
    task: int | None = None
    """The number of the task."""
    task_status: Literal["open", "done", "skipped", "cancelled"] | None = None
    due_at: datetime | None = None
    """The task's deadline."""


class View(Protocol):
    """What a check may ask: read-only, set by set, streamed, as of one instant."""

    @property
    def now(self) -> datetime:
        """The instant (UTC) as of which everything is seen."""

    @property
    def language(self) -> Language:
        """The language that messages of findings are written in."""

    def promises(self, *, plugin: str | None = None, actions: Collection[str] = ()) -> Iterator[Promised]:
        """Return the promises that are due by now, in the order of their due times.

        ``plugin`` and ``actions`` (its own names) narrow them; so does what the user asked for.
        """

    def forms(self, plugin: str, forms: Collection[str]) -> Iterator[FilledForm]:
        """Return what was filled into these forms of ``plugin`` (its own names), in the order of the time.

        Complete or not, of tasks and of registers; lines of registers that were taken out are not among them. What
        the user asked for narrows them.
        """


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken requirement. The core adds which check and plugin found it, and when."""

    subject: Subject
    message: str
    """What is wrong, in the language of the view; free of personal data."""
    clause: str | None = None
    """The clause that is broken; ``None``: that of the check."""
    project: str | None = None
    """The project's name."""
    points: float | None = None
    """What it costs; ``None`` where the standard names no points."""
    evidence: tuple[str, ...] = ()
    """What shows it: keys of plans, numbers of tasks, dates."""


@dataclass(frozen=True, slots=True)
class Check:
    """A named question about the records. ``run`` reads through the view, set by set, and yields what is broken."""

    name: str
    clause: str
    run: Callable[[View], Iterable[Finding]]
