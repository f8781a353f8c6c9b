"""Which person is meant: by number, phone number or contract number."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, or_, select

from keguan.errors import InputError
from keguan.intake.fields import FieldError
from keguan.intake.phones import parse_phone
from keguan.store.schema import contracts, owners, people
from keguan.store.sealed import indexed
from keguan.store.types import ring_of

__all__ = ["GivenAs", "by_phone", "find_customer", "phone_indexes"]

GivenAs = Literal["number", "phone", "contract"]


def find_customer(connection: Connection, given: str, given_as: GivenAs | None = None) -> int:
    """Return the number of the person that ``given`` names.

    ``given`` is the person's number in keguan, a phone number in any way of writing, or the number of a contract;
    ``given_as`` says which, where it could be several. Raises ``InputError`` when nobody is found and, listing
    the numbers to choose from, when it could be several people. What was given is never repeated: it may be
    personal.
    """
    found: set[int] = set()
    if given_as in (None, "number"):
        found |= _by_number(connection, given)
    if given_as in (None, "phone"):
        found |= by_phone(connection, given)
    if given_as in (None, "contract"):
        found |= _by_contract(connection, given)
    if not found:
        raise InputError("customers.unknown")
    if len(found) > 1:
        raise InputError("customers.several", numbers=", ".join(str(number) for number in sorted(found)))
    return found.pop()


def _by_number(connection: Connection, given: str) -> set[int]:
    if not (given.isascii() and given.isdigit()) or len(given) > 15:
        return set()
    return set(connection.execute(select(people.c.id).where(people.c.id == int(given))).scalars())


def by_phone(connection: Connection, given: str) -> set[int]:
    """Return the numbers of all people with this phone number, in any way of writing; several may share one."""
    try:
        phone = parse_phone(given)
    except FieldError:
        return set()
    return set(
        connection.execute(select(people.c.id).where(indexed(connection, people.c.phone_index, [phone]))).scalars()
    )


def phone_indexes(connection: Connection, given: str) -> list[str]:
    """Return the blind indexes of a phone number, in any way of writing: the one of today first; none for no number."""
    try:
        phone = parse_phone(given)
    except FieldError:
        return []
    ring = ring_of(connection.dialect)
    now = ring.index("phone", phone)
    return [now, *(each for each in ring.indexes("phone", phone) if each != now)] if now else []


def _by_contract(connection: Connection, given: str) -> set[int]:
    """The buyers of the contract and, where it is in force, the owners of its home today."""
    of_contract = select(contracts.c.id).where(contracts.c.contract_no == given)
    of_home = select(contracts.c.home_id).where(
        contracts.c.contract_no == given, contracts.c.status == "signed", contracts.c.home_id.is_not(None)
    )
    statement = (
        select(owners.c.person_id)
        .where(owners.c.until.is_(None))
        .where(or_(owners.c.contract_id.in_(of_contract), owners.c.home_id.in_(of_home)))
    )
    present = set(connection.execute(statement).scalars())
    if present:
        return present
    return set(connection.execute(select(owners.c.person_id).where(owners.c.contract_id.in_(of_contract))).scalars())
