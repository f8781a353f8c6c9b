"""Imports that are killed, and imports that meet."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.support.front_desk import PROJECT, FrontDesk
from tests.support.keys import ring

from keguan.intake import process
from keguan.store.engine import open_store
from keguan.store.schema import contracts, departments, people

HEADER = "合同编号,楼栋,房号,客户姓名,手机号,落定日期,签约日期"
KILLS = 200 if os.environ.get("KEGUAN_LONG") else 20 if os.environ.get("KEGUAN_CI") else 5


def file_of(count: int) -> str:
    """Contracts, of which every third has two buyers and every tenth a buyer of another one."""
    lines = [HEADER]
    for n in range(count):
        buyer = n - 1 if n % 10 == 9 else n
        lines.append(f"HT-{n},{n % 7},{n},王{buyer},138{buyer:08},2026-03-01,2026-03-05")
        if n % 3 == 0:
            lines.append(f"HT-{n},{n % 7},{n},李{n},139{n:08},2026-03-01,2026-03-05")
    return "\n".join(lines) + "\n"


IMPORT = textwrap.dedent(
    """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from keguan.clock import VirtualClock
    from keguan.intake.importing import import_file
    from keguan.settings import parse_settings
    from keguan.store.engine import open_store

    url, folder, project = sys.argv[1:]
    folder = Path(folder)
    import_file(
        open_store(url, folder), parse_settings('', folder / 'config' / 'keguan.toml', {}),
        VirtualClock(datetime(2026, 6, 1, 4, tzinfo=UTC)), 'contracts', folder / 'export.csv',
        project=project, city='深圳', progress=lambda done, total: print(done, total, flush=True),
    )
    """
)


@pytest.mark.bad_day
def test_an_import_killed_at_random_moments_ends_the_same(desk: FrontDesk, store_url: str, tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text(file_of(4000), "utf-8")
    chance = random.Random(20260601)
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", IMPORT, store_url, str(tmp_path), PROJECT], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        child.stdout.readline()  # it has begun
        time.sleep(chance.uniform(0, 1.2))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert list((tmp_path / "var").iterdir()) == []
    subprocess.run([sys.executable, "-c", IMPORT, store_url, str(tmp_path), PROJECT], check=True, capture_output=True)
    told = desk.told()
    assert (told.count("deposit"), told.count("contract_signed")) == (4000, 4000)
    assert len(told) == 8000
    assert len(desk.rows(select(contracts.c.id))) == 4000
    assert len(desk.people()) == 4000 - 400 + 1334
    assert desk.contracts(file_of(4000)).accepted == 0


def test_two_imports_at_once_make_each_record_once(
    desk: FrontDesk, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_APPLY", 20)  # many short transactions that meet
    (tmp_path / "two").mkdir()
    other_store = open_store(store_url, tmp_path, ring())
    other = FrontDesk(other_store, tmp_path / "two")
    failures: list[BaseException] = []

    def run(one: FrontDesk) -> None:
        try:
            one.contracts(file_of(300))
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in (desk, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other_store.close()
    assert failures == []
    assert len(desk.told()) == 600
    assert len(desk.rows(select(contracts.c.id))) == 300
    assert len(desk.rows(select(people.c.id))) == 300 - 30 + 100


def test_others_go_on_writing_during_an_import(desk: FrontDesk) -> None:
    written = 0
    done = threading.Event()

    def write() -> None:
        nonlocal written
        while not done.is_set():
            with desk.store.write() as connection:
                connection.execute(departments.insert().values(name=f"部门{written}"))
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert desk.contracts(file_of(2000)).rejected_rows == 0
    finally:
        done.set()
        writer.join()
    assert written > 5  # it was let in between the import's transactions
