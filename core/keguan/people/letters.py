"""What work says of a person: titles of tasks, and the letters in which staff were told of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from keguan.masking import mask_text
from keguan.outbox.facts import STAFF
from keguan.store.engine import Store
from keguan.store.records import in_chunks
from keguan.store.schema import messages, tasks

__all__ = ["strike_out_of_letters", "strike_out_of_titles"]

_GONE = "*"
_NUMBER = re.compile(r"\[(\d{1,18})\]")
"""How keguan's own letters name a task."""
_m, _t = messages.c, tasks.c


def strike_out_of_titles(connection: Connection, work: Sequence[int], name: str | None) -> None:
    """Take name, telephone and the like of a person out of the titles of the tasks ``work``."""
    for chunk in in_chunks(work):
        for row in connection.execute(select(_t.id, _t.title).where(_t.id.in_(chunk))).all():
            title = mask_text(row.title.replace(name, _GONE) if name else row.title)
            if title != row.title:
                connection.execute(update(tasks).where(_t.id == row.id).values(title=title))


def strike_out_of_letters(store: Store, work: Collection[int], name: str | None) -> None:
    """Take the lines about the tasks ``work`` out of letters to staff, sent or not; other lines stay.

    The letters are sealed, so each is opened and read; retention keeps them few.
    """
    numbers = frozenset(work)
    wanted = select(_m.id, _m.title, _m.body, _m.html).where(_m.plugin == STAFF, _m.status != "sending")
    changed: list[dict[str, Any]] = []
    if numbers:
        with store.read() as connection:
            for row in connection.execute(wanted, execution_options={"yield_per": 500}):
                body = _struck(row.body, numbers, name)
                if body != row.body:  # the HTML says the same; without it the text is shown
                    title = row.title.replace(name, _GONE) if name else row.title
                    changed.append({"letter": row.id, "new_title": title, "new_body": body})
    new = update(messages).where(_m.id == bindparam("letter"), _m.status != "sending")
    new = new.values(title=bindparam("new_title"), body=bindparam("new_body"), html=None)
    for start in range(0, len(changed), 500):
        with store.write() as connection:
            connection.execute(new, changed[start : start + 500])


def _struck(body: str, numbers: frozenset[int], name: str | None) -> str:
    lines = body.split("\n")
    told = [numbers.isdisjoint(map(int, _NUMBER.findall(line))) for line in lines]
    if all(told):
        return body
    kept = (line if own else _GONE for line, own in zip(lines, told, strict=True))
    return "\n".join(line.replace(name, _GONE) if name else line for line in kept)
