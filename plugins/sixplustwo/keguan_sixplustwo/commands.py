"""``keguan sixplustwo``: the playbook in force, and what of the standard is covered."""

from __future__ import annotations

import click

from keguan.cli.app import App, pass_app
from keguan.errors import UsageError
from keguan_sixplustwo.editions import edition_called
from keguan_sixplustwo.migrating import migrate
from keguan_sixplustwo.prepared import Prepared
from keguan_sixplustwo.report import coverage, playbook_rows
from keguan_sixplustwo.tally_commands import tally_commands

__all__ = ["commands"]

_COLUMNS = ("step", "step_name", "touchpoint", "name", "kind", "due", "until", "channel", "owner", "clause", "ours")


@click.command("playbook")
@click.option("--city", help="The city, with its variants: key, name or alias; the document itself without.")
@click.option("--edition", help="guide, e2011 (or 2011), original; the configured one without.")
@pass_app
def playbook(app: App, city: str | None, edition: str | None) -> None:
    """List the touchpoints in force, with their clause and where each value comes from."""
    key = None
    if city is not None:
        key = app.settings.city_key(city)
        if key is None:
            raise UsageError("cli.unknown_city", city=city, known=", ".join(app.settings.cities) or "–")
    prepared = app.installation.plugins.prepared.get("sixplustwo")
    if not isinstance(prepared, Prepared):
        raise UsageError("sixplustwo.off")
    rows = playbook_rows(prepared.playbook(key, edition_called(edition) if edition else None), app.language)
    if not app.as_json:
        rows = [{**row, "ours": _ours(row)} for row in rows]
    app.answer_rows(rows, _COLUMNS, "sixplustwo")


@click.command("coverage")
@pass_app
def coverage_command(app: App) -> None:
    """Count which of the standard's touchpoints have an entry in the playbooks."""
    found = coverage()
    app.answer(found)
    missing = found["missing"]
    assert isinstance(missing, list)
    app.say("sixplustwo.covered", total=found["total"], covered=found["covered"], missing=", ".join(missing) or "–")


def commands() -> list[click.Command]:
    """Return the commands of the plugin."""
    return [playbook, coverage_command, migrate, *tally_commands()]


def _ours(row: dict[str, object]) -> list[str]:
    """Return the fields of one touchpoint that are not from the document but our default or a variant's."""
    sources = row.get("from")
    if not isinstance(sources, dict):
        return []
    return [name if source == "ours" else f"{name}: {source}" for name, source in sources.items() if source != "clause"]
