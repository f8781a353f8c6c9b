"""The engine over an installation: its deliveries, and the rules that they judge by."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

from keguan.adapters.base import Heard
from keguan.adapters.registry import adapter_types
from keguan.building.ways import WayOut, build_routes, build_ways_out
from keguan.installation import Installation
from keguan.outbox.delivery import Delivery
from keguan.outbox.facts import STAFF
from keguan.outbox.gate import Limits
from keguan.outbox.knowledge import Rules
from keguan.outbox.receipts import record_heard
from keguan.outbox.registry import build_approvals
from keguan.outbox.retry import RetryPolicy
from keguan.outbox.sms_gateways import sms_gateways
from keguan.people.unsubscribe import Wish, unsubscribe_of
from keguan.runner.engine import Engine
from keguan.settings import Settings, configure_adapters
from keguan.staff.post import department_address
from keguan.store.engine import Store

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from sqlalchemy import Row

    from keguan.outbox.knowledge import Recipient
    from keguan.people.unsubscribe import Unsubscribe

__all__ = ["build_engine", "build_rules"]


def build_engine(
    installation: Installation,
    *,
    rehearsal: bool = False,
    stop: threading.Event | None = None,
    ways: Sequence[WayOut] | None = None,
) -> Engine:
    """Build the adapters that the channels name and return the engine over them.

    In a rehearsal every channel leaves through the ``file`` adapter, whatever the configuration says. Deliveries
    end early once ``stop`` is set. ``ways`` stand in for the adapters of the configuration.
    """
    settings = installation.settings
    if ways is None:
        ways = build_ways_out(settings, installation.plugins, rehearsal=rehearsal)
    rules, routes = build_rules(installation), build_routes(settings, ways)
    links = unsubscribe_of(settings)
    return Engine(
        installation,
        [
            Delivery(
                name=way.name,
                adapter=way.adapter,
                channels=way.channels,
                store=installation.store,
                clock=installation.clock,
                rules=rules,
                policy=_policy(settings, way.in_doubt),
                language=installation.language,
                batch=settings.runner.delivery_batch,
                lease=timedelta(seconds=settings.runner.lease),
                stop=stop,
                routes=routes,
                rate=way.rate,
                listen=partial(_listen, installation.store),
                poll_every=timedelta(seconds=way.poll_every),
                unsubscribe=partial(_unsubscribe, links) if links is not None else None,
            )
            for way in ways
        ],
        stop,
    )


def _unsubscribe(links: Unsubscribe, row: Row[Any], _recipient: Recipient) -> tuple[str, ...]:
    """Return by which addresses the recipient of a mail can opt out of its kind; codes are asked for each time."""
    if row.channel != "email" or row.person_id is None or row.plugin == STAFF or row.message_class == "code":
        return ()
    return links.links(Wish(row.person_id, row.channel, row.message_class))


def _listen(store: Store, adapter: str, heard: Heard, now: datetime) -> None:
    """Keep what an adapter heard."""
    with store.write() as connection:
        record_heard(connection, adapter, heard, now)


def build_rules(installation: Installation) -> Rules:
    """Return what the configuration says about messages that leave."""
    settings, plugins = installation.settings, installation.plugins
    limits = settings.limits
    configured = configure_adapters(settings, adapter_types(plugins.adapters))
    return Rules(
        installation.city,
        Limits(
            per_day=limits.per_day,
            per_week=limits.per_week,
            promotion_per_day=limits.promotion.per_day,
            promotion_per_week=limits.promotion.per_week,
            code_per_minute=limits.code.per_minute,
            code_per_hour=limits.code.per_hour,
            code_per_day=limits.code.per_day,
        ),
        plugins.active,
        department=partial(department_address, settings.departments),
        approvals=build_approvals(installation),
        approving=frozenset(name for name, adapter in configured.items() if adapter.approved_templates),
        providers={each.name: each.provider for each in sms_gateways(settings, configured) if each.provider},
        admits=settings.test.admits if settings.test.is_on else None,
        can_unsubscribe=bool(settings.web.public_url or settings.web.unsubscribe_mail),
    )


def _policy(settings: Settings, in_doubt: str) -> RetryPolicy:
    retry = settings.runner.retry
    return RetryPolicy(
        first_delay=timedelta(seconds=retry.first),
        growth=retry.growth,
        longest_delay=timedelta(seconds=retry.longest),
        attempts=retry.attempts,
        in_doubt=cast("Literal['hold', 'resend']", in_doubt),
    )
