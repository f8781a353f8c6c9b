"""Plans and actions: what is promised, and what turns a promise into effects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from keguan.model.effects import Effect, Filled, Skip
from keguan.model.pins import Pins
from keguan.model.records import City, Company, Contract, Home, Record, Subject

if TYPE_CHECKING:
    from keguan.calendar import WorkCalendar
    from keguan.texts import Language

__all__ = ["Action", "Context", "Job", "Plan", "Remarks"]


@dataclass(frozen=True, slots=True)
class Plan:
    """One action, for one subject, at one due time: what a hook wants.

    Its identity is plugin, action, subject and occurrence, never a date, so a moved date moves the plan and
    asking again changes nothing.
    """

    action: str
    """The name of one of the plugin's own actions."""
    due: datetime
    """When the promise is due; aware. The action runs then, or earlier when ``opens`` says so."""
    until: datetime | None = None
    """The end of the window: from this instant on the promise is missed, nothing is sent. ``None``: no end."""
    clause: str = ""
    """Where the rule comes from: standard, section, item."""
    occurrence: int = 1
    """An ordinal or a year, for actions that repeat for one subject."""
    by_calendar: bool = False
    """The due time was counted in working days: it is computed again whenever the calendar changes."""
    note: str = ""
    """What a reader of the journey should know, such as the proxy a date was counted from."""
    opens: datetime | None = None
    """When the action runs, where that is before ``due``: a task comes up in time to be prepared."""
    recurs: bool = False
    """One of a row that goes on beyond ``Context.through``: its subject is asked about again every new year."""
    subject: Subject | None = None
    """Only for plans returned by ``daily_tick``: whom the plan is for. Elsewhere it is the hook's subject."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a hook may know beside the record: its city, the working days there, its own settings."""

    city: City
    calendar: WorkCalendar
    settings: object
    """An instance of the model that the plugin's ``register_settings`` returned; ``None`` without one."""
    prepared: object
    """What the plugin's ``prepare`` returned; ``None`` without one."""
    language: Language
    through: date
    """The last day that promises which recur without end are wanted for: the end of next year, in the city. The
    core moves it on at every new year and asks about the subjects of recurring plans again."""
    since: date = date.min
    """The first day that promises which recur are wanted for: what a project or a customer that is entered late was
    promised in earlier years is nobody's work any more. The core sets it a month before this year."""
    pins: Pins = field(default_factory=Pins)
    """What stays as it was when something began, from the log of the values in ``register_pins``."""


@dataclass(frozen=True, slots=True)
class Job:
    """One plan at its due time, with the records as they are now: what an action turns into effects."""

    key: str
    """The plan's key, for people and logs; stable over retries."""
    action: str
    record: Record
    due: datetime
    until: datetime | None
    occurrence: int
    clause: str
    late: bool
    """The fact came in after the due time had passed."""
    now: datetime
    company: Company
    context: Context
    opens: datetime | None = None
    """When it runs, where that is before ``due``."""
    filled: Mapping[str, Filled] = field(default_factory=dict)
    """By the names in the action's ``after`` and ``reads``: the form that was filled in last for that action about
    the same subject and occurrence, complete ones only. Absent: nothing was."""
    homes: Sequence[Home] = ()
    """All homes of the record's project, in the order of their numbers, when the action says ``needs="homes"``."""
    contracts: Sequence[Contract] = ()
    """All contracts of the project that are reserved or signed, likewise, for ``needs="contracts"``."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """What an area has to say about its plans to those who read a journey or a yearly plan."""

    ours: tuple[str, ...] = ()
    """What the standard leaves open and a default of ours fills, a short sentence each."""
    step: str | None = None
    """The step it belongs to, where that is another one than the action's."""
    step_name: str | None = None
    department: str | None = None
    """Whose work it is, before its task says so."""
    gathering: str | None = None
    """The gathering of customers that it is, or is a part of, by a name of the area's own. Two gatherings of one
    project or branch on one day are a clash. ``None``: nobody gathers."""


@dataclass(frozen=True, slots=True)
class Action:
    """A named thing a plugin can do.

    ``run`` is a pure function from the job to effects, or to a ``Skip`` with its reason; it gets everything as
    arguments and asks nobody. It must return the same effects in the same order when called again for the same
    job: effects are counted, the second message of a plan is the second message after a crash too.
    """

    name: str
    run: Callable[[Job], Iterable[Effect] | Skip]
    when_late: Callable[[Job], Iterable[Effect] | Skip] | None = None
    """What happens instead when the window had already passed before the fact came in: usually a task for a
    person. ``None``: the plan is missed, with that reason. Inside its window a late plan simply runs."""
    again: bool = False
    """A date that moves after the plan was done: ``True`` does it again then, ``False`` keeps it done."""
    label: Mapping[Language, str] | None = None
    """What people call it, by language, in a home's journey; ``None``: its name."""
    step: str | None = None
    """The step of the area's own process that it belongs to, in the area's own word."""
    kind: Literal["message", "task"] | None = None
    """What it usually comes to, for a journey that shows it before it ran."""
    after: str | None = None
    """The name of another action of the plugin: whenever a task of that one is done, this one is planned at once,
    for the same subject and occurrence, by the core. No hook ever asks for it. Where some tasks of a plan have a form
    and some have none, only those with a form count."""
    reads: tuple[str, ...] = ()
    """Names of other actions whose filled-in forms the job brings along in ``Job.filled``."""
    needs: Literal["homes", "contracts"] | None = None
    """What of the project the job brings along."""
    remarks: Callable[[str, str, Language], Remarks] | None = None
    """Says for a city's key and a plan's clause, in a language, what readers should know. Asked only when somebody
    reads."""
    touches: Callable[[Contract, date], bool] | None = None
    """Of promises to a project: whether one that is due on a day is meant for those who bought by a contract, whose
    journey then shows it. ``None``: no journey does."""
