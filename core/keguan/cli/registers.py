"""``keguan registers``: typed lines about projects, homes, customers and cities, kept with their history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import IDS, unmask_option

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from keguan.model import Form, Subject
    from keguan.registers.keeping import Keeper

__all__ = ["registers_command"]

_REGISTERS = ("register", "title", "about", "entries", "removed")
_LINES = ("entry", "subject", "answers", "counts", "expires_on", "changed_at", "changed_by")
_LOG = ("at", "who", "what", "reason", "answers")

_by = click.option("--by", help="Who changes it; you without.")
_reason = click.option("--reason", required=True, help="Why; it is kept.")


@click.group("registers")
def registers_command() -> None:
    """Registers: lines that are kept about projects, homes, customers and cities, and never lost."""


@registers_command.command("list")
@pass_app
def list_(app: App) -> None:
    """List the registers of all plugins."""
    from keguan.queries.registers import list_registers

    rows: Iterator[dict[str, Any]] = list_registers(app.reader, app.installation.plugins.forms)
    if not app.as_json:
        rows = (row | {"about": app.text(f"words.subject.{row['about']}")} for row in rows)
    app.answer_rows(rows, _REGISTERS, "registers")


@registers_command.command("show")
@click.argument("register")
@click.option("--about", metavar="SUBJECT", help="Only lines about this project, home, customer or city.")
@click.option("--project", help="Only this project.")
@click.option("--city", help="Only this city.")
@click.option("--all", "everything", is_flag=True, help="Also lines that were taken out.")
@click.option("--expiring", type=click.IntRange(min=0), metavar="DAYS", help="Only what has expired by then.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@unmask_option
@pass_app
def show(
    app: App,
    register: str,
    about: str | None,
    project: str | None,
    city: str | None,
    expiring: int | None,
    limit: int | None,
    *,
    everything: bool,
    unmask: bool,
) -> None:
    """List the lines of REGISTER, which is PLUGIN.NAME as `keguan registers list` has it."""
    from keguan.access import logged_rows
    from keguan.queries.reader import Filters
    from keguan.queries.registers import list_lines

    rows: Iterator[dict[str, Any]] = list_lines(
        app.reader,
        app.installation.plugins.forms,
        register,
        Filters(project=project, city=city, limit=limit),
        about=None if about is None else _subject(app, register, about),
        everything=everything,
        expiring=expiring,
        unmask=unmask,
        readable=not app.as_json,
    )
    if unmask:
        rows = logged_rows(app.store, rows, what="registers show", now=app.clock.now())
    app.answer_rows(rows, _LINES, "registers")


@registers_command.command("add")
@click.argument("register")
@click.argument("subject")
@click.argument("answers", nargs=-1, required=True, metavar="FIELD=VALUE...")
@_by
@pass_app
def add(app: App, register: str, subject: str, answers: Sequence[str], by: str | None) -> None:
    """Add a line to REGISTER about SUBJECT: a project, PROJECT/HOME, a customer (number, phone, contract), a city."""
    from keguan.registers.keeping import find_register, register_of
    from keguan.registers.naming import find_place

    forms, answered = app.installation.plugins.forms, _given(answers)  # loading plugins writes: before the transaction
    about = register_of(find_register(forms, register)).about
    with app.store.write() as connection:
        place = find_place(connection, app.settings, about, subject)
        number = _keeper(app, connection, forms, by).add(register, place, answered)
    app.answer({"entry": number})
    app.say("registers.added", entry=number)


@registers_command.command("change")
@click.argument("entry", type=IDS)
@click.argument("answers", nargs=-1, required=True, metavar="FIELD=VALUE...")
@_reason
@_by
@pass_app
def change(app: App, entry: int, answers: Sequence[str], reason: str, by: str | None) -> None:
    """Give the line ENTRY other answers; an empty VALUE takes one away."""
    forms, answered = app.installation.plugins.forms, _given(answers)
    with app.store.write() as connection:
        changed = _keeper(app, connection, forms, by).change(entry, answered, reason)
    app.answer({"entry": entry, "changed": changed})
    app.say("registers.changed" if changed else "registers.unchanged", entry=entry)


@registers_command.command("remove")
@click.argument("entry", type=IDS)
@_reason
@_by
@pass_app
def remove(app: App, entry: int, reason: str, by: str | None) -> None:
    """Let the line ENTRY count no longer; it stays to be seen."""
    forms = app.installation.plugins.forms
    with app.store.write() as connection:
        _keeper(app, connection, forms, by).remove(entry, reason)
    app.answer({"entry": entry})
    app.say("registers.taken_out", entry=entry)


@registers_command.command("restore")
@click.argument("entry", type=IDS)
@_reason
@_by
@pass_app
def restore(app: App, entry: int, reason: str, by: str | None) -> None:
    """Let the line ENTRY count again that was taken out."""
    forms = app.installation.plugins.forms
    with app.store.write() as connection:
        _keeper(app, connection, forms, by).restore(entry, reason)
    app.answer({"entry": entry})
    app.say("registers.restored", entry=entry)


@registers_command.command("log")
@click.argument("entry", type=IDS)
@unmask_option
@pass_app
def log(app: App, entry: int, *, unmask: bool) -> None:
    """List what became of the line ENTRY."""
    from keguan.access import logged_rows
    from keguan.queries.registers import line_log

    forms = app.installation.plugins.forms
    rows = iter(line_log(app.reader, forms, entry, unmask=unmask, readable=not app.as_json))
    if unmask:
        rows = logged_rows(app.store, rows, what="registers log", now=app.clock.now())
    if not app.as_json:
        rows = (row | {"what": app.text(f"registers.what.{row['what']}")} for row in rows)
    app.answer_rows(rows, _LOG, "registers")


@registers_command.command("export")
@click.argument("register")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--project", help="Only this project.")
@click.option("--city", help="Only this city.")
@pass_app
def export(app: App, register: str, file: Path, project: str | None, city: str | None) -> None:
    """Write the lines of REGISTER in full to FILE (.csv or .xlsx), ready to be taken in again; recorded."""
    from keguan.queries.reader import Filters
    from keguan.registers.writing import write_lines

    filters = Filters(project=project, city=city)
    count = write_lines(app.reader, app.installation.plugins.forms, register, filters, file)
    app.answer({"file": str(file), "entries": count})
    app.say("registers.exported", file=file, entries=count)


@registers_command.command("import")
@click.argument("register")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--about", metavar="SUBJECT", help="What all rows are about; else a column says so.")
@click.option("--reason", help="Why known lines change; the file's name without.")
@click.option("--dry-run", is_flag=True, help="Change nothing.")
@_by
@click.pass_context
@pass_app
def import_(
    app: App,
    context: click.Context,
    register: str,
    file: Path,
    about: str | None,
    reason: str | None,
    by: str | None,
    *,
    dry_run: bool,
) -> None:
    """Take the rows of FILE into REGISTER: new lines, and known ones where the register has a key."""
    from keguan.access import person_at_keyboard
    from keguan.registers.taking import take_file

    taken = take_file(
        app.store,
        app.settings,
        app.installation.plugins.forms,
        register,
        file,
        about=about,
        now=app.clock.now(),
        by=by or person_at_keyboard(),
        reason=reason or file.name,
        language=app.language,
        dry_run=dry_run,
    )
    app.answer(
        {
            "file": taken.file,
            "dry_run": dry_run,
            "accepted": taken.accepted,
            "unchanged": taken.unchanged,
            "rejected": taken.rejected,
            "dropped_columns": taken.dropped,
            "warnings": taken.warnings,
        }
    )
    for wrong in taken.rejected:
        app.say("registers.rejected", **wrong)
    for warning in taken.warnings:
        app.say("registers.warning", warning=warning)
    counts = {"accepted": taken.accepted, "unchanged": taken.unchanged, "rejected": len(taken.rejected)}
    app.say("registers.taken", file=taken.file, **counts)
    if taken.rejected:
        context.exit(1)


def _keeper(app: App, connection: Connection, forms: Mapping[str, Form], by: str | None) -> Keeper:
    from keguan.access import person_at_keyboard
    from keguan.registers.keeping import Keeper

    return Keeper(app.store, connection, forms, app.clock.now(), by or person_at_keyboard())


def _subject(app: App, register: str, name: str) -> Subject:
    from keguan.registers.keeping import find_register, register_of
    from keguan.registers.naming import find_place

    about = register_of(find_register(app.installation.plugins.forms, register)).about
    with app.store.write() as connection:
        return find_place(connection, app.settings, about, name).subject


def _given(answers: Sequence[str]) -> dict[str, str]:
    from keguan.errors import UsageError
    from keguan.masking import mask_text

    given = {}
    for answer in answers:
        name, sign, value = answer.partition("=")
        if not sign or not name:
            raise UsageError("forms.pair", given=mask_text(answer), option="registers")
        given[name] = value
    return given
