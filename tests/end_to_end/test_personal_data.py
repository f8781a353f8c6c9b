"""Nobody's name or number can be read where keguan keeps things, and keys are changed while it works."""

from __future__ import annotations

import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.site import Site, until

from keguan.sealing import new_key, parse_keys

CONTRACTS = """合同编号,项目,城市,楼栋,单元,房号,客户姓名,手机号,邮箱,证件号码,生日,签约日期,状态
HT-1,云璟一期,深圳,1,1,101,欧阳小满,13800138001,xiaoman@example.com,,1990-03-05,2026-10-01,已签约
HT-2,云璟一期,深圳,1,1,102,司马相宜,13800138002,xiangyi@example.com,,1991-03-05,2026-10-01,已签约
HT-3,云璟一期,深圳,1,1,103,坏行,1380013,x@example.com,,,2026-10-01,已签约
"""
PERSONAL = ("欧阳小满", "13800138001", "xiaoman@example.com", "1990-03-05", "司马相宜", "13800138002", "xiangyi@")
KEYS = Path("secrets/KEGUAN_PRIVACY__KEYS")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def imported(site: Site) -> None:
    file = site.folder / "outside" / "contracts.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text(CONTRACTS, encoding="utf-8")
    site.keguan("import", "contracts", str(file), status=1)  # one row is wrong


def readable(folder: Path) -> list[tuple[str, str]]:
    """Return which personal values can be read in which files; what the file adapter delivered is outside."""
    found = []
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder).parts
        if file.is_file() and inside[0] != "outside" and inside[:2] != ("var", "outbox"):
            content = file.read_bytes()
            found += [(str(file), value) for value in PERSONAL if value.encode() in content]
    return found


@pytest.mark.bad_day
def test_nothing_personal_can_be_read_in_the_database_the_logs_or_var(site: Site) -> None:
    site.config["log"] = {"level": "debug"}
    site.config["plugins"]["sixplustwo"]["enabled"] = True
    site.write()
    with site:
        imported(site)
        daemon = site.run()
        until(lambda: site.delivered, "a message")
        assert readable(site.folder) == []  # while it runs: with -wal and -shm
        site.keguan("db", "backup", str(site.folder / "backup.db"))
        site.keguan("--at", "2026-12-01T09:00+08:00", "dispatch", status=None)
        daemon.stop()
        assert [value for value in PERSONAL if value in daemon.output] == []
        assert readable(site.folder) == []
        delivered = list((site.folder / "var/outbox").rglob("*.txt"))
        assert any("13800138001" in file.read_text() for file in delivered)


def test_a_new_installation_gets_a_key_that_only_its_owner_can_read(site: Site) -> None:
    with site:
        file = site.folder / KEYS
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert len(parse_keys(file.read_text())) == 1


@pytest.mark.bad_day
def test_a_lost_or_wrong_key_is_one_line_and_nothing_is_written(site: Site) -> None:
    with site:
        imported(site)
        file = site.folder / KEYS
        kept = file.read_text()
        before = site.one("select count(*) from imports")
        file.unlink()
        lost = site.keguan("import", "contracts", str(site.folder / "outside" / "contracts.csv"), status=1).stderr
        assert re.fullmatch(r"error: the key of this database is missing \([0-9a-f]{8}\): put it back .*\n", lost)
        assert not file.exists()
        file.write_text(new_key())
        wrong = site.keguan("customers", "list", status=1).stderr
        assert re.fullmatch(r"error: the keys do not fit this database.*\n", wrong)
        file.write_text("nonsense")
        assert "line 1" in site.keguan("--lang", "en", "customers", "list", status=2).stderr
        file.write_text(kept)
        assert "欧阳小满" in site.keguan("--json", "customers", "list", "--unmask").stdout
        assert site.one("select count(*) from imports") == before


@pytest.mark.bad_day
def test_keys_are_changed_while_the_daemon_works(site: Site) -> None:
    with site:
        daemon = site.run()
        site.sign(20)
        until(lambda: site.delivered, "messages")
        site.keguan("privacy", "rotate")
        lines = (site.folder / KEYS).read_text().splitlines()
        assert len(lines) == 2
        so_far = len(site.delivered)
        site.sign(20)  # under the new key
        until(lambda: len(site.delivered) >= so_far + 20, "messages under the new key")
        (site.folder / KEYS).write_text(lines[0])
        site.sign(5)
        until(lambda: len(site.delivered) >= so_far + 25, "messages without the old key")
        assert daemon.running
        assert site.statuses("messages").keys() <= {"sent", "queued", "sending"}
        delivered = site.delivered
        assert len(delivered) == len(set(delivered))
        assert site.keguan("--json", "privacy", "log", "--kind", "rotate").stdout.count('"rotate"') == 1


@pytest.mark.bad_day
def test_a_rotation_that_is_killed_again_and_again_ends_with_everything_sealed_anew(site: Site) -> None:
    with site:
        site.sign(3000)
        command = [sys.executable, "-m", "keguan", "--config", str(site.file), "privacy", "rotate"]
        for pause in (0.7, 0.9, 1.1):
            child = subprocess.Popen(command, env=site.environment, stdout=subprocess.DEVNULL)
            time.sleep(pause)
            child.send_signal(signal.SIGKILL)
            child.wait()
        site.keguan("privacy", "rotate")
        newest = parse_keys((site.folder / KEYS).read_text())[0]
        sealed = f"substr(phone, 1, 13) <> '{newest.mark}' and phone <> ''"
        assert site.one(f"select count(*) from people where {sealed}") == 0
        assert site.one("select count(*) from people") >= 3000
        assert site.one("select count(*) from keys where retired_at is null") == 1
