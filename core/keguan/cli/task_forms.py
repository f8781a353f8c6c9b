"""``keguan tasks form|fill|evidence``: the form of a task, its answers, and the files that prove it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import IDS, unmask_option

if TYPE_CHECKING:
    from datetime import date

    from keguan.tasks.papers import GivenLine, Paper

__all__ = ["evidence_command", "fill_command", "form_command", "today_of"]

_ANSWERS = ("field", "label", "required", "answer")
_FILES = ("file", "media_type", "size", "added_at", "added_by")


@click.command("form")
@click.argument("task", type=IDS)
@unmask_option
@pass_app
def form_command(app: App, task: int, *, unmask: bool) -> None:
    """Show the form of TASK with the answers so far, and what is still missing."""
    from keguan.access import logged_rows
    from keguan.tasks.papers import open_papers

    with app.store.read() as connection:
        [paper] = open_papers(connection, app.installation.plugins.forms, [task])
    if unmask:
        [paper] = logged_rows(app.store, [paper], what="tasks form", now=app.clock.now())
    _show(app, paper, unmask=unmask)


@click.command("fill")
@click.argument("task", type=IDS)
@click.argument("answers", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option(
    "--line",
    "lines",
    multiple=True,
    metavar="'FIELD=VALUE; …'",
    help="Add a line, or with its number in front ('3: paid=yes') change one; repeat for more.",
)
@click.option("--evidence", "files", multiple=True, metavar="FIELD=FILE", help="A file that the form asks for.")
@click.option("--by", help="Who fills it in; you without.")
@click.option("--done", is_flag=True, help="Close the task when the form is complete.")
@pass_app
def fill_command(
    app: App,
    task: int,
    answers: Sequence[str],
    lines: Sequence[str],
    files: Sequence[str],
    by: str | None,
    *,
    done: bool,
) -> None:
    """Write answers into the form of TASK; what is missing can follow later. An empty VALUE takes an answer away."""
    from keguan.access import person_at_keyboard
    from keguan.tasks.attaching import kept_files
    from keguan.tasks.desk import finish
    from keguan.tasks.papers import fill_paper

    given = dict(_pair(answer, "") for answer in answers)
    given_lines = [_line(line) for line in lines]
    folder, limits = app.settings.path("var/evidence"), app.settings.evidence
    named = [_pair(file, "--evidence") for file in files]
    by, now = by or person_at_keyboard(), app.clock.now()
    with kept_files(app.store, folder, [Path(file) for _, file in named], limits) as kept:
        paper = fill_paper(
            app.store,
            app.installation.plugins.forms,
            task,
            now=now,
            today=today_of(app),
            by=by,
            language=app.settings.language,
            answers=given,
            lines=given_lines,
            files=[(name, file) for (name, _), file in zip(named, kept, strict=True)],
        )
    if done and paper.entry.complete:
        finish(app.store, [task], now=now, by=by)
    _show(app, paper, unmask=False, brief=True)


@click.command("evidence")
@click.argument("task", type=IDS)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Write copies into this folder; recorded."
)
@pass_app
def evidence_command(app: App, task: int, out: Path | None) -> None:
    """List the files that prove TASK, or write copies of them with safe names."""
    from keguan.access import logged_rows
    from keguan.tasks.copies import copies_of

    rows = copies_of(app.store, app.settings.path("var/evidence"), task, out=out)
    if out is not None:
        rows = logged_rows(app.store, rows, what="tasks evidence", now=app.clock.now())
    zone = app.reader.zone(None)
    app.answer_rows(({**row, "added_at": row["added_at"].astimezone(zone)} for row in rows), _FILES, "evidence")


def today_of(app: App) -> date:
    """Return the business date where the company is."""
    return app.clock.now().astimezone(app.reader.zone(None)).date()


def _pair(given: str, option: str) -> tuple[str, str]:
    from keguan.errors import UsageError
    from keguan.masking import mask_text

    name, mark, value = given.partition("=")
    if not mark or not name.strip():
        raise UsageError("forms.pair", option=option or "fill", given=mask_text(given))
    return name.strip(), value


def _line(given: str) -> GivenLine:
    from keguan.tasks.papers import GivenLine

    number, mark, rest = given.partition(":")
    numbered = bool(mark) and number.strip().isdigit()
    written = rest if numbered else given
    pairs = dict(_pair(part, "--line") for part in written.replace("；", ";").split(";") if part.strip())
    return GivenLine(pairs, int(number) if numbered else None)


def _show(app: App, paper: Paper, *, unmask: bool, brief: bool = False) -> None:
    from keguan.forms.showing import answer_rows, line_columns, line_rows, missing_rows, stored_answers
    from keguan.masking import mask_name

    form, entry, language = paper.form, paper.entry, app.language
    missing = missing_rows(form, paper.missing, language)
    if app.as_json:
        app.answer(
            {
                "task": paper.task.id,
                "form": entry.form,
                "version": form.version,
                "complete": not missing,
                "answers": stored_answers(form, entry.answers, language, unmask=unmask),
                "lines": [
                    {"line": number, **stored_answers(form, line, language, unmask=unmask)}
                    for number, line in enumerate(entry.lines, start=1)
                    if line
                ],
                "missing": missing,
                "filled_at": entry.filled_at and entry.filled_at.astimezone(app.reader.zone(paper.task.city)),
                "filled_by": (entry.filled_by if unmask else mask_name(entry.filled_by)) or None,
            }
        )
        return
    if not brief:
        click.echo(f"{form.title.in_(language)} ({entry.form}, {form.version})")
        if form.help:
            click.echo(form.help.in_(language))
    app.answer_rows(answer_rows(form.fields, entry.answers, language, unmask=unmask), _ANSWERS, "forms")
    if form.lines and any(entry.lines):
        click.echo()
        _print_lines(app, paper, list(line_rows(form, entry.lines, language, unmask=unmask)), line_columns(form))
    click.echo()
    app.say("forms.incomplete" if missing else "forms.complete", task=paper.task.id)
    for row in missing:
        key = "forms.missing_lines" if row["field"] is None else "forms.missing_field"
        app.say("forms.missing_line" if row["line"] else key, **row)


def _print_lines(app: App, paper: Paper, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from keguan.cli.cells import shown
    from keguan.cli.tables import print_table

    assert paper.form.lines is not None
    labels = {field.name: field.label.in_(app.language) for field in paper.form.lines.fields}
    headings = [labels.get(column, app.text("forms.column.line")) for column in columns]
    print_table(headings, ([shown(row.get(column), app, column) for column in columns] for row in rows))
