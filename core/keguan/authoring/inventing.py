"""What stands in forms when nobody says otherwise: an answer to each question that must be answered, and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from io import BytesIO
from typing import Any

from keguan.forms.checking import is_required
from keguan.forms.values import parse_answer
from keguan.intake.cells import Cell
from keguan.intake.fields import FieldError
from keguan.model.forms import FormField

__all__ = ["SUFFIXES", "invent_answers", "invent_file"]

SUFFIXES = {"photo": ".png", "document": ".txt", "video": ".mp4", "audio": ".m4a", "file": ".txt"}
"""What the names of invented files end with, by the type of the field that they answer."""


def invent_answers(
    fields: Sequence[FormField], day: date, given: Mapping[str, Cell], before: Mapping[str, Any]
) -> dict[str, Cell]:
    """Return what is ``given`` and, for each required field that neither it nor ``before`` answers, what fits.

    The best that can be said is said: satisfied, nothing found, ``yes`` unless ``yes`` asks for more. ``before`` are
    answers as stored. What is given wrongly is passed on, for whoever reads the form to refuse it.
    """
    asks_for_more = {
        field.required_when.field: field.required_when.equals
        for field in fields
        if field.required_when and field.required_when.equals is not False
    }
    written = dict(given)
    known = dict(before)
    for field in fields:
        if field.is_file:
            continue
        if field.name in written:
            known[field.name] = _understood(field, written[field.name])
        elif field.name not in known and is_required(field, known):
            written[field.name] = _invented(field, day, asks_for_more.get(field.name))
            known[field.name] = _understood(field, written[field.name])
    return written


def _understood(field: FormField, cell: Cell) -> Any:
    try:
        return parse_answer(field, cell)
    except FieldError:
        return None


def _invented(field: FormField, day: date, trouble: object) -> Cell:
    match field.type:
        case "date":
            return day.isoformat()
        case "time":
            return "10:00"
        case "choice" | "choices":
            return next((each.name for each in field.choices if each.name != trouble), field.choices[0].name)
        case "yes_no":
            return "no" if trouble is True else "yes"
        case "number" | "money":
            return str(field.least if field.least is not None else min(field.most or 0, 0))
        case "rating":
            return str(field.best)
        case "phone":
            return "13800000000"
        case "email":
            return "author@example.com"
        case _:
            return f"{field.name} –"


def invent_file(kind: str, number: int) -> bytes:
    """Return a small file that is judged to be a ``photo``, ``document``, ``video``, ``audio`` or (any) ``file``.

    Each ``number`` gives another content.
    """
    match kind:
        case "photo":
            from PIL.Image import new  # noqa: PLC0415 - needed only where a form asks for photos

            content = BytesIO()
            new("RGB", (8, 8), (number % 256, number // 256 % 256, 128)).save(content, format="PNG")
            return content.getvalue()
        case "video" | "audio":
            brand = b"isom" if kind == "video" else b"M4A "
            return (20).to_bytes(4) + b"ftyp" + brand + bytes(4) + brand + b"\x00\x00\x00\x08free" + number.to_bytes(4)
        case _:
            return f"{number}\n".encode()
