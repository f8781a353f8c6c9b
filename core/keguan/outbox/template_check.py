"""Everything that ``keguan templates check`` asks: do templates compile, what would providers refuse, what is open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal

from keguan.errors import TemplateError
from keguan.outbox.provider_form import NotPlain
from keguan.outbox.provider_rules import Draft, Level, lint, load_providers

if TYPE_CHECKING:
    from keguan.outbox.approvals import Approval, Approvals, ApprovalState
    from keguan.outbox.sms_gateways import Gateway
    from keguan.outbox.templates import Templates

__all__ = ["CheckedTemplate", "Remark", "Standing", "check_templates", "standing_of"]

Standing = Literal["approved", "submitted", "changed", "unregistered", "unsubmittable", "not_needed"]
"""How a template stands with a gateway. Messages leave for ``approved`` and ``not_needed`` only."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing a gateway's provider would say about a template; ``key`` and ``values`` make the sentence."""

    level: Level
    rule: str
    key: str
    values: dict[str, object] = field(default_factory=dict)
    source: str | None = None
    ours: bool = False


@dataclass(frozen=True, slots=True)
class CheckedTemplate:
    """One text message as one gateway would see it."""

    plugin: str
    template: str
    gateway: Gateway
    standing: Standing
    approval: Approval | None
    lead_days: int | None
    """How long approval takes: as registered, else as the provider says; ``None`` when nobody says."""
    remarks: tuple[Remark, ...]


def check_templates(
    templates: Templates,
    gateways: Sequence[Gateway],
    approvals: Approvals,
    today: date,
    *,
    only: Iterable[tuple[str, str]] | None = None,
) -> Iterator[CheckedTemplate]:
    """Yield every text message that compiles, gateway by gateway, with what its provider would say.

    ``only`` restricts it to pairs of plugin and template. ``today`` is a business date.
    """
    wanted = None if only is None else set(only)
    for plugin in templates.plugins:
        for name in templates.names(plugin):
            if "sms" not in templates.channels(plugin, name) or (wanted is not None and (plugin, name) not in wanted):
                continue
            try:
                form = templates.provider_form(plugin, name)
            except TemplateError:
                continue  # told by `Templates.check_all`
            for gateway in gateways:
                approval = approvals.find(gateway.name, plugin, name)
                yield CheckedTemplate(
                    plugin,
                    name,
                    gateway,
                    standing_of(gateway, approval, today, plain=not isinstance(form, NotPlain)),
                    approval,
                    _lead_days(gateway, approval),
                    tuple(_remarks(templates, plugin, name, gateway, approval)),
                )


def standing_of(gateway: Gateway, approval: Approval | None, today: date, *, plain: bool) -> Standing:
    """Return how a template stands with ``gateway``; ``plain``: whether it has a provider form at all."""
    if approval is not None:
        state: ApprovalState = approval.state(today)
        return state
    if not gateway.approves:
        return "not_needed"
    return "unregistered" if plain else "unsubmittable"


def _lead_days(gateway: Gateway, approval: Approval | None) -> int | None:
    if approval is not None and approval.lead_days is not None:
        return approval.lead_days
    return load_providers()[gateway.provider].lead_days if gateway.provider is not None else None


def _remarks(
    templates: Templates, plugin: str, name: str, gateway: Gateway, approval: Approval | None
) -> Iterator[Remark]:
    if approval is not None and approval.changed:
        yield Remark("error", "changed", "provider.changed")
    elif approval is not None and not approval.noted:
        yield Remark("warning", "not_noted", "provider.not_noted")
    if gateway.provider is None and not gateway.approves:
        return
    form = templates.provider_form(plugin, name)
    if isinstance(form, NotPlain):
        if gateway.approves:
            yield Remark("error", form.kind, f"provider.{form.kind}", {"line": form.line})
        return
    message_class = approval.message_class if approval is not None else "service"
    draft = Draft(form, gateway.signature or templates.signature, message_class)
    for refusal in lint(draft, gateway.provider or "general"):
        yield Remark(refusal.level, refusal.rule, refusal.key, refusal.values, refusal.source, refusal.ours)
