"""A form as a customer fills it in: which one a code opens, its questions for a page, and where the answers go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keguan.forms.checking import read_answers, what_is_missing
from keguan.forms.entries import Entry, entries_of_subject, save_entry
from keguan.model.forms import Form, FormField
from keguan.people.codes import Code, note_use
from keguan.store.records import load_records
from keguan.texts import Language, text
from keguan.web.site import Site

__all__ = ["Option", "Question", "questions_of", "save_survey", "survey_of"]


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that can be chosen."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """One field as the page shows it."""

    name: str
    label: str
    help: str | None
    required: bool
    options: tuple[Option, ...]
    several: bool
    long: bool
    given: tuple[str, ...]
    mistake: str | None


def survey_of(forms: Mapping[str, Form], code: Code) -> Form | None:
    """Return the form that ``code`` opens: the plugin's one of the action's name, else its form ``survey``.

    Only forms that say that customers fill them in.
    """
    action = code.key.partition("/")[0]
    plugin = action.partition(".")[0]
    found = forms.get(action) or forms.get(f"{plugin}.survey")
    return found if found is not None and found.customers else None


def questions_of(
    form: Form, language: Language, given: Mapping[str, list[str]], mistakes: Mapping[str, str]
) -> list[Question]:
    """Return the fields of ``form`` for the page, with what was ``given`` and what is wrong with it."""
    return [
        Question(
            name=field.name,
            label=field.label.in_(language),
            help=field.help.in_(language) if field.help else None,
            required=field.required,
            options=_options(field, language),
            several=field.type == "choices",
            long=field.type == "long_text",
            given=tuple(given.get(field.name, ())),
            mistake=mistakes.get(field.name),
        )
        for field in form.questions
    ]


def _options(field: FormField, language: Language) -> tuple[Option, ...]:
    if field.type == "rating":
        return tuple(Option(str(mark), str(mark)) for mark in range(1, field.best + 1))
    if field.type == "yes_no":
        return (Option("yes", text(language, "forms.yes")), Option("no", text(language, "forms.no")))
    return tuple(Option(each.name, each.label.in_(language)) for each in field.choices)


def save_survey(site: Site, code: Code, form: Form, given: Mapping[str, list[str]]) -> dict[str, str]:
    """Store the answers; return the sentences of what is wrong, by field: then nothing is stored.

    Who answers with the same code again replaces the answers of before.
    """
    cells = {field.name: ", ".join(given.get(field.name, ())) for field in form.questions}
    answers, mistakes = read_answers(form.questions, cells, {})
    mistakes += what_is_missing(form, answers, ())
    if mistakes:
        return {one.field: text(site.language, one.reason.key, **one.reason.values) for one in mistakes}
    name = next(full for full, each in site.forms.items() if each is form)
    with site.store.write() as connection:
        record = load_records(connection, [code.subject]).get(code.subject)
        # By the promise and the person: a co-owner's answers and those of another year are other ones.
        before = [one for one in entries_of_subject(connection, code.subject, name) if one.filled_by == code.key]
        entry = Entry(
            form=name,
            subject=code.subject,
            project_id=(record.project.id or None) if record else None,
            city=record.project.city if record else "",
            answers=answers,
            complete=True,
            version=form.version,
            filled_at=site.now(),
            filled_by=code.key,
            id=before[-1].id if before else None,
        )
        save_entry(connection, entry)
        note_use(connection, code, site.now())
    return {}
