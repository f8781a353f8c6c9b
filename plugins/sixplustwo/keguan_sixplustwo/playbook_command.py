"""``keguan sixplustwo playbook``: the touchpoints in force, all in a table or one with everything about it."""

from __future__ import annotations

from collections.abc import Mapping

import click

from keguan.cli.app import App, pass_app
from keguan.errors import UsageError
from keguan.texts import Language
from keguan_sixplustwo.editions import edition_called
from keguan_sixplustwo.library import Labels, labels
from keguan_sixplustwo.playbook import Playbook, nearest
from keguan_sixplustwo.prepared import Prepared
from keguan_sixplustwo.report import ROW_KEYS, playbook_rows
from keguan_sixplustwo.touchpoint import Text

__all__ = ["playbook"]

_COLUMNS = (
    "step",
    "step_name",
    "touchpoint",
    "name",
    "kind",
    "due",
    "repeats",
    "until",
    "channel",
    "owner",
    "evidence",
    "coverage",
    "limits",
    "clause",
    "ours",
)
_DETAILS = (*(key for key in ROW_KEYS if key != "from"), "ours")


@click.command("playbook")
@click.argument("touchpoint", required=False)
@click.option("--city", help="The city, with its variants: key, name or alias; the document itself without.")
@click.option("--edition", help="guide, e2011 (or 2011), original, five_steps; the configured one without.")
@pass_app
def playbook(app: App, touchpoint: str | None, city: str | None, edition: str | None) -> None:
    """List the touchpoints in force, with their clause and where each value comes from; or all about TOUCHPOINT."""
    book = _playbook(app, city, edition)
    rows = playbook_rows(book, app.language)
    if touchpoint is not None:
        if touchpoint not in book:
            raise UsageError(
                "sixplustwo.touchpoint_absent",
                touchpoint=touchpoint,
                edition=book.edition,
                nearest=nearest(touchpoint, book.touchpoints),
            )
        [row] = (row for row in rows if row["touchpoint"] == touchpoint)
        app.answer(row)
        app.details(_for_people(row, labels(), app.language), _DETAILS, "sixplustwo")
        return
    if app.as_json:
        app.answer_rows(rows, _COLUMNS, "sixplustwo")
        return
    names = labels()
    app.answer_rows((_for_people(row, names, app.language) for row in rows), _COLUMNS, "sixplustwo")
    if book.notes is not None:
        app.say("sixplustwo.about_edition", name=book.name.in_(app.language), notes=book.notes.in_(app.language))


def _playbook(app: App, city: str | None, edition: str | None) -> Playbook:
    key = None
    if city is not None:
        key = app.settings.city_key(city)
        if key is None:
            raise UsageError("cli.unknown_city", city=city, known=", ".join(app.settings.cities) or "–")
    prepared = app.installation.plugins.prepared.get("sixplustwo")
    if not isinstance(prepared, Prepared):
        raise UsageError("sixplustwo.off")
    return prepared.playbook(key, edition_called(edition) if edition else None)


def _for_people(row: Mapping[str, object], names: Labels, language: Language) -> dict[str, object]:
    """Return a row with words in place of codes, and with what is ours of it."""

    def word(table: Mapping[str, Text], code: object) -> str:
        return table[str(code)].in_(language) if str(code) in table else str(code)

    said = dict(row)
    if row["touchpoint"] is None:
        return said
    channels = row["channel"]
    said["kind"] = word({kind.value: name for kind, name in names.kinds.items()}, row["kind"])
    if row["trigger"] is not None:
        said["trigger"] = word({each.value: name for each, name in names.triggers.items()}, row["trigger"])
    if isinstance(channels, list):
        known = {each.value: name for each, name in names.channels.items()}
        said["channel"] = [word(known, channel) for channel in channels]
    for name in ("coverage", "by_fitting"):
        said[name] = _pairs(row[name])
    return said | {"repeats": row["every"] or row["each"], "ours": _ours(row)}


def _pairs(values: object) -> list[str]:
    """Return a document as ``name: value``."""
    if not isinstance(values, Mapping):
        return []
    return [f"{name}: {' '.join(_pairs(each)) if isinstance(each, Mapping) else each}" for name, each in values.items()]


def _ours(row: Mapping[str, object]) -> list[str]:
    """Return the fields of one touchpoint that are not from the document but our default or a variant's."""
    sources = row["from"]
    assert isinstance(sources, Mapping)
    return [name if source == "ours" else f"{name}: {source}" for name, source in sources.items() if source != "clause"]
