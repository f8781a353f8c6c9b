"""The customer club: who is a member, since when senior, and who wants the newsletter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import select

from keguan.calendar.dates import add_months
from keguan.masking import mask_email, mask_name
from keguan.model import Form
from keguan.queries.reader import Filters, Reader
from keguan.queries.registers import list_lines
from keguan.store.schema import people
from keguan_sixplustwo.asking import PLUGIN

__all__ = ["club_rows", "senior_on"]

_MEMBERS = f"{PLUGIN}.club_members"
_BATCH = 500


def senior_on(joined_on: date, *, bought_before: bool) -> date:
    """Return from which day a member is senior: at once who bought before, else a year after joining."""
    return joined_on if bought_before else add_months(joined_on, 12)


def club_rows(
    reader: Reader,
    forms: Mapping[str, Form],
    filters: Filters,
    today: date,
    *,
    newsletter: bool = False,
    everything: bool = False,
    unmask: bool = False,
) -> Iterator[dict[str, Any]]:
    """Yield a row for each member: ``entry number person member joined_on senior senior_on newsletter email left_on``.

    Who has left by ``today`` only with ``everything``; ``newsletter``: only members who are active and want it.
    Names and addresses are masked unless ``unmask``; then its caller writes the access log.
    """
    lines = list_lines(reader, forms, _MEMBERS, filters, unmask=True)
    while page := list(islice(lines, _BATCH)):
        known = _people(reader, [int(line["subject"]["id"]) for line in page])
        for line in page:
            row = _row(line, known.get(int(line["subject"]["id"])), today, unmask=unmask)
            gone = row["left_on"] is not None and row["left_on"] <= today.isoformat()
            if (gone and not everything) or (newsletter and (gone or not row["newsletter"])):
                continue
            yield row


def _people(reader: Reader, ids: list[int]) -> dict[int, Any]:
    c = people.c
    with reader.store.read() as connection:
        rows = connection.execute(select(c.id, c.name, c.email).where(c.id.in_(ids)))
        return {row.id: row for row in rows}


def _row(line: Mapping[str, Any], person: Any, today: date, *, unmask: bool) -> dict[str, Any]:
    answers = line["answers"]
    senior = senior_on(date.fromisoformat(answers["joined_on"]), bought_before=answers["bought_before"])
    name, email = (person.name, person.email) if person is not None else (None, None)
    return {
        "entry": line["entry"],
        "number": answers["number"],
        "person": int(line["subject"]["id"]),
        "member": name if unmask or name is None else mask_name(name),
        "joined_on": answers["joined_on"],
        "senior": senior <= today,
        "senior_on": senior.isoformat(),
        "newsletter": answers["newsletter"],
        "email": email if unmask or email is None else mask_email(email),
        "left_on": answers.get("left_on"),
    }
