"""Pages for customers: plain HTML without scripts, in the company's language."""

from __future__ import annotations

from functools import cache
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from keguan.texts import text
from keguan.web.site import Site

__all__ = ["page"]

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


def page(site: Site, name: str, title: str, status: int = 200, **values: object) -> Response:
    """Return the page ``pages/NAME.html``; ``title`` is a key of the catalogue ``web``.

    Templates see ``t(KEY)`` for sentences beside ``values``; everything is escaped.
    """

    def sentence(key: str, **more: object) -> str:
        company = {"company": site.company.name, "hotline": site.company.hotline or "–"}
        return text(site.language, f"web.{key}", **{**company, **more})

    html = (
        _environment()
        .get_template(f"{name}.html")
        .render(
            language="zh-CN" if site.language == "zh" else "en",
            company=site.company.name,
            title=sentence(title),
            t=sentence,
            **values,
        )
    )
    return HTMLResponse(html, status_code=status, headers=_HEADERS)


@cache
def _environment() -> Environment:
    folder = resources.files("keguan.web") / "pages"
    loader = FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8"))
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
