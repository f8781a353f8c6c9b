"""``keguan checks``: ask the records what is broken."""

from __future__ import annotations

import click

from keguan.cli.app import App, pass_app

__all__ = ["checks_command"]

_COLUMNS = ("plugin", "check", "project", "subject", "message", "clause", "points")


@click.group("checks")
def checks_command() -> None:
    """Named questions about the records."""


@checks_command.command("run")
@click.option("--plugin", help="Only the checks of this plugin.")
@click.option("--project", help="Only findings of the project of this name.")
@pass_app
def run(app: App, plugin: str | None, project: str | None) -> None:
    """Evaluate the checks and print the findings. Findings are an answer, not a failure."""
    from keguan.errors import InputError
    from keguan.nearest import nearest
    from keguan.queries.view import finding_rows

    known = app.installation.plugins
    if plugin is not None and plugin not in known.names:
        raise InputError("checks.plugin_off", plugin=plugin, near=nearest(plugin, known.names) or "–")
    wanted = [(name, check) for name, check in known.checks if plugin in (None, name)]
    app.answer_rows(finding_rows(app.reader, wanted, project), _COLUMNS, "checks")
