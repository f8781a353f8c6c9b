"""The command line in this process: words in, exit status and output out."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from keguan.cli import main

__all__ = ["Answer", "Desk"]


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


class Desk:
    """A place to type commands: a folder with (or soon with) a configuration."""

    def __init__(self, folder: Path, *, language: str = "en") -> None:
        self.folder = folder
        self.config = folder / "config" / "keguan.toml"
        self.language = language

    def type(self, *words: str, environment: dict[str, str] | None = None) -> Answer:
        """Type ``keguan --config … --lang … WORDS`` and return the answer."""
        return self.type_bare("--config", str(self.config), "--lang", self.language, *words, environment=environment)

    def ask(self, *words: str) -> Any:
        """Type the words with ``--json`` and return the document; fails unless the command ended with 0."""
        answer = self.type("--json", *words)
        assert answer.status == 0, answer.err or answer.out
        return answer.json

    def type_bare(self, *words: str, environment: dict[str, str] | None = None) -> Answer:
        """Type ``keguan WORDS`` as they are."""
        out, err = io.StringIO(), io.StringIO()
        clean = {key: value for key, value in os.environ.items() if not key.startswith("KEGUAN_")}
        with (
            mock.patch.dict(os.environ, clean | (environment or {}), clear=True),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main(words)
            except SystemExit as ending:
                status = ending.code if isinstance(ending.code, int) else 0
        return Answer(status, out.getvalue(), err.getvalue())

    def write_config(self, text: str) -> None:
        """Write the configuration file."""
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text, encoding="utf-8")
