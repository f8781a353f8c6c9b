"""The guide for operators: its walk-through is run as it stands, and it explains every alarm that can ring."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.support.documents import ROOT, blocks, commands, run_commands

from keguan.store.schema import MESSAGE_STATUSES

GUIDE = ROOT / "docs" / "operating.md"
TEXTS = ROOT / "core" / "keguan" / "texts" / "en"
QUIET = {"SEARCH refused", "FETCH refused"}  # of imaplib's error, which is no logger


def section(heading: str) -> str:
    """Return the text below a heading, up to the next one of its rank."""
    rank = heading.partition(" ")[0]
    text = GUIDE.read_text(encoding="utf-8").partition(f"\n{heading}\n")[2]
    return re.split(rf"^#{{1,{len(rank)}}} ", text, flags=re.MULTILINE)[0]


def test_the_walk_through_works_as_it_says(tmp_path: Path) -> None:
    walk = section("## From nothing to a restore")
    assert blocks(GUIDE, "console"), "there is something to walk through"
    todo = [command for command in commands(GUIDE) if command.text in walk]
    assert len(todo) > 25
    folder = tmp_path / "machine"
    folder.mkdir()
    run_commands(todo, folder)
    problems = [problem for command in todo if (problem := command.problem())]
    assert not problems, "\n\n".join(problems)


def alarms() -> dict[str, str]:
    """Return every word of the table of alarms with where it rings."""
    found: dict[str, str] = {}
    for line in section("### Every alarm").splitlines():
        if not line.startswith("| `"):
            continue
        words, where, means, do = (cell.strip() for cell in line.strip("|").split("|"))
        assert means
        assert do
        for word in re.findall(r"`([^`]+)`", words):
            assert word not in found, f"{word} stands there twice"
            found[word] = where
    return found


def at(place: str) -> set[str]:
    return {word for word, where in alarms().items() if place in where.split(", ")}


def catalogue(area: str) -> dict[str, object]:
    return tomllib.loads((TEXTS / f"{area}.toml").read_text(encoding="utf-8"))


def test_every_problem_of_status_doctor_and_health_is_explained() -> None:
    problems, checks = catalogue("status")["problem"], catalogue("doctor")["check"]
    assert isinstance(problems, dict)
    assert isinstance(checks, dict)
    assert at("S") == set(problems)
    assert at("D") == set(checks)
    assert at("H") == set(catalogue("health")) - {"well"}


def test_every_status_of_a_message_is_explained() -> None:
    assert at("M") == set(MESSAGE_STATUSES)


def test_everything_that_a_database_may_say_is_explained() -> None:
    engine = (ROOT / "core" / "keguan" / "store" / "engine.py").read_text(encoding="utf-8")
    reasons = set(re.findall(r'^    \(".+", "(store\.\w+)"\),', engine, re.MULTILINE))
    assert at("R") == reasons | {"store.newer"}


def spoken() -> Iterator[str]:
    """Return every event that some module logs as a warning or an error."""
    for file in sorted((ROOT / "core" / "keguan").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            called = ast.unparse(node.func)
            loud = re.search(r"\.(warning|error|critical|exception)\b", called) or called == "say"
            if loud and isinstance(node.args[0].value, str):
                yield node.args[0].value


def test_every_warning_and_error_of_the_log_is_explained() -> None:
    assert at("L") == set(spoken()) - QUIET
