"""``keguan diff``: what a variant changes, touchpoint by touchpoint and as work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import click

from keguan.cli.app import App, pass_app
from keguan.cli.simulate import city_of, settings_or_default

__all__ = ["diff_command"]

_CHANGES = ("name", "field", "before", "after", "by", "clause")
_LOAD = ("work", "before", "after", "difference")


@click.command("diff")
@click.option("--with", "variant", required=True, help="The plugin; it need not be on.")
@click.option("--city", help="Where: key, name or alias; the first configured city without.")
@click.option("--homes", type=click.IntRange(1, 10_000), default=100, show_default=True, help="For the work.")
@click.option("--years", type=click.IntRange(1, 20), default=6, show_default=True, help="How many they live through.")
@pass_app
def diff_command(app: App, variant: str, city: str | None, homes: int, years: int) -> None:
    """Show what a variant changes in a city: each touchpoint, and the work of some years.

    The plugins are loaded twice, with the variant and without, and an invented city lives with each. Nothing leaves and
    nothing is switched on.
    """
    from keguan.comparing import compare_variant
    from keguan.demo.years import Period
    from keguan.logs import configure_logs

    settings = settings_or_default(app)
    key = city_of(settings, city if city is not None else next(iter(settings.cities), "–"))
    configure_logs("debug" if app.verbose else "error")
    end = date(app.clock.now().year, 1, 1) - timedelta(days=1)
    period = Period(date(end.year - years + 1, 1, 1), end, homes, cities=(key,))
    found = compare_variant(settings, variant, key, period, app.language)
    app.answer(found)
    if not app.as_json:
        _print(app, found)


def _print(app: App, found: dict[str, Any]) -> None:
    """Print the comparison for people."""
    if found["touchpoints"]:
        app.say("diff.changes", plugin=found["plugin"], city=found["city"])
        app.answer_rows(list(_changes(app, found["touchpoints"])), _CHANGES, "diff")
    else:
        app.say("diff.nothing", plugin=found["plugin"], city=found["city"])
    app.say("diff.load", homes=found["homes"], start=found["from"], end=found["to"])
    load = found["load"]
    rows = [
        *({"work": app.text(f"words.channel.{row['name']}"), **row} for row in load["messages"]),
        *({"work": app.text("diff.segments"), **row} for row in load["segments"]),
        *({"work": row["name"], **row} for row in load["tasks"]),
    ]
    app.answer_rows(rows, _LOAD, "diff")


def _changes(app: App, touchpoints: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a line for each changed field; one for what was added or removed as a whole."""
    for row in touchpoints:
        line = {"name": row["name"], "clause": row["clause"]}
        if row["change"] != "changed":
            yield line | {"field": app.text(f"diff.{row['change']}"), "by": row["fields"][0]["by"]}
            continue
        for field in row["fields"]:
            heading = _heading(app, row["plugin"], field["field"])
            yield line | {**field, "field": heading, "before": _shown(field["before"]), "after": _shown(field["after"])}


def _heading(app: App, plugin: str, field: str) -> str:
    try:
        return app.text(f"{plugin}.column.{field}")
    except KeyError:  # a plugin's own word
        return field


def _shown(value: object) -> object:
    return "、".join(map(str, value)) if isinstance(value, list | tuple) else value
