"""The progress letter: written and approved once, then sent to everybody who has bought and waits for the home."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keguan.model import Contract, Effect, Email, Job, Person, Skip, Sms
from keguan.texts import text
from keguan_sixplustwo.doing.messages import reachable_by
from keguan_sixplustwo.doing.standing import errand, make_task, place, skip
from keguan_sixplustwo.touchpoint import Channel, Touchpoint

__all__ = ["post", "waiting", "write"]

_DAYS_BY_HAND = 5
"""How many working days there are to bring the letter to those whom no message reaches. Ours."""


def write(entry: Touchpoint, job: Job) -> Iterable[Effect]:
    """Return the task to write the letter and have it approved; nothing when nobody waits for a home."""
    return [make_task(entry, job)] if waiting(job.contracts) else []


def post(entry: Touchpoint, job: Job) -> Iterable[Effect] | Skip:
    """Return the letter to everybody who waits, each person once: a text message, and an e-mail where it has one.

    Those without any address are left to the department, which is told how many they are. Raises nothing for a
    letter that nobody approved: it is skipped with that reason.
    """
    filled = job.filled.get(entry.id)
    if filled is None or filled.answers.get("approved") is not True:
        return skip(job, "sixplustwo.skip.letter_not_approved")
    assert entry.template is not None
    sms_text, email_text = filled.answers.get("sms_text"), filled.answers.get("email_text")
    values = {
        "project": job.record.project.name,
        "title": filled.answers.get("title") or entry.name.in_(job.context.language),
    }
    effects: list[Effect] = []
    unreached = 0
    for person in waiting(job.contracts):
        before = len(effects)
        if sms_text and reachable_by(Channel.SMS, person):
            effects.append(Sms(person, entry.template, values | {"text": sms_text}))
        if email_text and reachable_by(Channel.EMAIL, person):
            effects.append(Email(person, entry.template, values | {"text": email_text}))
        unreached += len(effects) == before
    if unreached:
        language = job.context.language
        name = entry.name.in_(language)
        title = text(language, "sixplustwo.letter_by_hand_title", name=name, place=place(job), count=unreached)
        effects.append(errand(entry, title, job.context.calendar.workday_limit(job.due, _DAYS_BY_HAND)))
    return effects


def waiting(contracts: Sequence[Contract]) -> list[Person]:
    """Return everybody who has signed and not taken over, each once, in the order of the contracts.

    Somebody who waits for one home and lives in another gets the letter; a deposit alone is no purchase. Ours.
    """
    people: dict[int, Person] = {}
    for contract in contracts:
        taken_over = contract.home is not None and contract.home.handed_over_on is not None
        if contract.status == "signed" and not taken_over:
            for person in contract.owners:
                people.setdefault(person.id, person)
    return list(people.values())
