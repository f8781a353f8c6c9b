"""What a customer's row changes: the person, wherever they live."""

from __future__ import annotations

from collections.abc import Iterable

from keguan.intake.book import Book
from keguan.intake.entries import PersonEntry
from keguan.intake.facts import PersonFacts
from keguan.intake.persons import settle_person

__all__ = ["apply_customer", "load_for_customers"]


def load_for_customers(book: Book, facts: Iterable[PersonFacts]) -> None:
    """Load everything that :func:`apply_customer` needs for ``facts``."""
    people = list(facts)
    book.load_people({one.id_no for one in people if one.id_no}, {one.phone for one in people if one.phone})


def apply_customer(book: Book, facts: PersonFacts) -> tuple[PersonEntry, bool]:
    """Bring the person in line with ``facts``; return them and whether anything was new.

    Found by ID number, else by name and phone; unknown people are taken in as well, without an event, since
    nothing is promised to somebody who owns nothing.
    """
    return settle_person(book, facts)
