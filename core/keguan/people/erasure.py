"""Forgetting a person while the counts stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, and_, delete, func, literal, or_, select, update

from keguan.errors import InputError
from keguan.people.belongings import Belonging, about, belongings
from keguan.people.letters import strike_out_of_letters, strike_out_of_titles
from keguan.people.suppressions import REFUSED, suppress
from keguan.store.engine import Store
from keguan.store.schema import (
    codes,
    entry_log,
    events,
    evidence,
    form_entries,
    messages,
    people,
    permission_log,
    permissions,
    plans,
    replies,
    task_log,
    tasks,
)
from keguan.store.types import Instant

if TYPE_CHECKING:
    from keguan.settings import Settings

__all__ = [
    "ERASED",
    "OPEN_MESSAGES",
    "delete_outbox_files",
    "empty_messages",
    "empty_tasks",
    "erase_person",
    "outbox_folders",
]

OPEN_MESSAGES = ("queued", "held", "in_doubt", "dead", "undelivered")
"""Messages that could still leave."""
ERASED = "*"
"""What stands where a text stood."""


def erase_person(
    store: Store, person: int, now: datetime, zone: tzinfo, *, why: str = "privacy.erased"
) -> dict[str, int]:
    """Forget a person; return ``{messages, dropped, plans, replies, forms, tasks, codes, evidence}``.

    Values go, and so do texts of messages, replies, codes, and answers and remarks about the person and about what
    was theirs alone. What was planned, sent and done stays as counts; opt-outs and the digests of addresses that
    bounced stay, so that nobody is written to again; evidence files stay as proof until their retention ends
    (``evidence`` counts them). Messages that have not left are dropped, open plans that hang on the person are
    cancelled. ``zone`` is the one that dates of ownership are in; ``why`` is a key of the catalogue. Raises
    ``InputError`` for a number nobody has, and while a message to the person is being sent.
    """
    m, p = messages.c, people.c
    with store.write() as connection:
        if store.is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")  # else the values stay in freed pages
        known = connection.execute(select(p.id, p.name).where(p.id == person).with_for_update()).first()
        if known is None:
            raise InputError("customers.unknown")
        if connection.execute(select(m.id).where(m.person_id == person, m.status == "sending")).first():
            raise InputError("privacy.sending")
        dropped = connection.execute(
            update(messages).where(m.person_id == person, m.status.in_(OPEN_MESSAGES)).values(status="dropped", why=why)
        ).rowcount
        emptied = empty_messages(connection, m.person_id == person)
        ended = connection.execute(
            update(plans)
            .where(
                plans.c.subject_type == "customer",
                plans.c.subject_id == person,
                plans.c.status.in_(("planned", "held")),
            )
            .values(status="cancelled", why=why, changed_at=now)
        ).rowcount
        done = {"messages": emptied, "dropped": dropped, "plans": ended}
        alone = [one for one in belongings(connection, person) if not one.shared]
        work = list(
            connection.execute(select(tasks.c.id).where(about(tasks, person, alone, tasks.c.due_at, zone))).scalars()
        )
        done |= _empty_what_was_said(connection, person, zone, alone, work)
        strike_out_of_titles(connection, work, known.name)
        _keep_refusals(connection, person, now)
        connection.execute(
            update(people)
            .where(people.c.id == person)
            .values(
                {name: None for column in ("name", "phone", "email", "id_no") for name in (column, f"{column}_index")}
                | {"birthday": None, "lunar": False, "version": people.c.version + 1}
                | {"erased_at": func.coalesce(people.c.erased_at, literal(now, Instant()))}
            )
        )
    strike_out_of_letters(store, work, known.name)
    return done


def _empty_what_was_said(
    connection: Connection, person: int, zone: tzinfo, alone: Sequence[Belonging], work: Sequence[int]
) -> dict[str, int]:
    """Empty replies, forms and remarks; delete codes. What others share stays theirs."""
    of_person = and_(events.c.subject_type == "customer", events.c.subject_id == person)
    connection.execute(update(events).where(of_person).values(data={}))
    papers = or_(about(form_entries, person, alone, form_entries.c.filled_at, zone), form_entries.c.task_id.in_(work))
    lines = select(form_entries.c.id).where(papers)
    connection.execute(update(entry_log).where(entry_log.c.entry_id.in_(lines)).values(answers={}, reason=None))
    log = permission_log.c
    connection.execute(update(permission_log).where(log.person_id == person).values(who=None))
    return {
        "replies": connection.execute(
            update(replies).where(replies.c.person_id == person).values(phone=ERASED, text=ERASED)
        ).rowcount,
        "forms": connection.execute(update(form_entries).where(papers).values(answers={}, lines=[])).rowcount,
        "tasks": empty_tasks(connection, work),
        "codes": connection.execute(delete(codes).where(codes.c.person_id == person)).rowcount,
        "evidence": connection.execute(
            update(evidence).where(evidence.c.task_id.in_(work)).values(filename=ERASED)
        ).rowcount,
    }


def _keep_refusals(connection: Connection, person: int, now: datetime) -> None:
    """Let opt-outs hold for the addresses, by their digests, should somebody enter them again.

    An address that somebody else has too is left to what they answered.
    """
    c, p, other = permissions.c, people.c, people.alias()
    stopped = connection.execute(
        select(c.channel).where(c.person_id == person, ~c.granted, c.message_class.in_(("service", "*")))
    )
    channels = set(stopped.scalars())
    for channel, column in (("sms", "phone_index"), ("email", "email_index")):
        if not channels & {channel, "*"}:
            continue
        shared = select(other.c.id).where(other.c[column] == p[column], other.c.id != p.id)
        index = connection.execute(select(p[column]).where(p.id == person, ~shared.exists())).scalar()
        if index is not None:
            suppress(connection, channel, index, why=REFUSED, now=now)


def empty_messages(connection: Connection, condition: ColumnElement[bool]) -> int:
    """Take the texts out of messages; return of how many."""
    values: dict[str, str | None] = {"title": ERASED, "body": ERASED, "to_masked": ERASED}
    values |= dict.fromkeys(("html", "attachments", "variables", "error"))
    return connection.execute(update(messages).where(condition).values(values)).rowcount


def empty_tasks(connection: Connection, ids: Sequence[int]) -> int:
    """Take what people wrote out of tasks and their log; return of how many tasks."""
    t, log = tasks.c, task_log.c
    connection.execute(
        update(task_log).where(log.task_id.in_(ids), log.reason.is_not(None)).values(reason=ERASED, detail=None)
    )
    count = 0
    for column in (t.result, t.reason):
        written = (t.id.in_(ids), column.is_not(None), column != ERASED)
        count = max(count, connection.execute(update(tasks).where(*written).values({column.name: ERASED})).rowcount)
    return count


# --- Files -------------------------------------------------------------------------------------------------------


def outbox_folders(settings: Settings) -> list[Path]:
    """Return where ``file`` adapters write messages, those of rehearsals included."""
    from keguan.building import REHEARSAL_OUTBOX  # noqa: PLC0415 - it builds on this

    own = [table.rest.get("directory") for table in settings.adapters.values() if table.type == "file"]
    relative = ["var/outbox", str(REHEARSAL_OUTBOX), *(str(folder) for folder in own if folder)]
    return [settings.path(folder) for folder in dict.fromkeys(relative)]


def delete_outbox_files(store: Store, settings: Settings, person: int) -> int:
    """Delete the files that the ``file`` adapter wrote for the messages of a person; return how many."""
    from keguan.adapters.file import file_name  # noqa: PLC0415 - an edge

    with store.read() as connection:
        keys = connection.execute(select(messages.c.key).where(messages.c.person_id == person)).scalars()
        names = [file_name(key) for key in keys]
    days = [day for folder in outbox_folders(settings) if folder.is_dir() for day in folder.iterdir() if day.is_dir()]
    return sum(_unlink(day / f"{name}{suffix}") for day in days for name in names for suffix in (".eml", ".txt"))


def _unlink(file: Path) -> bool:
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    return True
