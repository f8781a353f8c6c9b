"""The contract's annex: what speaks against a project, inside and outside the red line, and its parking. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from importlib import resources

from jinja2 import Environment, StrictUndefined

from keguan.texts import Language, text

__all__ = ["annex_page"]

_PARTS = ("inside", "outside", "parking")
_HEADS = ("number", "fact", "distance", "approved")


def annex_page(lines: Sequence[Mapping[str, object]], project: str, day: date, company: str, language: Language) -> str:
    """Return the annex as one HTML page to be printed: exactly ``lines``, by kind and in their order.

    A line has ``area fact distance approved_on approved_by`` as in the sunshine register; 6+2指引 5.1.1 C.
    """

    def said(key: str, **values: object) -> str:
        return text(language, f"sixplustwo.annex.{key}", **values)

    parts = [
        {"heading": said(area), "rows": [_row(line, said("metres")) for line in lines if line.get("area") == area]}
        for area in _PARTS
    ]
    source = resources.files(__package__ or __name__) / "pages" / "annex.html.j2"
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(source.read_text(encoding="utf-8")).render(
        language=language,
        title=said("title", project=project),
        intro=said("intro", company=company, project=project, day=day.isoformat()),
        parts=parts,
        heads={name: said(f"head_{name}") for name in _HEADS},
        nothing=said("none"),
        buyer=said("buyer"),
        seller=said("seller", company=company),
    )


def _row(line: Mapping[str, object], metres: str) -> dict[str, str]:
    distance = line.get("distance")
    approved = (str(line[name]) for name in ("approved_on", "approved_by") if line.get(name))
    return {
        "fact": str(line.get("fact", "")),
        "distance": "" if distance is None else f"{distance} {metres}",
        "approved": " ".join(approved),
    }
