"""``keguan customers``: who they are, and what they allow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import unmask_option

if TYPE_CHECKING:
    from keguan.people.lookup import GivenAs

__all__ = ["customer_argument", "customers_command"]

P = ParamSpec("P")
R = TypeVar("R")
_COLUMNS = ("id", "name", "phone", "email", "contracts", "homes", "consents")


@click.group("customers")
def customers_command() -> None:
    """The customers and their consent."""


def customer_argument(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command the argument CUSTOMER and ``--as``."""
    given_as = click.option(
        "--as",
        "given_as",
        type=click.Choice(("number", "phone", "contract")),
        help="What CUSTOMER is, where it could be several.",
    )
    return click.argument("customer")(given_as(command))


@customers_command.command("list")
@click.option("--project", help="Only of the project of this name.")
@click.option("--city", help="Only of this city: key, name or alias.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many; all without.")
@unmask_option
@pass_app
def list_(app: App, project: str | None, city: str | None, limit: int | None, *, unmask: bool) -> None:
    """List customers by number."""
    from keguan.access import logged_rows
    from keguan.queries.customers import list_customers
    from keguan.queries.reader import Filters

    rows = list_customers(app.reader, Filters(project=project, city=city, limit=limit), unmask=unmask)
    if unmask:
        rows = logged_rows(app.store, rows, what="customers list", now=app.reader.now)
    app.answer_rows(rows, _COLUMNS, "customers")


_CLASSES = click.Choice(("service", "promotion", "code", "*"))
_channel = click.option("--channel", default="*", show_default=True, help="email, sms …; * for all.")


def _known(app: App, channel: str) -> str:
    """Refuse a channel that does not exist: an opt-out for it would stop nothing."""
    from keguan.errors import UsageError
    from keguan.nearest import nearest

    channels = ("*", "email", "sms", *app.settings.channels)
    if channel not in channels:
        near = nearest(channel, channels) or "–"
        raise UsageError("customers.channel_unknown", channel=channel, near=near)
    return channel


@customers_command.command("optout")
@customer_argument
@_channel
@click.option("--class", "message_class", type=_CLASSES, default="*", show_default=True, help="Of which messages.")
@click.option("--source", default="cli", show_default=True, help="How we know: a call, a reply TD, a form.")
@pass_app
def optout(app: App, customer: str, given_as: str | None, channel: str, message_class: str, source: str) -> None:
    """Note that CUSTOMER (number, phone number or contract number) wants no more messages.

    It counts from now on, for messages that are queued already too.
    """
    from keguan.access import person_at_keyboard
    from keguan.people.consent import opt_out
    from keguan.people.lookup import find_customer

    channel = _known(app, channel)
    with app.store.write() as connection:
        person = find_customer(connection, customer, cast("GivenAs | None", given_as))
        opt_out(
            connection,
            person,
            channel=channel,
            message_class=message_class,
            source=source,
            now=app.clock.now(),
            who=person_at_keyboard(),
        )
    app.answer({"customer": person, "channel": channel, "message_class": message_class, "granted": False})
    app.say("customers.opted_out", customer=person)


@customers_command.command("optin")
@customer_argument
@_channel
@click.option(
    "--class",
    "message_class",
    type=_CLASSES,
    help="Of which messages; without it all but promotion, which needs consent in words.",
)
@click.option("--source", default="cli", show_default=True, help="How we know: a call, a form.")
@pass_app
def optin(app: App, customer: str, given_as: str | None, channel: str, message_class: str | None, source: str) -> None:
    """Note that CUSTOMER (number, phone number or contract number) wants messages (again)."""
    from keguan.access import person_at_keyboard
    from keguan.people.consent import opt_in
    from keguan.people.lookup import find_customer

    channel = _known(app, channel)
    with app.store.write() as connection:
        person = find_customer(connection, customer, cast("GivenAs | None", given_as))
        opt_in(
            connection,
            person,
            channel=channel,
            message_class=message_class,
            source=source,
            now=app.clock.now(),
            who=person_at_keyboard(),
        )
    app.answer({"customer": person, "channel": channel, "message_class": message_class, "granted": True})
    app.say("customers.opted_in", customer=person)


@customers_command.command("consents")
@customer_argument
@pass_app
def consents(app: App, customer: str, given_as: str | None) -> None:
    """Show every answer CUSTOMER (number, phone number or contract number) gave, with source, and what is in force."""
    from keguan.people.lookup import find_customer
    from keguan.queries.consents import list_answers

    with app.store.read() as connection:
        person = find_customer(connection, customer, cast("GivenAs | None", given_as))
    columns = ("at", "channel", "message_class", "granted", "in_force", "source", "who")
    app.answer_rows(list_answers(app.reader, person), columns, "customers")


@customers_command.command("suppressions")
@click.option("--all", "everything", is_flag=True, help="Also those that were lifted or have ended.")
@unmask_option
@pass_app
def suppressions(app: App, *, everything: bool, unmask: bool) -> None:
    """List the addresses that nothing is sent to any more: they bounced, or an answer from there said "no more"."""
    from keguan.access import logged_rows
    from keguan.queries.consents import list_suppressions

    rows = list_suppressions(app.reader, everything=everything, unmask=unmask)
    if unmask:
        rows = logged_rows(app.store, rows, what="customers suppressions", now=app.reader.now)
    lifted = ("lifted_at", "lifted_by", "lifted_why") if everything else ()
    app.answer_rows(rows, ("id", "channel", "customer", "to", "why", "detail", "at", "until", *lifted), "customers")


@customers_command.command("unsuppress")
@click.argument("number", type=click.IntRange(1))
@click.option("--reason", required=True, help="Why the address can be reached again; kept with your name.")
@pass_app
def unsuppress(app: App, number: int, reason: str) -> None:
    """Send again to an address of `customers suppressions`, by its NUMBER there.

    A corrected address needs no word: it is free at once. What was suppressed meanwhile stays so.
    """
    from keguan.access import person_at_keyboard
    from keguan.people.suppressions import lift

    with app.store.write() as connection:
        lift(connection, number, why=reason, who=person_at_keyboard(), now=app.clock.now())
    app.answer({"number": number, "lifted": True})
    app.say("customers.unsuppressed", number=number)
