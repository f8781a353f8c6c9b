"""The tutorials do what they say: their commands are run one by one, and each prints what stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.documents import ROOT, commands, run_commands

TUTORIALS = sorted(file.name for file in (ROOT / "docs").glob("tutorial-*.md"))


def test_there_is_a_tutorial_for_each_of_the_three_kinds_of_people() -> None:
    assert TUTORIALS == ["tutorial-administrators.md", "tutorial-developers.md", "tutorial-operations.md"]


@pytest.mark.parametrize("name", TUTORIALS)
def test_every_command_of_the_tutorial_works_as_it_says(name: str, tmp_path: Path) -> None:
    todo = commands(ROOT / "docs" / name)
    folder = tmp_path / "desk"
    folder.mkdir()
    run_commands(todo, folder)
    problems = [problem for command in todo if (problem := command.problem())]
    assert not problems, "\n\n".join(problems)
