"""Gateways that call us: receipts and replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from keguan.outbox.receipts import Noted, record_heard
from keguan.web.site import Site, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from keguan.adapters.base import Heard

__all__ = ["gateway_call"]


async def gateway_call(request: Request) -> Response:
    """Take what the gateway of an adapter tells; answered only when it is stored, so that nothing is lost."""
    site = site_of(request)
    name = request.path_params["adapter"]
    adapter = site.listeners.get(name)
    if adapter is None:
        return PlainTextResponse("unknown gateway\n", status_code=404)
    body = await request.body()
    headers = {key.lower(): value for key, value in request.headers.items()}
    path = request.path_params.get("path", "")
    query = dict(request.query_params)
    log = structlog.get_logger("keguan.web").bind(adapter=name)
    try:
        heard = await run_in_threadpool(adapter.heard, path, headers, query, body, site.now())
    except PermissionError:
        log.warning("call refused", why="signature")
        return PlainTextResponse("wrong signature\n", status_code=403)
    except ValueError:
        log.warning("call refused", why="not understood", size=len(body))
        return PlainTextResponse("not understood\n", status_code=400)
    noted = await run_in_threadpool(_record, site, name, heard)
    if noted.anything:
        log.info(
            "heard",
            delivered=noted.delivered,
            undelivered=noted.undelivered,
            unknown=noted.unknown,
            repeated=noted.repeated,
            opted_out=noted.opted_out,
            opted_in=noted.opted_in,
            unread=noted.unread,
        )
    kind = "application/json" if heard.answer.lstrip()[:1] in ("{", "[") else "text/plain"
    return Response(heard.answer, media_type=kind)


def _record(site: Site, name: str, heard: Heard) -> Noted:
    with site.store.write() as connection:
        return record_heard(connection, name, heard, site.now())
