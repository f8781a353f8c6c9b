"""Copies and restores on bad days: writers in between, a disk that takes no more, and an end in the middle."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.databases import PostgresServer
from tests.support.site import Site, until

from keguan.store.migrate import HEAD

pytestmark = pytest.mark.bad_day


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path / "site") as site:
        yield site


def sound(file: Path) -> bool:
    """Whether a copy is whole: its pages, and every message beside the plan that it came from."""
    with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as copy:
        whole = copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return whole and copy.execute("PRAGMA foreign_key_check").fetchall() == []


# --- Beside a daemon and an import --------------------------------------------------------------------------------

WRITES = """
import sqlite3, sys, time
live = sqlite3.connect(sys.argv[1], isolation_level=None)
live.execute("PRAGMA busy_timeout = 10000")
number = 0
while True:
    live.execute("BEGIN IMMEDIATE")
    live.execute("INSERT INTO projects (name, city) VALUES (?, 'pair')", (f"{number} a",))
    live.execute("INSERT INTO projects (name, city) VALUES (?, 'pair')", (f"{number} b",))
    live.execute("COMMIT")
    number += 1
    print(number, flush=True)
"""


def test_a_copy_beside_a_daemon_an_import_and_somebody_who_never_rests(site: Site, tmp_path: Path) -> None:
    database = site.folder / "var" / "keguan.db"
    with closing(sqlite3.connect(database)) as filling, filling:  # several steps of the copy
        filling.executemany(
            "INSERT INTO projects (name, city) VALUES (?, 'filling')", [(f"{n} {'x' * 2000}",) for n in range(12_000)]
        )
    file = tmp_path / "contracts.csv"
    rows = "".join(f"A-{n},云璟一期,深圳,客户{n},139{n:08}\n" for n in range(3000))
    file.write_text("合同编号,项目,城市,客户姓名,手机号\n" + rows, encoding="utf-8")
    daemon = site.run()
    site.sign(200)
    command = [sys.executable, "-m", "keguan", "--config", str(site.file), "import", "contracts", str(file)]
    with (
        subprocess.Popen([sys.executable, "-c", WRITES, str(database)], stdout=subprocess.PIPE) as writer,
        subprocess.Popen(command, env=site.environment, stdout=subprocess.DEVNULL) as importing,
    ):
        try:
            assert writer.stdout is not None
            writer.stdout.readline()
            site.keguan("db", "backup", str(tmp_path / "copies"), "--keep", "2")
            assert writer.poll() is None
        finally:
            writer.kill()
            assert importing.wait(120) == 0
    (copy,) = (tmp_path / "copies").iterdir()
    assert sound(copy)
    with closing(sqlite3.connect(copy)) as other:
        assert other.execute("SELECT count(*) FROM projects WHERE city = 'filling'").fetchone()[0] == 12_000
        pairs = other.execute("SELECT count(*) FROM projects WHERE city = 'pair'").fetchone()[0]
        assert pairs > 0
        assert pairs % 2 == 0
    until(lambda: site.sent("email") == 200, "all messages")
    assert daemon.stop() == 0


# --- A disk that takes no more ------------------------------------------------------------------------------------


def limited(site: Site, size: int, *words: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Call the command line where no file may become larger than ``size`` bytes: the system refuses to write on."""
    return subprocess.run(
        [sys.executable, "-m", "keguan", "--config", str(site.file), *words],
        capture_output=True,
        text=True,
        timeout=120,
        env=site.environment | ({"PATH": path} if path else {}),
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


def test_a_copy_that_the_disk_does_not_take_leaves_nothing_behind(either: Site, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    either.keguan("db", "backup", str(folder), "--keep", "1")
    (before,) = folder.iterdir()
    content = before.read_bytes()
    done = limited(either, 4_000, "db", "backup", str(folder), "--keep", "1")
    assert done.returncode == 1
    assert done.stderr.startswith(("error: the backup could not be written", "error: pg_dump failed"))
    assert done.stderr.count("\n") == 1
    assert list(folder.iterdir()) == [before], "the one before is there as long as there is no other"
    assert before.read_bytes() == content


def test_a_restore_that_the_disk_does_not_take_changes_nothing(site: Site, tmp_path: Path) -> None:
    site.keguan("db", "backup", str(tmp_path / "copy.db"))
    site.sign(1)
    site.store.close()
    done = limited(site, 100_000, "db", "restore", str(tmp_path / "copy.db"))
    assert done.returncode == 1
    assert "the database is as it was" in done.stderr
    assert done.stderr.count("\n") == 1
    assert site.one("select count(*) from contracts") == 1
    assert [file.name for file in (site.folder / "var").iterdir() if "restor" in file.name] == []


# --- Killed in the middle -----------------------------------------------------------------------------------------

DIES = """
import os, signal, sys
from pathlib import Path

moment = int(sys.argv.pop(1))

def count(event, arguments):
    global moment
    if event in {events!r} and any({mark!r} in str(each) for each in arguments):
        moment -= 1
        if moment < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
from keguan.store.migrate import HEAD
from keguan.cli import main
main(sys.argv[1:])
"""
"""``keguan`` that is killed when it touches files of a certain name for the so-many-th time."""
TOUCHES = ("open", "os.rename", "os.link", "os.remove", "sqlite3.connect", "os.fsync", "shutil.copyfile")


def killed_at(site: Site, moment: int, mark: str, *words: str, events: tuple[str, ...] = TOUCHES) -> bool:
    """Call the command line and kill it at a moment; return whether it was still at work then."""
    code = DIES.format(events=events, mark=mark)
    done = subprocess.run(
        [sys.executable, "-c", code, str(moment), "--config", str(site.file), *words],
        capture_output=True,
        timeout=120,
        env=site.environment,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def test_a_copy_that_was_killed_is_none_and_the_next_one_clears_up(site: Site, tmp_path: Path) -> None:
    folder, moments = tmp_path / "copies", 0
    while killed_at(site, moments, "copies", "db", "backup", str(folder / "copy.db")):
        assert not (folder / "copy.db").exists() or sound(folder / "copy.db")
        (folder / "copy.db").unlink(missing_ok=True)
        moments += 1
    assert moments >= 3
    assert [file.name for file in folder.iterdir()] == ["copy.db"]
    (folder / "keguan-20260101T000000000000Z.db.part").touch()
    site.keguan("db", "backup", str(folder), "--keep", "3")
    assert [file for file in folder.iterdir() if file.suffix == ".part"] == []


def test_a_restore_that_was_killed_has_happened_or_not(site: Site, tmp_path: Path) -> None:
    site.sign(1)
    site.keguan("db", "backup", str(tmp_path / "copy.db"))
    site.sign(2)
    site.store.close()
    database, moments = site.folder / "var" / "keguan.db", 0
    seen = set()
    while killed_at(site, moments, "keguan.db", "db", "restore", str(tmp_path / "copy.db")):
        with closing(sqlite3.connect(database)) as now:
            assert now.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            seen.add(now.execute("SELECT count(*) FROM contracts").fetchone()[0])
        moments += 1
    assert moments >= 5
    assert seen <= {1, 3}
    assert 3 in seen
    assert site.one("select count(*) from contracts") == 1


@pytest.mark.postgres
def test_a_restore_of_a_server_that_was_killed_has_happened_or_not(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{postgres.tools}:{os.environ['PATH']}")
    with postgres.fresh() as url, Site(tmp_path / "site", database=url) as site:
        site.sign(1)
        site.keguan("db", "backup", str(tmp_path / "copy.dump"))
        site.sign(2)
        moments = 0
        while killed_at(site, moments, "", "db", "restore", str(tmp_path / "copy.dump"), events=("subprocess.Popen",)):
            assert site.one("select count(*) from contracts") == 3
            moments += 1
        assert moments == 3, "the version is read, the statements are written, the statements are run"
        assert site.one("select count(*) from contracts") == 1


UPGRADE_DIES = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine

moment = int(sys.argv.pop(1))

@event.listens_for(Engine, "before_cursor_execute")
def _count(connection, cursor, statement, parameters, context, executemany):
    global moment
    moment -= 1
    if moment < 0:
        os.kill(os.getpid(), signal.SIGKILL)

from keguan.cli import main
main(sys.argv[1:])
"""


def test_an_upgrade_that_was_killed_has_happened_or_not(site: Site) -> None:
    database = site.folder / "var" / "keguan.db"
    site.store.close()
    old_database(site)

    def shape() -> tuple[str, int]:
        with closing(sqlite3.connect(database)) as now:
            version = now.execute("SELECT version_num FROM alembic_version_core").fetchone()[0]
            return version, now.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]

    before = shape()
    assert before[0] == "core_0001"
    for moment in (1, 5, 12, 30, 45, 60, 75, 90):
        done = subprocess.run(
            [sys.executable, "-c", UPGRADE_DIES, str(moment), "--config", str(site.file), "db", "upgrade"],
            timeout=120,
            env=site.environment,
            check=False,
            capture_output=True,
        )
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        assert shape() == before
        assert sound(database)
    site.keguan("db", "upgrade")
    assert shape()[0] == HEAD
    assert sound(database)


# --- Copies of another version ------------------------------------------------------------------------------------


def old_database(site: Site) -> None:
    """Put a database of the first version, with a customer in clear, in the place of the live one."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import text

    from keguan.store import migrate
    from keguan.store.engine import open_store

    url = site.config["database"]["url"]
    if url.startswith("sqlite"):
        for suffix in ("", "-wal", "-shm"):
            (site.folder / "var" / f"keguan.db{suffix}").unlink(missing_ok=True)
        url = f"sqlite:///{site.folder / 'var' / 'keguan.db'}"
    store = open_store(url, site.folder)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with store.write() as connection:
        if not store.is_sqlite:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        config.attributes["connection"] = connection
        config.attributes["version_table"] = "alembic_version_core"
        command.upgrade(config, "core_0001")
        connection.execute(text("INSERT INTO people (name, phone) VALUES ('王小明', '+8613800138001')"))
    store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site on either database, with the programs of the server at hand."""
    if request.param == "sqlite":
        with Site(tmp_path / "site") as site:
            yield site
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    monkeypatch.setenv("PATH", f"{server.tools}:{os.environ['PATH']}")
    with server.fresh() as url, Site(tmp_path / "site", database=url) as site:
        yield site


def test_a_copy_of_an_older_version_is_put_back_upgraded_and_sealed(either: Site, tmp_path: Path) -> None:
    copy = tmp_path / "old.copy"
    either.store.close()
    old_database(either)
    either.keguan("db", "backup", str(copy))
    either.keguan("db", "upgrade")
    said = either.keguan("db", "restore", "--check", str(copy)).stdout
    assert "core_0001" in said
    assert either.keguan("db", "verify").returncode == 0, "a rehearsal touches nothing"
    said = either.keguan("db", "restore", str(copy)).stdout
    assert "run `keguan db upgrade` now" in said
    refused = either.keguan("status", status=1)
    assert "run `keguan db upgrade`" in refused.stderr
    either.keguan("db", "upgrade")
    listed = either.keguan("--json", "privacy", "rotate")
    assert listed.returncode == 0
    assert "王小明" not in str(either.rows("select * from people"))
    verified = either.keguan("--json", "db", "verify", "--full").stdout
    assert '"ok": true' in verified
    assert '"opened": 2' in verified


def test_a_copy_of_a_newer_version_is_refused_and_nothing_is_changed(either: Site, tmp_path: Path) -> None:
    copy = tmp_path / "new.copy"
    with either.store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version_core SET version_num = 'core_9999'")
    either.keguan("db", "backup", str(copy))
    with either.store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version_core SET version_num = '" + HEAD + "'")
    either.sign(1)
    either.store.close()
    for words in (("--check",), ()):
        refused = either.keguan("db", "restore", *words, str(copy), status=1)
        assert "newer keguan" in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert either.one("select count(*) from contracts") == 1


def test_what_was_made_can_be_rehearsed_and_put_back(either: Site, tmp_path: Path) -> None:
    either.sign(3)
    copy = tmp_path / "copy"
    either.keguan("db", "backup", str(copy))
    either.sign(2)
    either.store.close()
    either.keguan("db", "restore", "--check", str(copy))
    assert either.one("select count(*) from contracts") == 5
    either.store.close()
    either.keguan("db", "restore", str(copy))
    assert either.one("select count(*) from contracts") == 3
    either.store.close()
    content = bytearray(copy.read_bytes())
    content[len(content) // 3 :] = b"\0" * (len(content) - len(content) // 3)
    copy.write_bytes(content)
    for words in (("--check",), ()):
        refused = either.keguan("db", "restore", *words, str(copy), status=1)
        assert "Traceback" not in refused.stderr
    assert either.one("select count(*) from contracts") == 3
    assert [file.name for file in (either.folder / "var").iterdir() if file.name.startswith("restore-")] == []


def test_nothing_is_put_back_under_a_program_that_has_the_file_open(site: Site, tmp_path: Path) -> None:
    site.keguan("db", "backup", str(tmp_path / "copy.db"))
    site.sign(1)
    with site.store.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM contracts").fetchall()
        refused = site.keguan("db", "restore", str(tmp_path / "copy.db"), status=1)
    assert "another program holds the database" in refused.stderr
    assert site.one("select count(*) from contracts") == 1


def test_values_that_no_key_opens_are_found(either: Site) -> None:
    either.sign(2)
    with either.store.write() as connection:
        connection.exec_driver_sql("UPDATE people SET name = substr(name, 1, 20) WHERE id = 2")
    done = either.keguan("db", "verify", status=1)
    assert "1 rows of people" in done.stderr
    assert "rows 2" in done.stderr
