"""``keguan templates``: what is written to customers, as files, as samples, and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from keguan.cli.app import App, pass_app

if TYPE_CHECKING:
    from keguan.outbox.templates import TemplateChannel, Templates

__all__ = ["templates_command"]


@click.group("templates")
def templates_command() -> None:
    """The message templates of the plugins and of the company."""


@templates_command.command("list")
@pass_app
def list_(app: App) -> None:
    """List every template with its channel, its variables, and whether the company replaced it."""
    templates = app.installation.templates
    rows = [
        {
            "plugin": plugin,
            "name": name,
            "channel": channel,
            "variables": sorted(templates.variables(plugin, name, channel)),
            "file": (source := templates.source(plugin, name, channel)).file,
            "overridden": source.overridden,
        }
        for plugin in app.installation.plugins.names
        for name in templates.names(plugin)
        for channel in templates.channels(plugin, name)
    ]
    app.answer_rows(rows, ("plugin", "name", "channel", "variables", "overridden", "file"), "commands.templates")


@templates_command.command("show")
@click.argument("name")
@click.argument("values", nargs=-1)
@pass_app
def show(app: App, name: str, values: tuple[str, ...]) -> None:
    """Render NAME (PLUGIN/NAME or NAME) with KEY=VALUE …, each missing variable shown as itself."""
    from keguan.errors import UsageError

    templates = app.installation.templates
    wanted_plugin, _, wanted = name.rpartition("/")
    given = dict(part.partition("=")[::2] for part in values)
    shown: list[dict[str, object]] = []
    for plugin in app.installation.plugins.names:
        if wanted_plugin in ("", plugin) and wanted in templates.names(plugin):
            shown += [
                _sample(templates, plugin, wanted, channel, given) for channel in templates.channels(plugin, wanted)
            ]
    if not shown:
        known = ", ".join(
            f"{plugin}/{each}" for plugin in app.installation.plugins.names for each in templates.names(plugin)
        )
        raise UsageError("commands.templates.unknown", name=name, known=known or "–")
    app.answer(shown)
    for sample in shown:
        app.say("commands.templates.sample", **{key: "" if value is None else value for key, value in sample.items()})


def _sample(
    templates: Templates, plugin: str, name: str, channel: TemplateChannel, given: Mapping[str, str]
) -> dict[str, object]:
    """Render one template with the values given; a value that is missing shows its own name."""
    values = {key: given.get(key, f"〔{key}〕") for key in templates.variables(plugin, name, channel)}
    values.pop("company", None)
    title, segments = None, None
    if channel == "sms":
        sms = templates.render_sms(plugin, name, values)
        body, segments = sms.text, sms.segments
    else:
        mail = templates.render_email(plugin, name, values)
        title, body = mail.subject, mail.text
    return {
        "plugin": plugin,
        "name": name,
        "channel": channel,
        "title": title,
        "text": body,
        "segments": segments,
        "length": len(body),
    }


@templates_command.command("check")
@pass_app
def check(app: App) -> None:
    """Compile every template and say which are wrong, and where."""
    problems = [app.text(error.key, **error.values) for error in app.installation.templates.check_all()]
    app.answer({"ok": not problems, "problems": problems})
    app.say("commands.templates.checked", problems=len(problems))
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if problems:
        raise click.exceptions.Exit(1)
