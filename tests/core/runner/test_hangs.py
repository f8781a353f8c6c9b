"""A plugin that hung is recorded, suspended when it does so again, and given another chance when it is enabled."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from keguan.plugins.recorded import lift_suspension, suspended_names
from keguan.runner.hangs import note_hangs
from keguan.store.engine import Store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "watchdog"
    folder.mkdir()
    return folder


def leave_hang(folder: Path, plugin: str | None = "probe", hook: str = "daily_tick") -> None:
    """Leave behind what the watchdog of a process leaves that it had to end."""
    mark = f"{plugin}\n{hook}".encode() if plugin else b""
    (folder / "abc.mark").write_bytes(mark.ljust(256, b"\0"))
    (folder / "abc.trace").write_text("Timeout (0:00:01)!\n")


def noted(store: Store, name: str = "probe") -> tuple[int, str | None, str | None]:
    with store.read() as connection:
        row = connection.exec_driver_sql(f"select hangs, error, suspended_why from plugins where name = '{name}'").one()
    return row[0], row[1], row[2]


def test_the_first_hang_is_a_warning(store: Store, folder: Path) -> None:
    leave_hang(folder)
    assert [hang.plugin for hang in note_hangs(store, folder, NOON)] == ["probe"]
    hangs, error, suspended = noted(store)
    assert hangs == 1
    assert error is not None
    assert "daily_tick" in error
    assert suspended is None


def test_a_hang_is_noted_once(store: Store, folder: Path) -> None:
    leave_hang(folder)
    note_hangs(store, folder, NOON)
    assert note_hangs(store, folder, NOON) == []
    assert noted(store)[0] == 1


def test_the_second_hang_suspends_until_it_is_enabled_again(store: Store, folder: Path) -> None:
    for _ in range(2):
        leave_hang(folder)
        note_hangs(store, folder, NOON)
    with store.read() as connection:
        assert suspended_names(connection) == {"probe"}
    why = noted(store)[2]
    assert why is not None
    assert "keguan plugins enable probe" in why
    with store.write() as connection:
        lift_suspension(connection, "probe")
        assert suspended_names(connection) == set()
    leave_hang(folder)
    note_hangs(store, folder, NOON)
    assert noted(store)[0] == 1


def test_a_process_that_hung_outside_any_plugin_blames_none(store: Store, folder: Path) -> None:
    leave_hang(folder, plugin=None)
    assert [hang.plugin for hang in note_hangs(store, folder, NOON)] == [None]
    with store.read() as connection:
        assert connection.exec_driver_sql("select count(*) from plugins").scalar() == 0
