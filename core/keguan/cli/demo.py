"""``keguan demo``: the whole of keguan on an invented city, in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from keguan.cli.app import App, pass_app

__all__ = ["demo_command"]

_JOURNEY = ("due_at", "status", "step", "touchpoint", "kind", "result", "why", "clause")
_DIGEST_LINES = 5


@click.command("demo")
@click.option("--homes", type=click.IntRange(1, 2000), default=60, show_default=True, help="How many homes.")
@click.option(
    "--directory", type=click.Path(file_okay=False, path_type=Path), help="Where; else a new temporary folder."
)
@click.option("--no-serve", is_flag=True, help="End after the summary, on a terminal as well.")
@pass_app
def demo_command(app: App, homes: int, directory: Path | None, *, no_serve: bool) -> None:  # noqa: ARG001
    """Live three years of an invented city with the real code, and say honestly what came of it.

    Needs no configuration and changes none. What it made stays in its folder, to be looked at.
    """
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from keguan.clock import RealClock
    from keguan.demo.life import live
    from keguan.demo.summary import summarise
    from keguan.logs import configure_logs

    app.option_language = app.option_language or "zh"
    configure_logs("debug" if app.verbose else "error")
    folder = _folder(directory)
    app.say("demo.living", homes=homes, folder=folder)
    yesterday = RealClock().now().astimezone(ZoneInfo("Asia/Shanghai")).date() - timedelta(days=1)
    lived = live(folder, homes, yesterday, app.option_language)
    try:
        summary = summarise(lived, app.option_language)
    finally:
        lived.installation.close()
    app.answer(summary)
    if not app.as_json:
        _print(app, summary)


def _folder(directory: Path | None) -> Path:
    """Return an empty folder; raises ``UsageError`` for one in which something lies already."""
    from tempfile import mkdtemp

    from keguan.errors import UsageError

    if directory is None:
        return Path(mkdtemp(prefix="keguan-demo-"))
    if directory.exists() and any(directory.iterdir()):
        raise UsageError("demo.folder_taken", folder=directory)
    directory.mkdir(parents=True, exist_ok=True)
    return directory.resolve()


def _print(app: App, summary: dict[str, Any]) -> None:
    """Print the account for people."""
    rows, tasks, plans = summary["rows"], summary["tasks"], summary["plans"]
    app.say("demo.period", start=summary["from"], end=summary["to"], **summary["records"])
    app.say("demo.came_in", files=summary["files"], **rows)
    _table(app, summary["rejected"], ("file", "row", "column", "value", "reason"))
    app.say("demo.events", events=_list(app, "demo.event", summary["events"]))
    app.say("demo.plans", plans=_list(app, "words.status", plans, leave_out="late_at_creation"))
    app.say("demo.late", late=plans["late_at_creation"])
    _table(app, summary["missed"], ("label", "count", "why"), title="demo.missed")
    app.say(
        "demo.messages",
        messages=_list(app, "words.status", summary["messages"]),
        segments=summary["segments"],
        held=summary["held"],
    )
    _table(app, summary["kept_back"], ("status", "count", "why"), title="demo.kept_back")
    app.say("demo.tasks", **tasks)
    app.say("demo.forms", forms=summary["forms"])
    _staff(app, summary["staff"])
    for failure, count in summary["failures"]:
        click.echo(f"{failure} × {count}", err=True)
    journey = summary["journey"]
    app.say("demo.journey", contract=journey["contract"], home=journey["home"] or "–")
    steps = [step | {"touchpoint": step.get("label") or step["touchpoint"]} for step in journey["steps"]]
    app.answer_rows(steps, _JOURNEY, "journey")
    app.say("demo.further", folder=summary["directory"], config=summary["config"], contract=journey["contract"])


def _staff(app: App, staff: dict[str, Any]) -> None:
    """Say how staff were told of their day, with the beginning of the newest digest."""
    app.say("demo.staff.told", **staff)
    lines = [line for line in (staff["newest"] or "").splitlines() if line.strip()]
    for line in lines[:_DIGEST_LINES]:
        click.echo(f"  {line}")
    if len(lines) > _DIGEST_LINES:
        click.echo("  …")


def _table(app: App, rows: list[dict[str, Any]], columns: tuple[str, ...], title: str | None = None) -> None:
    if rows:
        if title is not None:
            app.say(title)
        app.answer_rows(rows, columns, "demo")


def _list(app: App, words: str, counts: dict[str, int], leave_out: str | None = None) -> str:
    """Return counts as a phrase: ``发送 103，过期 2``."""
    shown = [(name, count) for name, count in counts.items() if name != leave_out]
    return app.text("demo.comma").join(f"{_word(app, f'{words}.{name}', name)} {count}" for name, count in shown)


def _word(app: App, key: str, name: str) -> str:
    try:
        return app.text(key)
    except KeyError:  # an event type or state that a plugin or a later version adds
        return name
