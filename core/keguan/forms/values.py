"""One answer: read from what a person typed or a cell holds, checked, shown, and masked where it is personal."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from keguan.errors import KeguanError
from keguan.intake.amounts import parse_money
from keguan.intake.cells import Cell, cell_text, is_empty
from keguan.intake.dates import parse_date
from keguan.intake.fields import FieldError, half_width, parse_content, parse_text
from keguan.intake.identity import parse_email
from keguan.intake.phones import parse_phone
from keguan.intake.vocabulary import normal_word
from keguan.masking import mask_email, mask_name, mask_phone, mask_text
from keguan.model.forms import FormField, Words
from keguan.texts import LANGUAGES, text

if TYPE_CHECKING:
    from keguan.texts import Language

__all__ = ["Answer", "how_to_write", "masked_cell", "parse_answer", "shown_answer"]

Answer = str | int | float | bool | list[str]
"""As it is stored: dates and times in ISO 8601, money and numbers with a point as text, choices by name."""

_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,6})?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d{1,6})?")
_TIME = re.compile(r"(\d{1,2})\s*[:时点]\s*(\d{1,2})\s*分?(?::00)?")
_BETWEEN = re.compile(r"[,，、;；/|\n]+")


def parse_answer(field: FormField, cell: Cell) -> Answer:
    """Return the answer that ``cell``, which is not empty, gives to ``field``.

    Raises ``FieldError`` whose sentence says what is wrong and how to write it, without the value.
    """
    return _PARSERS[field.type](field, cell)


def _number(field: FormField, cell: Cell) -> Answer:
    if isinstance(cell, bool):
        raise FieldError("forms.number_unreadable", how=how_to_write(field))
    written = format(Decimal(repr(cell)), "f") if isinstance(cell, int | float) else half_width(parse_text(cell))
    written = written.replace(" ", "")
    for unit in (field.unit.zh, field.unit.en) if field.unit else ():
        written = written.removesuffix(unit.replace(" ", ""))
    if not (_NUMBER.fullmatch(written) or _THOUSANDS.fullmatch(written)):
        raise FieldError("forms.number_unreadable", how=how_to_write(field))
    number = Decimal(written.replace(",", ""))
    if number != round(number, field.decimals):
        raise FieldError("forms.number_decimals", how=how_to_write(field))
    number = round(number, field.decimals)
    _bounds(field, number)
    return str(number) if field.decimals else int(number)


def _money(field: FormField, cell: Cell) -> Answer:
    amount = parse_money(cell)
    _bounds(field, amount)
    return str(amount)


def _bounds(field: FormField, number: Decimal) -> None:
    if (field.least is not None and number < field.least) or (field.most is not None and number > field.most):
        raise FieldError("forms.out_of_bounds", how=how_to_write(field))


def _time(field: FormField, cell: Cell) -> Answer:
    if isinstance(cell, datetime):
        cell = cell.time()
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    if isinstance(cell, float) and 0 <= cell < 1:  # a spreadsheet's time without its format
        minutes = round(cell * 1440)
        if minutes < 1440:
            return f"{minutes // 60:02}:{minutes % 60:02}"
    found = _TIME.fullmatch(half_width(parse_text(cell)).strip()) if isinstance(cell, str) else None
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise FieldError("forms.time_unreadable", how=how_to_write(field))
    return f"{int(found[1]):02}:{found[2]:0>2}"


def _choice(field: FormField, cell: Cell) -> Answer:
    wanted = normal_word(parse_text(cell))
    for choice in field.choices:
        if wanted in (normal_word(choice.name), *(normal_word(choice.label.in_(language)) for language in LANGUAGES)):
            return choice.name
    raise FieldError("forms.choice_unknown", how=how_to_write(field))


def _choices(field: FormField, cell: Cell) -> Answer:
    whole = parse_content(cell)
    given = [part for part in _BETWEEN.split(whole) if part.strip()]
    try:
        chosen = {_choice(field, part) for part in given}
    except FieldError:
        chosen = {_choice(field, whole)}  # a label may hold what stands between choices
    return [choice.name for choice in field.choices if choice.name in chosen]


def _yes_no(field: FormField, cell: Cell) -> Answer:
    word = normal_word(cell_text(cell))
    for value, name in ((True, "yes"), (False, "no")):
        words = {name, name[0], str(value).casefold(), str(int(value))}
        words |= {normal_word(text(language, f"forms.{name}")) for language in LANGUAGES}
        words |= {"有", "对"} if value else {"无", "没有"}
        if word in words:
            return value
    raise FieldError("forms.yes_no_unknown", how=how_to_write(field))


def _person(cell: Cell) -> Answer:
    name = parse_text(cell)
    if "*" in name:
        raise FieldError("import.value_masked")
    return name


def _rating(field: FormField, cell: Cell) -> Answer:
    written = half_width(cell_text(cell)).strip().removesuffix("分").strip()
    if not (written.isascii() and written.isdigit() and len(written) <= 2 and 1 <= int(written) <= field.best):
        raise FieldError("forms.rating_wrong", how=how_to_write(field))
    return int(written)


_PARSERS: dict[str, Callable[[FormField, Cell], Answer]] = {
    "text": lambda _, cell: parse_text(cell),
    "long_text": lambda _, cell: parse_content(cell),
    "number": _number,
    "money": _money,
    "date": lambda _, cell: parse_date(cell).isoformat(),
    "time": _time,
    "choice": _choice,
    "choices": _choices,
    "yes_no": _yes_no,
    "phone": lambda _, cell: parse_phone(cell),
    "email": lambda _, cell: parse_email(cell),
    "person": lambda _, cell: _person(cell),
    "rating": _rating,
}


def how_to_write(field: FormField) -> KeguanError:
    """Return, as a sentence of the catalogues, how an answer to ``field`` is written."""
    match field.type:
        case "choice" | "choices":
            known = "; ".join(f"{each.name} ({{}})" for each in field.choices)
            labels = {
                language: known.format(*(each.label.in_(language) for each in field.choices)) for language in LANGUAGES
            }
            return KeguanError(f"forms.how.{field.type}", known=Words(zh=labels["zh"], en=labels["en"]))
        case "number" | "money" if field.least is not None or field.most is not None:
            least = "–∞" if field.least is None else f"{field.least:f}"
            most = "∞" if field.most is None else f"{field.most:f}"
            return KeguanError("forms.how.bounded", least=least, most=most, decimals=_decimals(field))
        case "number":
            return KeguanError("forms.how.number", decimals=_decimals(field))
        case "rating":
            return KeguanError("forms.how.rating", best=field.best)
        case kind:
            return KeguanError(f"forms.how.{kind}")


def _decimals(field: FormField) -> int:
    return 2 if field.type == "money" else field.decimals


def shown_answer(field: FormField, answer: Any, language: Language, *, unmask: bool = False) -> str:
    """Return an answer as people read it: labels of choices, the unit, what is personal masked.

    Free text is shown with the phone, ID and e-mail numbers in it masked even where the field is not personal.
    """
    if answer is None or answer == []:
        return ""
    if field.is_file:
        return text(language, "forms.files", count=len(answer))
    if field.type in ("choice", "choices"):
        labels: dict[Any, str] = {each.name: each.label.in_(language) for each in field.choices}
        return ", ".join(labels.get(name, str(name)) for name in (answer if isinstance(answer, list) else [answer]))
    if isinstance(answer, bool):
        return text(language, "forms.yes" if answer else "forms.no")
    shown = str(answer)
    if not unmask:
        shown = masked_cell(field, shown)
    return f"{shown} {field.unit.in_(language)}" if field.unit else shown


def masked_cell(field: FormField, cell: Cell) -> str:
    """Return what stands in a cell, readable or not, as it may be shown in a report."""
    written = "" if is_empty(cell) else cell_text(cell)
    if field.type == "phone" and field.is_personal:
        return mask_phone(written)
    if field.type == "email" and field.is_personal:
        return mask_email(written)
    if field.is_personal:
        return mask_name(written)
    return mask_text(written)
