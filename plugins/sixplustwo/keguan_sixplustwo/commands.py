"""``keguan sixplustwo``: the playbook in force, and what of the standard is covered."""

from __future__ import annotations

import click

from keguan.cli.app import App, pass_app
from keguan_sixplustwo.club_commands import club_commands
from keguan_sixplustwo.migrating import migrate
from keguan_sixplustwo.playbook_command import playbook
from keguan_sixplustwo.report import coverage
from keguan_sixplustwo.tally_commands import tally_commands

__all__ = ["commands"]

_COLUMNS = ("id", "entries", "test")


@click.command("coverage")
@pass_app
def coverage_command(app: App) -> None:
    """List each touchpoint of the standard with its entries in the playbooks and the test that shows it."""
    found = coverage()
    app.answer(found)
    if app.as_json:
        return
    rows, missing = found["touchpoints"], found["missing"]
    assert isinstance(rows, list)
    assert isinstance(missing, list)
    app.answer_rows(rows, _COLUMNS, "sixplustwo")
    app.say("sixplustwo.covered", total=found["total"], covered=found["covered"], missing=", ".join(missing) or "–")


def commands() -> list[click.Command]:
    """Return the commands of the plugin."""
    return [playbook, coverage_command, migrate, *club_commands(), *tally_commands()]
