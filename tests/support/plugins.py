"""Throw-away plugins, installed as real ones: a package and an entry point in a folder on ``PYTHONPATH``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree

__all__ = ["PROBE", "PROBE_TEMPLATES", "install_plugin"]

PROBE = '''
"""For each signed contract a letter and a text message at once; for each tick a task for each project."""

from datetime import UTC, datetime, timedelta

from keguan.hookspecs import hookimpl
from keguan.model import Action, Email, Plan, Sms, Subject, Task

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@hookimpl
def on_contract_signed(contract, context):
    return [Plan(action="letter", due=LONG_AGO), Plan(action="message", due=LONG_AGO)]


@hookimpl
def daily_tick(today, context):
    number = int(context.city.key.removeprefix("city")) if context.city.key != "shenzhen" else None
    if number is None:
        return []
    return [Plan(action="inspect", due=LONG_AGO, occurrence=today.toordinal(), subject=Subject("project", number))]


def letter(job):
    return [Email(to=job.record.owners[0], template="letter", values={"number": job.record.contract_no})]


def message(job):
    return [Sms(to=job.record.owners[0], template="message", values={"number": job.record.contract_no})]


def inspect(job):
    return [Task(title="inspect", department="service", due=job.now + timedelta(days=1))]


@hookimpl
def register_actions():
    return [Action("letter", letter), Action("message", message), Action("inspect", inspect)]
'''

PROBE_TEMPLATES = {
    "letter.email.j2": "Subject: Contract {{ number }}\n\nThank you.\n",
    "message.sms.j2": "Contract {{ number }} is signed.\n",
}


def install_plugin(
    folder: Path, name: str, source: str = PROBE, templates: Mapping[str, str] = PROBE_TEMPLATES
) -> Path:
    """Install a plugin ``name`` into ``folder``, over whatever it was before; return the package's folder."""
    package = folder / f"{name}_plugin"
    rmtree(package, ignore_errors=True)
    for language in ("zh", "en"):
        (package / "templates" / language).mkdir(parents=True)
        for file, text in templates.items():
            (package / "templates" / language / file).write_text(text, encoding="utf-8")
    (package / "__init__.py").write_text(source, encoding="utf-8")
    info = folder / f"{name}_plugin-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[keguan]\n{name} = {name}_plugin\n")
    return package
