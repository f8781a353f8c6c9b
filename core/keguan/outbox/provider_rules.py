"""The linter: what China's SMS providers would refuse in a template, found before it is submitted.

The rules and their sources are data, ``provider_rules.yaml`` beside this module; how each is asked stands in
``provider_questions.py``. They are asked of the provider form, because that is what a provider reads: fixed text with
placeholders. The facts were taken from the providers' own pages, whose addresses every refusal carries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict

from keguan.outbox.provider_questions import LINK, QUESTIONS, Draft, Level, Rule

__all__ = ["Draft", "Level", "Provider", "Refusal", "lint", "lint_values", "load_providers", "provider_of_type"]


class Provider(BaseModel):
    """What one provider wants."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    placeholder: str
    rules: tuple[Rule, ...]
    lead_days: int | None = None
    """Days that its review takes; ``None`` where it names no time."""
    lead_source: str = ""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: dict[str, str]
    providers: dict[str, Provider]
    types: dict[str, str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that a provider would refuse; ``key`` and ``values`` make the sentence."""

    rule: str
    level: Level
    source: str
    """The address of the page that says so."""
    ours: bool
    """No provider says so in these words."""
    values: dict[str, object] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The key of its sentence in the catalogues."""
        return f"provider.{self.rule}"


@cache
def _document() -> _Document:
    text = resources.files("keguan.outbox").joinpath("provider_rules.yaml").read_text(encoding="utf-8")
    return _Document.model_validate(yaml.safe_load(text))


def load_providers() -> dict[str, Provider]:
    """Return every provider whose rules are known, by name; ``general`` holds for all of them."""
    return _document().providers


def provider_of_type(adapter_type: str) -> str | None:
    """Return whose rules hold for gateways of this type, ``None`` when there are none (abroad, files)."""
    return _document().types.get(adapter_type)


def lint(draft: Draft, provider: str) -> list[Refusal]:
    """Return what ``provider`` would refuse in ``draft``, errors before warnings.

    Raises ``KeyError`` for a provider that ``load_providers`` does not name.
    """
    found = [refusal for rule in _rules(provider) for refusal in _ask(rule, draft)]
    return sorted(found, key=lambda each: each.level != "error")


def lint_values(variables: Sequence[tuple[str, str]], provider: str) -> list[Refusal]:
    """Return what ``provider`` would refuse in the values of one message (name and text): too long, empty, a link."""
    found: list[Refusal] = []
    limits, links = _value_rules(provider)
    for name, text in variables:
        found += [
            _refusal(rule, name=name, length=len(text), limit=rule.limit)
            for rule in limits
            if not 1 <= len(text) <= rule.limit
        ]
        found += [_refusal(rule, link=name) for rule in links if LINK.search(text)]
    return found


@cache
def _value_rules(provider: str) -> tuple[list[Rule], list[Rule]]:
    """Return what is asked of how long values are, and of links in them: of each message, so looked up once."""
    rules = _rules(provider)
    return [each for each in rules if each.rule == "value_length"], [
        each for each in rules if each.rule == "link_in_variable"
    ]


def _rules(provider: str) -> tuple[Rule, ...]:
    providers = load_providers()
    general = providers["general"].rules
    return general if provider == "general" else general + providers[provider].rules


def _ask(rule: Rule, draft: Draft) -> Iterator[Refusal]:
    question = QUESTIONS.get(rule.rule)
    if question is not None and rule.holds_for(draft.message_class):
        for values in question(rule, draft):
            yield _refusal(rule, **values)


def _refusal(rule: Rule, **values: object) -> Refusal:
    return Refusal(rule.rule, rule.level, _document().sources[rule.source], rule.ours, values)
