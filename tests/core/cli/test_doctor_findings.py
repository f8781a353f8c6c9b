"""Each illness that `keguan doctor` knows, brought about and found, with its mend and without a trace."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import socket
import sqlite3
from collections import namedtuple
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, make_url, text
from tests.support.cli import Desk
from tests.support.databases import PostgresServer
from tests.support.imap import PASSWORD, USER, MailboxServer, mailbox_server

from keguan.building import open_database
from keguan.settings import load_settings
from keguan.store.backup import note_backup
from keguan.store.engine import Store
from keguan.store.schema import events, gateways

BASE = """
language = "en"
[company]
name = "Cloud Estates"
[cities.shenzhen]
name = "深圳"
[plugins.sixplustwo]
enabled = false
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "site")
    desk.write_config(BASE)
    with open_store(desk):
        (desk.folder / "secrets").chmod(0o700)
    return desk


class open_store:  # noqa: N801 - reads as the function that it is
    """The database of a desk, for a moment."""

    def __init__(self, desk: Desk) -> None:
        self._store = open_database(load_settings(desk.config, {}))

    def __enter__(self) -> Store:
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


def configure(desk: Desk, more: str) -> None:
    desk.write_config(BASE + more)


def said(desk: Desk, check: str, *words: str, environment: dict[str, str] | None = None) -> list[tuple[bool, str]]:
    """What doctor says of one thing: whether it is well, and the sentence."""
    answer = desk.type("--json", "doctor", *words, environment=environment)
    assert "Traceback" not in answer.err
    document = answer.json
    assert document.keys() == {"healthy", "checks"}
    assert all(row.keys() == {"check", "ok", "detail"} for row in document["checks"])
    assert (answer.status == 0) == document["healthy"] == all(row["ok"] for row in document["checks"])
    return [(row["ok"], row["detail"]) for row in document["checks"] if row["check"] == check]


def ills(desk: Desk, check: str, *words: str, environment: dict[str, str] | None = None) -> list[str]:
    return [detail for ok, detail in said(desk, check, *words, environment=environment) if not ok]


def event(store: Store, received_at: datetime) -> None:
    with store.write() as connection:
        connection.execute(
            insert(events).values(
                source="test",
                id=str(received_at),
                type="tick",
                time=received_at,
                subject_type="day",
                subject_id=1,
                city="shenzhen",
                data={},
                received_at=received_at,
            )
        )


# --- What it leaves behind ----------------------------------------------------------------------------------------


def traces(folder: Path) -> dict[str, str]:
    """Every file and its content; what SQLite puts beside an open database goes with the last connection."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
        for file in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_written(desk: Desk, language: str) -> None:
    configure(
        desk,
        '[drop]\nfolder = "var/drop"\n[web]\nlisten = "127.0.0.1:0"\npublic_url = "https://care.example.com"\n'
        'unsubscribe_mail = "no@example.com"\n',
    )
    before = traces(desk.folder)
    assert desk.type_bare("--config", str(desk.config), "--lang", language, "doctor").status == 1
    assert traces(desk.folder) == before


def test_what_works_and_should_be_known_has_a_mark_of_its_own(desk: Desk) -> None:
    lines = desk.type("doctor").out.splitlines()
    assert {line[0] for line in lines} == {"✓", "!"}
    assert [line for line in lines if line.startswith("! Backups")]


# --- Patience -----------------------------------------------------------------------------------------------------


@pytest.fixture
def mailbox() -> Iterator[MailboxServer]:
    with mailbox_server() as server:
        yield server


def with_mailbox(desk: Desk, server: MailboxServer, more: str = "") -> dict[str, str]:
    configure(
        desk,
        f'[mailboxes.sales]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\nuser = "{USER}"\n{more}',
    )
    return {"KEGUAN_MAILBOXES__SALES__PASSWORD": PASSWORD}


def test_a_check_that_hangs_is_told_and_holds_up_nobody(desk: Desk, mailbox: MailboxServer) -> None:
    mailbox.hang = True
    environment = with_mailbox(desk, mailbox, "timeout = 300\n")
    (line,) = ills(desk, "mailboxes", "--timeout", "1", environment=environment)
    assert "no answer within 1 s" in line
    assert "sales" in line


def test_a_check_that_breaks_is_told_by_the_kind_of_error_only(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_folder: object) -> None:
        raise ValueError("王小明 13800138000")

    monkeypatch.setattr("shutil.disk_usage", breaks)
    (line,) = ills(desk, "disk")
    assert "ValueError" in line
    assert "13800138000" not in line


# --- The machine --------------------------------------------------------------------------------------------------


def test_a_disk_that_is_nearly_full(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12 - 10**8, 10**8))
    (line,) = ills(desk, "disk")
    assert "100 MB" in line


def test_a_disk_that_takes_no_more_files(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(desk.folder)

    class Full:
        f_files, f_favail = 1000, 3

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

    monkeypatch.setattr(os, "statvfs", lambda _: Full())
    (line,) = ills(desk, "disk")
    assert line.startswith("only 3 more files")


def test_what_others_can_read_or_write(desk: Desk) -> None:
    secrets, database = desk.folder / "secrets", desk.folder / "var" / "keguan.db"
    assert database.stat().st_mode & 0o077 == 0, "it is made for its owner only"
    database.chmod(0o644)
    secrets.chmod(0o777)
    assert "chmod 600" in ills(desk, "database")[0]
    assert "chmod 700" in ills(desk, "secrets")[0]
    (secrets / "KEGUAN_PRIVACY__KEYS").chmod(0o640)
    assert "KEGUAN_PRIVACY__KEYS" in ills(desk, "secrets")[0]


def test_files_of_another_user(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = (str(desk.folder / "var"), str(desk.folder / "secrets"))
    real = os.access  # the one who runs the tests may be root, who may all
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).startswith(ours) and real(path, mode))
    assert "may not write the database" in ills(desk, "database")[0]
    assert "may not read the keys" in ills(desk, "secrets")[0]


def test_a_clock_that_went_back_is_found_by_what_was_stored_before(desk: Desk) -> None:
    with open_store(desk) as store:
        event(store, datetime.now(UTC) - timedelta(minutes=1))
        assert ills(desk, "clock") == []
        event(store, datetime.now(UTC) + timedelta(days=2))
    (line,) = ills(desk, "clock")
    assert "NTP" in line


@pytest.mark.postgres
def test_the_servers_clock_is_compared(desk: Desk, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with postgres.fresh() as url:
        environment = {"KEGUAN_DATABASE__URL": url}
        assert desk.type("privacy", "rotate", environment=environment).status == 0
        assert ills(desk, "clock", environment=environment) == []
        store = open_database(load_settings(desk.config, environment))
        with store.write() as connection:  # the server's own word for the time, an hour ahead
            connection.execute(text("CREATE SCHEMA moved"))
            connection.execute(
                text(
                    "CREATE FUNCTION moved.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
                    "$$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$"
                )
            )
            connection.execute(
                text(f"ALTER DATABASE {make_url(url).database} SET search_path = moved, pg_catalog, public")
            )
        store.close()
        (line,) = ills(desk, "clock", environment=environment)
        assert "3600 s apart" in line


# --- The database -------------------------------------------------------------------------------------------------


def test_no_database_yet(desk: Desk) -> None:
    (desk.folder / "var" / "keguan.db").unlink()
    assert "keguan init" in ills(desk, "database")[0]
    assert not (desk.folder / "var" / "keguan.db").exists()
    assert said(desk, "adapters") == [(True, "file (file)")], "what needs no database is examined all the same"


def test_migrations_that_wait(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.folder / "var" / "keguan.db")) as database, database:
        database.execute("UPDATE alembic_version_core SET version_num = 'core_0001'")
    (line,) = ills(desk, "database")
    assert "`keguan db upgrade`" in line
    assert "core_0001" in line


def test_an_installation_without_a_key_is_not_called_sealed(desk: Desk) -> None:
    keys = desk.folder / "secrets" / "KEGUAN_PRIVACY__KEYS"
    with open_store(desk) as store:
        kept = keys.read_text(encoding="utf-8")
        fingerprint = store.ring.fingerprints[0]
        keys.unlink()
        (line,) = ills(desk, "privacy")
        assert fingerprint in line
        with store.write() as connection:  # as if nothing had ever been sealed
            connection.execute(text("DELETE FROM keys"))
        ((ok, line),) = said(desk, "privacy")
        assert ok
        assert "no key yet" in line
        with store.write() as connection:
            connection.execute(text("INSERT INTO people (name) VALUES ('王小明')"))
        (line,) = ills(desk, "privacy")
        assert "in clear" in line
        keys.write_text(kept, encoding="utf-8")
        keys.chmod(0o600)
    assert "keguan privacy rotate" in ills(desk, "privacy")[0]
    assert desk.type("privacy", "rotate").status == 0
    assert said(desk, "privacy") == [(True, f"everything is sealed with the key {fingerprint}")]


def test_a_database_without_a_backup_is_ill_after_a_week(desk: Desk) -> None:
    now = datetime.now(UTC)
    with open_store(desk) as store:
        assert ills(desk, "backups") == []
        event(store, now - timedelta(days=9))
    assert "--keep" in ills(desk, "backups")[0]
    desk.ask("db", "backup", str(desk.folder / "copy.db"))
    ((ok, line),) = said(desk, "backups")
    assert ok
    assert "copy.db" in line
    note_backup(desk.folder, desk.folder / "copy.db", now - timedelta(days=20))
    assert "20 days" in ills(desk, "backups")[0]


# --- What runs and what is said -----------------------------------------------------------------------------------


def test_plugins_that_do_not_load(desk: Desk) -> None:
    configure(desk, "[plugins.wuhan_of_old]\nenabled = true\n")
    assert "wuhan_of_old" in ills(desk, "plugins")[0]


def test_a_template_that_cannot_be_read(desk: Desk) -> None:
    folder = desk.folder / "config" / "templates" / "keguan" / "en"
    folder.mkdir(parents=True)
    (folder / "digest.email.j2").write_text("{% if %}", encoding="utf-8")
    assert "digest" in ills(desk, "templates")[0]


def test_every_city_has_its_calendar_looked_at(desk: Desk) -> None:
    configure(desk, '[cities.wuhan]\nname = "武汉"\n[cities.urumqi]\ntime_zone = "Asia/Urumqi"\n')
    details = [detail for _, detail in said(desk, "calendar")]
    assert all(any(city in detail for detail in details) for city in ("shenzhen", "wuhan", "urumqi"))


def test_heads_nobody_knows(desk: Desk) -> None:
    configure(desk, '[departments."客服部"]\nhead = "nobody"\n')
    assert "客服部" in ills(desk, "staff")[0]


def test_a_test_installation_is_told_loudly(desk: Desk) -> None:
    configure(desk, '[test]\nonly_to = ["+8613800138000"]\n')
    ((ok, line),) = said(desk, "allow_list")
    assert ok
    assert line.startswith("TEST INSTALLATION")
    assert "138" not in line


def test_variables_that_set_nothing(desk: Desk) -> None:
    assert "KEGUAN_COMPANI__NAME" in ills(desk, "environment", environment={"KEGUAN_COMPANI__NAME": "x"})[0]


# --- Ways out -----------------------------------------------------------------------------------------------------

POST = '[adapters.post]\ntype = "file"\n[adapters.spare]\ntype = "file"\n'


def state(desk: Desk, name: str, **values: object) -> None:
    with open_store(desk) as store, store.write() as connection:
        connection.execute(insert(gateways).values(name=name, **values))


def test_a_gateway_that_refuses_its_configuration(desk: Desk) -> None:
    configure(desk, POST)
    now = datetime.now(UTC)
    rests = {"paused_until": now + timedelta(hours=1), "last_error": "sign of 13800138000 is wrong"}
    state(desk, "post", paused_by="configuration", **rests)
    state(desk, "gone_from_the_configuration", paused_by="configuration", **rests)
    (line,) = ills(desk, "gateways")
    assert line.startswith("post refuses")
    assert "13800138000" not in line


def test_a_gateway_at_its_limit_and_one_that_failed_last_are_no_illness(desk: Desk) -> None:
    configure(desk, POST)
    now = datetime.now(UTC)
    state(desk, "post", paused_by="limit", paused_until=now + timedelta(hours=1))
    state(desk, "spare", last_error_at=now - timedelta(hours=1), last_error="421 busy")
    state(desk, "file", last_error_at=now - timedelta(hours=1), last_sent_at=now, last_error="421 busy")
    found = said(desk, "gateways")
    assert [ok for ok, _ in found] == [True, True]
    assert ["post reached a limit" in found[0][1], "spare failed last" in found[1][1]] == [True, True]


def test_channels_that_lead_nowhere(desk: Desk) -> None:
    smtp = '[adapters.mail]\ntype = "smtp"\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\n'
    configure(desk, f'{smtp}{POST}[channels]\nemail = ["mail", "post"]\nletter = []\n')
    details = [detail for ok, detail in said(desk, "channels") if ok]
    assert [detail for detail in details if "letter has no adapter" in detail]
    assert [detail for detail in details if "sms only become files" in detail]
    assert [detail for detail in details if "names the adapter spare" in detail]
    assert not [detail for detail in details if "adapter post" in detail or "channel email" in detail]


def test_robots_without_a_channel(desk: Desk) -> None:
    configure(desk, '[departments."客服部"]\nchat = "客服部"\n')
    assert "客服部" in ills(desk, "channels")[0]


# --- Ways in ------------------------------------------------------------------------------------------------------


def test_a_drop_folder_that_is_not_there_and_one_that_is_none(desk: Desk) -> None:
    configure(desk, '[drop]\nfolder = "var/drop"\n')
    assert "does not exist" in ills(desk, "drop")[0]
    (desk.folder / "var" / "drop").write_text("a file", encoding="utf-8")
    assert "cannot be moved" in ills(desk, "drop")[0]


def test_files_that_wait_in_failed(desk: Desk) -> None:
    configure(desk, '[drop]\nfolder = "var/drop"\nsettle = 0\n')
    folder = desk.folder / "var" / "drop" / "contracts"
    folder.mkdir(parents=True)
    (folder / "may.csv").write_text(
        "合同编号,项目,城市,客户姓名,手机号\nA-1,云璟一期,深圳,王小明,12\n", encoding="utf-8"
    )
    desk.type("intake", "run")
    (line,) = ills(desk, "drop")
    assert line.startswith("1 files from var/drop")
    assert desk.ask("status")["failed_files"] == 1
    shutil.rmtree(desk.folder / "var" / "drop" / "failed")
    assert ills(desk, "drop") == []


def test_a_mailbox_that_lets_us_in_and_one_that_does_not(desk: Desk, mailbox: MailboxServer) -> None:
    environment = with_mailbox(desk, mailbox, 'allowed = ["@example.com"]\n')
    found = said(desk, "mailboxes", environment=environment)
    assert [ok for ok, _ in found] == [True, True]
    assert "every From line" in found[1][1]
    assert mailbox.fetched == []
    (line,) = ills(desk, "mailboxes", environment={"KEGUAN_MAILBOXES__SALES__PASSWORD": "wrong"})
    assert "refuses user or password" in line


def test_what_the_web_promises(desk: Desk, mailbox: MailboxServer) -> None:
    configure(desk, '[web]\npublic_url = "https://care.example.com"\nunsubscribe_mail = "no@example.com"\n')
    nobody_listens, nobody_reads = ills(desk, "web")
    assert "[web] listen" in nobody_listens
    assert "[mailboxes]" in nobody_reads
    environment = with_mailbox(desk, mailbox, '[web]\nunsubscribe_mail = "no@example.com"\n')
    ((ok, line),) = said(desk, "web", environment=environment)
    assert ok
    assert "sales" in line
    environment = with_mailbox(desk, mailbox, f'[web]\nunsubscribe_mail = "{USER}"\n')
    assert said(desk, "web", environment=environment) == []


def test_a_port_that_another_program_holds(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        configure(desk, f'[web]\nlisten = "{listen}"\n')
        (line,) = ills(desk, "web")
        assert os.strerror(errno.EADDRINUSE) in line
        beat = {"at": datetime.now(UTC).isoformat(), "pid": 1, "lag_seconds": 0.0, "reload_error": None}
        (desk.folder / "var" / "health.json").write_text(json.dumps(beat), encoding="utf-8")
        assert said(desk, "web") == [(True, listen)], "the daemon lives: it is the one who holds it"
