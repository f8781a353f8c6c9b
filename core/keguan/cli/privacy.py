"""``keguan privacy``: what is held about people, forgetting them, retention, and the keys that seal it."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, cast

import click

from keguan.cli.app import App, pass_app
from keguan.cli.customers import customer_argument
from keguan.cli.options import WHEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keguan.people.lookup import GivenAs

__all__ = ["privacy_command"]

_LOG = ("at", "who", "what", "customer", "rows", "counts", "command")


@click.group("privacy")
def privacy_command() -> None:
    """Answer a person's questions about their data, keep it no longer than allowed, and seal it."""


@privacy_command.command("export")
@customer_argument
@pass_app
def export(app: App, customer: str, given_as: str | None) -> None:
    """Print everything held about CUSTOMER as one JSON document, unmasked; recorded in both logs."""
    from keguan.access import logged_rows, person_at_keyboard
    from keguan.people.privacy import export_person
    from keguan.people.requests import record_request

    person = _person(app, customer, given_as)
    documents = [export_person(app.reader, person)]
    counts = {name: len(value) for name, value in documents[0].items() if isinstance(value, list)}
    who, now = person_at_keyboard(), app.reader.now
    record_request(app.store, "export", who=who, now=now, person=person, counts=counts)
    for document in logged_rows(app.store, documents, what=f"privacy export {person}", now=now):
        click.echo(json.dumps(document, ensure_ascii=False, indent=None if app.as_json else 2, default=_plain))


def _person(app: App, customer: str, given_as: str | None) -> int:
    from keguan.people.lookup import find_customer

    with app.store.read() as connection:
        return find_customer(connection, customer, cast("GivenAs | None", given_as))


def _plain(value: object) -> str:
    iso = getattr(value, "isoformat", None)
    return str(iso() if iso is not None else value)


@privacy_command.command("erase")
@customer_argument
@click.option("--yes", is_flag=True, help="Really: what is forgotten cannot be brought back.")
@pass_app
def erase(app: App, customer: str, given_as: str | None, *, yes: bool) -> None:
    """Forget CUSTOMER: values, texts, replies, answers. Counts, clauses, opt-outs and evidence files stay."""
    from keguan.access import person_at_keyboard
    from keguan.people.erasure import delete_outbox_files, erase_person

    person = _person(app, customer, given_as)
    if not yes:
        raise click.UsageError(f"this forgets customer {person} for good; add --yes")
    now = app.clock.now()
    counts = erase_person(app.store, person, now, app.reader.zone(None))
    rehearsal = None
    if app.rehearsing_at is None:  # a rehearsal changes nothing outside its own database
        counts["files"] = delete_outbox_files(app.store, app.settings, person)
        rehearsal = _forget_rehearsal(app)
    from keguan.people.requests import record_request

    record_request(app.store, "erase", who=person_at_keyboard(), now=now, person=person, counts=counts)
    app.answer({"customer": person, "files": 0, **counts, "rehearsal": rehearsal})
    app.say("privacy.done", customer=person, **{"files": 0, **counts})
    if rehearsal is not None:
        app.say(f"privacy.rehearsal_{rehearsal}")
    app.say("privacy.stays", evidence=counts["evidence"])


def _forget_rehearsal(app: App) -> str | None:
    """Delete the copy on which ``--at`` works; say ``deleted``, ``kept`` for one on a server, or nothing."""
    from keguan.building import delete_rehearsal

    return delete_rehearsal(app.settings)


@privacy_command.command("purge")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@pass_app
def purge(app: App, *, dry_run: bool) -> None:
    """Take away what is past its retention ([privacy.retention]). The daemon does the same once a day."""
    from keguan.access import person_at_keyboard
    from keguan.people.retention import Purge

    work = Purge(app.store, app.settings, app.clock.now(), files=app.rehearsing_at is None)
    if dry_run:
        found: Mapping[str, int] = work.preview()
    else:
        for _ in work.steps():
            pass
        work.record(person_at_keyboard())
        found = work.counts
    app.answer({"dry_run": dry_run, "counts": dict(found)})
    if not any(found.values()):
        app.say("privacy.nothing_to_purge")
        return
    shown = app.text("privacy.comma").join(
        app.text(f"privacy.purge.{name}", count=count) for name, count in found.items() if count
    )
    app.say("privacy.would_purge" if dry_run else "privacy.purged", counts=shown)


@privacy_command.command("rotate")
@pass_app
def rotate_(app: App) -> None:
    """Seal everything with a new key, or with the one that was put first into the file; a daemon may run meanwhile.

    After an upgrade it seals what stood in clear. Killed, it is begun again and goes on.
    """
    from keguan.access import person_at_keyboard
    from keguan.building import delete_rehearsal
    from keguan.errors import UsageError
    from keguan.people.rotation import rotate

    if app.rehearsing_at is not None:
        raise UsageError("privacy.no_rehearsal")
    done = rotate(app.store, app.clock.now(), person_at_keyboard())
    file = str(app.store.ring.file or "–")
    if done.key is not None:
        delete_rehearsal(app.settings)  # a copy under the old keys, which may go now
    app.answer({"key": done.key, "made": done.made, "counts": done.counts, "retired": done.retired, "left": done.left})
    app.say("privacy.unsealed" if done.key is None else "privacy.rotated", key=done.key, **done.counts)
    if done.made:
        app.say("privacy.back_up_keys", file=file)
    if done.retired:
        app.say("privacy.may_go", keys=", ".join(done.retired))
    if done.left:
        click.echo(app.text("privacy.left", left=done.left), err=True)
        raise click.exceptions.Exit(1)


@privacy_command.command("log")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(("export", "erase", "purge", "rotate", "access")),
    multiple=True,
    help="Repeat for several; access: who saw personal values unmasked.",
)
@click.option("--who", help="Only of this user.")
@click.option("--customer", type=click.IntRange(min=1), help="Only about the customer of this number.")
@click.option("--from", "since", type=WHEN, help="From this day, or this instant.")
@click.option("--to", "until", type=WHEN, help="Up to and including this day, or up to this instant.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many; all without.")
@pass_app
def log(
    app: App,
    *,
    kinds: tuple[str, ...],
    who: str | None,
    customer: int | None,
    since: date | datetime | None,
    until: date | datetime | None,
    limit: int | None,
) -> None:
    """List requests, purges, rotations, and who saw personal values."""
    from keguan.people.requests import list_requests
    from keguan.queries.reader import Filters

    filters = Filters(since=since, until=until, limit=limit)
    rows: Any = list_requests(app.reader, filters, kinds=kinds, who=who, person=customer)
    if not app.as_json:
        rows = (row | {"counts": _said(app, row["counts"])} for row in rows)
    app.answer_rows(rows, _LOG, "privacy")


def _said(app: App, counts: dict[str, int] | None) -> str | None:
    if counts is None:
        return None
    return app.text("privacy.comma").join(f"{name} {count}" for name, count in counts.items() if count) or None
