"""``keguan preview``, ``keguan simulate`` and ``keguan rehearsal``: looking ahead without touching what is real."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import DAY

if TYPE_CHECKING:
    from keguan.settings import Settings

__all__ = ["preview_command", "rehearsal_command", "simulate_command"]

_PREVIEW = ("time", "channel", "action", "subject", "to", "text", "status", "why", "clause")
_WORK = ("name", "total", "per_day", "busiest", "most")
_BUSIEST_DAYS = 10


@click.command("preview")
@click.option("--date", "day", type=DAY, help="The day; today without, with what is overdue.")
@pass_app
def preview_command(app: App, day: date | None) -> None:
    """Show what would go out on a day. Changes nothing."""
    from keguan.building import build_installation
    from keguan.plans.preview import preview_day

    installation = build_installation(app.settings, app.store, app.clock, record=False)
    rows = preview_day(installation, app.reader, day)
    if not app.as_json:
        rows = (row | {"channel": _channel(app, row["channel"])} for row in rows)
    app.answer_rows(rows, _PREVIEW, "rehearse")


def _channel(app: App, channel: str | None) -> str | None:
    return app.text("words.kind.task") if channel == "task" else channel


@click.command("simulate")
@click.option("--from", "start", type=DAY, required=True, help="The first day.")
@click.option("--to", "end", type=DAY, required=True, help="The last day.")
@click.option("--homes", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="How many homes.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another city.")
@click.option(
    "--segment-price",
    type=click.FloatRange(min=0),
    help="Yuan for one SMS as billed; the price of the first gateway unless given, else 0.05.",
)
@pass_app
def simulate_command(app: App, start: date, end: date, homes: int, seed: int, segment_price: float | None) -> None:
    """Run years of an invented city under this configuration, and say how much work they bring.

    Nothing leaves, and the database is a temporary one. Without a configuration the default one is taken.
    """
    from keguan.demo.load import as_document
    from keguan.demo.simulation import simulate
    from keguan.errors import UsageError
    from keguan.logs import configure_logs
    from keguan.outbox.sms_gateways import segment_price as configured_price

    if end <= start:
        raise UsageError("rehearse.period", start=start, end=end)
    settings = _settings(app)
    configure_logs("debug" if app.verbose else "error")
    with _progress((end - start).days) as progress:
        load = simulate(settings, start, end, homes, seed, progress)
    price = configured_price(settings) if segment_price is None else segment_price
    document = as_document(load, start, end, price)
    app.answer(document)
    if not app.as_json:
        _print(app, document)


def _settings(app: App) -> Settings:
    """Return the configuration, or the default one where there is none and none was named."""
    import os
    from pathlib import Path

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


@contextmanager
def _progress(days: int) -> Iterator[Callable[[int], None]]:
    """Show a bar over so many days, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _days: None
        return
    with click.progressbar(length=days, file=sys.stderr) as bar:
        yield bar.update


def _print(app: App, document: dict[str, Any]) -> None:
    """Print the load for people: by channel and department, what it costs, and the busiest days."""
    app.say("rehearse.simulated", start=document["from"], end=document["to"], **document["contracts"])
    work = [
        *({"name": app.text(f"words.channel.{row['channel']}"), **row} for row in document["channels"]),
        *({"name": row["department"], **row} for row in document["departments"]),
    ]
    app.answer_rows(
        (row | {"busiest": row["busiest"]["date"], "most": row["busiest"]["total"]} for row in work), _WORK, "rehearse"
    )
    app.say("rehearse.cost", **document["sms"])
    app.say("rehearse.busiest_days")
    days = sorted(document["days"], key=lambda day: -sum(day["messages"].values()) - sum(day["tasks"].values()))
    app.answer_rows(
        (
            {"date": day["date"], "messages": sum(day["messages"].values()), "tasks": sum(day["tasks"].values())}
            for day in days[:_BUSIEST_DAYS]
        ),
        ("date", "messages", "tasks"),
        "rehearse",
    )


@click.group("rehearsal")
def rehearsal_command() -> None:
    """The copy of the database that ``--at`` works on."""


@rehearsal_command.command("reset")
@pass_app
def reset(app: App) -> None:
    """Delete the rehearsal's database; the next --at starts from a new copy of the live one."""
    from keguan.building import rehearsal_file

    file = rehearsal_file(app.settings)
    existed = file.exists()
    for suffix in ("", "-wal", "-shm", ".planning"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    app.answer({"file": str(file), "deleted": existed})
    app.say("rehearse.reset" if existed else "rehearse.nothing_to_reset", file=file)
