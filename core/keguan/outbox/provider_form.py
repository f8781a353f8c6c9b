"""The provider form of a text message: what a gateway approves once and fills in for each message.

China's gateways send approved templates only: fixed text with placeholders, nothing else. A template of ours that
consists of text and plain ``{{ … }}`` has such a form. What it says about the company is fixed text there, because
it is the same in every message; every other output is a variable, named after the value it starts from and
numbered when that name occurs again, for a placeholder may occur once only (Aliyun,
help.aliyun.com/document_detail/108088).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from jinja2 import nodes

__all__ = ["NotPlain", "ProviderForm", "Slot", "canonical", "derive_form", "plain_tree"]

_PLACEHOLDER = re.compile(r"\$?\{[^{}]*\}")


class NotPlain(Exception):
    """A template does more than print values, so no gateway can fill it in.

    ``kind`` is ``loop``, ``condition`` or ``expression``; ``line`` counts from 1.
    """

    def __init__(self, kind: str, line: int) -> None:
        super().__init__(kind, line)
        self.kind, self.line = kind, line


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that is filled in for each message."""

    name: str


@dataclass(frozen=True, slots=True)
class ProviderForm:
    """Fixed texts and slots in their order; no two texts stand beside each other and none is empty."""

    parts: tuple[str | Slot, ...]
    empty: tuple[str, ...] = ()
    """What it should say about the company and cannot, because nothing is configured: ``company.web``."""
    variables: tuple[str, ...] = field(init=False)
    """The names of the slots, each once, in their order."""

    def __post_init__(self) -> None:
        names = tuple(part.name for part in self.parts if isinstance(part, Slot))
        object.__setattr__(self, "variables", names)

    def written(self, placeholder: str) -> str:
        """Return the form as a gateway writes it.

        ``placeholder`` is its pattern, in which ``NAME`` stands for the variable's name and ``NUMBER`` for its
        place, counted from 1: ``${NAME}``, ``{NUMBER}``.
        """
        numbers = iter(range(1, len(self.parts) + 1))
        return "".join(
            part
            if isinstance(part, str)
            else placeholder.replace("NAME", part.name).replace("NUMBER", str(next(numbers)))
            for part in self.parts
        )

    def fill(self, texts: Sequence[str]) -> str:
        """Return the message that a gateway makes of ``texts``, one for each variable in its order."""
        rest = iter(texts)
        return "".join(part if isinstance(part, str) else next(rest) for part in self.parts)

    def digest(self, placeholder: str) -> str:
        """Return a short fingerprint of what a gateway approves; another text has another one."""
        text = canonical(self.written(placeholder), placeholder)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def canonical(text: str, placeholder: str) -> str:
    """Return ``text``, a template as a gateway shows it, in the form in which two of them are compared.

    Where places are numbered or typed, a placeholder's own writing says nothing; where they are named, it does.
    """
    text = text.strip().replace("\r\n", "\n")
    return text if "NAME" in placeholder else _PLACEHOLDER.sub("{}", text)


def derive_form(
    tree: nodes.Template, constant: Callable[[nodes.Expr], str | None]
) -> tuple[ProviderForm, list[nodes.Expr]]:
    """Return the provider form of a parsed template, and the expression behind each of its slots.

    ``constant`` returns the text of an expression that is the same in every message, ``None`` for others. Raises
    ``NotPlain`` for the first thing that is neither text nor plain output.
    """
    parts: list[str | Slot] = []
    expressions: list[nodes.Expr] = []
    taken: set[str] = set()
    empty: list[str] = []
    for node in _printed(tree):
        fixed = node.data if isinstance(node, nodes.TemplateData) else constant(node)
        if fixed is None:
            name = _free_name(_root(node), taken)
            taken.add(name)
            parts.append(Slot(name))
            expressions.append(node)
            continue
        if not fixed:
            empty += [] if isinstance(node, nodes.TemplateData) else [_spelt(node)]
        elif parts and isinstance(parts[-1], str):
            parts[-1] += fixed
        else:
            parts.append(fixed)
    return ProviderForm(_stripped(parts), tuple(empty)), expressions


def plain_tree(form: ProviderForm, expressions: Sequence[nodes.Expr]) -> nodes.Template:
    """Return a syntax tree that prints exactly the parts of ``form``, one after the other."""
    rest = iter(expressions)
    printed = [nodes.TemplateData(part, lineno=1) if isinstance(part, str) else next(rest) for part in form.parts]
    return nodes.Template([nodes.Output(printed, lineno=1)], lineno=1)


def _printed(tree: nodes.Template) -> Iterator[nodes.Expr]:
    for node in tree.body:
        if isinstance(node, nodes.Output):
            yield from node.nodes
        else:
            raise NotPlain("loop" if isinstance(node, nodes.For) else "condition", node.lineno)


def _root(node: nodes.Expr) -> str:
    """Return the value that an output starts from: ``home`` of ``home.label | trim``."""
    inner: nodes.Node | None = node
    while isinstance(inner, nodes.Getattr | nodes.Getitem | nodes.Filter):
        inner = inner.node
    if isinstance(inner, nodes.Name):
        return inner.name
    raise NotPlain("condition" if isinstance(inner, nodes.CondExpr) else "expression", node.lineno)


def _spelt(node: nodes.Expr) -> str:
    """Return how a constant output is written, as far as a person needs to find it."""
    return f"company.{node.attr}" if isinstance(node, nodes.Getattr) else "company"


def _free_name(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"


def _stripped(parts: list[str | Slot]) -> tuple[str | Slot, ...]:
    """Take white space off both ends, where messages have none."""
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip()
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip()
    return tuple(part for part in parts if part)
