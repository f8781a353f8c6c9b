"""``keguan sixplustwo migrate``: what has begun goes on by another edition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import click

from keguan.access import person_at_keyboard
from keguan.cli.app import App, pass_app
from keguan.errors import UsageError
from keguan.plans.moving import foresee_move, move_over, projects_to_move
from keguan.plans.pinning import note_configured
from keguan.queries.subjects import natural_ids
from keguan_sixplustwo.editions import edition_called
from keguan_sixplustwo.settings import Settings
from keguan_sixplustwo.touchpoint import Edition

__all__ = ["migrate"]

_PLUGIN = "sixplustwo"
_COLUMNS = ("change", "subject", "touchpoint", "before", "due_at")
_BATCH = 500


@click.command("migrate")
@click.option("--to", "edition", required=True, help="guide, e2011 (or 2011), original, five_steps.")
@click.option("--project", help="Only this project; every project without.")
@click.option("--dry-run", is_flag=True, help="List what would be added, moved and dropped; change nothing.")
@click.option("--by", help="Who asks for it; you without.")
@pass_app
def migrate(app: App, edition: str, project: str | None, dry_run: bool, by: str | None) -> None:
    """Let contracts and homes go on by another edition: what was due stays, what is to come is planned anew."""
    wanted = edition_called(edition)
    days = projects_to_move(app.installation, _PLUGIN, project)
    if project is not None and not days:
        raise UsageError("sixplustwo.migrate.project_unknown", project=project)
    _require_configured(app, wanted, days)
    if dry_run:
        _foresee(app, wanted, days)
        return
    note_configured(app.installation)
    planned = move_over(app.installation, _PLUGIN, wanted, days, by or person_at_keyboard())
    counts = {"added": planned.inserted, "moved": planned.moved, "dropped": planned.cancelled}
    app.answer(_document(wanted, days, counts) | {"failures": [str(each) for each in planned.failures]})
    app.say("sixplustwo.migrate.done", edition=wanted, projects=len(days), **counts)


def _document(edition: Edition, days: Mapping[str, date], counts: Mapping[str, int]) -> dict[str, Any]:
    return {"to": edition, "projects": sorted(days), "dry_run": False, **counts, "failures": [], "changes": []}


def _require_configured(app: App, edition: Edition, days: Mapping[str, date]) -> None:
    """Raise ``UsageError`` unless new contracts of these projects get ``edition``: else they would go apart again."""
    settings = app.installation.plugins.settings.get(_PLUGIN)
    if not isinstance(settings, Settings):
        raise UsageError("sixplustwo.off")
    for project in sorted(days):
        configured = settings.edition_of(project)
        if configured != edition:
            raise UsageError(
                "sixplustwo.migrate.configured_otherwise", project=project, edition=edition, configured=configured
            )


def _foresee(app: App, edition: Edition, days: Mapping[str, date]) -> None:
    found: Counter[str] = Counter()
    rows = _rows(app, edition, days, found)
    changes = list(rows) if app.as_json else []
    if not app.as_json:
        app.answer_rows(rows, _COLUMNS, "sixplustwo.migrate")
    counts = {"added": found["add"], "moved": found["move"], "dropped": found["drop"]}
    app.answer(_document(edition, days, counts) | {"dry_run": True, "changes": changes})
    app.say("sixplustwo.migrate.foreseen", edition=edition, projects=len(days), **counts)


def _rows(app: App, edition: Edition, days: Mapping[str, date], counts: Counter[str]) -> Iterator[dict[str, Any]]:
    """Yield ``{change subject{type,id} touchpoint before due_at}`` for each change, counted in ``counts``."""
    pending = []
    for each in foresee_move(app.installation, _PLUGIN, edition, days):
        counts[each.change] += 1
        pending.append(each)
        if len(pending) == _BATCH:
            yield from _named(app, pending)
            pending.clear()
    yield from _named(app, pending)


def _named(app: App, changes: list[Any]) -> Iterator[dict[str, Any]]:
    with app.store.read() as connection:
        names = natural_ids(connection, {each.subject for each in changes}, app.settings)
    for each in changes:
        zone = app.installation.city(each.city).zone
        yield {
            "change": each.change,
            "subject": names[each.subject],
            "touchpoint": each.action,
            "before": each.before.astimezone(zone) if each.before else None,
            "due_at": each.due.astimezone(zone) if each.due else None,
        }
