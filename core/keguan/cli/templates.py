"""``keguan templates``: what is written to customers, as files, as samples, and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from keguan.cli.app import App, pass_app

if TYPE_CHECKING:
    from datetime import date

    from keguan.errors import KeguanError
    from keguan.outbox.registry import Registry
    from keguan.outbox.sms_gateways import Gateway
    from keguan.outbox.template_check import CheckedTemplate
    from keguan.outbox.templates import TemplateChannel

__all__ = ["templates_command"]

_OPEN = ("plugin", "name", "gateway", "state", "lead_days", "id")


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
        for plugin in templates.plugins
        for name in templates.names(plugin)
        for channel in templates.channels(plugin, name)
    ]
    app.answer_rows(rows, ("plugin", "name", "channel", "variables", "overridden", "file"), "commands.templates")


@templates_command.command("show")
@click.argument("name")
@click.argument("values", nargs=-1)
@pass_app
def show(app: App, name: str, values: tuple[str, ...]) -> None:
    """Render NAME (PLUGIN/NAME or NAME) with KEY=VALUE …, each missing variable shown as itself.

    For a text message also: what it costs, what each gateway is given to approve, and how it stands there.
    """
    given = dict(part.partition("=")[::2] for part in values)
    registry, gateways = _registry(app), _gateways(app)
    shown = [
        _sample(app, plugin, wanted, channel, given, registry, gateways)
        for plugin, wanted in _named(app, name)
        for channel in app.installation.templates.channels(plugin, wanted)
    ]
    app.answer(shown)
    for sample in shown:
        key = "commands.templates.sample_mail" if sample["segments"] is None else "commands.templates.sample"
        channel = app.text(f"words.channel.{sample['channel']}")
        app.say(key, **sample | {"title": sample["title"] or "", "channel": channel})
        if sample["cost"] is not None:
            app.say("commands.templates.cost", cost=sample["cost"])
        for entry in sample["gateways"]:
            state = app.text(f"provider.state.{entry['state']}")
            app.say("commands.templates.at_gateway", **entry | {"state": state, "id": entry["id"] or "–"})


@templates_command.command("check")
@click.argument("name", required=False)
@click.option("--gateway", help="Only this one of [adapters]; or a provider, to see what it would say.")
@click.option("--strict", is_flag=True, help="Warnings end with 1 as well.")
@pass_app
def check(app: App, name: str | None, gateway: str | None, *, strict: bool) -> None:
    """Say which templates are wrong, what providers would refuse, and what still waits for approval.

    Without NAME (PLUGIN/NAME or NAME) all templates are checked. Nothing is sent.
    """
    from keguan.outbox.template_check import check_templates

    only = None if name is None else _named(app, name)
    gateways, registry = _gateways(app, gateway), _registry(app)
    problems = [app.text(error.key, **error.values) for error in (*_wrong(app, only), *registry.mistakes)]
    templates = app.installation.templates
    checked = list(check_templates(templates, gateways, registry.approvals, _today(app), only=only))
    findings = list(_findings(app, checked))
    waiting = [_open_row(each) for each in checked if each.standing not in ("approved", "not_needed")]
    errors = len(problems) + sum(each["level"] == "error" for each in findings)
    failed = bool(errors or (strict and findings))
    app.answer({"ok": not failed, "problems": problems, "findings": findings, "open": waiting})
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if not app.as_json:
        for finding in findings:
            source = f" – {finding['source']}" if finding["source"] else ""
            sentence = app.text("commands.templates.finding", **finding)
            click.echo(f"{finding['level']}: {sentence}{source}", err=True)
        if waiting:
            app.say("commands.templates.open")
            rows = (row | {"state": app.text(f"provider.state.{row['state']}")} for row in waiting)
            app.answer_rows(rows, _OPEN, "commands.templates")
        if not gateways:
            app.say("commands.templates.no_gateway")
    app.say("commands.templates.checked", problems=errors, warnings=len(findings) + len(problems) - errors)
    if failed:
        raise click.exceptions.Exit(1)


def _named(app: App, name: str) -> list[tuple[str, str]]:
    """Return plugin and name of the templates that ``name`` means; raises ``UsageError`` when there is none."""
    from keguan.errors import UsageError
    from keguan.nearest import nearest

    templates = app.installation.templates
    plugin, _, wanted = name.rpartition("/")
    every = [(each, one) for each in templates.plugins for one in templates.names(each)]
    found = [(each, one) for each, one in every if one == wanted and plugin in ("", each)]
    if not found:
        near = nearest(name, [*(f"{each}/{one}" for each, one in every), *(one for _, one in every)])
        known = near or ", ".join(f"{each}/{one}" for each, one in every)
        raise UsageError("commands.templates.unknown", name=name, known=known or "–")
    return found


def _wrong(app: App, only: Sequence[tuple[str, str]] | None) -> list[KeguanError]:
    """Return the templates that do not compile."""
    from keguan.errors import KeguanError

    templates = app.installation.templates
    if only is None:
        return [*templates.check_all()]
    wrong = []
    for plugin, name in only:
        try:
            templates.check(plugin, name)
        except KeguanError as error:
            wrong.append(error)
    return wrong


def _registry(app: App) -> Registry:
    from keguan.outbox.registry import read_registry

    return read_registry(app.settings, app.installation.templates)


def _gateways(app: App, wanted: str | None = None) -> list[Gateway]:
    """Return the gateways of the configuration, or the one that is wanted: its own name, or that of a provider."""
    from keguan.adapters.registry import adapter_types
    from keguan.errors import UsageError
    from keguan.outbox.provider_rules import load_providers
    from keguan.outbox.sms_gateways import Gateway, sms_gateways
    from keguan.settings import configure_adapters

    configured = configure_adapters(app.settings, adapter_types(app.installation.plugins.adapters))
    every = [*sms_gateways(app.settings, configured)]
    if wanted is None:
        return every
    found = [gateway for gateway in every if gateway.name == wanted]
    if found:
        return found
    if wanted in load_providers():
        return [Gateway(wanted, wanted, wanted, approves=True, price=None)]
    known = ", ".join([*(gateway.name for gateway in every), *load_providers()])
    raise UsageError("commands.templates.gateway_unknown", name=wanted, known=known)


def _today(app: App) -> date:
    return app.clock.now().astimezone(app.reader.zone(None)).date()


def _findings(app: App, checked: Sequence[CheckedTemplate]) -> Iterator[dict[str, Any]]:
    for each in checked:
        for remark in each.remarks:
            yield {
                "level": remark.level,
                "rule": remark.rule,
                "plugin": each.plugin,
                "template": each.template,
                "gateway": each.gateway.name,
                "message": app.text(remark.key, **remark.values),
                "source": remark.source,
                "ours": remark.ours,
            }


def _open_row(each: CheckedTemplate) -> dict[str, Any]:
    return {
        "plugin": each.plugin,
        "name": each.template,
        "gateway": each.gateway.name,
        "state": each.standing,
        "lead_days": each.lead_days,
        "id": each.approval.id if each.approval is not None else None,
    }


def _sample(
    app: App,
    plugin: str,
    name: str,
    channel: TemplateChannel,
    given: Mapping[str, str],
    registry: Registry,
    gateways: Sequence[Gateway],
) -> dict[str, Any]:
    """Render one template with the values given; a value that is missing shows its own name."""
    from keguan.outbox.sms_gateways import segment_price
    from keguan.outbox.templates import CORE
    from keguan.people.codes import SAMPLE_CODE
    from keguan.staff.samples import sample_values

    templates = app.installation.templates
    wanted = templates.variables(plugin, name, channel)
    samples = sample_values(app.clock.now().astimezone(app.settings.city("").zone)) if plugin == CORE else {}
    values: dict[str, object] = {key: given.get(key, samples.get(key, f"〔{key}〕")) for key in wanted}
    values.pop("company", None)
    if "code" in values and "code" not in given:
        values["code"] = SAMPLE_CODE
    title, segments, cost, entries = None, None, None, []
    if channel == "sms":
        sms = templates.render_sms(plugin, name, values)
        body, segments = sms.text, sms.segments
        cost = round(segments * segment_price(app.settings), 4)
        entries = [_at_gateway(app, plugin, name, gateway, body, registry) for gateway in gateways]
    elif channel == "email":
        mail = templates.render_email(plugin, name, values)
        title, body = mail.subject, mail.text
    else:
        body = templates.render_chat(plugin, name, values).text
    return {
        "plugin": plugin,
        "name": name,
        "channel": channel,
        "title": title,
        "text": body,
        "segments": segments,
        "length": len(body),
        "cost": cost,
        "gateways": entries,
    }


def _at_gateway(app: App, plugin: str, name: str, gateway: Gateway, body: str, registry: Registry) -> dict[str, Any]:
    """Return what a gateway is given to approve, how the template stands there, and what ``body`` costs."""
    from keguan.outbox.provider_form import NotPlain
    from keguan.outbox.provider_rules import load_providers
    from keguan.outbox.sms import segments
    from keguan.outbox.template_check import standing_of

    ours = app.installation.templates.signature
    billed = segments(body.replace(f"【{ours}】", f"【{gateway.signature or ours}】", 1))
    form = app.installation.templates.provider_form(plugin, name)
    plain = not isinstance(form, NotPlain)
    placeholder = load_providers()[gateway.provider or "general"].placeholder
    approval = registry.approvals.find(gateway.name, plugin, name)
    return {
        "gateway": gateway.name,
        "provider": gateway.provider,
        "state": standing_of(gateway, approval, _today(app), plain=plain),
        "id": None if approval is None else approval.id,
        "class": None if approval is None else approval.message_class,
        "approved_on": None if approval is None else approval.approved_on,
        "form": form.written(placeholder) if not isinstance(form, NotPlain) else None,
        "variables": list(form.variables) if not isinstance(form, NotPlain) else None,
        "text_digest": form.digest(placeholder) if not isinstance(form, NotPlain) else None,
        "segments": billed,
        "cost": None if gateway.price is None else round(billed * gateway.price, 4),
    }
