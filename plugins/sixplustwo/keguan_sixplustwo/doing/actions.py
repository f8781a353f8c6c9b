"""The actions of the plugin: one for each touchpoint of any playbook in force, and those that follow on its tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial

from keguan.model import Action, Contract, Effect, Form, Job, Skip, Task
from keguan.texts import LANGUAGES, text
from keguan_sixplustwo.doing.campaigns import campaign
from keguan_sixplustwo.doing.entries import complete_records
from keguan_sixplustwo.doing.gates import blocked, decide, let_through, postponed
from keguan_sixplustwo.doing.letters import post, write
from keguan_sixplustwo.doing.meetings import follow_up, meet, records_agreements
from keguan_sixplustwo.doing.messages import send
from keguan_sixplustwo.doing.reading import follow_up_remarks, remarks, touches
from keguan_sixplustwo.doing.standing import due_on, entry_of, make_task, prepared_of, skip
from keguan_sixplustwo.library import forms
from keguan_sixplustwo.prepared import Prepared
from keguan_sixplustwo.touchpoint import About, Kind, Touchpoint, Trigger

__all__ = ["actions"]

Forms = Mapping[str, Form]
Entries = Mapping[str, Sequence[Touchpoint]]
"""By its id what a touchpoint is in each playbook, the configured edition first."""
Outcome = Iterable[Effect] | Skip
_NOT_BUYERS = frozenset({"internal_staff", "visitor", "first_time_visitor"})


def actions(prepared: Prepared) -> list[Action]:
    """Return one action for each touchpoint of any playbook in force, named as it, and those that come after it.

    Which playbook applies is seen at the due time, from the job's city and project: a touchpoint may differ
    from city to city, and the action is the same. What comes after touchpoint ``X`` is called ``X_follow_ups`` (what
    its form says is to be done), ``X_sending`` (of a letter), ``X_decision`` (of a gate that was not passed); behind
    a gate ``X_let_through`` and ``X_postponed``, with follow-ups of their own.
    """
    known = forms()
    entries = _planned(prepared)
    found: list[Action] = []
    for name, each in entries.items():
        said = partial(follow_up_remarks, prepared, name)
        if each[0].trigger is Trigger.ISSUE_FOUND:
            follow_ups = _trackers(name, each, entries)
        else:
            promised = _promised(name, each, known, _gates(each, entries))
            found.append(replace(promised, remarks=partial(remarks, prepared, name)))
            follow_ups = _following(name, each, entries, known)
        found += (replace(action, remarks=said) for action in follow_ups)
    return found


def _planned(prepared: Prepared) -> Entries:
    found: dict[str, list[Touchpoint]] = {}
    ours = prepared.settings.edition  # where editions name a touchpoint differently, the word of this one counts
    for key in sorted(prepared.playbooks, key=lambda key: key[0] != ours):
        for entry in prepared.playbooks[key].touchpoints.values():
            if entry.kind.planned:
                found.setdefault(entry.id, []).append(entry)
    return found


# --- The touchpoint itself --------------------------------------------------------------------------------------


def _promised(name: str, entries: Sequence[Touchpoint], known: Forms, gates: Sequence[str]) -> Action:
    """Return the action of a touchpoint, called as the first of its ``entries`` calls it."""
    kinds = {entry.kind for entry in entries}
    return Action(
        name,
        partial(_run, name, known),
        when_late=partial(_run_late, name, known) if any(entry.late == "task" for entry in entries) else None,
        label={language: entries[0].name.in_(language) for language in LANGUAGES},
        step=entries[0].step,
        kind="message" if entries[0].kind is Kind.MESSAGE else "task",
        reads=tuple(gates),
        needs="homes" if Kind.CAMPAIGN in kinds else "contracts" if Kind.LETTER in kinds else None,
        touches=_touches(entries),
    )


def _touches(entries: Sequence[Touchpoint]) -> Callable[[Contract, date], bool] | None:
    """Return for whom a promise to a project is meant; ``None`` where customers have no part in it."""
    audiences = {entry.audience for entry in entries if entry.about is About.PROJECT and entry.audience is not None}
    return partial(touches, frozenset(audiences)) if audiences - _NOT_BUYERS else None


def _run(name: str, known: Forms, job: Job) -> Outcome:
    """Do the touchpoint ``name`` for the job's record."""
    entry = entry_of(name, job)
    if entry is None:
        return skip(job, "sixplustwo.skip.not_in_playbook")
    if prepared_of(job).is_over(job):
        return skip(job, "sixplustwo.skip.window_closed")
    if entry.gate is not None and (why := blocked(entry, job)) is not None:
        return why
    return _do(entry, known, job)


def _run_late(name: str, known: Forms, job: Job) -> Outcome:
    """Make up for the touchpoint ``name``, whose window had passed before its fact came in."""
    entry = entry_of(name, job)
    if entry is None:
        return skip(job, "sixplustwo.skip.not_in_playbook")
    if entry.late == "miss":
        return skip(job, "sixplustwo.skip.window_closed")
    calendar = job.context.calendar
    by = due_on(job, calendar.roll_forward(calendar.date_of(job.now)))
    if entry.kind is Kind.MESSAGE:
        return [make_task(entry, job, due=by)]
    return _moved(_do(entry, known, job), by)


def _do(entry: Touchpoint, known: Forms, job: Job) -> Outcome:
    match entry.kind:
        case Kind.MESSAGE:
            return send(entry, job)
        case Kind.MEETING:
            return meet(entry, job)
        case Kind.CAMPAIGN:
            return campaign(entry, job, known.get(entry.form or ""))
        case Kind.LETTER:
            return write(entry, job)
        case Kind.ENTRY:
            return complete_records(entry, job)
        case _:
            return [make_task(entry, job)]


def _moved(outcome: Outcome, by: datetime) -> Outcome:
    """Return what a touchpoint comes to with the deadline ``by``, when the old one and its window are over."""
    if isinstance(outcome, Skip):
        return outcome
    return [replace(effect, due=by, latest=None) if isinstance(effect, Task) else effect for effect in outcome]


# --- What comes after it ----------------------------------------------------------------------------------------


def _following(name: str, each: Sequence[Touchpoint], entries: Entries, known: Forms) -> Iterator[Action]:
    if any(entry.kind is Kind.LETTER for entry in each):
        sending = _after(f"{name}_sending", name, "sending", each, partial(_with_entry, name, post))
        yield replace(sending, kind="message", needs="contracts", touches=_touches(each))
    behind_gates = list(_behind_gates(name, each, _gates(each, entries)))
    yield from behind_gates
    if behind := [other for other, its in entries.items() if any(entry.gate == name for entry in its)]:
        yield _after(f"{name}_decision", name, "decision", each, partial(decide, gate=name, behind=behind))
    if any(records_agreements(known.get(entry.form or "")) for entry in each) and not _is_tracked(name, entries):
        for source in (name, *(action.name for action in behind_gates)):
            run = partial(_with_entry, name, partial(follow_up, source=source))
            yield _after(f"{source}_follow_ups", source, "follow_ups", each, run)


def _gates(each: Sequence[Touchpoint], entries: Entries) -> Sequence[str]:
    """Return the gates of a touchpoint, those that no playbook has any more left out."""
    return sorted({entry.gate for entry in each if entry.gate in entries and entry.gate is not None})


def _behind_gates(name: str, each: Sequence[Touchpoint], gates: Sequence[str]) -> Iterator[Action]:
    """Yield what becomes of a touchpoint that was blocked."""
    for gate in gates:
        own, decision = name if len(gates) == 1 else f"{name}_{gate}", f"{gate}_decision"
        run = partial(_with_entry, name, partial(let_through, gate=gate))
        yield _after(f"{own}_let_through", gate, "let_through", each, run)
        run = partial(_with_entry, name, partial(postponed, decision=decision))
        yield _after(f"{own}_postponed", decision, "postponed", each, run)


def _is_tracked(name: str, entries: Entries) -> bool:
    """Return whether a touchpoint of its own follows up what the form of this one says."""
    return any(
        entry.within == name and entry.trigger is Trigger.ISSUE_FOUND for each in entries.values() for entry in each
    )


def _trackers(name: str, each: Sequence[Touchpoint], entries: Entries) -> Iterator[Action]:
    """Yield the action of a touchpoint that tracks what is found in the form of another."""
    within = each[0].within
    if within is not None and within in entries:
        yield _after(name, within, None, each, partial(_with_entry, name, partial(follow_up, source=within)))


def _after(
    name: str, after: str, label: str | None, entries: Sequence[Touchpoint], run: Callable[[Job], Outcome]
) -> Action:
    """Return an action that comes ``after`` another; ``label`` is that of the catalogues, else it has its own name."""
    first = entries[0]
    names = {language: first.name.in_(language) for language in LANGUAGES}
    if label is not None:
        names = {language: text(language, f"sixplustwo.label.{label}", name=its) for language, its in names.items()}
    return Action(name, run, label=names, step=first.step, kind="task", after=after)


def _with_entry(name: str, run: Callable[[Touchpoint, Job], Outcome], job: Job) -> Outcome:
    entry = entry_of(name, job)
    return skip(job, "sixplustwo.skip.not_in_playbook") if entry is None else run(entry, job)
