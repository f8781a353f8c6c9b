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


_channel = click.option("--channel", default="*", show_default=True, help="email, sms …; * for all.")


@customers_command.command("optout")
@customer_argument
@_channel
@click.option(
    "--class",
    "message_class",
    type=click.Choice(("service", "promotion", "code", "*")),
    default="*",
    show_default=True,
    help="Of which messages.",
)
@click.option("--source", default="cli", show_default=True, help="How we know: a call, a reply TD, a form.")
@pass_app
def optout(app: App, customer: str, given_as: str | None, channel: str, message_class: str, source: str) -> None:
    """Note that CUSTOMER (number, phone number or contract number) wants no more messages.

    It counts from now on, for messages that are queued already too.
    """
    from keguan.people.consent import opt_out
    from keguan.people.lookup import find_customer

    with app.store.write() as connection:
        person = find_customer(connection, customer, cast("GivenAs | None", given_as))
        opt_out(connection, person, channel=channel, message_class=message_class, source=source, now=app.clock.now())
    app.answer({"customer": person, "channel": channel, "message_class": message_class, "granted": False})
    app.say("customers.opted_out", customer=person)


@customers_command.command("optin")
@customer_argument
@_channel
@click.option(
    "--class",
    "message_class",
    type=click.Choice(("service", "promotion", "code", "*")),
    help="Of which messages; without it all but promotion, which needs consent in words.",
)
@click.option("--source", default="cli", show_default=True, help="How we know: a call, a form.")
@pass_app
def optin(app: App, customer: str, given_as: str | None, channel: str, message_class: str | None, source: str) -> None:
    """Note that CUSTOMER (number, phone number or contract number) wants messages (again)."""
    from keguan.people.consent import opt_in
    from keguan.people.lookup import find_customer

    with app.store.write() as connection:
        person = find_customer(connection, customer, cast("GivenAs | None", given_as))
        opt_in(connection, person, channel=channel, message_class=message_class, source=source, now=app.clock.now())
    app.answer({"customer": person, "channel": channel, "message_class": message_class, "granted": True})
    app.say("customers.opted_in", customer=person)
