"""A task's form: shown with the answers so far, filled in by hand, saved in part, complete or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from keguan.errors import InputError, KeguanError, Refusals
from keguan.forms.checking import Mistake, read_answers, what_is_missing
from keguan.forms.entries import Entry, entries_of_tasks, first_lines, save_entry
from keguan.forms.values import shown_answer
from keguan.intake.cells import Cell
from keguan.model import Subject
from keguan.model.forms import Form
from keguan.store.engine import Store
from keguan.store.records import in_chunks
from keguan.store.schema import departments, people, staff, task_log, tasks
from keguan.tasks.attaching import attach_files
from keguan.tasks.evidence import KeptFile
from keguan.texts import Language

__all__ = [
    "GivenLine",
    "Paper",
    "closed_already",
    "departments_of",
    "fill_paper",
    "find_papers",
    "given_wrongly",
    "not_theirs",
    "open_papers",
    "save_paper",
]

_t = tasks.c


@dataclass(frozen=True, slots=True)
class Paper:
    """One task with its form and what was filled in so far."""

    task: Any
    """The row: ``id title status department project_id city due_at form``, and the subject."""
    form: Form
    entry: Entry

    @property
    def missing(self) -> list[Mistake]:
        """What must still be answered."""
        return what_is_missing(self.form, self.entry.answers, self.entry.lines)


@dataclass(frozen=True, slots=True)
class GivenLine:
    """What somebody wrote for one line: the number of a line there is, or ``None`` for the one its key names, else a
    new one."""

    values: Mapping[str, Cell]
    number: int | None = None


def open_papers(
    connection: Connection, forms: Mapping[str, Form], ids: Iterable[int], *, writing: bool = False
) -> list[Paper]:
    """Return the papers of these tasks, in the order asked for; locked when they are to be written.

    Raises ``Refusals`` for tasks that do not exist, have no form, or (to be written) are closed.
    """
    wanted = list(dict.fromkeys(ids))
    papers, wrong = find_papers(connection, forms, wanted, locked=writing)
    refused: list[KeguanError] = [*wrong.values()]
    if writing:
        refused += [error for paper in papers.values() if (error := closed_already(paper))]
    if refused:
        raise Refusals(refused)
    return [papers[key] for key in wanted]


def find_papers(
    connection: Connection, forms: Mapping[str, Form], ids: Sequence[int], *, locked: bool = False
) -> tuple[dict[int, Paper], dict[int, InputError]]:
    """Return the papers of these tasks by their numbers, and why the others have none."""
    rows = _task_rows(connection, ids, locked=locked)
    wrong = {key: error for key in ids if (error := _without_form(key, rows.get(key), forms))}
    entries = entries_of_tasks(connection, ids)
    blank: dict[tuple[str, int | None], list[dict[str, Any]]] = {}
    papers = {}
    for key in (key for key in ids if key not in wrong):
        row, form = rows[key], forms[rows[key].form]
        entry = entries.get((key, row.form))
        if entry is None:
            place = (row.form, row.project_id)
            if place not in blank:
                blank[place] = first_lines(connection, form, row.project_id)
            about, lines = Subject(row.subject_type, row.subject_id), [dict(line) for line in blank[place]]
            entry = Entry(row.form, about, row.project_id, row.city, key, lines=lines)
        papers[key] = Paper(row, form, entry)
    return papers, wrong


def closed_already(paper: Paper) -> InputError | None:
    """Return why nothing can be written into ``paper`` any more, if so."""
    if paper.task.status == "open":
        return None
    return InputError("tasks.closed", task=paper.task.id, status=paper.task.status)


def _task_rows(connection: Connection, ids: Iterable[int], *, locked: bool) -> dict[int, Any]:
    columns = (_t.id, _t.title, _t.status, _t.department, _t.project_id, _t.city, _t.due_at, _t.form)
    rows: dict[int, Any] = {}
    for chunk in in_chunks(ids):
        found = select(*columns, _t.subject_type, _t.subject_id).where(_t.id.in_(chunk))
        rows |= {row.id: row for row in connection.execute(found.with_for_update() if locked else found)}
    return rows


def _without_form(task: int, row: Any, forms: Mapping[str, Form]) -> InputError | None:
    """Return why a task has no form that can be shown."""
    if row is None:
        return InputError("tasks.unknown", task=task)
    if row.form is None:
        return InputError("forms.task_without", task=task)
    if row.form not in forms:
        return InputError("forms.gone", task=task, form=row.form)
    return None


def fill_paper(
    store: Store,
    forms: Mapping[str, Form],
    task_id: int,
    *,
    now: datetime,
    today: date,
    by: str,
    language: Language,
    answers: Mapping[str, Cell] | None = None,
    lines: Sequence[GivenLine] = (),
    files: Sequence[tuple[str, KeptFile]] = (),
) -> Paper:
    """Write into the form of a task and return it as it is now, complete or not.

    An empty value takes an answer away. ``files`` are named by the fields that they answer. Raises ``Refusals``
    with every mistake; then nothing was written.
    """
    with store.write() as connection:
        [paper] = open_papers(connection, forms, [task_id], writing=True)
        if forbidden := not_theirs(paper, departments_of(connection, by, today)):
            raise forbidden
        values, mistakes = read_answers(paper.form.fields, answers or {}, paper.entry.answers)
        table, wrong = _with_lines(paper, lines)
        refused: list[KeguanError] = [given_wrongly(task_id, mistake) for mistake in (*mistakes, *wrong)]
        refused += _unfit_files(paper, files)
        if refused:
            raise Refusals(refused)
        kept = attach_files(connection, task_id, [file for _, file in files], now=now, by=by)
        for (name, _), sha256 in zip(files, kept, strict=True):
            values[name] = list(dict.fromkeys([*values.get(name, ()), sha256]))
        return save_paper(connection, paper, values, table, now=now, by=by, language=language)


def save_paper(
    connection: Connection,
    paper: Paper,
    answers: dict[str, Any],
    lines: list[dict[str, Any]],
    *,
    now: datetime,
    by: str,
    language: Language,
) -> Paper:
    """Store answers and lines, note it in the task's log, and say in short in the task what came of it.

    What is the same as before is not written again.
    """
    while lines and not lines[-1]:
        lines = lines[:-1]
    entry = paper.entry
    complete = not what_is_missing(paper.form, answers, lines)
    version = paper.form.version
    if entry.id and (entry.answers, entry.lines, entry.complete, entry.version) == (answers, lines, complete, version):
        return paper
    entry = replace(
        entry, answers=answers, lines=lines, complete=complete, version=version, filled_at=now, filled_by=by
    )
    entry = replace(entry, id=save_entry(connection, entry))
    detail = {"form": entry.form, "version": version, "complete": complete}
    connection.execute(insert(task_log).values(task_id=paper.task.id, at=now, who=by, what="form", detail=detail))
    result = _summary(paper.form, answers, language)
    if result:
        connection.execute(update(tasks).where(_t.id == paper.task.id).values(result=result))
    return replace(paper, entry=entry)


def given_wrongly(task: int, mistake: Mistake) -> InputError:
    """Return a mistake as the one line that a person at the command line reads."""
    if mistake.line is None:
        return InputError("forms.wrong", task=task, field=mistake.field, shown=mistake.shown, reason=mistake.reason)
    return InputError(
        "forms.wrong_line",
        task=task,
        field=mistake.field,
        line=mistake.line,
        shown=mistake.shown,
        reason=mistake.reason,
    )


def departments_of(connection: Connection, by: str, today: date) -> frozenset[str]:
    """Return the departments of the staff called ``by`` (a name or a number) who have not left."""
    known = connection.execute(  # names are sealed: they are compared here, not there
        select(staff.c.id, people.c.name, departments.c.name.label("department"), staff.c.left_on)
        .join_from(staff, people, people.c.id == staff.c.person_id)
        .join(departments, departments.c.id == staff.c.department_id)
    ).all()
    present = [row for row in known if row.left_on is None or row.left_on > today]
    return frozenset(row.department for row in present if by in (row.name, str(row.id)))


def not_theirs(paper: Paper, own: frozenset[str]) -> InputError | None:
    """Return why somebody of the departments ``own`` may not fill this form in, if so.

    Somebody who is not on file as staff fills it in for the department that has the task.
    """
    allowed = paper.form.departments
    if not allowed or (own or {paper.task.department}) & set(allowed):
        return None
    return InputError("forms.not_theirs", task=paper.task.id, form=paper.entry.form, allowed=", ".join(allowed))


def _with_lines(paper: Paper, given: Sequence[GivenLine]) -> tuple[list[dict[str, Any]], list[Mistake]]:
    lines = [dict(line) for line in paper.entry.lines]
    table = paper.form.lines
    if given and table is None:
        raise Refusals([InputError("forms.no_lines", task=paper.task.id, form=paper.entry.form)])
    mistakes: list[Mistake] = []
    for one in given:
        assert table is not None
        number = one.number or _line_of_key(table.key, one.values, lines) or len(lines) + 1
        if number > min(len(lines) + 1, table.most):
            raise Refusals([InputError("forms.line_unknown", task=paper.task.id, line=number, lines=len(lines))])
        before = lines[number - 1] if number <= len(lines) else {}
        line, wrong = read_answers(table.fields, one.values, {} if not one.values else before, line=number)
        mistakes += wrong
        lines[number - 1 : number] = [line]
    return lines, mistakes


def _line_of_key(key: str | None, values: Mapping[str, Cell], lines: Sequence[Mapping[str, Any]]) -> int | None:
    if key is None or key not in values:
        return None
    return next((number for number, line in enumerate(lines, start=1) if line.get(key) == values[key]), None)


def _unfit_files(paper: Paper, files: Sequence[tuple[str, KeptFile]]) -> list[KeguanError]:
    """Return what is wrong with the fields that files are to answer, or with the kinds of the files."""
    known = {field.name: field for field in paper.form.files}
    wrong: list[KeguanError] = []
    for name, file in files:
        if name not in known:
            near = ", ".join(known) or "–"
            wrong.append(InputError("forms.no_such_file", task=paper.task.id, field=name, known=near))
        elif known[name].type not in ("file", file.kind):
            kind = KeguanError(f"forms.kind.{known[name].type}")
            wrong.append(InputError("forms.other_kind", task=paper.task.id, field=name, kind=kind))
    return wrong


def _summary(form: Form, answers: Mapping[str, Any], language: Language) -> str:
    """Return in short what came of it, such as ``Satisfaction: very satisfied; Follow-up needed: no``."""
    shown = [
        (field.label.in_(language), shown_answer(field, answers[field.name], language))
        for field in form.fields
        if field.name in form.summary and field.name in answers
    ]
    colon, stop = ("：", "；") if language == "zh" else (": ", "; ")
    return stop.join(f"{label}{colon}{answer}" for label, answer in shown if answer)
