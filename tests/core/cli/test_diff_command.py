"""``keguan diff`` on the command line: what the built-in standard itself brings, and clear refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cli import Desk

OF_ALL = ("diff", "--with", "sixplustwo", "--city", "wuhan", "--homes", "2", "--years", "1")


def test_a_whole_standard_is_what_it_adds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer = Desk(tmp_path).type_bare("--lang", "en", *OF_ALL)
    assert (answer.status, answer.err) == (0, "")
    changes, _, work = answer.out.partition("\nthe work of 2 invented homes")
    assert changes.startswith("what sixplustwo changes in wuhan:\n")
    touchpoint = next(line for line in changes.splitlines() if "congratulat" in line.lower())
    assert "added" in touchpoint
    assert "sixplustwo" in touchpoint
    assert "SMS as billed" in work
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "named"), [(("--with", "atlantis"), "atlantis"), (("--with", "x", "--city", "y"), "y")]
)
def test_what_there_is_not_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = Desk(tmp_path).type_bare("--lang", "en", "diff", *words)
    assert answer.status == 2
    assert answer.err.startswith("error: ")
    assert named in answer.err
    assert answer.err.count("\n") == 1
