"""An installation's life on the command line: init, upgrade, back up, restore, examine."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.cli import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "site")
    answer = desk.type_bare("--json", "init", str(desk.folder))
    assert answer.status == 0, answer.err
    return desk


def test_init_writes_what_one_needs_and_the_database_is_ready(desk: Desk) -> None:
    assert desk.config.is_file()
    assert (desk.folder / "var" / "keguan.db").is_file()
    assert (desk.folder / "secrets").stat().st_mode & 0o077 == 0
    assert desk.type("doctor").status == 0


def test_init_again_overwrites_nothing(desk: Desk) -> None:
    desk.config.write_text('language = "en"\n', encoding="utf-8")
    answer = desk.type_bare("--json", "init", str(desk.folder))
    assert answer.status == 0
    assert answer.json["created"] == []
    assert desk.config.read_text(encoding="utf-8") == 'language = "en"\n'


def test_upgrade_of_a_current_database_changes_nothing(desk: Desk) -> None:
    answer = desk.ask("db", "upgrade")
    assert answer["before"] == answer["after"]


def test_a_database_of_a_newer_version_is_refused_with_the_mend(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.folder / "var" / "keguan.db")) as database:
        database.execute("UPDATE alembic_version_core SET version_num = 'core_9999'")
        database.commit()
    answer = desk.type("dispatch")
    assert answer.status == 1
    assert "newer" in answer.err
    assert answer.err.count("\n") == 1


def test_a_backup_restored_brings_back_what_was_there(desk: Desk, tmp_path: Path) -> None:
    copy = tmp_path / "backup.db"
    desk.ask("emit", "project_changed", "project=云璟一期", "city=深圳")
    assert desk.ask("db", "backup", str(copy))["bytes"] > 0
    assert copy.stat().st_mode & 0o077 == 0
    desk.ask("emit", "project_changed", "project=云璟二期", "city=深圳")
    restored = desk.ask("db", "restore", str(copy))
    with closing(sqlite3.connect(desk.folder / "var" / "keguan.db")) as database:
        assert database.execute("SELECT name FROM projects").fetchall() == [("云璟一期",)]
    with closing(sqlite3.connect(restored["kept"])) as before:
        assert before.execute("SELECT count(*) FROM projects").fetchone() == (2,)
    verified = desk.ask("db", "verify")
    assert (verified["ok"], verified["problems"]) == (True, [])


def test_a_backup_never_overwrites_and_a_restore_takes_no_other_file(desk: Desk, tmp_path: Path) -> None:
    taken = tmp_path / "taken.db"
    taken.write_text("something else", encoding="utf-8")
    assert desk.type("db", "backup", str(taken)).status == 2
    assert taken.read_text(encoding="utf-8") == "something else"
    answer = desk.type("db", "restore", str(taken))
    assert answer.status == 1
    assert "taken.db" in answer.err


def test_doctor_names_each_trouble_with_its_mend(desk: Desk) -> None:
    secret = desk.folder / "secrets" / "KEGUAN_COMPANY__HOTLINE"
    secret.write_text("hunter2", encoding="utf-8")
    secret.chmod(0o644)
    answer = desk.type("doctor", environment={"KEGUAN_LANGAUGE": "en"})
    assert answer.status == 1
    assert "chmod 600" in answer.out
    assert "KEGUAN_LANGAUGE" in answer.out
    assert "hunter2" not in answer.out + answer.err


def test_doctor_finds_an_adapter_that_cannot_log_in(desk: Desk) -> None:
    text = desk.config.read_text(encoding="utf-8")
    desk.config.write_text(
        text + '\n[adapters.post]\ntype = "smtp"\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\n', encoding="utf-8"
    )
    answer = desk.type("--json", "doctor")
    assert answer.status == 1
    wrong = [row for row in answer.json["checks"] if not row["ok"]]
    assert [row["check"] for row in wrong] == ["adapters"]
    assert "post" in wrong[0]["detail"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_wrong_configuration_is_status_two_and_one_line(desk: Desk, language: str) -> None:
    desk.language = language
    desk.config.write_text('langauge = "zh"\n', encoding="utf-8")
    answer = desk.type("dispatch")
    assert answer.status == 2
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert "language" in answer.err


def test_no_traceback_without_v_and_one_with_it(desk: Desk) -> None:
    desk.config.write_text("[company", encoding="utf-8")
    assert "Traceback" not in desk.type("dispatch").err
    assert "Traceback" in desk.type("-v", "dispatch").err


@pytest.mark.parametrize("words", [(), ("outbox",), ("forms",)])
def test_a_group_without_a_command_says_which_there_are(desk: Desk, words: tuple[str, ...]) -> None:
    answer = desk.type_bare(*words)
    told = answer.out + answer.err
    assert told.startswith("Usage: keguan")
    assert "Commands:\n" in told
    assert answer.status in (0, 2)


def test_a_misspelt_command_names_the_one_that_was_meant(desk: Desk) -> None:
    answer = desk.type("replys", "list")
    assert answer.status == 2
    assert answer.err == "error: No such command 'replys', did you mean 'replies'? (keguan): see `keguan --help`\n"
