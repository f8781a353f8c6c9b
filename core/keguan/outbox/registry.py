"""The registry of approved templates as configured: compared with the templates there are, mistakes told apart.

A mistake here stops nothing: whatever is not rightly registered counts as not approved, and its messages are held
with that reason. ``keguan templates check`` and ``keguan doctor`` tell of the mistakes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keguan.errors import ConfigError, TemplateError
from keguan.nearest import nearest
from keguan.outbox.approvals import Approval, Approvals
from keguan.outbox.provider_form import NotPlain, ProviderForm, canonical
from keguan.outbox.provider_rules import load_providers, provider_of_type
from keguan.plugins.discovery import installed_names
from keguan.settings.tables import place_of

if TYPE_CHECKING:
    from keguan.installation import Installation
    from keguan.outbox.templates import Templates
    from keguan.settings import Settings
    from keguan.settings.registry import TemplateTable

__all__ = ["Registry", "build_approvals", "placeholder_of", "read_registry"]


@dataclass(frozen=True, slots=True)
class Registry:
    """The entries that can be relied on, and what is wrong with the others."""

    approvals: Approvals
    mistakes: tuple[ConfigError, ...]


def build_approvals(installation: Installation) -> Approvals:
    """Return which gateway approved which template, for the gate."""
    return read_registry(installation.settings, installation.templates).approvals


def placeholder_of(settings: Settings, gateway: str) -> str:
    """Return how ``gateway``, a name in ``[adapters]``, writes variables: ``${NAME}``, ``{NUMBER}`` or the like."""
    table = settings.adapters[gateway]
    return load_providers()[table.provider or provider_of_type(table.type) or "general"].placeholder


def read_registry(settings: Settings, templates: Templates, *, installed: Collection[str] | None = None) -> Registry:
    """Return ``[templates]`` of the configuration, compared with the templates that are loaded.

    ``installed`` are the names of all plugins of the environment; entries of those that are off wait unread.
    """
    known = {*templates.plugins, *(installed_names() if installed is None else installed)}
    entries: list[Approval] = []
    mistakes: list[ConfigError] = []
    for plugin, names in settings.templates.items():
        if plugin not in known:
            mistakes.append(_unknown(settings, (plugin,), "plugin", sorted(known)))
        if plugin not in templates.plugins:
            continue
        there = [name for name in templates.names(plugin) if "sms" in templates.channels(plugin, name)]
        for name, gateways in names.items():
            if name not in there:
                mistakes.append(_unknown(settings, (plugin, name), "template", there))
                continue
            for gateway, table in gateways.items():
                place = (plugin, name, gateway)
                if gateway not in settings.adapters:
                    mistakes.append(_unknown(settings, place, "gateway", sorted(settings.adapters)))
                    continue
                wrong, entry = _read(settings, templates, place, table)
                mistakes += wrong
                entries += [entry] if entry is not None else []
    return Registry(Approvals(entries), tuple(mistakes))


def _read(
    settings: Settings, templates: Templates, place: tuple[str, str, str], table: TemplateTable
) -> tuple[list[ConfigError], Approval | None]:
    plugin, name, gateway = place
    try:
        form = templates.provider_form(plugin, name)
    except TemplateError:  # the check of the templates says what is wrong with it
        return [], None
    where = place_of(settings, ("templates", *place))
    if isinstance(form, NotPlain):
        return [ConfigError("config.template_not_plain", where=where, line=form.line)], None
    wrong = list(_wrong_variables(form, table, where))
    if wrong:
        return wrong, None
    placeholder = placeholder_of(settings, gateway)
    entry = Approval(
        adapter=gateway,
        plugin=plugin,
        template=name,
        id=table.id,
        variables=form.variables if table.variables is None else table.variables,
        message_class=table.message_class,
        approved_on=table.approved_on,
        lead_days=table.lead_days,
        changed=_changed(form, table, placeholder),
        noted=table.text is not None or table.text_digest is not None,
    )
    return [], entry


def _wrong_variables(form: ProviderForm, table: TemplateTable, where: str) -> Iterator[ConfigError]:
    """Each variable of the template stands in the entry once, and no other does."""
    if table.variables is None:
        return
    for name in dict.fromkeys(table.variables):
        if name not in form.variables:
            near = nearest(name, form.variables) or ", ".join(form.variables) or "–"
            yield ConfigError("config.template_variable", where=where, value=name, near=near)
        elif table.variables.count(name) > 1:
            yield ConfigError("config.template_variable_twice", where=where, value=name)
    lacking = [name for name in form.variables if name not in table.variables]
    if lacking:
        yield ConfigError("config.template_variables_lacking", where=where, names=", ".join(lacking))


def _changed(form: ProviderForm, table: TemplateTable, placeholder: str) -> bool:
    if table.text is not None and canonical(table.text, placeholder) != canonical(
        form.written(placeholder), placeholder
    ):
        return True
    return table.text_digest is not None and table.text_digest.strip().lower() != form.digest(placeholder)


def _unknown(settings: Settings, place: tuple[str, ...], kind: str, known: Collection[str]) -> ConfigError:
    where, value = place_of(settings, ("templates", *place)), place[-1]
    near = nearest(value, known)
    if near:
        return ConfigError(
            "config.template_unknown_near", where=where, kind=ConfigError(f"config.kind.{kind}"), value=value, near=near
        )
    return ConfigError(
        "config.template_unknown",
        where=where,
        kind=ConfigError(f"config.kind.{kind}"),
        value=value,
        known=", ".join(known) or "–",
    )
