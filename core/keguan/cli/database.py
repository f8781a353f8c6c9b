"""``keguan db``: migrations, a copy of a live database, integrity."""

from __future__ import annotations

from pathlib import Path

import click

from keguan.cli.app import App, pass_app

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
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_app
def backup(app: App, file: Path) -> None:
    """Write a consistent copy of the live database to FILE, while the daemon works on."""
    from keguan.store.backup import backup as copy

    size = copy(app.store, file)
    app.answer({"file": str(file), "bytes": size})
    app.say("commands.db.backed_up", file=file, megabytes=f"{size / 1e6:.1f}")


@db_command.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_app
def restore(app: App, file: Path) -> None:
    """Put the copy in FILE in the place of the database; the present one is kept beside it."""
    from keguan.store.backup import restore as put_back

    kept = put_back(app.settings, file)
    app.answer({"file": str(file), "kept": None if kept is None else str(kept)})
    app.say("commands.db.restored", file=file, kept=kept or "–")


@db_command.command("verify")
@pass_app
def verify(app: App) -> None:
    """Check the database's integrity and that every reference holds."""
    from keguan.store.backup import verify as check

    problems = check(app.store, app.language)
    app.answer({"ok": not problems, "problems": problems})
    app.say("commands.db.sound" if not problems else "commands.db.unsound", count=len(problems))
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise click.exceptions.Exit(1)
