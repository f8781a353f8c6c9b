"""Reads the journeys that stand in `journeys.md`: what happened on which day, and what has to come of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

__all__ = ["Happening", "Journey", "Promise", "Scope", "read_cast", "read_journeys"]

FILE = Path(__file__).parent / "journeys.md"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DUE = re.compile(r"(?P<weekday>[A-Z][a-z]{2}) (?P<due>(?P<day>\d{4}-\d\d-\d\d)(?: \d\d:\d\d)?)")
_STANDS = re.compile(r"(?P<status>[a-z]+)(?: (?P<done>\d{4}-\d\d-\d\d(?: \d\d:\d\d)?))?(?:: (?P<why>.+))?")
_SEEN = re.compile(r"\*\*Seen on (?P<when>[\d :-]+):\*\* (?P<scopes>.+?)\.")
_SCOPE = re.compile(r"(?P<actions>.+?) for (?P<whose>.+?)(?: until (?P<until>\d{4}-\d\d-\d\d))?")
_SENT = re.compile(r"\*\*Messages that left:\*\* (?P<count>\d+)")


class Happening(NamedTuple):
    """One line of what happened: ``2026-03-02 10:00`` and words that ``living`` understands."""

    when: str
    what: str


class Promise(NamedTuple):
    """One line of what has to come of it, worked out by hand."""

    whose: str
    action: str
    occurrence: int
    due: str
    """A day, or a day and a time of day where that is said."""
    window: str
    """The last day that counts; ``–``: it has no end."""
    status: str
    done: str | None
    why: str | None
    reason: str
    """How the day is worked out, in words."""

    @property
    def name(self) -> str:
        """Return what and whose, as a failure names it."""
        number = "" if self.occurrence == 1 else f" {self.occurrence}"
        return f"{self.action}{number} for {self.whose}"


class Scope(NamedTuple):
    """What the table is complete for: every promise of these kinds that falls due by the day stands in it."""

    whose: str
    actions: frozenset[str]
    """Empty: everything."""
    until: str | None


@dataclass(frozen=True)
class Journey:
    """One section of the file."""

    number: int
    title: str
    settings: str
    """TOML for ``[plugins.sixplustwo]``."""
    variant: str | None
    """The city, where one with a variant of its own is meant."""
    happenings: Sequence[Happening]
    seen: str
    scopes: Sequence[Scope]
    promises: Sequence[Promise]
    sent: int | None

    def __str__(self) -> str:
        """Return what a test report calls it."""
        return f"{self.number:02} {self.title}"


def read_journeys() -> list[Journey]:
    """Return all journeys of the file, in order."""
    sections = re.split(r"^## (?=\d+ · )", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [_journey(section) for section in sections]


def read_cast() -> Mapping[str, Mapping[str, str]]:
    """Return the people of the journeys by name: ``{name phone born}``, ``born`` a day and perhaps ``lunar``."""
    [table] = list(_tables(FILE.read_text(encoding="utf-8").split("\n## ")[0], "name"))
    return {row["name"]: row for row in table}


def _journey(section: str) -> Journey:
    number, title = section.split("\n", 1)[0].split(" · ", 1)
    where = f"journey {number}"
    [happened] = list(_tables(section, "when"))
    [promised] = list(_tables(section, "promise"))
    seen, sent = _SEEN.search(section.replace("\n", " ")), _SENT.search(section)
    assert seen, f"{where}: nobody says when it is seen, and what the table holds"
    toml = re.search(r"```toml\n(.+?)```", section, re.DOTALL)
    variant = re.search(r"^City: (\w+)\.$", section, re.MULTILINE)
    return Journey(
        int(number),
        title,
        toml[1] if toml else "",
        variant[1] if variant else None,
        [Happening(row["when"], row["what happens"]) for row in happened],
        seen["when"],
        [_scope(part, where) for part in seen["scopes"].split("; ")],
        [_promise(row, where) for row in promised],
        int(sent["count"]) if sent else None,
    )


def _scope(part: str, where: str) -> Scope:
    found = _SCOPE.fullmatch(part.strip())
    assert found, f"{where}: what is meant by {part!r}?"
    actions = frozenset() if found["actions"] == "everything" else frozenset(found["actions"].split(", "))
    return Scope(found["whose"], actions, found["until"])


def _promise(row: Mapping[str, str], where: str) -> Promise:
    name, _, number = row["promise"].partition(" ")
    due, stands = _DUE.fullmatch(row["due"]), _STANDS.fullmatch(row["stands"])
    assert due, f"{where}, {name}: {row['due']!r} is no day with its weekday"
    assert stands, f"{where}, {name}: how does it stand: {row['stands']!r}?"
    weekday = _DAYS[date.fromisoformat(due["day"]).weekday()]
    assert weekday == due["weekday"], f"{where}, {name}: {due['day']} is a {weekday}"
    assert row["how the day is worked out"], f"{where}, {name}: how is its day worked out?"
    return Promise(
        row["whose"],
        name,
        int(number or 1),
        due["due"],
        row["window"],
        stands["status"],
        stands["done"],
        stands["why"],
        row["how the day is worked out"],
    )


def _tables(text: str, first: str) -> Iterator[list[dict[str, str]]]:
    """Yield the tables whose first column is called ``first``, each row by its columns."""
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        header, _, *rows = [
            [cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()
        ]
        if header[0] == first:
            assert all(len(row) == len(header) for row in rows), f"a row of {header} has other columns: {rows}"
            yield [dict(zip(header, row, strict=True)) for row in rows]
