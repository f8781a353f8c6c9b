"""Pages as single HTML files: one style, everything escaped, no scripts, nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined

from keguan.texts import Language, text

__all__ = ["render"]


def render(name: str, language: Language, **values: object) -> str:
    """Return the page ``NAME.html.j2``; beside ``values`` templates see ``say(KEY, …)`` for sentences."""
    return (
        _environment()
        .get_template(name)
        .render(
            language="zh-CN" if language == "zh" else language,
            say=lambda key, **more: text(language, key, **more),
            **values,
        )
    )


@cache
def _environment() -> Environment:
    folder = resources.files("keguan.reports")
    loader = FunctionLoader(lambda name: (folder / f"{name}.html.j2").read_text(encoding="utf-8"))
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
