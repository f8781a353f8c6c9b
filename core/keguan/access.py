"""The access log: who saw personal values unmasked, which command showed them, and how many rows."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from sqlalchemy import insert, update

from keguan.store.engine import Store
from keguan.store.schema import accesses

__all__ = ["logged_rows", "person_at_keyboard"]

T = TypeVar("T")


def person_at_keyboard() -> str:
    """Return the name of the operating system's user who runs this program, or its number when it has no name.

    The system is asked, not the variables that anybody can set before a command. Behind sudo it is ``li (keguan)``:
    whom sudo names, and as whom the program runs.
    """
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:  # a container may run under a number that nobody named
        name = str(number)
    behind = os.environ.get("SUDO_USER", "")
    return f"{behind[:64]} ({name})" if behind.isprintable() and behind not in ("", name) else name


def logged_rows(store: Store, rows: Iterable[T], *, what: str, now: datetime, who: str | None = None) -> Iterator[T]:
    """Pass on ``rows`` and record that ``what`` showed them to ``who`` (the person at the keyboard unless given).

    The record is stored before the first row is given out, so that nothing is seen that is not logged; its count
    follows at the end, also when the reader stops early. ``what`` must be free of personal values.
    """
    with store.write() as connection:
        entry = connection.execute(
            insert(accesses).values(at=now, who=who or person_at_keyboard(), what=what, rows=0).returning(accesses.c.id)
        ).scalar_one()
    count = 0
    try:
        for row in rows:
            count += 1
            yield row
    finally:
        with store.write() as connection:
            connection.execute(update(accesses).where(accesses.c.id == entry).values(rows=count))
