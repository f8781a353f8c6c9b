"""What is due is asked at every wake, so it must not read the tables: each part is the first entry of an index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from tests.support.databases import SqliteTemplate

from keguan.runner.horizon import look_ahead
from keguan.store.engine import Store, open_store


@pytest.fixture
def embedded(sqlite_template: SqliteTemplate, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(sqlite_template.copy_to(tmp_path / "keguan.db"), tmp_path)
    yield opened
    opened.close()


def test_every_part_of_the_look_ahead_uses_an_index(embedded: Store) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, _context: object, _many: object) -> None:
        asked.append((statement, parameters))

    with embedded.read() as connection:
        event.listen(embedded.engine, "before_cursor_execute", note)
        look_ahead(connection)
        event.remove(embedded.engine, "before_cursor_execute", note)
        statement, parameters = asked[-1]
        steps = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    tables = [step for step in steps if step.startswith(("SCAN", "SEARCH")) and "CONSTANT ROW" not in step]
    assert len(tables) == 6
    assert [step for step in tables if "USING" not in step] == []
