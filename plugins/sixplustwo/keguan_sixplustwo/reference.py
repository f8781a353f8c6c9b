"""The reference of what a playbook may say, written from the models themselves: ``docs/playbook.md``.

``python -m keguan_sixplustwo.reference > docs/playbook.md`` writes it anew; a test says when that is needed.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from enum import StrEnum
from importlib import resources
from typing import Any

from pydantic import BaseModel

from keguan_sixplustwo import touchpoint, words

__all__ = ["playbook_reference"]

_HEAD = """# The playbook

What a touchpoint may say, in the data files and in a variant's `playbook.change("ID", …)` and `playbook.add("ID", …)`.
This page is written from the models: `python -m keguan_sixplustwo.reference > docs/playbook.md`. How timings are
written and what a variant is stands in [standards.md](standards.md); `keguan sixplustwo playbook` lists what there is.
"""
_MODELS: tuple[type[BaseModel], ...] = (
    touchpoint.Touchpoint,
    touchpoint.Fitting,
    touchpoint.Coverage,
    touchpoint.Clause,
    touchpoint.Text,
    touchpoint.Step,
    touchpoint.Proxy,
)
_CHOICES: tuple[type[StrEnum], ...] = (
    words.Kind,
    words.About,
    words.Trigger,
    words.Period,
    words.Channel,
)


def playbook_reference() -> str:
    """Return the page: a table for each model and one for each set of words."""
    told = _docstrings()
    parts = [_HEAD]
    for model in _MODELS:
        parts.append(_section(model.__name__, told, "| field | must be said | says |\n|---|---|---|\n"))
        for name, field in model.model_fields.items():
            says = _cell(told.get((model.__name__, name), ""))
            parts.append(f"| `{name}` | {'yes' if field.is_required() else ''} | {says} |\n")
    for choice in _CHOICES:
        parts.append(_section(choice.__name__, told, "| word | means |\n|---|---|\n"))
        parts += [f"| `{word.value}` | {_cell(told.get((choice.__name__, word.name), ''))} |\n" for word in choice]
    return "".join(parts)


def _section(name: str, told: dict[tuple[str, str], str], table: str) -> str:
    return f"\n## {name}\n\n{_plain(told[name, ''])}\n\n{table}"


def _docstrings() -> dict[tuple[str, str], str]:
    """Return what stands under each class, and under each of its fields, by their names."""
    found: dict[tuple[str, str], str] = {}
    for module in ("touchpoint.py", "words.py"):
        source = (resources.files("keguan_sixplustwo") / module).read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef):
                found[node.name, ""] = ast.get_docstring(node) or ""
                found |= {(node.name, name): text for name, text in _fields(node)}
    return found


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for statement, after in zip(node.body, node.body[1:], strict=False):
        target: Any = statement.target if isinstance(statement, ast.AnnAssign) else None
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
        if isinstance(target, ast.Name) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            yield target.id, str(after.value.value)


def _plain(text: str) -> str:
    return text.replace("``", "`")


def _cell(text: str) -> str:
    return " ".join(_plain(text).split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(playbook_reference())
