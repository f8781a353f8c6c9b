"""Give a day's entries to keguan without a file between: what ``simulate`` does ten thousand times."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Any

from keguan.demo.ledger import Entry
from keguan.intake.book import Book, take_turns
from keguan.intake.contracts import apply_contract, load_for_contracts
from keguan.intake.facts import ContractFacts, HandoverFacts, PersonFacts, ProjectFacts
from keguan.intake.handovers import apply_handover, load_for_handovers
from keguan.intake.projects import apply_project, load_for_projects

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["feed"]


def feed(installation: Installation, entries: Iterable[Entry]) -> None:
    """Bring the records in line with ``entries`` as of now, by the code that imports use, in one transaction.

    The rows name cities by their keys.
    """
    day = list(entries)
    projects = [ProjectFacts.of(entry.row) for entry in day if entry.kind == "projects"]
    contracts = [
        _contract([entry.row for entry in group])
        for _, group in groupby(
            (entry for entry in day if entry.kind == "contracts"),
            key=lambda entry: (entry.row["contract_no"], entry.row["status"]),
        )
    ]
    handovers = [_handover(entry.row) for entry in day if entry.kind == "handovers"]
    store = installation.store
    with store.write() as connection:
        take_turns(store, connection)
        book = Book(store, connection, now=installation.clock.now(), city=installation.city)
        if projects:
            load_for_projects(book, projects)
            for project in projects:
                apply_project(book, project)
        if contracts:
            load_for_contracts(book, contracts)
            for facts in contracts:
                apply_contract(book, facts)
        if handovers:
            load_for_handovers(book, handovers)
            for handover in handovers:
                apply_handover(book, handover)
        book.write()


def _contract(rows: list[Any]) -> ContractFacts:
    """Return what the rows of one contract's buyers say together."""
    first = {**rows[0], "price": None}
    return ContractFacts.of(
        first,
        [
            PersonFacts(
                name=row["customer"],
                phone=f"+86{row['phone']}" if row["phone"] else None,
                email=row["email"],
                id_no=row["id_no"],
                birthday=row["birthday"],
                lunar=row["lunar"],
            )
            for row in rows
        ],
    )


def _handover(row: Any) -> HandoverFacts:
    return HandoverFacts.of(row)
