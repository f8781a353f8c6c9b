"""``keguan db``: migrations, copies of a live database, putting them back, integrity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from keguan.cli.app import App, pass_app

if TYPE_CHECKING:
    from keguan.store.engine import Store

__all__ = ["db_command"]


@click.group("db")
def db_command() -> None:
    """Migrate, back up, restore and verify the database."""


@db_command.command("upgrade")
@pass_app
def upgrade(app: App) -> None:
    """Bring the database to the version of this program."""
    from keguan.store.engine import open_store
    from keguan.store.migrate import upgrade as migrate

    store = open_store(app.settings.database_url(), app.settings.base_dir)
    try:
        before, after = migrate(store)
    finally:
        store.close()
    app.answer({"before": before, "after": after})
    app.say("commands.db.same" if before == after else "commands.db.upgraded", before=before or "–", after=after)


@db_command.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    help="FILE is a folder: the copy gets the time as its name, and only so many of these are kept.",
)
@pass_app
def backup(app: App, file: Path, keep: int | None) -> None:
    """Write a consistent copy of the live database to FILE, while the daemon works on.

    A database of another version is copied as well: nothing is more useful before an upgrade.
    """
    from keguan.errors import UsageError
    from keguan.store.backup import backup as copy
    from keguan.store.backup import backup_into, note_backup

    gone: list[Path] = []
    if keep is None and file.is_dir():
        raise UsageError("store.backup_folder", file=file)
    store = _as_it_is(app)
    try:
        if keep is None:
            size = copy(store, file)
        else:
            file, size, gone = backup_into(store, file, keep, app.clock.now())
        keys = store.ring.file
    finally:
        store.close()
    if app.rehearsing_at is None:
        note_backup(app.settings.base_dir, file, app.clock.now())
    app.answer({"file": str(file), "bytes": size, "deleted": [str(each) for each in gone]})
    app.say("commands.db.backed_up", file=file, megabytes=f"{size / 1e6:.1f}", keys=keys or "–")
    if gone:
        app.say("commands.db.gone", files=", ".join(each.name for each in gone))


def _as_it_is(app: App) -> Store:
    """Return the database whatever its version, with its keys as far as they can be read."""
    from keguan.sealing.opening import load_ring
    from keguan.store.engine import open_store

    url = app.settings.database_url(rehearsal=app.rehearsing_at is not None)
    return open_store(url, app.settings.base_dir, load_ring(app.settings))


@db_command.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only rehearse it in a place of its own, and touch nothing.")
@pass_app
def restore(app: App, file: Path, *, check: bool) -> None:
    """Put the copy in FILE in the place of the database; the present one is kept beside it."""
    from keguan.store.restoring import restore as put_back

    if check:
        _check(app, file)
        return
    done = put_back(app.settings, file)
    kept = None if done.kept is None else str(done.kept)
    app.answer({"file": str(file), "kept": kept, "version": done.version, "upgrade_needed": done.is_older})
    app.say("commands.db.restored", file=file, kept=kept or "–")
    if done.is_older:
        app.say("commands.db.restored_older", version=done.version)


def _check(app: App, file: Path) -> None:
    """Put the copy into a place of its own, upgrade it there, and read everything."""
    from sqlalchemy import func, select

    from keguan.sealing.opening import load_ring
    from keguan.store.migrate import upgrade as migrate
    from keguan.store.restoring import rehearsed
    from keguan.store.schema import metadata
    from keguan.store.soundness import examine

    with rehearsed(app.settings, file) as (store, version):
        store.ring = load_ring(app.settings)
        migrate(store)
        found = examine(store, app.language, full=True)
        with store.read() as connection:
            counts = {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in metadata.sorted_tables
            }
    document = {"file": str(file), "version": version, "ok": not found.problems, "problems": found.problems}
    app.answer({**document, "rows": counts, "opened": found.opened})
    key = "commands.db.check_failed" if found.problems else "commands.db.checked"
    rows = sum(counts.values())
    app.say(key, file=file, version=version, rows=rows, opened=found.opened, count=len(found.problems))
    _print_problems(found.problems)


@db_command.command("verify")
@click.option("--full", is_flag=True, help="Open every sealed value, not only the oldest and newest of each table.")
@pass_app
def verify(app: App, *, full: bool) -> None:
    """Check the database's integrity, that every reference holds, and that the keys open what is sealed."""
    from keguan.store.migrate import HEAD
    from keguan.store.soundness import examine

    found = examine(app.store, app.language, full=full)
    problems = found.problems
    extra = {"version": HEAD, "opened": found.opened, "full": full, "checksums": found.checksums}
    app.answer({"ok": not problems, "problems": problems, **extra})
    app.say("commands.db.sound" if not problems else "commands.db.unsound", count=len(problems))
    how = "" if full else app.text("commands.db.sample")
    app.say("commands.db.looked_at", version=HEAD, opened=found.opened, how=how)
    if found.checksums is False:
        app.say("commands.db.no_checksums")
    _print_problems(problems)


def _print_problems(problems: list[str]) -> None:
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise click.exceptions.Exit(1)
