"""Looking ahead on the command line: ``--at``, ``rehearsal reset``, ``preview``, ``simulate``."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.support.cli import Desk

from keguan.demo.life import live

END, EVE = date(2025, 12, 31), date(2025, 5, 16)
NEXT_MORNING = f"{EVE + timedelta(days=1)}T10:00+08:00"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    lived = live(folder, 30, END, "zh", years=1, until=EVE)
    lived.installation.close()
    return folder


@pytest.fixture
def site(finished: Path, tmp_path: Path) -> Desk:
    folder = tmp_path / "site"
    shutil.copytree(finished, folder)
    return Desk(folder)


def live_files(site: Desk) -> dict[str, bytes]:
    """Everything below var/ that is not the rehearsal's."""
    var = site.folder / "var"
    return {
        str(file.relative_to(var)): file.read_bytes()
        for file in sorted(var.rglob("*"))
        if file.is_file() and "rehearsal" not in file.relative_to(var).parts[0] and not file.name.endswith("-shm")
    }


def test_a_rehearsal_leaves_the_live_database_and_outbox_alone(site: Desk) -> None:
    before = live_files(site)
    assert site.ask("--at", NEXT_MORNING, "tick")["ticks"]
    assert site.ask("--at", NEXT_MORNING, "dispatch")["sent"] > 0
    assert live_files(site) == before


def test_everything_rehearsed_leaves_as_files_in_a_folder_of_its_own(site: Desk) -> None:
    config = site.config.read_text(encoding="utf-8")
    site.write_config(
        config + '\n[adapters.mail]\ntype = "smtp"\nhost = "127.0.0.1"\nport = 9\nsecurity = "none"\n'
        '[channels]\nsms = []\nemail = ["mail"]\n'
    )
    settled = site.ask("--at", NEXT_MORNING, "dispatch")
    lines = (site.folder / "var/rehearsal/outbox/delivered.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == settled["sent"] > 0
    assert {json.loads(line)["at"][:10] for line in lines} == {str(EVE + timedelta(days=1))}


def test_an_import_under_at_changes_only_the_copy(site: Desk) -> None:
    before = live_files(site)
    new = site.folder / "new.csv"
    new.write_text(
        "合同编号,项目,客户姓名,手机号,签约日期\nHT-9,云璟·新,张三,17400999999,2025-05-16\n", encoding="utf-8"
    )
    answer = site.ask("--at", NEXT_MORNING, "import", "contracts", str(new), "--city", "深圳")
    assert answer["accepted"] == 1
    assert live_files(site) == before
    assert site.ask("--at", NEXT_MORNING, "journey", "HT-9")["contract"] == "HT-9"
    assert site.type("journey", "HT-9").status == 1


def test_reset_deletes_the_copy_and_nothing_else(site: Desk) -> None:
    site.ask("--at", NEXT_MORNING, "dispatch")
    before = live_files(site)
    file = site.folder / "var" / "rehearsal.db"
    assert file.exists()
    assert site.ask("rehearsal", "reset") == {"file": str(file), "deleted": True}
    assert list((site.folder / "var").glob("rehearsal.db*")) == []
    assert live_files(site) == before
    assert site.ask("rehearsal", "reset")["deleted"] is False
    again = site.ask("--at", NEXT_MORNING, "dispatch")
    assert again["sent"] > 0  # the copy is new, so it happens again


def test_reset_says_what_it_did(site: Desk) -> None:
    answer = site.type("rehearsal", "reset")
    assert (answer.status, answer.err) == (0, "")
    assert "no rehearsal's database" in answer.out


def test_a_rehearsal_in_the_live_database_is_refused(site: Desk) -> None:
    config = site.config.read_text(encoding="utf-8")
    url = 'url = "sqlite:///var/keguan.db"'
    assert url in config
    site.write_config(config.replace(url, url + '\nrehearsal_url = "sqlite:///var/keguan.db"'))
    before = live_files(site)
    answer = site.type("rehearsal", "reset")
    assert answer.status == 2
    assert live_files(site) == before


def test_preview_lists_the_day_and_writes_nothing(site: Desk) -> None:
    site.ask("status")  # whatever opening a database does is done
    before = live_files(site)
    days = [EVE + timedelta(days=n) for n in range(1, 12)]
    rows = [row for day in days for row in site.ask("preview", "--date", str(day))]
    assert live_files(site) == before
    assert rows
    keys = {"time", "channel", "plugin", "action", "clause", "subject", "to", "text", "status", "why"}
    assert {tuple(sorted(row)) for row in rows} == {tuple(sorted(keys))}
    table = site.type("preview", "--date", rows[0]["time"][:10])
    assert table.status == 0
    assert rows[0]["action"] in table.out


def test_simulate_needs_no_configuration_and_prints_the_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("simulate", "--from", "2024-01-01", "--to", "2024-06-30", "--homes", "6")
    answer = Desk(tmp_path).type_bare("--json", *words)
    assert (answer.status, answer.err) == (0, "")
    assert {"from", "to", "channels", "departments", "sms", "days"} <= answer.json.keys()
    table = Desk(tmp_path).type_bare("--lang", "en", *words)
    assert table.status == 0
    assert "busiest day" in table.out
    assert list(tmp_path.iterdir()) == []


def test_simulate_wants_a_period(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer = Desk(tmp_path).type_bare("--lang", "en", "simulate", "--from", "2024-01-02", "--to", "2024-01-01")
    assert answer.status == 2
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1


SHORT = ("simulate", "--from", "2024-01-01", "--to", "2024-04-30", "--homes", "4")


@pytest.mark.parametrize(("language", "heading"), [("en", "The work of an invented city"), ("zh", "虚构城市的工作量")])
def test_simulate_writes_a_page_that_asks_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, heading: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = Desk(tmp_path).type_bare("--json", "--lang", language, *SHORT, "--html", "load.html")
    assert (answer.status, answer.err) == (0, "")
    page = (tmp_path / "load.html").read_text(encoding="utf-8")
    assert f"<title>{heading}</title>" in page
    assert page.replace("http://www.w3.org/2000/svg", "").count("http") == 0
    assert "<script" not in page
    for row in answer.json["touchpoints"]:
        assert f'<tr><td>{row["label"]}</td><td class="n">{row["messages"]}</td>' in page
    assert str(answer.json["departments"][0]["busiest"]["date"]) in page


def test_simulate_draws_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("resvg_py")
    monkeypatch.chdir(tmp_path)
    fonts = pytest.importorskip("pylopdf_fonts_zh_cn")
    font = str(Path(fonts.__file__).with_name("NotoSansSC-Regular.otf"))
    answer = Desk(tmp_path).type_bare("--json", *SHORT, "--png", "load.png", "--font", font)
    assert (answer.status, answer.err) == (0, "")
    assert (tmp_path / "load.png").read_bytes().startswith(b"\x89PNG")


def test_without_the_extra_simulate_says_so_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    answer = Desk(tmp_path).type_bare("--lang", "en", *SHORT, "--png", "load.png")
    assert answer.status == 2
    assert "pip install 'keguan[charts]'" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_simulate_knows_its_cities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer = Desk(tmp_path).type_bare("--lang", "en", *SHORT, "--city", "atlantis")
    assert answer.status == 2
    assert "atlantis" in answer.err
