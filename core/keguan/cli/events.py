"""``keguan events``: what happened, and how each plugin took it."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import WHEN, list_options

if TYPE_CHECKING:
    from keguan.queries.reader import Filters

__all__ = ["events_command"]

_STATUSES = ("new", "done", "failed", "skipped")
_COLUMNS = ("id", "type", "time", "subject", "source", "deliveries")


@click.group("events")
def events_command() -> None:
    """The event log."""


@events_command.command("list")
@list_options(_STATUSES)
@pass_app
def list_(app: App, filters: Filters) -> None:
    """List events in the order they came in. --status: how a plugin took them, or new."""
    from keguan.queries.events import list_events

    app.answer_rows(list_events(app.reader, filters), _COLUMNS, "events")


@events_command.command("show")
@click.argument("event", metavar="ID")
@click.option("--source", help="Who said so, when several sources use the id.")
@click.option("-v", "--verbose", is_flag=True, help="Show the tracebacks of failed deliveries.")
@pass_app
def show(app: App, event: str, source: str | None, *, verbose: bool) -> None:
    """Show one event; with -v the tracebacks of plugins that failed."""
    from keguan.errors import InputError
    from keguan.queries.events import list_events
    from keguan.queries.reader import Filters

    detail = verbose or app.verbose
    found = list(list_events(app.reader, Filters(), event_id=event, source=source, detail=detail))
    if not found:
        raise InputError("events.unknown", event=event)
    if len(found) > 1:
        raise InputError("events.several", event=event, sources=", ".join(one["source"] for one in found))
    app.answer(found[0])
    app.details(_without_tracebacks(found[0]), (*_COLUMNS[:-1], "data", "deliveries"), "events")
    if not app.as_json:
        for delivery in found[0]["deliveries"]:
            if delivery.get("detail"):
                click.echo(f"\n{delivery['plugin']}\n{delivery['detail']}")


def _without_tracebacks(event: dict[str, Any]) -> dict[str, Any]:
    taken = [{key: part for key, part in one.items() if key != "detail"} for one in event["deliveries"]]
    return event | {"deliveries": taken}


@events_command.command("replay")
@click.option("--plugin", help="Ask only this plugin again.")
@click.option("--since", type=WHEN, help="Only what came in since this day or instant.")
@pass_app
def replay(app: App, plugin: str | None, since: date | datetime | None) -> None:
    """Call the hooks again; what is done stays done, what failed is planned again."""
    from keguan.errors import InputError
    from keguan.nearest import nearest
    from keguan.plans.replay import replay as call_again

    installation = app.installation
    if plugin is not None and plugin not in installation.plugins.names:
        near = nearest(plugin, installation.plugins.names)
        raise InputError("events.plugin_off", plugin=plugin, near=near or "–")
    planned = call_again(installation, plugin=plugin, since=_instant(app, since))
    failures = [str(failure) for failure in planned.failures]
    counts = {
        "events": planned.events,
        "inserted": planned.inserted,
        "moved": planned.moved,
        "cancelled": planned.cancelled,
    }
    app.answer({**counts, "failures": failures})
    app.say("events.replayed", **counts, failures=len(failures))
    for failure in planned.failures:
        click.echo("error: " + app.text(failure.error.key, **failure.error.values), err=True)
    if failures:
        raise click.exceptions.Exit(1)


def _instant(app: App, when: date | datetime | None) -> datetime | None:
    """Return the beginning of a day in the usual zone; instants as they are."""
    if when is None or isinstance(when, datetime):
        return when
    return datetime.combine(when, time(), tzinfo=app.reader.zone(None))
