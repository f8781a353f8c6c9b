"""Forms and entries as rows, for people and for ``--json``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from keguan.forms.checking import Answers, Mistake, is_required
from keguan.forms.values import how_to_write, shown_answer
from keguan.model.forms import Form, FormField
from keguan.texts import Language, text

__all__ = [
    "answer_rows",
    "field_rows",
    "form_rows",
    "line_columns",
    "line_rows",
    "missing_rows",
    "readable_answers",
    "stored_answers",
]


def form_rows(forms: Mapping[str, Form], language: Language) -> Iterator[dict[str, Any]]:
    """Yield a row for each form: ``form title version fields lines departments clause``."""
    for full, form in sorted(forms.items()):
        yield {
            "form": full,
            "title": form.title.in_(language),
            "version": form.version,
            "fields": len(form.fields),
            "lines": form.lines.label.in_(language) if form.lines else None,
            "departments": list(form.departments),
            "clause": form.clause or None,
        }


def field_rows(fields: Iterable[FormField], language: Language) -> Iterator[dict[str, Any]]:
    """Yield a row for each field: ``field label type required personal how choices help``."""
    for field in fields:
        yield {
            "field": field.name,
            "label": field.label.in_(language),
            "type": text(language, f"forms.type.{field.type}"),
            "required": _required(field, language),
            "personal": field.is_personal,
            "how": text(language, "forms.reason", reason=how_to_write(field)),
            "choices": [each.name for each in field.choices],
            "count": field.count if field.is_file else None,
            "help": field.help.in_(language) if field.help else None,
        }


def _required(field: FormField, language: Language) -> str:
    when = field.required_when
    if field.required or when is None:
        return text(language, "forms.yes" if field.required else "forms.optional")
    answer = text(language, "forms.yes" if when.equals else "forms.no") if when.equals in (True, False) else when.equals
    return text(language, "forms.when", field=when.field, answer=answer)


def answer_rows(
    fields: Iterable[FormField], answers: Answers, language: Language, *, unmask: bool
) -> Iterator[dict[str, Any]]:
    """Yield a row for each field with its answer as people read it: ``field label required answer``."""
    for field in fields:
        yield {
            "field": field.name,
            "label": field.label.in_(language),
            "required": is_required(field, answers),
            "answer": shown_answer(field, answers.get(field.name), language, unmask=unmask) or None,
        }


def line_columns(form: Form) -> list[str]:
    """Return the names of the columns of ``line_rows``."""
    return ["line", *(field.name for field in form.lines.fields)] if form.lines else []


def line_rows(form: Form, lines: Iterable[Answers], language: Language, *, unmask: bool) -> Iterator[dict[str, Any]]:
    """Yield a row for each line that holds anything, with its number and the answers as people read them."""
    fields = form.lines.fields if form.lines else ()
    for number, line in enumerate(lines, start=1):
        if line:
            shown = {one.name: shown_answer(one, line.get(one.name), language, unmask=unmask) for one in fields}
            yield {"line": number, **shown}


def stored_answers(form: Form, answers: Answers, language: Language, *, unmask: bool) -> dict[str, Any]:
    """Return answers for ``--json``: as they are stored, what is personal masked unless ``unmask``."""
    known = {field.name: field for field in form.every_field()}
    return {
        name: answer
        if unmask or name not in known or isinstance(answer, bool | int | list) or known[name].type == "choice"
        else shown_answer(known[name].model_copy(update={"unit": None}), answer, language)
        for name, answer in answers.items()
    }


def readable_answers(form: Form, answers: Answers, language: Language, *, unmask: bool) -> dict[str, str]:
    """Return the answers as people read them, in the order of the form; what nobody answered is left out."""
    return {
        field.name: shown_answer(field, answers[field.name], language, unmask=unmask)
        for field in form.every_field()
        if field.name in answers
    }


def missing_rows(form: Form, mistakes: Iterable[Mistake], language: Language) -> list[dict[str, Any]]:
    """Return what is missing: ``field label line reason``."""
    return [
        {
            "field": mistake.field or None,
            "label": _label(form, mistake, language),
            "line": mistake.line,
            "reason": text(language, "forms.reason", reason=mistake.reason),
        }
        for mistake in mistakes
    ]


def _label(form: Form, mistake: Mistake, language: Language) -> str | None:
    fields = form.fields if mistake.line is None else form.lines.fields if form.lines else ()
    return next((field.label.in_(language) for field in fields if field.name == mistake.field), None)
