"""Administrators switch business areas on and off, and see what the last load found."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.support.cli import Desk

CONFIG = """# our company
language = "en"

[company]
name = "云璟地产"      # shown in every signature
hotline = "400-000-0000"

[cities.shenzhen]
name = "深圳"
[cities.wuhan]
name = "武汉"
"""
KEYS = {
    "name",
    "distribution",
    "version",
    "enabled",
    "cities",
    "except_cities",
    "requires",
    "loaded",
    "error",
    "hooks",
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write_config(CONFIG)
    return desk


def sign(desk: Desk, number: str) -> None:
    """Sign a contract today, so that all its promises lie ahead."""
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    desk.ask(
        "emit",
        "contract_signed",
        f"contract_no={number}",
        "project=云璟一期",
        "city=武汉",
        "customer=张三",
        "phone=13800138000",
        f"signed_on={today}",
    )


def statuses(desk: Desk) -> dict[str, int]:
    found: dict[str, int] = {}
    for plan in desk.ask("plans", "list"):
        found[plan["status"]] = found.get(plan["status"], 0) + 1
    return found


def test_the_list_has_the_keys_of_the_interface_and_imports_no_plugin(desk: Desk) -> None:
    (row,) = [row for row in desk.ask("plugins", "list") if row["name"] == "sixplustwo"]
    assert set(row) == KEYS
    assert (row["enabled"], row["loaded"], row["hooks"]) == (True, False, [])
    desk.ask("plugins", "check")
    (row,) = [row for row in desk.ask("plugins", "list") if row["name"] == "sixplustwo"]
    assert row["loaded"] is True
    assert "on_contract_signed" in row["hooks"]


def test_help_and_the_list_import_no_plugin(desk: Desk) -> None:
    script = (
        "import sys\nfrom keguan.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(sorted(name for name in sys.modules if name.startswith('keguan_')))"
    )
    for words in (["--help"], ["--config", str(desk.config), "plugins", "list"]):
        done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"


def test_disabling_in_one_city_keeps_comments_and_holds_the_plans_there(desk: Desk) -> None:
    sign(desk, "HT-1")
    desk.type("dispatch")
    assert statuses(desk) == {"planned": 4}
    assert desk.ask("plugins", "disable", "sixplustwo", "--city", "武汉")["changed"] is True
    text = desk.config.read_text(encoding="utf-8")
    assert "# our company" in text
    assert "# shown in every signature" in text
    desk.type("dispatch")
    assert statuses(desk) == {"held": 4}
    desk.ask("plugins", "enable", "sixplustwo", "--city", "wuhan")
    desk.type("dispatch")
    assert statuses(desk) == {"planned": 4}


def test_what_came_in_while_it_was_off_is_counted_offered_and_backfilled(desk: Desk) -> None:
    desk.type("dispatch")  # the first load records which hooks it has
    desk.ask("plugins", "disable", "sixplustwo")
    sign(desk, "HT-2")
    desk.type("dispatch")
    assert statuses(desk) == {}
    offered = desk.type("plugins", "enable", "sixplustwo")
    assert "--backfill" in offered.out
    desk.type("dispatch")
    assert statuses(desk) == {}
    filled = desk.ask("plugins", "enable", "sixplustwo", "--backfill")
    assert (filled["missed_events"], filled["planned"]) == (1, 4)
    assert statuses(desk) == {"planned": 4}
    assert desk.ask("plugins", "enable", "sixplustwo", "--backfill")["missed_events"] == 0


def test_an_unknown_plugin_is_one_line_with_the_nearest(desk: Desk) -> None:
    answer = desk.type("plugins", "disable", "sixplustow")
    assert answer.status == 2
    assert "sixplustwo" in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize("name", ["chengdu", "new_chengdu_2"])
def test_a_new_variant_is_written_once_and_its_tests_pass_at_once(desk: Desk, tmp_path: Path, name: str) -> None:
    written = desk.ask("plugins", "new", name, "--directory", str(tmp_path))
    folder = Path(written["directory"])
    assert folder.name == f"keguan-{name.replace('_', '-')}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    (folder / "README.md").write_text("mine", encoding="utf-8")
    assert desk.type("plugins", "new", name, "--directory", str(tmp_path)).status == 2
    assert (folder / "README.md").read_text(encoding="utf-8") == "mine", "nothing is overwritten"


@pytest.mark.parametrize("name", ["Cheng du", "cheng-du", "2chengdu", "成都", ""])
def test_a_name_that_no_plugin_could_have_is_refused(desk: Desk, tmp_path: Path, name: str) -> None:
    assert desk.type("plugins", "new", name, "--directory", str(tmp_path / "here")).status == 2
    assert not (tmp_path / "here").exists()


def test_no_variant_takes_the_name_of_a_plugin_that_is_there(desk: Desk, tmp_path: Path) -> None:
    answer = desk.type("plugins", "new", "sixplustwo", "--directory", str(tmp_path / "new"))
    assert answer.status == 2
    assert "sixplustwo" in answer.err
    assert not (tmp_path / "new").exists()
