"""``keguan plans``: what is promised, when, and how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import list_options

if TYPE_CHECKING:
    from keguan.queries.reader import Filters

__all__ = ["plans_command"]

_STATUSES = ("planned", "running", "done", "missed", "held", "cancelled", "failed")
_COLUMNS = ("id", "due_at", "status", "plugin", "action", "subject", "project", "clause")


@click.group("plans")
def plans_command() -> None:
    """The plans: one action, for one subject, at one due time."""


@plans_command.command("list")
@list_options(_STATUSES)
@pass_app
def list_(app: App, filters: Filters) -> None:
    """List plans in the order they fall due."""
    from keguan.queries.plans import list_plans

    app.answer_rows(list_plans(app.reader, filters), _COLUMNS, "plans")
