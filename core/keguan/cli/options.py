"""Options that several commands share: the filters of lists, points in time, numbers of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from keguan.queries.reader import Filters

__all__ = ["DAY", "IDS", "WHEN", "list_options", "unmask_option"]

P = ParamSpec("P")
R = TypeVar("R")


class _When(click.ParamType):  # type: ignore[type-arg]  # generic in newer releases of click only
    """A day, or an instant with its offset."""

    name = "when"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show what may stand here."""
        return "DAY|INSTANT"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date | datetime:
        """Return a date or an aware instant."""
        if isinstance(value, date):
            return value
        try:
            if len(value) == len("2026-03-02"):
                return date.fromisoformat(value)
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day such as 2026-03-02 and no instant such as 2026-03-02T09:00+08:00", param)
        if instant.tzinfo is None:
            self.fail(f"{value!r} has no offset: write it as 2026-03-02T09:00+08:00", param)
        return instant


class _Day(click.ParamType):  # type: ignore[type-arg]  # as above
    """A day."""

    name = "day"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return a date."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day such as 2026-03-02", param)


WHEN = _When()
DAY = _Day()
IDS = click.IntRange(min=1)

_PERIOD = "{} this day, in the city's time, or this instant."


def list_options(statuses: Sequence[str]) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Give a command the filters of lists; it gets them together as ``filters``."""

    def decorate(command: Callable[..., R]) -> Callable[..., R]:
        @wraps(command)
        def with_filters(*args: Any, **given: Any) -> R:
            return command(*args, filters=_filters(given), **given)

        options = [
            click.option(
                "--status", "statuses", type=click.Choice(statuses), multiple=True, help="Repeat for several."
            ),
            click.option("--plugin", help="Only of this plugin."),
            click.option("--project", help="Only of the project of this name."),
            click.option("--city", help="Only of this city: key, name or alias."),
            click.option("--from", "since", type=WHEN, help=_PERIOD.format("From")),
            click.option("--to", "until", type=WHEN, help=_PERIOD.format("Up to and including")),
            click.option("--limit", type=click.IntRange(min=1), help="At most so many; all without."),
        ]
        decorated: Callable[..., R] = with_filters
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


def _filters(given: dict[str, Any]) -> Filters:
    from keguan.queries.reader import Filters

    names = ("statuses", "plugin", "project", "city", "since", "until", "limit")
    return Filters(**{name: given.pop(name) for name in names})


def unmask_option(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command ``--unmask``."""
    return click.option("--unmask", is_flag=True, help="Show personal values; recorded in the access log.")(command)
