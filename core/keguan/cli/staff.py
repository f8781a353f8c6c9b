"""``keguan staff``: who is there, who is away, who stands in, who leaves."""

from __future__ import annotations

from datetime import date

import click

from keguan.cli.app import App, pass_app
from keguan.cli.options import DAY, unmask_option

__all__ = ["staff_command"]

_COLUMNS = ("id", "name", "department", "leads", "open", "overdue", "away_until", "deputy", "left_on")


@click.group("staff")
def staff_command() -> None:
    """The staff: what they have to do, absences and deputies. WHO is a number or a name on file."""


@staff_command.command("list")
@click.option("--department", help="Only of this department.")
@click.option("--left", is_flag=True, help="Those who have left, too.")
@unmask_option
@pass_app
def list_(app: App, department: str | None, *, left: bool, unmask: bool) -> None:
    """List the staff by number, with open tasks, absences and deputies."""
    from keguan.access import logged_rows
    from keguan.queries.staff import list_staff

    rows = list_staff(app.reader, department=department, left=left, unmask=unmask)
    if unmask:
        rows = logged_rows(app.store, rows, what="staff list", now=app.reader.now)
    if not app.as_json:
        rows = (row | {"away_until": row["away"]["until"] if row["away"] else None} for row in rows)
    app.answer_rows(rows, _COLUMNS, "staff")


@staff_command.command("away")
@click.argument("who")
@click.option("--from", "from_on", type=DAY, help="The first day; today without.")
@click.option("--until", "until_on", type=DAY, required=True, help="The last day.")
@click.option("--deputy", metavar="WHO", required=True, help="Who stands in.")
@pass_app
def away_(app: App, who: str, from_on: date | None, until_on: date, deputy: str) -> None:
    """Record that WHO is away. The deputy gets digests and overdue tasks meanwhile; tasks stay whose they are."""
    from keguan.access import person_at_keyboard
    from keguan.staff.absences import away

    absence = away(
        app.store,
        who,
        deputy,
        from_on=from_on or app.today,
        until_on=until_on,
        today=app.today,
        now=app.clock.now(),
        by=person_at_keyboard(),
        leading=app.settings.departments,
    )
    values = {"staff": absence.staff_id, "deputy": absence.deputy_id}
    app.answer({**values, "from": absence.from_on, "until": absence.until_on})
    app.say("staff.away", **values, start=absence.from_on, end=absence.until_on)


@staff_command.command("back")
@click.argument("who")
@pass_app
def back_(app: App, who: str) -> None:
    """Record that WHO is back from today on."""
    from keguan.staff.absences import back

    member = back(app.store, who, today=app.today, leading=app.settings.departments)
    app.answer({"staff": member.id})
    app.say("staff.back", staff=member.id)


@staff_command.command("leaves")
@click.argument("who")
@click.option("--on", "day", type=DAY, help="The first day on which WHO no longer works here; today without.")
@pass_app
def leaves(app: App, who: str, day: date | None) -> None:
    """Record that WHO leaves. On that day open tasks go to the deputy, else to nobody in particular."""
    from keguan.intake.emitting import emit
    from keguan.staff.roster import load_roster

    on = day or app.today
    with app.store.read() as connection:
        member = load_roster(connection, app.settings.departments).find(who, app.today)
    emit(app.store, app.settings, app.clock, "staff_left", {"left_on": on.isoformat()}, subject=f"staff:{member.id}")
    app.answer({"staff": member.id, "left_on": on})
    app.say("staff.left_recorded", staff=member.id, day=on)
