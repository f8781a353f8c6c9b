"""Short codes: what a customer enters at a constant address to open a survey or a status page.

China's gateways take no variable link in a text message (cloud.tencent.com/document/product/382/39023), so a
message carries a constant address and a code of six characters. The code says nothing by itself, opens one thing for
one person, and ends by itself. Six of 25 characters are 244 million codes: whoever offers a page to enter them must
limit how often one visitor may try.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Row, func, select, update

from keguan.model import Subject
from keguan.store.engine import Store
from keguan.store.schema import codes, owners
from keguan.store.types import to_stored

__all__ = [
    "ALPHABET",
    "LENGTH",
    "SAMPLE_CODE",
    "Code",
    "WantedCode",
    "ensure_codes",
    "expire_code",
    "find_code",
    "list_codes",
    "look_up",
    "new_code",
    "note_use",
    "read_code",
    "still_theirs",
]

ALPHABET = "23456789ACDEFHJKMNPRTVWXY"
"""Of characters that look or sound alike (0 O Q D, 1 I L, 2 Z, 5 S, 6 G, 8 B, U V) at most one is in it."""
LENGTH = 6
SAMPLE_CODE = "7K3M9P"
"""What previews and samples show; never given to anybody."""
_MEANT = str.maketrans({"Z": "2", "S": "5", "G": "6", "B": "8", "U": "V", "0": "D", "O": "D", "Q": "D"})
_COLUMNS = ("code", "purpose", "key", "person_id", "subject_type", "subject_id", "created_at", "expires_at")
_CHUNK = 500
_c = codes.c


@dataclass(frozen=True, slots=True)
class Code:
    """A code and what it opens."""

    code: str
    purpose: str
    """``survey`` or ``status``."""
    key: str
    """What it was made for: the plan's key, the purpose and the person."""
    person_id: int
    subject: Subject
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    """When it was first used."""


@dataclass(frozen=True, slots=True)
class WantedCode:
    """What a code shall open."""

    key: str
    purpose: str
    person_id: int
    subject: Subject


def new_code() -> str:
    """Return six characters that nobody can foresee."""
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        if code != SAMPLE_CODE:
            return code


def read_code(typed: str) -> str | None:
    """Return the code that somebody typed: small letters, full-width ones, blanks and look-alikes are understood.

    ``None`` when it cannot be one.
    """
    plain = "".join(unicodedata.normalize("NFKC", typed[:100]).split()).replace("-", "").upper().translate(_MEANT)
    return plain if len(plain) == LENGTH and all(each in ALPHABET for each in plain) else None


def ensure_codes(
    store: Store,
    connection: Connection,
    wanted: Iterable[WantedCode],
    now: datetime,
    days: int,
    make: Callable[[], str] = new_code,
) -> dict[str, str]:
    """Return a code for each key of ``wanted``: the one it has, else a new one that opens it for ``days`` from ``now``.

    A new code that somebody else has already is thrown away and another one made. ``make`` is ``new_code`` except
    in tests.
    """
    every = {each.key: each for each in wanted}
    found: dict[str, str] = _codes_of(connection, every)
    expires = to_stored(now + timedelta(days=days))
    while lacking := [each for key, each in every.items() if key not in found]:
        rows = [
            (
                make(),
                each.purpose,
                each.key,
                each.person_id,
                each.subject.type,
                each.subject.id,
                to_stored(now),
                expires,
            )
            for each in lacking
        ]
        store.insert(connection, codes, _COLUMNS, rows, ignore_repeats=True)
        found |= _codes_of(connection, {each.key: each for each in lacking})
    return found


def _codes_of(connection: Connection, keys: Mapping[str, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    pending = list(keys)
    for start in range(0, len(pending), _CHUNK):
        some = select(_c.key, _c.code).where(_c.key.in_(pending[start : start + _CHUNK]))
        found |= {row.key: row.code for row in connection.execute(some)}
    return found


def find_code(connection: Connection, code: str, now: datetime) -> Code | None:
    """Return what ``code``, as somebody typed it, opens at ``now``; ``None`` when it is unknown or has ended."""
    found = look_up(connection, code)
    return found if found is not None and found.expires_at > now else None


def still_theirs(connection: Connection, code: Code, today: date) -> bool:
    """Return whether what ``code`` opens belongs to its person on ``today``: what comes after a sale is the buyer's."""
    column = {"contract": owners.c.contract_id, "home": owners.c.home_id}.get(code.subject.type)
    if column is None:
        return True
    mine = select(owners.c.until).where(column == code.subject.id, owners.c.person_id == code.person_id)
    ends = connection.execute(mine).scalars().all()
    return not ends or any(until is None or until >= today for until in ends)


def note_use(connection: Connection, code: Code, now: datetime) -> None:
    """Note that ``code`` was used; the first time is kept."""
    connection.execute(
        update(codes).where(_c.code == code.code).values(used_at=func.coalesce(_c.used_at, to_stored(now)))
    )


def expire_code(connection: Connection, code: str, now: datetime) -> Code | None:
    """End ``code`` at ``now`` and return it as it was; ``None`` when there is none."""
    found = look_up(connection, code)
    if found is not None and found.expires_at > now:
        connection.execute(update(codes).where(_c.code == found.code).values(expires_at=now))
    return found


def list_codes(
    connection: Connection, now: datetime, *, purpose: str | None = None, ended: bool = False, limit: int | None = None
) -> list[Code]:
    """Return the codes that open something at ``now`` (``ended``: those that no longer do), newest first."""
    statement = select(codes).where(_c.expires_at <= now if ended else _c.expires_at > now)
    if purpose is not None:
        statement = statement.where(_c.purpose == purpose)
    rows = connection.execute(statement.order_by(_c.created_at.desc(), _c.code).limit(limit))
    return [_code(row) for row in rows]


def look_up(connection: Connection, code: str) -> Code | None:
    """Return what is known of ``code``, as somebody typed it, ended or not; ``None`` when there is none."""
    plain = read_code(code)
    if plain is None:
        return None
    row = connection.execute(select(codes).where(_c.code == plain)).one_or_none()
    return None if row is None else _code(row)


def _code(row: Row[tuple[object, ...]]) -> Code:
    return Code(
        row.code,
        row.purpose,
        row.key,
        row.person_id,
        Subject(row.subject_type, row.subject_id),
        row.created_at,
        row.expires_at,
        row.used_at,
    )
