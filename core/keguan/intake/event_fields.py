"""The fields of a single event, read as the columns of files are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any

from keguan.errors import InputError
from keguan.intake.cells import Cell
from keguan.intake.columns import ColumnMap
from keguan.intake.fields import FieldError
from keguan.intake.identity import parse_id_no
from keguan.intake.kinds import KINDS, Kind
from keguan.intake.phones import is_mobile, parse_phone
from keguan.nearest import nearest
from keguan.settings import Settings

__all__ = ["InputMistakes", "kind_of", "parse_fields", "plain_data"]

_CONTRACTS = KINDS["contracts"]
_PERSONAL = frozenset(spec.name for kind in KINDS.values() for spec in kind.fields if spec.personal)
_RESALE = Kind(
    "ownership_transferred",
    tuple(
        spec
        for spec in _CONTRACTS.fields
        if spec.personal or spec.name in ("contract_no", "project", "city", "building", "unit", "room")
    ),
)
_LEAVING = Kind(
    "staff_left", tuple(spec for spec in KINDS["staff"].fields if spec.name in ("name", "department", "left_on"))
)
_BY_TYPE: Mapping[str, Kind] = {
    **dict.fromkeys(
        ("deposit", "contract_signed", "contract_changed", "contract_cancelled", "contract_transferred"), _CONTRACTS
    ),
    **dict.fromkeys(("handover", "move_in", "home_changed"), KINDS["handovers"]),
    "ownership_transferred": _RESALE,
    "customer_changed": KINDS["customers"],
    "staff_left": _LEAVING,
    **dict.fromkeys(("project_milestone", "project_changed"), KINDS["projects"]),
}


class InputMistakes(InputError):
    """Several mistakes at once. Print each of ``mistakes`` on a line of its own."""

    def __init__(self, mistakes: Iterable[InputError]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("apply.several", count=len(self.mistakes))

    def __str__(self) -> str:
        return "\n".join(str(one) for one in self.mistakes)


def kind_of(event_type: str) -> Kind | None:
    """Return whose fields an event of this type has; ``None`` for a type that a plugin registered."""
    return _BY_TYPE.get(event_type)


@cache
def _columns(event_type: str) -> ColumnMap:
    return ColumnMap.of(_BY_TYPE[event_type])


def parse_fields(event_type: str, fields: Mapping[str, Cell], settings: Settings) -> dict[str, Any]:
    """Return the values of ``fields``, whose names may be any header that files may have.

    Raises ``InputError``, or ``InputMistakes`` for several, for names and values that do not fit.
    """
    columns = _columns(event_type)
    values: dict[str, Any] = {}
    mistakes: list[InputError] = []
    cells = {found[0]: cell for name, cell in fields.items() if (found := columns.field(name)) is not None}
    for name, cell in fields.items():
        found = columns.field(name)
        if found is None:
            known = list(columns.kind.specs)
            near = nearest(name, known) or ", ".join(known)
            mistakes.append(InputError("apply.field_unknown", field=name, type=event_type, near=near))
        elif isinstance(cell, (bool, dict, list)):
            mistakes.append(InputError("apply.field_type", field=name, type=event_type))
        elif cell is not None and cell != "":
            try:
                values[found[0]] = columns.kind.specs[found[0]].read(cell, cells)
            except FieldError as error:
                mistakes.append(InputError("apply.field_wrong", field=name, type=event_type, reason=error))
    if len(mistakes) == 1:
        raise mistakes[0]
    if mistakes:
        raise InputMistakes(mistakes)
    if values.get("city"):
        values["city"] = settings.city_key(values["city"]) or values["city"]
    return values


def plain_data(event_type: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``fields`` as the data of an event that a plugin registered.

    Personal values stand in one table only, so they are refused, whether the field's name or the value gives
    them away: the event names its subject instead, and the plugin finds the people through the record.
    """
    words = ColumnMap.of(_CONTRACTS)
    for name, value in fields.items():
        found = words.field(name)
        field = found[0] if found is not None else name
        if field in _PERSONAL or (field not in _CONTRACTS.specs and _is_personal(value)):
            raise InputError("apply.personal_data", field=name, type=event_type)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in fields.items()}


def _is_personal(value: object) -> bool:
    """Whether a whole value is a mobile number, a resident's ID number or an address; texts are not searched."""
    if isinstance(value, Mapping):
        return any(_is_personal(one) for one in (*value.keys(), *value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_is_personal, value))
    text = str(value).strip()
    if "@" in text and " " not in text:
        return True
    try:
        if len(text) == 18 and text[:17].isdecimal():
            return bool(parse_id_no(text))
        digits = text.removeprefix("+86")
        return len(digits) == 11 and digits.isdecimal() and is_mobile(parse_phone(text))
    except FieldError:
        return False
