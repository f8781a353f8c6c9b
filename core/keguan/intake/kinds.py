"""The kinds of file that can be imported: their fields, how each is read, and what a row cannot do without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from keguan.intake.amounts import parse_area, parse_money
from keguan.intake.birthdays import parse_birthday
from keguan.intake.cells import Cell
from keguan.intake.dates import parse_date, parse_datetime
from keguan.intake.fields import (
    parse_birthday_calendar,
    parse_contract_status,
    parse_fitting,
    parse_identifier,
    parse_text,
)
from keguan.intake.identity import parse_email, parse_id_no
from keguan.intake.phones import parse_phone
from keguan.intake.vocabulary import vocabulary
from keguan.masking import mask_email, mask_id_no, mask_name, mask_phone

__all__ = ["KINDS", "FieldSpec", "Kind", "masked"]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a kind of file."""

    name: str
    parser: Callable[..., object]
    """Takes a cell that is not empty; returns the value or raises ``FieldError``."""
    required: bool = False
    """Whether every row needs a value of its own."""
    personal: bool = False
    """Whether the value may be shown only masked."""
    mask: Callable[[str], str] | None = None
    """How the cell's text is masked when shown; absent, a personal one is masked like a name."""
    headers: tuple[str, ...] = ()
    """Names of the column beside those in the vocabulary; a plugin states its own here."""
    beside: str = ""
    """Another field that says how this one is meant: the parser takes its cell too, ``""`` where the row lacks it."""

    def read(self, cell: Cell, cells: Mapping[str, Cell]) -> object:
        """Return the value of ``cell``, which is not empty, in a row with these ``cells``; raises ``FieldError``."""
        return self.parser(cell, cells.get(self.beside, "")) if self.beside else self.parser(cell)


@dataclass(frozen=True)
class Kind:
    """A kind of file."""

    name: str
    fields: tuple[FieldSpec, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    """Groups of fields of which each row needs at least one."""
    keys: tuple[str, ...] = ()
    """The fields that say what a row is about; a row without any may be a note or a subtotal."""
    others: bool = False
    """Whether unknown columns are kept, as fields named by their headers, instead of being dropped."""

    @cached_property
    def needs(self) -> tuple[tuple[str, ...], ...]:
        """Groups of fields of which a file needs at least one column each."""
        return tuple((spec.name,) for spec in self.fields if spec.required) + self.one_of

    @cached_property
    def specs(self) -> Mapping[str, FieldSpec]:
        """Field to its specification; a column that is only kept (see ``others``) has none."""
        return {spec.name: spec for spec in self.fields}

    @cached_property
    def headers(self) -> Mapping[str, tuple[str, ...]]:
        """Return every header name known in this kind of file by field, the preferred name first."""
        words = vocabulary()
        own = words.kinds.get(self.name, {})
        of_customer = words.of_customer if "customer" in self.specs else {}
        return {
            spec.name: tuple(
                dict.fromkeys(
                    words.headers.get(spec.name, ())
                    + own.get(spec.name, ())
                    + of_customer.get(spec.name, ())
                    + spec.headers
                    + (spec.name,)
                )
            )
            for spec in self.fields
        }


def masked(spec: FieldSpec | None, text: str) -> str:
    """Return ``text``, found in that field's column, as a report may show it."""
    if spec is None or not spec.personal:
        return text
    return (spec.mask or mask_name)(text)


PLACE = (FieldSpec("project", parse_text), FieldSpec("city", parse_text))
ROOM = (
    FieldSpec("building", parse_identifier),
    FieldSpec("unit", parse_identifier),
    FieldSpec("room", parse_identifier),
)
CONTACT = (
    FieldSpec("phone", parse_phone, personal=True, mask=mask_phone),
    FieldSpec("email", parse_email, personal=True, mask=mask_email),
)
CUSTOMER = (
    FieldSpec("customer", parse_text, personal=True, mask=mask_name),
    *CONTACT,
    FieldSpec("id_no", parse_id_no, personal=True, mask=mask_id_no),
    FieldSpec("birthday", parse_birthday, personal=True, beside="birthday_calendar"),
    FieldSpec("birthday_calendar", parse_birthday_calendar),
)

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "projects",
            (
                FieldSpec("project", parse_text, required=True),
                FieldSpec("city", parse_text),
                FieldSpec("first_show_on", parse_date),
                FieldSpec("launch_on", parse_date),
                FieldSpec("area", parse_area),
                FieldSpec("planned_handover_on", parse_date),
                FieldSpec("handed_over_on", parse_date),
                FieldSpec("fitting", parse_fitting),
            ),
            keys=("project",),
        ),
        Kind(
            "contracts",
            (
                FieldSpec("contract_no", parse_identifier, required=True),
                *PLACE,
                *ROOM,
                *CUSTOMER,
                FieldSpec("deposit_on", parse_date),
                FieldSpec("signed_on", parse_date),
                FieldSpec("planned_handover_on", parse_date),
                FieldSpec("fitting", parse_fitting),
                FieldSpec("status", parse_contract_status),
                FieldSpec("price", parse_money),
            ),
            keys=("contract_no",),
        ),
        Kind(
            "handovers",
            (
                FieldSpec("contract_no", parse_identifier),
                *PLACE,
                *ROOM,
                FieldSpec("handed_over_on", parse_date),
                FieldSpec("move_in_on", parse_date),
            ),
            one_of=(("contract_no", "room"), ("handed_over_on", "move_in_on")),
            keys=("contract_no", "room"),
        ),
        Kind(
            "customers",
            (*PLACE, *CUSTOMER),
            # A person is an ID number, else name and phone.
            one_of=(("customer", "id_no"), ("phone", "id_no")),
            keys=("customer", "phone", "id_no"),
        ),
        Kind(
            "staff",
            (
                FieldSpec("name", parse_text, required=True, personal=True, mask=mask_name),
                FieldSpec("department", parse_text),
                *CONTACT,
                *PLACE,
                FieldSpec("left_on", parse_date),
            ),
            keys=("name",),
        ),
        Kind(
            "events",
            (
                FieldSpec("type", parse_identifier, required=True),
                FieldSpec("id", parse_identifier),
                FieldSpec("time", parse_datetime),
                FieldSpec("subject", parse_identifier),
                *PLACE,
            ),
            keys=("type",),
            others=True,
        ),
    )
}
