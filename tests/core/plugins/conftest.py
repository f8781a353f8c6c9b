"""Throw-away plugins, written to a folder and found as if they were installed."""

from __future__ import annotations

import importlib.metadata
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from keguan.settings import Settings, parse_settings

HEAD = "from keguan import hookimpl, hookspec\n"


class World:
    """A folder of plugins, and a configuration."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._points: list[importlib.metadata.EntryPoint] = []
        self._modules: set[str] = set()
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setattr(importlib.metadata, "entry_points", self._entry_points)

    def _entry_points(self, *, group: str) -> list[importlib.metadata.EntryPoint]:
        assert group == "keguan"
        return self._points

    def add(self, name: str, source: str, *, version: str = "0.3", distribution: str = "", attribute: str = "") -> None:
        """Install a plugin ``name``: a package that holds ``source``, or the ``attribute`` of it."""
        distribution = distribution or f"keguan-{name}"
        package = self.package(distribution)
        (self.folder / package).mkdir()
        (self.folder / package / "__init__.py").write_text(HEAD + textwrap.dedent(source), encoding="utf-8")
        self._modules.add(package)
        self.declare(name, f"{package}:{attribute}" if attribute else package, distribution, version)

    def package(self, distribution: str) -> str:
        return f"{distribution.replace('-', '_')}_{self.folder.name}"

    def declare(self, name: str, value: str, distribution: str, version: str = "0.3") -> None:
        """Install a distribution whose entry point ``name`` is ``value``."""
        info = self.folder / f"{distribution.replace('-', '_')}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[keguan]\n{name} = {value}\n")
        self._points.extend(importlib.metadata.Distribution.at(info).entry_points)

    def imported(self) -> set[str]:
        """Return the distributions whose package was imported, with underscores."""
        return {name.removesuffix(f"_{self.folder.name}") for name in self._modules & set(sys.modules)}

    def settings(self, content: str = "") -> Settings:
        return parse_settings(textwrap.dedent(content), self.folder / "config" / "keguan.toml", {})

    def forget(self) -> None:
        for name in list(sys.modules):
            if name.split(".")[0] in self._modules:
                del sys.modules[name]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    folder = tmp_path / "w"
    folder.mkdir()
    built = World(folder, monkeypatch)
    yield built
    built.forget()
