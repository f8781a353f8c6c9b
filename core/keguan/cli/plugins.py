"""``keguan plugins``: which business areas there are, and where they are on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from keguan.cli.app import App, pass_app

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from keguan.errors import KeguanError

__all__ = ["plugins_command"]

_COLUMNS = ("name", "version", "enabled", "cities", "except_cities", "requires", "loaded", "error")


@click.group("plugins")
def plugins_command() -> None:
    """List the plugins, switch them on and off, check and write them."""


@plugins_command.command("list")
@pass_app
def list_(app: App) -> None:
    """List every installed plugin. Imports none: what is shown of hooks is what the last load recorded."""
    from keguan.plugins.recorded import plugin_rows

    with app.store.read() as connection:
        app.answer_rows(plugin_rows(connection, app.settings), _COLUMNS, "commands.plugins")


@plugins_command.command("enable")
@click.argument("name")
@click.option("--city", help="Only in this city: key, name or alias.")
@click.option("--backfill", is_flag=True, help="Also give it what happened while it was off.")
@pass_app
def enable(app: App, name: str, city: str | None, *, backfill: bool) -> None:
    """Switch NAME on in the configuration file; a running daemon follows within seconds."""
    from keguan.plugins.recorded import lift_suspension, require_installed

    require_installed(name)
    changed = _edit(app, name, city, on=True)
    with app.store.write() as connection:
        lift_suspension(connection, name)
    missed, planned = _catch_up(app, name, backfill=backfill)
    app.answer({"name": name, "enabled": True, "changed": changed, "missed_events": missed, "planned": planned})
    app.say("commands.plugins.enabled", name=name)
    if missed and not backfill:
        app.say("commands.plugins.offer_backfill", name=f"{name} --city {city}" if city else name, missed=missed)
    if backfill:
        app.say("commands.plugins.backfilled", name=name, missed=missed, planned=planned)


@plugins_command.command("disable")
@click.argument("name")
@click.option("--city", help="Only in this city: key, name or alias.")
@pass_app
def disable(app: App, name: str, city: str | None) -> None:
    """Switch NAME off in the configuration file; its plans are held until it is on again."""
    from keguan.plugins.recorded import require_installed

    require_installed(name)
    changed = _edit(app, name, city, on=False)
    app.answer({"name": name, "enabled": False, "changed": changed})
    app.say("commands.plugins.disabled", name=name)


@plugins_command.command("check")
@click.argument("name", required=False)
@pass_app
def check(app: App, name: str | None) -> None:
    """Load the plugins that are on, with their settings and templates, and say what is wrong.

    With NAME, also live through six years of a small invented city with that plugin, on or not: what is never
    promised, never kept, cannot be written or done.
    """
    from keguan.plugins.recorded import require_installed

    if name is not None:
        require_installed(name)
        loaded, wrong = [name], _lived(app, name)
    else:
        installation = app.installation
        loaded, wrong = list(installation.plugins.names), installation.templates.check_all()
    problems = [app.text(error.key, **error.values) for error in wrong]
    app.answer({"loaded": loaded, "problems": problems})
    app.say("commands.plugins.checked", loaded=", ".join(loaded) or "–", problems=len(problems))
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if problems:
        raise click.exceptions.Exit(1)


@plugins_command.command("new")
@click.argument("name")
@click.option("--directory", type=click.Path(file_okay=False), default=".", help="Where the project's folder goes.")
@pass_app
def new(app: App, name: str, directory: str) -> None:
    """Write a complete project keguan-NAME: a city variant of the 6+2 steps with its tests."""
    from pathlib import Path

    from keguan.scaffold import write_project

    folder = write_project(Path(directory), name)
    app.answer({"directory": str(folder)})
    app.say("commands.plugins.written", folder=folder)


def _lived(app: App, name: str) -> Sequence[KeguanError]:
    import logging

    import structlog

    from keguan.authoring.check import check_plugin

    # What goes wrong there is the answer, and told once.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return check_plugin(app.settings, name)


def _edit(app: App, name: str, city: str | None, *, on: bool) -> bool:
    from keguan.settings import set_plugin_scope

    return set_plugin_scope(_config_file(app), name, on, city, environ=os.environ).changed


def _config_file(app: App) -> Path:
    file = app.settings.config_file
    assert file is not None  # the command line always reads a file
    return file


def _catch_up(app: App, name: str, *, backfill: bool) -> tuple[int, int]:
    """Return how many events the plugin has not heard of and, after a backfill, how many plans that gave."""
    from keguan.plans.planner import replan, replay_ticks
    from keguan.plans.recall import missed_by
    from keguan.plugins.recorded import recorded_hooks
    from keguan.runner.scopes import apply_scopes

    if not backfill:
        with app.store.read() as connection:
            hooks = recorded_hooks(connection).get(name, frozenset())
            return missed_by(connection, name, hooks)[2], 0
    installation = app.reopened()
    apply_scopes(installation)
    with app.store.read() as connection:
        subjects, ticks, missed = missed_by(connection, name, installation.plugins.hooks_of(name))
    planned = replan(installation, subjects, only=(name,))
    planned.merge(replay_ticks(installation, ticks, only=(name,)))
    return missed, planned.inserted
