"""An installation of its own, asked through the command line as people and scripts do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from tests.support.databases import SqliteTemplate
from tests.support.estate import CONFIG, Estate, at

from keguan.building import open_database
from keguan.cli import main
from keguan.settings import load_settings


class Answer(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)

    @property
    def rows(self) -> Any:
        """The same, for lists."""
        return self.json


class Desk:
    """A terminal in the folder of an installation."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._config = folder / "config" / "keguan.toml"
        self._capsys = capsys

    def __call__(self, *words: object) -> Answer:
        """Call ``keguan`` with these words."""
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(self._config), *map(str, words)])
        out, err = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Answer(ended.value.code, out, err)

    def json(self, *words: object) -> Any:
        """Return the document that a command answers with ``--json``; it must end well."""
        answer = self("--json", *words)
        assert (answer.status, answer.err) == (0, "")
        return answer.json


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sqlite_template: SqliteTemplate, monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """A terminal; the database is migrated and empty, the user is called li."""
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _number: SimpleNamespace(pw_name="li"))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "keguan.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "var").mkdir()
    sqlite_template.copy_to(tmp_path / "var" / "keguan.db")
    return Desk(tmp_path, capsys)


@pytest.fixture
def estate(desk: Desk) -> Iterator[Estate]:
    """The records behind the terminal."""
    store = open_database(load_settings(desk.folder / "config" / "keguan.toml", {}))
    yield Estate(store, at("2026-03-02T09:00"))
    store.close()
