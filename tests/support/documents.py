"""The documents as tests see them: their blocks, their links, and the commands of a tutorial run one by one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["ROOT", "Block", "Command", "blocks", "commands", "documents", "run_commands"]

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```([a-z]*)[ ]*([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "=== keguan docs ==="
_PATIENCE = 1200.0
"""Seconds after which a tutorial counts as hanging: machines are loaded."""


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, what stands behind that, its text, and the line it begins in."""

    language: str
    info: str
    text: str
    line: int


@dataclass
class Command:
    """One command of a tutorial, and the lines that it must print, in order."""

    text: str
    line: int
    expected: list[str] = field(default_factory=list)
    output: str = ""
    status: int | None = None

    def problem(self) -> str | None:
        """Return what is wrong with how the command ended, ``None`` when it did what the tutorial says."""
        if self.status != 0:
            return f"line {self.line}: `{self.text}` ended with status {self.status}:\n{self.output}"
        rest = [_squeezed(line) for line in self.output.splitlines()]
        for line in self.expected:
            pattern = re.compile(".*".join(map(re.escape, re.split(" ?… ?", _squeezed(line)))))
            at = next((index for index, there in enumerate(rest) if pattern.fullmatch(there)), None)
            if at is None:
                return f"line {self.line}: `{self.text}` does not print {line!r} (any more):\n{self.output}"
            rest = rest[at + 1 :]
        return None


def documents() -> list[Path]:
    """Return every document of the repository."""
    folders = ("", "docs", "examples/*", "plugins", "plugins/*")
    return sorted(file for folder in folders for file in ROOT.glob(f"{folder}/*.md" if folder else "*.md"))


def blocks(file: Path, *languages: str) -> list[Block]:
    """Return the fenced blocks of ``file``, of these languages or all."""
    text = file.read_text(encoding="utf-8")
    found = (
        Block(match[1], match[2], match[3], line=text.count("\n", 0, match.start()) + 1)
        for match in _FENCE.finditer(text)
    )
    return [block for block in found if not languages or block.language in languages]


def commands(file: Path) -> list[Command]:
    """Return the commands of a tutorial: ``sh`` blocks as they are, in ``console`` blocks the lines after ``$``."""
    return [command for block in blocks(file, "sh", "console") for command in _commands_of(block)]


def _commands_of(block: Block) -> Iterator[Command]:
    if block.language == "sh":
        yield Command(block.text.rstrip(), block.line)
        return
    current: Command | None = None
    for number, line in enumerate(block.text.splitlines(), start=block.line + 1):
        if line.startswith("$ "):
            if current is not None:
                yield current
            current = Command(line.removeprefix("$ "), number)
        elif current is not None and line.strip() not in ("", "…"):
            current.expected.append(line)
    if current is not None:
        yield current


def run_commands(todo: list[Command], folder: Path) -> None:
    """Run the commands in one shell in ``folder``, as a reader would, and note what each printed."""
    steps = (f"{{ {command.text}\n}} 2>&1 </dev/null\necho; echo '{_MARK}' $?\n" for command in todo)
    script = folder.with_suffix(".sh")
    script.write_text("".join(steps), encoding="utf-8")
    tools, packages = folder.with_suffix(".bin"), folder.with_suffix(".site")
    _stand_in_for_pip(tools, packages)
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("KEGUAN_", "PYTEST_"))}
    clean["PATH"] = os.pathsep.join((str(tools), str(Path(sys.executable).parent), clean.get("PATH", "")))
    clean["PYTHONPATH"] = str(packages)
    clean["COLUMNS"] = "200"
    with subprocess.Popen(
        ["sh", str(script)], cwd=folder, env=clean, stdout=subprocess.PIPE, start_new_session=True
    ) as shell:
        try:
            out = shell.communicate(timeout=_PATIENCE)[0].decode()
        finally:  # what a broken tutorial leaves running goes too
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    parts = re.split(rf"^{re.escape(_MARK)} (\d+)\n", out, flags=re.MULTILINE)
    for command, output, status in zip(todo, parts[0::2], parts[1::2], strict=False):
        command.output, command.status = output.rstrip("\n"), int(status)


_PIP = """#!{python}
import sys, tomllib
from pathlib import Path

folder, site = Path(sys.argv[-1].partition("[")[0]).resolve(), Path({site!r})
project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
info = site / (project["name"].replace("-", "_") + "-" + project["version"] + ".dist-info")
info.mkdir(parents=True)
(info / "METADATA").write_text("Metadata-Version: 2.1\\nName: {{name}}\\nVersion: {{version}}\\n".format(**project))
points = project["entry-points"]["keguan"]
(info / "entry_points.txt").write_text("[keguan]\\n" + "".join(f"{{name}} = {{it}}\\n" for name, it in points.items()))
for package in points.values():
    (site / package).symlink_to(folder / package)
"""


def _stand_in_for_pip(tools: Path, packages: Path) -> None:
    """Put a `pip` in front that makes `pip install -e FOLDER` work without network, and in no real environment."""
    tools.mkdir()
    packages.mkdir()
    pip = tools / "pip"
    pip.write_text(_PIP.format(python=sys.executable, site=str(packages)), encoding="utf-8")
    pip.chmod(0o755)


def _squeezed(line: str) -> str:
    """Return the line without the widths of columns."""
    return " ".join(line.split())
