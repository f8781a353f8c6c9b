"""Log lines: one form, masked, in a file that does not grow for ever."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from keguan.logs import configure_logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    sink = getattr(structlog.get_config()["logger_factory"], "_file", None)
    if isinstance(sink, logging.Handler):
        sink.close()
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_line_is_json_with_its_numbers_masked(tmp_path: Path) -> None:
    file = tmp_path / "log" / "keguan.log"
    configure_logs("info", file=file)
    structlog.get_logger("keguan.x").info("message", key="a/contract/13800138000/1", error="no such 13800138000")
    (line,) = _lines(file)
    assert line["key"] == "a/contract/13800138000/1"
    assert line["error"] == "no such 138****8000"


def test_what_a_library_says_becomes_such_a_line_too(tmp_path: Path) -> None:
    file = tmp_path / "keguan.log"
    configure_logs("info", file=file)
    logging.getLogger("some.library").warning("refused %s", "13800138000")
    (line,) = _lines(file)
    assert (line["event"], line["library"], line["level"]) == ("refused 138****8000", "some.library", "warning")


def test_a_library_that_misuses_its_own_logging_harms_nobody(tmp_path: Path) -> None:
    file = tmp_path / "keguan.log"
    configure_logs("info", file=file)
    logging.getLogger("some.library").warning("%d items", "many")
    structlog.get_logger("keguan.x").info("still here")
    assert [line["event"] for line in _lines(file)] == ["still here"]


def test_a_full_file_is_set_aside_and_only_so_many_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "keguan.log"
    configure_logs("info", file=file, max_mb=0.001, keep=2)
    for number in range(60):
        structlog.get_logger("keguan.x").info("message", number=number)
    kept = sorted(tmp_path.iterdir())
    assert [one.name for one in kept] == ["keguan.log", "keguan.log.1", "keguan.log.2"]
    assert all(one.stat().st_size <= 1000 for one in kept)
    numbers = [line["number"] for one in reversed(kept) for line in _lines(one)]
    assert numbers == list(range(60 - len(numbers), 60))


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    configure_logs("info", file=full)
    for _ in range(5):
        structlog.get_logger("keguan.x").info("message")
    assert capsys.readouterr().err == ""
