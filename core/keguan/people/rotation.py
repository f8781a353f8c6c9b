"""Seal everything with the newest key: after an upgrade, and when keys are changed.

The table of each row is looked through in order of its numbers, a short transaction for each batch, while a daemon
works. Killed and begun again it goes on where something is left; when nothing is, the older keys may go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, Text, and_, func, insert, or_, select, type_coerce, update
from sqlalchemy.dialects import postgresql, sqlite

from keguan.errors import UsageError
from keguan.intake.fields import FieldError
from keguan.intake.phones import parse_phone
from keguan.sealing import KeyRing, Kind
from keguan.sealing.keyfile import add_key
from keguan.sealing.keys import DIGEST_MARK, MARK
from keguan.store.engine import Store
from keguan.store.numbers import update_rows
from keguan.store.schema import entry_log, form_entries, keys, messages, people, privacy_log, replies, suppressions
from keguan.store.sealed import sealed_columns

__all__ = ["TABLES", "Rotated", "rotate", "unsealed"]

TABLES: tuple[Table, ...] = (people, messages, replies, form_entries, entry_log)
"""The tables with sealed columns."""
_KINDS: tuple[Kind, ...] = ("name", "phone", "email", "id_no")
_BATCH = 500
_PASSES = 5
_k = keys.c


@dataclass(slots=True)
class Rotated:
    """What a rotation did."""

    key: str | None
    """The name of the key that seals now; ``None`` when nothing is to be sealed."""
    made: bool = False
    """The key was made just now."""
    counts: dict[str, int] = field(default_factory=dict)
    """Rows that were sealed anew, by table."""
    retired: list[str] = field(default_factory=list)
    """Keys that nothing is sealed with any more: they may be taken out."""
    left: int = 0
    """Rows that another program sealed with an older key meanwhile."""


def rotate(
    store: Store, now: datetime, who: str, progress: Callable[[str, int], None] = lambda _table, _rows: None
) -> Rotated:
    """Seal everything with the newest key of ``store.ring``, making a new one first when all of it is already.

    ``progress`` is told a table and how many more rows of it were done. Raises ``UsageError`` when a new key is
    wanted and the keys do not come from a file.
    """
    ring = store.ring
    ring.refresh()
    made = False
    if ring.encrypts and not _unfinished(store, ring):
        if not ring.is_by_file or ring.file is None:
            raise UsageError("privacy.rotate_environment")
        add_key(ring.file, now.date())
        ring.refresh()
        made = True
    newest = ring.newest
    done = Rotated(newest.fingerprint if newest else None, made, {table.name: 0 for table in TABLES})
    if newest is not None:
        _note(store, newest.fingerprint, now)
    for _ in range(_PASSES):
        _wait_for_writers(store)
        before = sum(done.counts.values())
        for table in TABLES:
            for count in _reseal(store, table):
                done.counts[table.name] += count
                progress(table.name, count)
        if sum(done.counts.values()) == before:
            break
    done.left = sum(unsealed(store).values())
    _finish(store, done, now, who)
    return done


def unsealed(store: Store) -> dict[str, int]:
    """Return how many rows of each table are not sealed with the newest key, or are sealed although they need not be.

    Reads every row.
    """
    with store.read() as connection:
        return {
            table.name: connection.execute(
                select(func.count()).select_from(table).where(_outdated(table, store.ring))
            ).scalar_one()
            for table in TABLES
        }


def _unfinished(store: Store, ring: KeyRing) -> bool:
    """Whether something is left to seal with the key that is the newest now."""
    assert ring.newest is not None  # `fit_keys` has seen to that
    with store.read() as connection:
        used = set(connection.execute(select(_k.fingerprint).where(_k.retired_at.is_(None))).scalars())
        if used != {ring.newest.fingerprint}:
            return True
        return any(
            connection.execute(select(table.c.id).where(_outdated(table, ring)).limit(1)).first() for table in TABLES
        )


def _note(store: Store, fingerprint: str, now: datetime) -> None:
    with store.write() as connection:
        if connection.execute(select(_k.fingerprint).where(_k.fingerprint == fingerprint)).first() is None:
            connection.execute(insert(keys).values(fingerprint=fingerprint, first_used_at=now))
        else:
            connection.execute(update(keys).where(_k.fingerprint == fingerprint).values(retired_at=None))


def _wait_for_writers(store: Store) -> None:
    """Wait for transactions that began before the new key was there; SQLite has one writer at a time anyway."""
    if store.is_sqlite:
        return
    names = ", ".join(table.name for table in TABLES)
    with store.write() as connection:
        connection.exec_driver_sql(f"LOCK TABLE {names} IN SHARE MODE")


def _outdated(table: Table, ring: KeyRing) -> ColumnElement[bool]:
    """The condition that some value of a row is not as it would be stored now."""
    mark, digest_mark = (ring.newest.mark, ring.newest.digest_mark) if ring.newest else (None, None)
    wrong = []
    for name in sealed_columns(table):
        stored = type_coerce(table.c[name], Text)
        if mark is None:
            wrong.append(func.substr(stored, 1, len(MARK)) == MARK)
        else:
            wrong.append(and_(stored != "", func.substr(stored, 1, len(mark)) != mark))
    for kind in _KINDS if table is people else ():
        index = people.c[f"{kind}_index"]
        beginning = func.substr(index, 1, len(DIGEST_MARK if digest_mark is None else digest_mark))
        off = beginning == DIGEST_MARK if digest_mark is None else beginning != digest_mark
        wrong.append(and_(people.c[kind].is_not(None), or_(index.is_(None), off)))
    return or_(*wrong)


def _reseal(store: Store, table: Table) -> Iterator[int]:
    """Seal the rows of a table batch by batch; yield how many each time."""
    last = 0
    with store.read() as connection:  # rows that are added meanwhile are the next pass's affair
        end = connection.execute(select(func.max(table.c.id))).scalar() or 0
    while True:
        with store.read() as connection:
            found = (
                select(table.c.id)
                .where(table.c.id > last, table.c.id <= end, _outdated(table, store.ring))
                .order_by(table.c.id)
                .limit(_BATCH)
            )
            ids = list(connection.execute(found).scalars())
        if not ids:
            return
        with store.write() as connection:
            count = _reseal_rows(store, connection, table, ids)
        yield count  # outside of the transaction: whoever listens may take a while
        last = ids[-1]


def _reseal_rows(store: Store, connection: Connection, table: Table, ids: Sequence[int]) -> int:
    """Open and seal again what still needs it; what somebody wrote meanwhile is sealed already."""
    columns = sealed_columns(table)
    ring = store.ring
    stored = [type_coerce(table.c[name], Text).label(name) for name in columns]
    indexes = [people.c[f"{kind}_index"] for kind in _KINDS] if table is people else []
    wanted = select(table.c.id, *stored, *indexes).where(table.c.id.in_(ids), _outdated(table, ring))
    rows = connection.execute(wanted.with_for_update()).mappings().all()
    fresh = []
    for row in rows:
        values = [None if row[name] is None else ring.unseal(row[name]) for name in columns]
        fresh.append((*values, row["id"]))
    update_rows(store, connection, table, columns, fresh)
    if table is people:
        _carry_suppressions(store, connection, _renamed(ring, columns, rows, fresh))
    if table is replies:
        _carry_suppressions(store, connection, _heard_of(ring, [values[columns.index("phone")] for values in fresh]))
    return len(rows)


def _renamed(
    ring: KeyRing, columns: Sequence[str], rows: Sequence[Any], fresh: Sequence[tuple[Any, ...]]
) -> dict[str, str]:
    """Return the new index of each address of people by its old one."""
    renamed: dict[str, str] = {}
    kinds: tuple[Kind, ...] = ("phone", "email")
    for row, values in zip(rows, fresh, strict=True):
        for kind in kinds:
            value, was = values[columns.index(kind)], row[f"{kind}_index"]
            index = ring.index(kind, value)
            if was and index and was != index:
                renamed[was] = index
    return renamed


def _heard_of(ring: KeyRing, phones: Sequence[str]) -> dict[str, str]:
    """Return the same for numbers that answered: nobody else may have them."""
    renamed: dict[str, str] = {}
    for phone in phones:
        try:
            number = parse_phone(phone)
        except FieldError:  # taken away meanwhile
            continue
        index = ring.index("phone", number)
        if index is not None:
            renamed |= {was: index for was in ring.indexes("phone", number) if was != index}
    return renamed


def _carry_suppressions(store: Store, connection: Connection, renamed: dict[str, str]) -> None:
    """Let addresses that nothing is sent to be found by their new index too."""
    if not renamed:
        return
    s = suppressions.c
    known = connection.execute(select(suppressions).where(s.address_index.in_(renamed))).mappings().all()
    for entry in known:
        again = {name: value for name, value in entry.items() if name != "id"}
        again["address_index"] = renamed[entry["address_index"]]
        dialect = sqlite if store.is_sqlite else postgresql
        connection.execute(dialect.insert(suppressions).values(again).on_conflict_do_nothing())


def _finish(store: Store, done: Rotated, now: datetime, who: str) -> None:
    """Retire the keys that nothing hangs on any more, and record the rotation."""
    with store.write() as connection:
        if not done.left:
            older = (_k.retired_at.is_(None), _k.fingerprint != (done.key or ""))
            done.retired = sorted(connection.execute(select(_k.fingerprint).where(*older)).scalars())
            connection.execute(update(keys).where(*older).values(retired_at=now))
        counts = {**done.counts, "left": done.left}
        connection.execute(insert(privacy_log).values(at=now, who=who, what="rotate", counts=counts))
