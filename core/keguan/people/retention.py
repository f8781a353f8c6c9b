"""Taking away what has been kept long enough: texts and files, never the promise that they belonged to."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, func, insert, or_, select, update

from keguan.errors import InputError
from keguan.intake.drop.folder import MAIL, taken_before
from keguan.outbox.facts import STAFF
from keguan.people.erasure import ERASED, OPEN_MESSAGES, empty_messages, empty_tasks, erase_person, outbox_folders
from keguan.store.engine import Store
from keguan.store.schema import (
    accesses,
    codes,
    entry_log,
    evidence,
    form_entries,
    imports,
    messages,
    owners,
    people,
    privacy_log,
    receipts,
    replies,
    staff,
    tasks,
)
from keguan.store.types import from_stored, to_stored
from keguan.tasks.evidence import evidence_file

if TYPE_CHECKING:
    from keguan.settings import Settings

__all__ = ["Purge", "last_purge"]

_BATCH = 500
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What goes from one table when its time is over."""

    name: str
    days: int
    table: Table
    at: ColumnElement[Any]
    take: Callable[[Connection, Sequence[Any]], int]
    by_number: bool = True
    """Rows were added in the order of time, so that a number parts the old ones from the young ones."""
    only: ColumnElement[bool] | None = None
    gone: bool = False
    """The rows are deleted, so that nothing need be remembered about how far the last purge came."""


_IS_LINE = exists().where(entry_log.c.entry_id == form_entries.c.id)
"""A line of a register: it is kept for as long as it counts."""


class Purge:
    """One purge, as steps that are short transactions; ended anywhere and begun again it takes away the same.

    How far it came is kept with its record in ``privacy_log``, so that the next one looks only at what has come
    of age since. Without ``files`` only the database is touched: that of a rehearsal.
    """

    def __init__(self, store: Store, settings: Settings, now: datetime, *, files: bool = True) -> None:
        self._store = store
        self._settings = settings
        self._days = settings.privacy.retention
        self._now = now
        self._with_files = files
        self._zone = settings.city(next(iter(settings.cities), "")).zone
        with store.read() as connection:
            last = last_purge(connection)
        self._reached: dict[str, int] = dict(last[1].get("reached", {})) if last else {}
        self.counts: Counter[str] = Counter()
        """What was taken away so far."""

    def steps(self) -> Iterator[str]:
        """Take away batch by batch; yields the name of what each step was about."""
        for rule in self._rules():
            yield from self._run(rule)
        yield from self._former_customers()
        if self._with_files:
            yield from self._files()

    def record(self, who: str) -> None:
        """Write down what was taken away, once all steps are done."""
        counts = {**self.counts, "reached": self._reached}
        with self._store.write() as connection:
            connection.execute(insert(privacy_log).values(at=self._now, who=who, what="purge", counts=counts))

    def preview(self) -> Counter[str]:
        """Return what the steps would take away. Writes nothing."""
        found: Counter[str] = Counter()
        with self._store.read() as connection:
            for rule in self._rules():
                condition = self._condition(connection, rule)
                if condition is not None:
                    statement = select(func.count()).select_from(rule.table).where(condition)
                    found[rule.name] = connection.execute(statement).scalar_one()
            found["people"] = len(self._former(connection, None))
        found["files"] = sum(len(list(folder.iterdir())) for folder in self._old_days())
        found["files"] += sum(1 for _ in self._old_imports())
        return +found

    # --- Tables ------------------------------------------------------------------------------------------------

    def _rules(self) -> list[_Rule]:
        days = self._days
        rules = [
            _Rule("messages", days.messages, messages, messages.c.created_at, self._empty_messages,
                  only=messages.c.status != "sending"),
            _Rule("letters", days.letters, messages, messages.c.created_at, self._empty_messages,
                  only=and_(messages.c.plugin == STAFF, messages.c.status != "sending")),
            _Rule("replies", days.replies, replies, replies.c.received_at, _empty_replies),
            _Rule("tasks", days.tasks, tasks, tasks.c.closed_at, empty_tasks, by_number=False,
                  only=or_(tasks.c.result.is_not(None), tasks.c.reason.is_not(None))),
            _Rule("forms", days.tasks, form_entries, form_entries.c.filled_at, _empty_forms, by_number=False,
                  only=~_IS_LINE),
            _Rule("registers", days.tasks, form_entries, form_entries.c.removed_at, _empty_lines, by_number=False,
                  only=_IS_LINE),
            _Rule("evidence", days.evidence, evidence, evidence.c.added_at, self._delete_evidence),
            _Rule("codes", days.codes, codes, codes.c.expires_at, _deleter(codes), by_number=False, gone=True),
            _Rule("receipts", days.receipts, receipts, receipts.c.received_at, _deleter(receipts), gone=True),
            _Rule("imports", days.imports, imports, imports.c.started_at, _deleter(imports), gone=True),
            _Rule("accesses", days.accesses, accesses, accesses.c.at, _deleter(accesses), gone=True),
            _Rule("requests", days.requests, privacy_log, privacy_log.c.at, _deleter(privacy_log), gone=True),
        ]  # fmt: skip  # a table to read
        return [rule for rule in rules if rule.days]

    def _run(self, rule: _Rule) -> Iterator[str]:
        with self._store.read() as connection:
            condition = self._condition(connection, rule)
            end = self._bound(connection, rule)
        if condition is None:
            return
        key = next(iter(rule.table.primary_key))
        last: Any = None
        while True:
            with self._store.read() as connection:
                statement = select(key).where(condition).order_by(key).limit(_BATCH)
                if last is not None:
                    statement = statement.where(key > last)
                ids = list(connection.execute(statement).scalars())
            if not ids:
                break
            with self._store.write() as connection:
                if self._store.is_sqlite:
                    connection.exec_driver_sql("PRAGMA secure_delete = ON")  # else texts stay in freed pages
                self.counts[rule.name] += rule.take(connection, ids)
            last = ids[-1]
            yield rule.name
        if not rule.gone:
            self._reached[rule.name] = max(end, self._reached.get(rule.name, 0))

    def _condition(self, connection: Connection, rule: _Rule) -> ColumnElement[bool] | None:
        """Return which rows have come of age since the last purge, ``None`` for none at all."""
        reached, end = self._reached.get(rule.name, 0), self._bound(connection, rule)
        if reached >= end:
            return None
        if rule.by_number:
            wanted = and_(rule.table.c.id >= reached, rule.table.c.id < end)
        else:
            wanted = and_(rule.at >= from_stored(reached), rule.at < from_stored(end))
        return wanted if rule.only is None else and_(wanted, rule.only)

    def _bound(self, connection: Connection, rule: _Rule) -> int:
        """Return where young rows begin: the first of their numbers, or the instant."""
        cutoff = self._now - rule.days * _DAY
        if not rule.by_number:
            return to_stored(cutoff)
        number = rule.table.c.id
        low, high = 0, (connection.execute(select(func.max(number))).scalar() or 0) + 1
        while low < high:  # some twenty look-ups, whatever the size of the table
            middle = (low + high) // 2
            row = connection.execute(select(number, rule.at).where(number >= middle).order_by(number).limit(1)).first()
            if row is None or row[1] >= cutoff:
                high = middle
            else:
                low = row[0] + 1
        return low

    # --- What goes -----------------------------------------------------------------------------------------------

    def _empty_messages(self, connection: Connection, ids: Sequence[int]) -> int:
        m = messages.c
        connection.execute(
            update(messages)
            .where(m.id.in_(ids), m.status.in_(OPEN_MESSAGES))
            .values(status="dropped", why="privacy.retention")
        )
        return empty_messages(connection, m.id.in_(ids))

    def _delete_evidence(self, connection: Connection, ids: Sequence[int]) -> int:
        """Delete the files that no younger task needs. The rows stay and say that there was proof."""
        e = evidence.c
        rows = connection.execute(select(e.id, e.sha256).where(e.id.in_(ids))).all()
        hashes = {row.sha256 for row in rows}
        young = select(e.sha256).where(e.sha256.in_(hashes), e.id > ids[-1])
        kept = set(connection.execute(young).scalars())
        connection.execute(update(evidence).where(e.id.in_(ids)).values(filename=ERASED))
        if self._with_files:  # before the commit: killed in between, they are looked at again
            for each in hashes - kept:
                evidence_file(self._settings.path("var/evidence"), each).unlink(missing_ok=True)
        return len(rows)

    def _former(self, connection: Connection, limit: int | None = _BATCH) -> list[int]:
        """Return people who have owned nothing for long enough, are not staff, and are not erased."""
        if not self._days.former_customers:
            return []
        cutoff: date = (self._now - self._days.former_customers * _DAY).astimezone(self._zone).date()
        other, o = owners.alias(), owners.c
        later = select(other.c.id).where(
            other.c.person_id == o.person_id, or_(other.c.until.is_(None), other.c.until >= cutoff)
        )
        works = select(staff.c.id).where(staff.c.person_id == o.person_id)
        statement = (
            select(o.person_id)
            .distinct()
            .join_from(owners, people, people.c.id == o.person_id)
            .where(o.until < cutoff, people.c.erased_at.is_(None), ~later.exists(), ~works.exists())
            .order_by(o.person_id)
            .limit(limit)
        )
        return list(connection.execute(statement).scalars())

    def _former_customers(self) -> Iterator[str]:
        busy: set[int] = set()
        while True:
            with self._store.read() as connection:
                found = [person for person in self._former(connection) if person not in busy]
            if not found:
                return
            for person in found:
                try:
                    erase_person(self._store, person, self._now, self._zone, why="privacy.retention")
                except InputError:  # a message to them is being sent: tomorrow, then
                    busy.add(person)
                else:
                    self.counts["people"] += 1
                yield "people"

    # --- Files ---------------------------------------------------------------------------------------------------

    def _files(self) -> Iterator[str]:
        for folder in self._old_days():
            self.counts["files"] += len(list(folder.iterdir()))
            shutil.rmtree(folder)
            yield "files"
        for file in self._old_imports():
            file.unlink(missing_ok=True)
            self.counts["files"] += 1
            yield "files"

    def _old_days(self) -> Iterator[Path]:
        """Yield the folders of the ``file`` adapter for days whose messages are past their retention."""
        if not self._days.messages:
            return
        cutoff = (self._now - self._days.messages * _DAY).astimezone(self._zone).date().isoformat()
        for folder in outbox_folders(self._settings):
            if folder.is_dir():
                yield from (day for day in sorted(folder.iterdir()) if _is_day(day) and day.name < cutoff)

    def _old_imports(self) -> Iterator[Path]:
        """Yield what came in by the drop folder and by mail and was taken too long ago."""
        if not self._days.imports:
            return
        drop, mail = self._settings.drop.folder, self._settings.path(str(MAIL))
        roots = [self._settings.path(drop)] if drop else []
        roots += sorted(mail.iterdir()) if mail.is_dir() else []
        cutoff = (self._now - self._days.imports * _DAY).astimezone(self._zone)
        for root in roots:
            yield from taken_before(root, cutoff)


def last_purge(connection: Connection) -> tuple[datetime, dict[str, Any]] | None:
    """Return when the last purge was finished and what it recorded; ``None`` when there was none."""
    c = privacy_log.c
    row = connection.execute(select(c.at, c.counts).where(c.what == "purge").order_by(c.id.desc()).limit(1)).first()
    return None if row is None else (row.at, row.counts)


def _is_day(folder: Path) -> bool:
    try:
        date.fromisoformat(folder.name)
    except ValueError:
        return False
    return folder.is_dir()


def _empty_replies(connection: Connection, ids: Sequence[int]) -> int:
    values = {"phone": ERASED, "text": ERASED}
    return connection.execute(update(replies).where(replies.c.id.in_(ids)).values(values)).rowcount


def _empty_forms(connection: Connection, ids: Sequence[int]) -> int:
    emptied = update(form_entries).where(form_entries.c.id.in_(ids)).values(answers={}, lines=[])
    return connection.execute(emptied).rowcount


def _empty_lines(connection: Connection, ids: Sequence[int]) -> int:
    """Empty lines of registers that were taken out long ago, and what their log holds of them."""
    connection.execute(update(entry_log).where(entry_log.c.entry_id.in_(ids)).values(answers={}))
    return _empty_forms(connection, ids)


def _deleter(table: Table) -> Callable[[Connection, Sequence[Any]], int]:
    key = next(iter(table.primary_key))
    return lambda connection, ids: connection.execute(delete(table).where(key.in_(ids))).rowcount
