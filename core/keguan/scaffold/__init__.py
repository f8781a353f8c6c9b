"""Write a new city variant as a project of its own: package, settings, tests that pass at once."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from keguan.errors import InputError, UsageError
from keguan.plugins.discovery import installed_names

__all__ = ["write_project"]

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_FILES = {  # template → where it goes; {name} is the plugin's name
    "pyproject.toml.j2": "pyproject.toml",
    "README.md.j2": "README.md",
    "ci.sh.j2": "ci.sh",
    "ci.yml.j2": "ci.yml",
    "gitignore.j2": ".gitignore",
    "plugin.py.j2": "keguan_{name}/__init__.py",
    "settings.py.j2": "keguan_{name}/settings.py",
    "py.typed.j2": "keguan_{name}/py.typed",
    "supervision.zh.sms.j2": "keguan_{name}/templates/zh/supervision.sms.j2",
    "supervision.zh.email.j2": "keguan_{name}/templates/zh/supervision.email.j2",
    "supervision.en.sms.j2": "keguan_{name}/templates/en/supervision.sms.j2",
    "supervision.en.email.j2": "keguan_{name}/templates/en/supervision.email.j2",
    "conftest.py.j2": "tests/conftest.py",
    "test_plugin.py.j2": "tests/test_{name}.py",
}


def write_project(directory: Path, name: str) -> Path:
    """Write the project ``keguan-NAME`` into a new folder below ``directory`` and return that folder.

    Raises ``UsageError`` for a name that could stand neither in the configuration nor in Python, for that of a plugin
    that is installed, and when the folder exists: nothing is ever overwritten. Raises ``InputError`` where nothing can
    be written.
    """
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only for the one who asks

    if not _NAME.fullmatch(name):
        raise UsageError("commands.plugins.bad_name", name=name)
    if name in installed_names():
        raise UsageError("commands.plugins.name_taken", name=name)
    folder = directory / f"keguan-{name.replace('_', '-')}"
    if folder.exists():
        raise UsageError("commands.plugins.folder_exists", folder=folder)
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701 - Python files
    try:
        for source, place in _FILES.items():
            text = (resources.files(__name__) / source).read_text(encoding="utf-8")
            target = folder / place.format(name=name)
            target.parent.mkdir(parents=True, exist_ok=True)
            written = environment.from_string(text).render(name=name, distribution=folder.name)
            target.write_text(written, encoding="utf-8")
    except OSError as error:
        raise InputError("config.unwritable", where=folder, problem=error.strerror or "") from error
    return folder
