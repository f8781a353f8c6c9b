"""``keguan doctor``: what is wrong with the installation, one line each, with the mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keguan.cli.app import App, pass_app

if TYPE_CHECKING:
    from keguan.texts import Language

__all__ = ["doctor_command"]


@click.command("doctor")
@pass_app
def doctor_command(app: App) -> None:
    """Check configuration, database, plugins, adapters, calendar, clock, disk and the permissions of secrets."""
    from keguan.doctor import examine

    findings = list(examine(app.config, app.option_language))
    languages: list[Language] = [found.language for found in findings if found.language is not None]
    language = app.option_language or (languages[0] if languages else "zh")
    rows = [{"check": found.check, "ok": found.ok, "detail": found.sentence(language)} for found in findings]
    healthy = all(found.ok for found in findings)
    app.answer({"healthy": healthy, "checks": rows})
    if not app.as_json:
        from keguan.texts import text

        for found, row in zip(findings, rows, strict=True):
            mark = "✓" if found.ok else "✗"
            click.echo(f"{mark} {text(language, f'doctor.check.{found.check}')}: {row['detail']}")
    if not healthy:
        raise click.exceptions.Exit(1)
