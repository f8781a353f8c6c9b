"""Touchpoints that keguan does itself: one message to the main contact, or to the customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from keguan.model import Customer, Effect, Email, Job, Person, Skip, Sms, Task
from keguan.texts import text
from keguan_sixplustwo.doing.standing import contact, due_on, errand, home_of, place, skip
from keguan_sixplustwo.library import templates
from keguan_sixplustwo.planning.components import components_of
from keguan_sixplustwo.touchpoint import Channel, Touchpoint, Trigger

__all__ = ["reachable_by", "send"]

_KINDS: Mapping[Channel, type[Sms | Email]] = {Channel.SMS: Sms, Channel.EMAIL: Email}
_BETWEEN = {"zh": "、", "en": ", "}


def send(entry: Touchpoint, job: Job) -> Iterable[Effect] | Skip:
    """Return the messages of a touchpoint, one for each of its channels by which the person can be reached.

    Who has no address there gets it by e-mail, if there is one and a template for it; for anybody else the
    department has to find a way: a task. What the person does not want is not seen here, the outbox knows.
    """
    to = contact(job)
    if to is None:
        return skip(job, "sixplustwo.skip.nobody_known")
    if isinstance(job.record, Customer) and not job.record.homes:
        return skip(job, "sixplustwo.skip.no_home")
    assert entry.template is not None
    assert entry.channel is not None
    channels = [channel for channel in entry.channel if reachable_by(channel, to)]
    if not channels and reachable_by(Channel.EMAIL, to) and entry.template in _emails():
        channels = [Channel.EMAIL]
    if not channels:
        return [_by_hand(entry, job)]
    values = _values(entry, job)
    return [_KINDS[channel](to, entry.template, values) for channel in channels]


def reachable_by(channel: Channel, person: Person) -> bool:
    """Return whether an address of ``person`` is known for ``channel``."""
    return bool(person.phone if channel is Channel.SMS else person.email)


def _values(entry: Touchpoint, job: Job) -> dict[str, object]:
    values: dict[str, object] = {"project": job.record.project.name, "home": home_of(job)}
    if entry.trigger is Trigger.WARRANTY_EXPIRY:
        ending = components_of(job)
        names = [name.in_(job.context.language) for name in ending.names]
        values["components"] = _BETWEEN[job.context.language].join(names)
        values |= {"year": ending.on.year, "month": ending.on.month, "day": ending.on.day}
    return values


def _by_hand(entry: Touchpoint, job: Job) -> Task:
    """Return the task to tell somebody in person what no message can bring."""
    language = job.context.language
    title = text(language, "sixplustwo.no_address_title", name=entry.name.in_(language), place=place(job))
    calendar = job.context.calendar
    return errand(entry, title, max(job.due, due_on(job, calendar.roll_forward(calendar.date_of(job.due)))))


@cache
def _emails() -> frozenset[str]:
    return templates("email")
