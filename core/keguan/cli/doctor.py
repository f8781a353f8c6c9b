"""``keguan doctor``: what is wrong with the installation, one line each, with the mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keguan.cli.app import App, pass_app

if TYPE_CHECKING:
    from keguan.doctor import Found
    from keguan.texts import Language

__all__ = ["doctor_command"]


@click.command("doctor")
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), default=30.0, help="Seconds that one check may take; 30 without."
)
@pass_app
def doctor_command(app: App, timeout: float) -> None:
    """Examine the installation, one line each, with the mend; writes and sends nothing.

    Looked at are configuration, database and keys, backups, plugins, templates, adapters, channels, drop folder,
    mailboxes, web, calendars, clock, disk and permissions. Exit status 1 when something is ill (✗); what works and
    should be known (!) is no illness.
    """
    from keguan.doctor import examine

    findings = list(examine(app.config, app.option_language, timeout))
    languages: list[Language] = [found.language for found in findings if found.language is not None]
    language = app.option_language or (languages[0] if languages else "zh")
    rows = [{"check": found.check, "ok": found.ok, "detail": found.sentence(language)} for found in findings]
    healthy = all(found.ok for found in findings)
    app.answer({"healthy": healthy, "checks": rows})
    if not app.as_json:
        from keguan.texts import text

        for found, row in zip(findings, rows, strict=True):
            click.echo(f"{_mark(found)} {text(language, f'doctor.check.{found.check}')}: {row['detail']}")
    if not healthy:
        raise click.exceptions.Exit(1)


def _mark(found: Found) -> str:
    if not found.ok:
        return "✗"
    return "!" if found.notice else "✓"
