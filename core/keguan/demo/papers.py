"""What the invented staff write into forms: whole, short, and the same for the same dice."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from keguan.forms.checking import is_required
from keguan.forms.values import parse_answer
from keguan.intake.cells import Cell
from keguan.model.forms import Form, FormField

__all__ = ["invented_answers"]


def invented_answers(form: Form, random: Random, day: date, said: str) -> dict[str, Cell]:
    """Return what somebody wrote on ``day`` who met no trouble: each answer that must be given, and texts.

    ``said`` is what stands in texts.
    """
    troubles = {
        field.required_when.field: field.required_when.equals
        for field in form.fields
        if field.required_when and field.type in ("long_text", "phone")
    }
    written: dict[str, Cell] = {}
    understood: dict[str, Any] = {}  # what a later question depends on is the answer, not how it was written
    for field in form.questions:
        spoken = field.type in ("text", "long_text") and not field.required_when and not field.is_personal
        if spoken:
            written[field.name] = said
        elif is_required(field, understood):
            written[field.name] = _invented(field, random, day, troubles.get(field.name))
        if field.name in written:
            understood[field.name] = parse_answer(field, written[field.name])
    return written


def _invented(field: FormField, random: Random, day: date, trouble: object) -> Cell:
    match field.type:
        case "date":
            return day.isoformat()
        case "time":
            return f"{random.randint(9, 17):02}:{random.randrange(60):02}"
        case "choice" | "choices":
            fine = [each.name for each in field.choices if each.name != trouble][:2]
            first = trouble is not None or random.random() < 0.7
            return fine[0] if first else fine[-1]
        case "yes_no":
            return "no" if trouble is True else "yes"
        case "number" | "money":
            return str(field.least or 0)
        case "rating":
            return str(field.best)
        case "phone":
            return "13800000000"
        case "email":
            return "demo@example.com"
        case _:
            return "–"
