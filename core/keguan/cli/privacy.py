"""``keguan privacy``: what is held about a person, and forgetting it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import click

from keguan.cli.app import App, pass_app
from keguan.cli.customers import customer_argument

if TYPE_CHECKING:
    from keguan.people.lookup import GivenAs

__all__ = ["privacy_command"]


@click.group("privacy")
def privacy_command() -> None:
    """Answer a person's questions about their data."""


@privacy_command.command("export")
@customer_argument
@pass_app
def export(app: App, customer: str, given_as: str | None) -> None:
    """Print everything held about CUSTOMER as one JSON document, unmasked; recorded in the access log."""
    from keguan.access import logged_rows
    from keguan.people.lookup import find_customer
    from keguan.people.privacy import export_person

    with app.store.read() as connection:
        person = find_customer(connection, customer, cast("GivenAs | None", given_as))
    documents = [export_person(app.reader, person)]
    for document in logged_rows(app.store, documents, what=f"privacy export {person}", now=app.reader.now):
        click.echo(json.dumps(document, ensure_ascii=False, indent=None if app.as_json else 2, default=_plain))


def _plain(value: object) -> str:
    iso = getattr(value, "isoformat", None)
    return str(iso() if iso is not None else value)


@privacy_command.command("erase")
@customer_argument
@click.option("--yes", is_flag=True, help="Really: what is forgotten cannot be brought back.")
@pass_app
def erase(app: App, customer: str, given_as: str | None, *, yes: bool) -> None:
    """Forget CUSTOMER: personal values and the texts of messages. Counts, clauses and opt-outs stay."""
    from keguan.people.lookup import find_customer
    from keguan.people.privacy import erase_person

    with app.store.read() as connection:
        person = find_customer(connection, customer, cast("GivenAs | None", given_as))
    if not yes:
        raise click.UsageError(f"this forgets customer {person} for good; add --yes")
    counts = erase_person(app.store, person, app.clock.now())
    app.answer({"customer": person, **counts})
    app.say("privacy.done", customer=person, **counts)
