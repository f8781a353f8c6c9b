"""Puts the web together for one installation, if it listens at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from keguan.adapters.base import ListeningAdapter
from keguan.people.unsubscribe import unsubscribe_of

if TYPE_CHECKING:
    from keguan.installation import Installation
    from keguan.outbox.delivery import Delivery
    from keguan.web.server import WebServer

__all__ = ["open_web"]


def open_web(installation: Installation, deliveries: Iterable[Delivery]) -> WebServer | None:
    """Return the web server of ``installation``, its address taken; ``None`` when it does not listen.

    Raises ``ConfigError`` when the address is taken by another program.
    """
    settings = installation.settings
    where = settings.web.host_and_port
    if where is None:
        return None
    from keguan.queries.reader import Reader  # noqa: PLC0415 - only an installation that listens needs these
    from keguan.runner.health import HEALTH_FILE  # noqa: PLC0415
    from keguan.web.app import build_app  # noqa: PLC0415
    from keguan.web.server import WebServer  # noqa: PLC0415
    from keguan.web.site import Site  # noqa: PLC0415

    site = Site(
        store=installation.store,
        now=installation.clock.now,
        company=installation.company,
        language=installation.language,
        health_file=settings.path(str(HEALTH_FILE)),
        reader=lambda: Reader(installation.store, settings, installation.clock.now(), installation.language),
        unsubscribe=unsubscribe_of(settings),
        listeners={one.name: one.adapter for one in deliveries if isinstance(one.adapter, ListeningAdapter)},
        forms=installation.plugins.forms,
        actions=installation.plugins.actions,
    )
    return WebServer(build_app(site), *where, settings.web.proxies)
