"""``keguan simulate``: how much work a configuration makes, as numbers and as a picture."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import DAY

if TYPE_CHECKING:
    from keguan.settings import Settings

__all__ = ["city_of", "settings_or_default", "simulate_command"]

_WORK = ("name", "total", "per_day", "busiest", "most", "open")
_TOUCHPOINTS = 10
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("simulate")
@click.option("--from", "start", type=DAY, required=True, help="The first day.")
@click.option("--to", "end", type=DAY, required=True, help="The last day.")
@click.option("--homes", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="How many homes.")
@click.option("--city", help="Where they stand: key, name or alias; in all configured cities without.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another city.")
@click.option(
    "--segment-price",
    type=click.FloatRange(min=0),
    help="Yuan for one SMS as billed; the price of the first gateway unless given, else 0.05.",
)
@click.option("--html", type=_FILE, help="Write a page with charts and tables.")
@click.option("--png", type=_FILE, help="Write the charts as a picture (needs keguan[charts]).")
@click.option("--font", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The picture's font.")
@pass_app
def simulate_command(
    app: App,
    start: date,
    end: date,
    homes: int,
    city: str | None,
    seed: int,
    segment_price: float | None,
    html: Path | None,
    png: Path | None,
    font: Path | None,
) -> None:
    """Run years of an invented city under this configuration, and say how much work they bring.

    Nothing leaves, and the database is a temporary one; staff do every task the day before its deadline. Without a
    configuration the default one is taken.
    """
    from keguan.charts.png import require_png
    from keguan.demo.load import as_document
    from keguan.demo.simulation import simulate
    from keguan.demo.years import Period
    from keguan.errors import UsageError
    from keguan.logs import configure_logs
    from keguan.outbox.sms_gateways import segment_price as configured_price
    from keguan.reports.saving import require_folder

    if end <= start:
        raise UsageError("rehearse.period", start=start, end=end)
    if png is not None:
        require_png()
    for file in filter(None, (html, png)):
        require_folder(file)  # not after minutes of work
    settings = settings_or_default(app)
    period = Period(start, end, homes, seed, () if city is None else (city_of(settings, city),))
    configure_logs("debug" if app.verbose else "error")
    with _progress((end - start).days) as progress:
        load = simulate(settings, period, progress)
    price = configured_price(settings) if segment_price is None else segment_price
    document = as_document(load, start, end, price, app.language)
    app.answer(document)
    if not app.as_json:
        _print(app, document)
    _write(app, document, html, png, font)


def settings_or_default(app: App) -> Settings:
    """Return the configuration, or the default one where there is none and none was named."""
    import os

    from keguan.errors import ConfigError
    from keguan.settings import default_text, parse_settings

    try:
        settings = app.settings
    except ConfigError as error:
        if error.key != "config.none_there":
            raise
        settings = parse_settings(default_text(), Path("config/keguan.toml"), os.environ)
    app.option_language = app.option_language or settings.language
    return settings


def city_of(settings: Settings, name: str) -> str:
    """Return the key of the city called ``name``; raises ``UsageError`` for one that is not configured."""
    from keguan.errors import UsageError

    key = settings.city_key(name)
    if key is None:
        raise UsageError("cli.unknown_city", city=name, known=", ".join(settings.cities) or "–")
    return key


@contextmanager
def _progress(days: int) -> Iterator[Callable[[int], None]]:
    """Show a bar over so many days, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _days: None
        return
    with click.progressbar(length=days, file=sys.stderr) as bar:
        yield bar.update


def _write(app: App, document: dict[str, Any], html: Path | None, png: Path | None, font: Path | None) -> None:
    """Write the page and the picture that were asked for."""
    from keguan.charts.png import svg_to_png
    from keguan.demo.load_page import load_page, load_picture
    from keguan.reports.saving import save_report

    if html is not None:
        save_report(html, load_page(document, app.language).encode())
        app.say("rehearse.written", file=html)
    if png is not None:
        save_report(png, svg_to_png(load_picture(document, app.language), font))
        app.say("rehearse.written", file=png)


def _print(app: App, document: dict[str, Any]) -> None:
    """Print the load for people: by channel and department, what it costs, and the busiest days."""
    from keguan.demo.load import busiest_days

    app.say("rehearse.simulated", start=document["from"], end=document["to"], **document["contracts"])
    work = [
        *({"name": app.text(f"words.channel.{row['channel']}"), **row} for row in document["channels"]),
        *({"name": row["department"], **row} for row in document["departments"]),
    ]
    app.answer_rows(
        (row | {"busiest": row["busiest"]["date"], "most": row["busiest"]["total"]} for row in work), _WORK, "rehearse"
    )
    app.say("rehearse.cost", **document["sms"])
    app.say("rehearse.page.open", open=document["open"])
    app.say("rehearse.most_work")
    app.answer_rows(
        (row | {"action": row["label"]} for row in document["touchpoints"][:_TOUCHPOINTS]),
        ("action", "messages", "tasks"),
        "rehearse",
    )
    app.say("rehearse.busiest_days")
    app.answer_rows(busiest_days(document), ("date", "messages", "tasks"), "rehearse")
    for failure in document["failures"]:
        click.echo(failure, err=True)
