"""How each rule of a provider is asked: of a template's fixed text, in which a mark stands for every variable."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from keguan.model.effects import MessageClass
from keguan.outbox.provider_form import ProviderForm, Slot

__all__ = ["LINK", "QUESTIONS", "Draft", "Level", "Rule"]

Level = Literal["error", "warning"]

GAP = "\ue000"
"""Stands for a variable in the text that questions are asked of; no text holds it."""
_IN_LINK = r"[^\s\u2000-\u206f\u3000-\u9fff\uff00-\uffef]"
_TOP_LEVELS = "com|cn|net|org|gov|top|cc|me|so|ly|gd|nz|im|io|xyz|co|is"
LINK = re.compile(
    rf"(?:https?://|www\.){_IN_LINK}*|(?<![\w.@])(?:[a-z0-9-]+\.)+(?:{_TOP_LEVELS})(?![a-z0-9])(?:/{_IN_LINK}*)?",
    re.IGNORECASE | re.ASCII,
)
"""An address of the web, with or without its scheme."""
_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)")
_WECHAT = re.compile(
    rf"(?:微信号?|wechat|weixin|vx)\s*(?:id)?\s*[:：]?\s*(?:[a-z][-\w]{{5,19}}|{GAP})", re.IGNORECASE | re.ASCII
)
_NUMBER = re.compile(
    r"(?<!\d)(?:400(?:-?\d){7}|0\d{2,3}-?\d{7,8}|95\d{3,6}|(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2})(?!\d)"
)


class Rule(BaseModel):
    """One question, to whom it applies, and whose words it follows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str
    source: str
    level: Level = "error"
    classes: tuple[MessageClass, ...] = ("code", "service", "promotion")
    except_classes: tuple[MessageClass, ...] = ()
    name: str = ""
    words: tuple[str, ...] = ()
    limit: int = 0
    least: int = 0
    ours: bool = False

    def holds_for(self, message_class: MessageClass) -> bool:
        """Return whether messages of this class are asked."""
        return message_class in self.classes and message_class not in self.except_classes


@dataclass(frozen=True, slots=True)
class Draft:
    """A template as it would be submitted."""

    form: ProviderForm
    signature: str
    message_class: MessageClass = "service"

    @property
    def text(self) -> str:
        """The fixed text, with ``GAP`` for each variable."""
        return "".join(part if isinstance(part, str) else GAP for part in self.form.parts)


_Found = Iterator[dict[str, object]]


def _brackets(_rule: Rule, draft: Draft) -> _Found:
    if set("【】") & set(draft.text):
        yield {}


def _length(rule: Rule, draft: Draft) -> _Found:
    size = len(draft.text) + len(draft.signature) + 2
    if size > rule.limit:
        yield {"length": size, "limit": rule.limit}


def _adjacent_variables(_rule: Rule, draft: Draft) -> _Found:
    """Variables with nothing but white space between them count as adjacent (Huawei says so in words)."""
    before: Slot | None = None
    for part in draft.form.parts:
        if isinstance(part, str):
            before = before if not part.strip() else None
        elif before is not None:
            yield {"first": before.name, "second": part.name}
            before = part
        else:
            before = part


def _only_variables(_rule: Rule, draft: Draft) -> _Found:
    if not any(char.isalnum() for char in draft.text.replace(GAP, "")):
        yield {}


def _link_in_variable(rule: Rule, draft: Draft) -> _Found:
    text = draft.text
    for match in LINK.finditer(text):
        if GAP in text[max(match.start() - 1, 0) : match.end() + 1]:
            yield {"link": match[0].replace(GAP, "{…}")}
    for name in draft.form.variables:
        if name.rstrip("0123456789").rpartition("_")[2].lower() in rule.words:
            yield {"link": name}


def _short_link(rule: Rule, draft: Draft) -> _Found:
    for match in LINK.finditer(draft.text):
        host = re.sub(r"^https?://", "", match[0].lower()).partition("/")[0].removeprefix("www.")
        if host in rule.words:
            yield {"link": host}


def _traditional(_rule: Rule, draft: Draft) -> _Found:
    from opencc import OpenCC  # noqa: PLC0415 - loads its dictionaries

    text = draft.text
    simplified = OpenCC("t2s").convert(text)
    if simplified != text:
        changed = [old for old, new in zip(text, simplified, strict=False) if old != new]
        yield {"characters": "".join(dict.fromkeys(changed))}


def _symbols(rule: Rule, draft: Draft) -> _Found:
    """Symbols, numbers in circles or raised, private and emoji characters; letters, digits and punctuation may stay."""
    text = draft.text.replace(GAP, "")
    strange = [c for c in text if c in rule.words or unicodedata.category(c) in {"So", "Sk", "No", "Nl", "Co", "Cf"}]
    if strange:
        yield {"characters": " ".join(dict.fromkeys(strange))}


def _opt_out_missing(rule: Rule, draft: Draft) -> _Found:
    if not draft.text.rstrip("。.! ！").endswith(rule.words):
        yield {"words": rule.words[0]}


def _opt_out_misplaced(rule: Rule, draft: Draft) -> _Found:
    for words in rule.words:
        if words in draft.text:
            yield {"words": words}


def _empty_constant(_rule: Rule, draft: Draft) -> _Found:
    for name in draft.form.empty:
        yield {"name": name}


def _forbidden_content(rule: Rule, draft: Draft) -> _Found:
    text = draft.text.casefold()
    for word in rule.words:
        if word.casefold() in text:
            yield {"content": rule.name, "word": word}


def _private_contact(_rule: Rule, draft: Draft) -> _Found:
    for match in (*_MOBILE.finditer(draft.text), *_WECHAT.finditer(draft.text)):
        yield {"place": match.start() + 1}


def _contacts(rule: Rule, draft: Draft) -> _Found:
    count = sum(1 for _ in _NUMBER.finditer(draft.text))
    if count > rule.limit:
        yield {"count": count, "limit": rule.limit}


def _signature(rule: Rule, draft: Draft) -> _Found:
    if not rule.least <= len(draft.signature) <= rule.limit:
        yield {"length": len(draft.signature), "least": rule.least, "limit": rule.limit}


def _variable_count(rule: Rule, draft: Draft) -> _Found:
    if len(draft.form.variables) > rule.limit:
        yield {"count": len(draft.form.variables), "limit": rule.limit}


def _promotion_variables(_rule: Rule, draft: Draft) -> _Found:
    if draft.form.variables:
        yield {"names": ", ".join(draft.form.variables)}


def _always(_rule: Rule, _draft: Draft) -> _Found:
    yield {}


QUESTIONS: dict[str, Callable[[Rule, Draft], _Found]] = {
    "adjacent_variables": _adjacent_variables,
    "brackets": _brackets,
    "contacts": _contacts,
    "empty_constant": _empty_constant,
    "estate_codes_only": _always,
    "estate_promotion": _always,
    "forbidden_content": _forbidden_content,
    "length": _length,
    "link_in_variable": _link_in_variable,
    "only_variables": _only_variables,
    "opt_out_misplaced": _opt_out_misplaced,
    "opt_out_missing": _opt_out_missing,
    "private_contact": _private_contact,
    "promotion_variables": _promotion_variables,
    "short_link": _short_link,
    "signature": _signature,
    "symbols": _symbols,
    "traditional": _traditional,
    "variable_count": _variable_count,
}
"""How each rule is asked. ``value_length`` is asked of values only."""
