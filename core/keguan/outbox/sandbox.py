"""The hardened Jinja2 in which message templates run.

A template may read the values it is given, choose with ``if``, repeat with ``for`` and use a few harmless
filters. Everything else is refused when the template is loaded: Jinja2's own sandbox keeps a template away from
Python's insides, but lets it pad, multiply and repeat until the memory is gone. So nothing can be called,
assigned, included or concatenated; arithmetic works on numbers of sensible size; loops run over short lists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from jinja2 import StrictUndefined, Undefined, filters, nodes, pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from keguan.texts import Language, text

__all__ = ["FILTERS", "LONGEST_LOOP", "Forbidden", "Sandbox", "ValueRefused"]

LONGEST_LOOP = 1_000
"""The most items that a ``for`` or a ``join`` goes through; with at most two loops inside each other."""
_LARGEST_NUMBER = 10**15
_LONGEST_TEXT = 200_000
_ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "%", "**"})

_NODES = (
    nodes.Add, nodes.And, nodes.Compare, nodes.CondExpr, nodes.Const, nodes.Div, nodes.FloorDiv, nodes.For,
    nodes.Getattr, nodes.Getitem, nodes.If, nodes.Filter, nodes.Keyword, nodes.Mod, nodes.Mul, nodes.Name,
    nodes.Neg, nodes.Not, nodes.Operand, nodes.Or, nodes.Output, nodes.Sub, nodes.TemplateData, nodes.Test,
    nodes.Tuple,
)  # fmt: skip  # a list to read, not a column of twenty-five lines
_TESTS = frozenset(
    {"defined", "divisibleby", "eq", "even", "ge", "gt", "in", "le", "lt", "ne", "none", "odd", "undefined"}
)


class Forbidden(Exception):
    """A template uses something that templates may not use."""

    def __init__(self, what: str, line: int | None) -> None:
        super().__init__(what, line)
        self.what = what
        self.line = line or 1  # the parser gives some nodes no line


class ValueRefused(Exception):
    """A value cannot stand in a message, or an operation on it is too large. ``args[0]`` is a catalogue key."""


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment for one kind of text.

    Args:
        language: that of the messages; decides how dates are written.
        clean: makes a string value harmless for this kind of text (a value, never the template's own words).
        html: whether values are escaped for HTML.
    """

    intercepted_binops = _ARITHMETIC

    def __init__(self, language: Language, clean: Callable[[str], str], *, html: bool = False) -> None:
        super().__init__(
            undefined=StrictUndefined,
            autoescape=html,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=self._print,
        )
        self._language: Language = language
        self._clean = clean
        self.globals.clear()
        self.filters.clear()
        self.filters.update(_FILTERS, _bounded=_bounded)
        self.tests = {name: test for name, test in self.tests.items() if name in _TESTS}

    def parse_checked(self, source: str) -> nodes.Template:
        """Return the syntax tree of ``source``, with bounded loops.

        Raises ``Forbidden`` for anything outside the allowed vocabulary and ``jinja2.TemplateSyntaxError``.
        """
        tree = self.parse(source)
        _check(tree, loops=0)
        for loop in list(tree.find_all(nodes.For)):
            loop.iter = nodes.Filter(loop.iter, "_bounded", [], [], None, None, lineno=loop.lineno)
        return tree.set_environment(self)  # type: ignore[return-value]  # returns the node it is called on

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate with numbers of sensible size; refuse everything else (text times a number, powers)."""
        if operator == "**" or not (_is_number(left) and _is_number(right)):
            raise ValueRefused("template.not_a_number")
        result = super().call_binop(context, operator, left, right)
        if abs(result) > _LARGEST_NUMBER:
            raise ValueRefused("template.too_large_a_number")
        return result

    def _print(self, value: object) -> object:
        """Turn the value of ``{{ … }}`` into text; customers must never read ``None`` or ``<object at …>``."""
        if isinstance(value, Markup):
            return Markup(self._clean(str(value)))  # noqa: S704 - escaped already; cleaning only takes away
        if isinstance(value, str):
            return self._clean(value)
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, datetime):
            return text(self._language, "template.instant", at=value)
        if isinstance(value, date):
            return text(self._language, "template.date", day=value)
        if isinstance(value, Undefined):
            str(value)  # raises, naming no value
        raise ValueRefused("template.unprintable")


def _check(node: nodes.Node, loops: int) -> None:
    """Refuse what is not in the vocabulary, anywhere below ``node``."""
    for child in node.iter_child_nodes():
        inside = loops
        if not isinstance(child, _NODES):
            raise Forbidden(type(child).__name__, child.lineno)
        if isinstance(child, nodes.Filter):
            _check_call(child, "filter", FILTERS)
        elif isinstance(child, nodes.Test):
            _check_call(child, "test", _TESTS)
        elif isinstance(child, nodes.Getattr) and child.attr.startswith("_"):
            raise Forbidden(child.attr, child.lineno)
        elif isinstance(child, nodes.Getitem):
            # A key taken from a value could end up in an error message.
            if not isinstance(child.arg, nodes.Const) or str(child.arg.value).startswith("_"):
                raise Forbidden("[…]", child.lineno)
        elif isinstance(child, nodes.For):
            inside += 1
            if inside > 2 or child.recursive:
                raise Forbidden("for … for … for", child.lineno)
        _check(child, inside)


def _check_call(node: nodes.Filter | nodes.Test, kind: str, allowed: frozenset[str]) -> None:
    if node.name not in allowed or node.dyn_args is not None or node.dyn_kwargs is not None:
        raise Forbidden(f"{kind} {node.name}", node.lineno)
    if node.node is None:  # {% filter … %}
        raise Forbidden(f"{kind} {node.name}", node.lineno)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _bounded(value: object) -> Sequence[object]:
    """Let a loop run over a list of sensible length, never over the characters of a text."""
    if isinstance(value, Undefined):
        iter(value)  # raises
    if isinstance(value, str) or not isinstance(value, Sized) or len(value) > LONGEST_LOOP:
        raise ValueRefused("template.not_a_short_list")
    return value  # type: ignore[return-value]  # Jinja2 only iterates it


@pass_eval_context
def _join(context: EvalContext, items: object, separator: str = "") -> str:
    bounded = _bounded(items)
    parts = list(bounded)
    if not all(isinstance(part, str | int | float | Decimal) for part in parts):
        raise ValueRefused("template.unprintable")
    if sum(len(str(part)) for part in parts) + len(separator) * len(parts) > _LONGEST_TEXT:
        raise ValueRefused("template.too_long_a_text")
    joined: str = filters.do_join(context, parts, separator)  # escaped where the items were not
    return joined


@pass_eval_context
def _replace(context: EvalContext, value: str, old: str, new: str) -> str:
    if not all(isinstance(part, str) for part in (value, old, new)) or not old:
        raise ValueRefused("template.unprintable")
    if len(value) + value.count(old) * len(new) > _LONGEST_TEXT:
        raise ValueRefused("template.too_long_a_text")
    return filters.do_replace(context, value, old, new)


def _round(value: float, digits: int = 0) -> float:
    if not _is_number(value) or not 0 <= digits <= 6:
        raise ValueRefused("template.not_a_number")
    rounded = round(value, digits)
    return int(rounded) if digits == 0 else rounded


def _text_only(call: Callable[[str], str]) -> Callable[[object], str]:
    def checked(value: object) -> str:
        if isinstance(value, Undefined):
            str(value)  # raises
        if not isinstance(value, str):
            raise ValueRefused("template.unprintable")
        return call(value)

    return checked


_FILTERS: dict[str, Callable[..., Any]] = {
    "default": filters.do_default,
    "e": filters.FILTERS["e"],
    "escape": filters.FILTERS["escape"],
    "first": filters.do_first,
    "join": _join,
    "last": filters.do_last,
    "length": len,
    "lower": _text_only(lambda value: value.lower()),
    "replace": _replace,
    "round": _round,
    "trim": _text_only(lambda value: value.strip()),
    "upper": _text_only(lambda value: value.upper()),
}
FILTERS = frozenset(_FILTERS)
"""The filters that templates may use."""
