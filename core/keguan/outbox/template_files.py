"""Where message templates stand: in plugins, in keguan itself, and in the company's own folder over both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from keguan.errors import TemplateError
from keguan.texts import LANGUAGES, Language

__all__ = [
    "CHANNELS",
    "LARGEST_SOURCE",
    "Folder",
    "Part",
    "TemplateChannel",
    "TemplateFiles",
    "TemplateSource",
    "owner_of",
]

TemplateChannel = Literal["sms", "email", "chat"]
Part = Literal["sms", "chat", "subject", "email", "html"]
"""A piece that is rendered by itself; the subject stands in the e-mail's file."""
Folder = Traversable | Path

CHANNELS: tuple[TemplateChannel, ...] = ("sms", "email", "chat")
LARGEST_SOURCE = 20_000
"""The most characters a template file may have."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SUFFIXES: dict[Part, str] = {
    "sms": ".sms.j2",
    "chat": ".chat.j2",
    "subject": ".email.j2",
    "email": ".email.j2",
    "html": ".email.html.j2",
}


def owner_of(plugin: str, template: str) -> tuple[str, str]:
    """Return whose template an effect of ``plugin`` names, and its name there.

    ``hello`` is the plugin's own; ``wuhan/hello`` is one that the plugin ``wuhan`` brings, whose variant asked for it.
    """
    owner, slash, name = template.partition("/")
    return (owner, name) if slash else (plugin, template)


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """One template file: where it stands, whether the company replaced it, and its text."""

    file: str
    overridden: bool
    text: str


class TemplateFiles:
    """Finds and reads the files that are in force.

    Args:
        sources: for each plugin the folder that holds ``zh/`` and ``en/``.
        overrides: the company's own folder (``config/templates``), or ``None``.
        language: the one in which messages go out.
    """

    def __init__(self, sources: Mapping[str, Folder], overrides: Path | None, language: Language) -> None:
        self._sources = dict(sources)
        self._overrides = overrides
        self._language: Language = language

    @property
    def plugins(self) -> tuple[str, ...]:
        """The names of all plugins that have a folder of templates, sorted."""
        return tuple(sorted(self._sources))

    def names(self, plugin: str) -> tuple[str, ...]:
        """Return the names of all templates of ``plugin``, in any channel and language, sorted."""
        found: set[str] = set()
        for language in LANGUAGES:
            folder = self._sources[plugin] / language
            if folder.is_dir():
                found.update(file.name.partition(".")[0] for file in folder.iterdir() if file.name.endswith(".j2"))
        return tuple(sorted(found))

    def channels(self, plugin: str, name: str) -> tuple[TemplateChannel, ...]:
        """Return the channels for which ``plugin`` has a template ``name``, in any language."""
        return tuple(
            channel
            for channel in CHANNELS
            if any((self._sources[plugin] / lang / (name + _SUFFIXES[channel])).is_file() for lang in LANGUAGES)
        )

    def read(self, plugin: str, name: str, part: Part) -> TemplateSource | None:
        """Return the file in force: the company's, else the plugin's; ``None`` when there is neither.

        Raises ``TemplateError`` when it cannot be read or is too large.
        """
        if plugin not in self._sources or not _NAME.fullmatch(name):
            return None
        own = self._sources[plugin] / self._language / (name + _SUFFIXES[part])
        if not own.is_file():
            return None
        file = f"{plugin}/{self._language}/{name}{_SUFFIXES[part]}"
        replaced = self._overrides / file if self._overrides else None
        if replaced is not None and replaced.is_file():
            return TemplateSource(str(replaced), True, _read_text(replaced, str(replaced)))
        return TemplateSource(file, False, _read_text(own, file))

    def missing(self, plugin: str, name: str, part: Part) -> TemplateError:
        """Return the error for a template that is not there in the language of the installation."""
        file = f"templates/{self._language}/{name}{_SUFFIXES[part]}"
        return TemplateError("template.missing", plugin=plugin, name=name, language=self._language, file=file)

    def idle_overrides(self) -> list[TemplateError]:
        """Return an error for each file of the company that replaces nothing: a misspelling, most likely."""
        if self._overrides is None:
            return []
        files = sorted(self._overrides.glob("*/*/*.j2"))
        return [
            TemplateError("template.replaces_nothing", file=str(file))
            for file in files
            if (plugin := file.parent.parent.name) in self._sources  # others may be switched off
            and not (self._sources[plugin] / file.parent.name / file.name).is_file()
        ]


def _read_text(file: Folder, shown: str) -> str:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise TemplateError("template.unreadable", file=shown, problem=type(error).__name__) from None
    if len(text) > LARGEST_SOURCE:
        raise TemplateError("template.too_large", file=shown, size=len(text), limit=LARGEST_SOURCE)
    return text
