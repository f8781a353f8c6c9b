"""The page behind ``List-Unsubscribe``: one click ends a kind of message (RFC 8058)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from starlette.responses import Response

from keguan.people.consent import opt_out
from keguan.store.schema import people
from keguan.texts import text
from keguan.web.pages import page
from keguan.web.site import Site, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from keguan.people.unsubscribe import Wish

__all__ = ["ask", "unsubscribe"]


def ask(request: Request) -> Response:
    """Show a page with one button: a mail scanner that follows links must not end anything."""
    site = site_of(request)
    if _wish(site, request) is None:
        return _page(site, "unknown", 404)
    return _page(site, "ask", 200, button=True)


def unsubscribe(request: Request) -> Response:
    """End the kind of message that the link names, for the person it names; twice is once."""
    site = site_of(request)
    wish = _wish(site, request)
    if wish is None or not _stop(site, wish):
        return _page(site, "unknown", 404)
    return _page(site, "done", 200)


def _wish(site: Site, request: Request) -> Wish | None:
    return site.unsubscribe.read(request.path_params["token"]) if site.unsubscribe else None


def _stop(site: Site, wish: Wish) -> bool:
    with site.store.write() as connection:
        if connection.execute(select(people.c.id).where(people.c.id == wish.person)).first() is None:
            return False
        opt_out(
            connection,
            wish.person,
            channel=wish.channel,
            message_class=wish.message_class,
            source="link",
            now=site.now(),
        )
    return True


def _page(site: Site, name: str, status: int, *, button: bool = False) -> Response:
    company = {"company": site.company.name, "hotline": site.company.hotline or "–"}
    body = text(site.language, f"web.{name}_body", **company)
    return page(site, "unsubscribe", f"{name}_title", status, body=body, button=button)
