"""What happens in the city: contracts, handovers, projects and events, told as imports tell them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from keguan.events.log import NewEvent, append
from keguan.intake.book import Book
from keguan.intake.contracts import apply_contract, load_for_contracts
from keguan.intake.customers import apply_customer, load_for_customers
from keguan.intake.facts import ContractFacts, HandoverFacts, PersonFacts, ProjectFacts
from keguan.intake.handovers import apply_handover, load_for_handovers
from keguan.intake.projects import apply_project, load_for_projects
from keguan.intake.resale import apply_resale
from keguan.model import Subject
from keguan.store.schema import branches, owners
from keguan.testing.place import Place

__all__ = ["PROJECT", "Happenings", "Sale"]

PROJECT = "云璟一期"
_BUYER = PersonFacts("王小明", "+8613800138000", "wang@example.com")


class Sale(NamedTuple):
    """A contract and the home that was bought by it."""

    contract_no: str
    contract: Subject
    home: Subject
    project: str = PROJECT


class Happenings(Place):
    """Changes the records as an import does."""

    def sign(self, room: str = "1201", *, on: date | None = None, buyer: PersonFacts = _BUYER, **facts: Any) -> Sale:
        """Sign a contract for the home ``room`` (a new one); ``on`` is today unless given.

        ``facts`` are further fields of ``ContractFacts``, such as ``deposit_on``, ``fitting``, ``planned_handover_on``,
        or ``project`` and ``city`` for a home elsewhere.
        """
        sale = Sale(f"HT-{room}", Subject("contract", 0), Subject("home", 0), facts.pop("project", PROJECT))
        stated = {"room": room, "people": (buyer,), "status": "signed", **facts}
        return self.change(sale, on=on or self.today, **stated)

    def change(self, sale: Sale, *, on: date | None = None, **facts: Any) -> Sale:
        """Correct what is known of a contract: ``on`` is its date of signing, ``facts`` as for ``sign``."""
        stated = ContractFacts(sale.contract_no, sale.project, facts.pop("city", self.key), signed_on=on, **facts)
        with self._book() as book:
            load_for_contracts(book, [stated])
            contract = apply_contract(book, stated).contract
        return sale._replace(contract=Subject("contract", contract.id), home=Subject("home", contract.home_id or 0))

    def cancel(self, sale: Sale) -> None:
        """Cancel the contract."""
        self.change(sale, status="cancelled")

    def hand_over(self, sale: Sale, on: date | None = None) -> None:
        """Hand the home over, or correct the date."""
        self._take_over(HandoverFacts(sale.contract_no, sale.project, handed_over_on=on or self.today))

    def move_in(self, sale: Sale, on: date | None = None) -> None:
        """Let the owners move in, or correct the date."""
        self._take_over(HandoverFacts(sale.contract_no, sale.project, move_in_on=on or self.today))

    def resell(self, sale: Sale, to: PersonFacts, on: date | None = None) -> None:
        """Let the home go on to ``to``; the contract it was bought by is over."""
        with self._book() as book:
            facts = HandoverFacts(sale.contract_no, sale.project)
            load_for_handovers(book, [facts])
            apply_resale(book, book.homes[sale.home.id], to, on or self.today)

    def project(self, name: str = PROJECT, **facts: Any) -> Subject:
        """State what is known of a project and return it.

        ``facts`` are fields of ``ProjectFacts``, such as ``first_show_on``, ``launch_on``, ``planned_handover_on``.
        """
        stated = ProjectFacts(name, **{"city": self.key, **facts})
        with self._book() as book:
            load_for_projects(book, [stated])
            project, _ = apply_project(book, stated)
        return Subject("project", project.id)

    def customer(self, person: PersonFacts) -> Subject:
        """State what is known of a person, such as the birthday, and return them as a customer."""
        with self._book() as book:
            load_for_customers(book, [person])
            known, _ = apply_customer(book, person)
        return Subject("customer", known.id)

    @property
    def branch(self) -> Subject:
        """The company in this city; known from the first tick on."""
        with self.store.read() as connection:
            number = connection.execute(select(branches.c.id).where(branches.c.city == self.key)).scalar_one()
        return Subject("branch", number)

    def buyers(self, sale: Sale) -> list[Subject]:
        """Return the buyers of a contract as customers, the main contact first."""
        mine = select(owners.c.person_id).where(owners.c.contract_id == sale.contract.id).order_by(owners.c.id)
        with self.store.read() as connection:
            return [Subject("customer", number) for number in connection.execute(mine).scalars()]

    def tell(
        self, kind: str, about: Subject, *, event_id: str = "", at: datetime | None = None, **data: object
    ) -> None:
        """Put an event into the log, such as one of a type that the plugin registered."""
        now = self.clock.now()
        key = event_id or f"{kind}/{about.id}/{now.isoformat()}"
        fact = NewEvent("test", key, kind, at or now, about, self.key, data)
        with self.store.write() as connection:
            append(self.store, connection, [fact], now)

    # --- Inside ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _book(self) -> Iterator[Book]:
        """Change records as an import does, in a transaction."""
        with self.store.write() as connection:
            book = Book(
                self.store,
                connection,
                now=self.clock.now(),
                city=self.installation.city,
                default_city=self.key,
            )
            yield book
            book.write()

    def _take_over(self, facts: HandoverFacts) -> None:
        with self._book() as book:
            load_for_handovers(book, [facts])
            apply_handover(book, facts)
