"""The drop folder: a file put there is imported when it is complete, and is found again with its report."""

from __future__ import annotations

import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.cli import Desk
from tests.support.site import Site, until

from keguan.clock import VirtualClock
from keguan.events.types import CORE_EVENT_TYPES
from keguan.intake.drop.folder import DropFolder
from keguan.intake.drop.taking import Taken, Taker
from keguan.settings import Settings
from keguan.store.engine import Store

HEADER = "合同编号,项目,城市,楼栋,单元,房号,客户姓名,手机号,签约日期\n"
GOOD = HEADER + "HT-1,云璟一期,shenzhen,3,1,1201,王小明,13800138000,2026-03-02\n"
BAD_ROW = GOOD + "HT-2,云璟一期,shenzhen,3,1,1202,李娜,1380013,2026-03-02\n"
LATER = timedelta(minutes=5)


class Drop:
    """A drop folder and who takes from it, at a time when everything that lies there is old enough."""

    def __init__(self, store: Store, root: Path) -> None:
        self.store = store
        self.root = root / "drop"
        self.folder = DropFolder(self.root, ("contracts", "handovers"))
        self.folder.prepare()
        settings = Settings(language="en")
        settings._base_dir = root
        self.clock = VirtualClock(datetime(2026, 3, 2, 1, tzinfo=UTC))
        self.taker = Taker(store, settings, self.clock, CORE_EVENT_TYPES, 10)

    def put(self, name: str, content: str | bytes = GOOD) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def look(self, after: timedelta = LATER) -> list[Taken]:
        return list(self.taker.take_folder(self.folder, 5, datetime.now(UTC) + after))

    def names(self, outcome: str) -> list[str]:
        return sorted(path.name for path in (self.root / outcome).rglob("*") if path.is_file())

    def count(self, table: str) -> int:
        with self.store.read() as connection:
            return int(connection.exec_driver_sql(f"select count(*) from {table}").scalar_one())


@pytest.fixture
def drop(store: Store, tmp_path: Path) -> Drop:
    return Drop(store, tmp_path)


def test_a_complete_file_is_imported_and_lies_in_done_with_its_report(drop: Drop) -> None:
    drop.put("contracts/may.csv")
    (taken,) = drop.look()
    assert (taken.accepted, taken.error) == (1, None)
    assert drop.names("done") == ["20260302T090000-may.csv", "20260302T090000-may.csv.report.txt"]
    assert taken.file == "done/contracts/2026-03/20260302T090000-may.csv"
    assert drop.count("contracts") == 1
    assert drop.look() == []


def test_the_journal_says_that_it_came_by_the_folder(drop: Drop) -> None:
    drop.put("contracts/may.csv")
    drop.look()
    with drop.store.read() as connection:
        row = connection.exec_driver_sql("select source, filename, length(sha256), accepted from imports").one()
    assert tuple(row) == ("folder", "may.csv", 64, 1)


def test_a_file_with_a_rejected_row_lies_in_failed_with_that_row(drop: Drop) -> None:
    drop.put("contracts/may.csv", BAD_ROW)
    (taken,) = drop.look()
    assert (taken.accepted, taken.rejected, taken.ok) == (1, 1, False)
    name = "20260302T090000-may.csv"
    assert drop.names("failed") == [name, f"{name}.rejected.csv", f"{name}.report.txt"]
    (report,) = (drop.root / "failed").rglob("*.report.txt")
    assert "1 rejected" in report.read_text(encoding="utf-8")
    assert "1380013" not in report.read_text(encoding="utf-8")


def test_a_file_that_is_none_fails_in_one_line_under_its_own_name(drop: Drop) -> None:
    drop.put("contracts/photo.csv", os.urandom(500))
    (taken,) = drop.look()
    assert taken.error is not None
    assert "\n" not in taken.error
    assert ".working" not in taken.error
    assert drop.names("failed") == ["20260302T090000-photo.csv", "20260302T090000-photo.csv.report.txt"]


def test_an_empty_file_fails_too(drop: Drop) -> None:
    drop.put("contracts/empty.csv", b"")
    (taken,) = drop.look()
    assert taken.error is not None


def test_the_folder_below_the_kind_names_the_project(drop: Drop) -> None:
    drop.put("contracts/云璟二期/may.csv", "合同编号,客户姓名,手机号,签约日期\nHT-9,王伟,13800138001,2026-03-02\n")
    (taken,) = drop.look()
    assert taken.accepted == 1
    with drop.store.read() as connection:
        assert connection.exec_driver_sql("select name from projects").scalar() == "云璟二期"


def test_the_same_file_again_changes_nothing_and_finds_its_place(drop: Drop) -> None:
    drop.put("contracts/may.csv")
    drop.look()
    drop.put("contracts/may.csv")
    (taken,) = drop.look()
    assert (taken.accepted, taken.unchanged) == (0, 1)
    assert "20260302T090000-may-2.csv" in drop.names("done")


@pytest.mark.parametrize("name", [".may.csv", "~$may.xlsx", "may.csv.part", "may.csv.tmp", "may.crdownload"])
def test_what_programs_have_not_finished_is_left_alone(drop: Drop, name: str) -> None:
    drop.put(f"contracts/{name}")
    assert drop.look() == []
    assert (drop.root / "contracts" / name).exists()


def test_a_file_that_was_touched_a_moment_ago_waits(drop: Drop) -> None:
    path = drop.put("contracts/may.csv")
    os.utime(path, (0, 0))  # copying programs set back the time of the content
    assert drop.look(timedelta(seconds=1)) == []
    assert len(drop.look(timedelta(seconds=10))) == 1


def test_a_file_that_somebody_has_open_for_writing_waits_however_old_it_is(drop: Drop) -> None:
    path = drop.put("contracts/may.csv", "")
    with path.open("w", encoding="utf-8") as writer:
        writer.write(GOOD)
        writer.flush()
        assert drop.look() == []
    assert [taken.accepted for taken in drop.look()] == [1]


def test_a_file_that_is_written_on_while_it_is_read_is_put_back_and_taken_again(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop.put("contracts/may.csv")
    take = drop.taker.take

    def slowly(claimed: Path, *words: object) -> object:
        with claimed.open("a", encoding="utf-8") as late:  # whoever had it open reaches it under its new name too
            late.write("HT-2,云璟一期,shenzhen,3,1,1202,李娜,13800138002,2026-03-02\n")
        return take(claimed, *words)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(drop.taker, "take", slowly)
    assert drop.look() == []
    assert path.exists()
    monkeypatch.undo()
    (taken,) = drop.look()
    assert taken.accepted + taken.unchanged == 2
    assert drop.count("contracts") == 2


def test_a_new_file_of_the_same_name_does_not_disturb_the_one_in_hand(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop.put("contracts/may.csv")
    take = drop.taker.take

    def replaced(claimed: Path, *words: object) -> object:
        if not path.exists():
            path.write_text(GOOD.replace("HT-1", "HT-7").replace("1201", "1207"), encoding="utf-8")
        return take(claimed, *words)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(drop.taker, "take", replaced)
    assert [taken.accepted for taken in drop.look()] == [1]
    monkeypatch.undo()
    assert [taken.accepted for taken in drop.look()] == [1]
    assert drop.count("contracts") == 2


def test_a_file_above_the_limit_is_not_read(drop: Drop) -> None:
    path = drop.put("contracts/huge.csv")
    with path.open("r+b") as huge:
        huge.truncate(5_000_000_000)  # five gigabytes of nothing: a sparse file
    (taken,) = drop.look()
    assert taken.error == "huge.csv has 5000 MB, more than the 10 MB of [drop] max_mb: split it, or raise the limit"


def test_links_and_pipes_are_left_alone(drop: Drop, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(GOOD, encoding="utf-8")
    (drop.root / "contracts" / "link.csv").symlink_to(outside)
    (drop.root / "handovers" / "elsewhere").symlink_to(tmp_path)
    os.mkfifo(drop.root / "contracts" / "pipe.csv")
    assert drop.look() == []


def test_a_link_that_is_put_there_at_the_last_moment_is_not_followed(drop: Drop, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere.csv"
    secret.write_text(GOOD, encoding="utf-8")
    path = drop.put("contracts/may.csv")
    (arrival,) = drop.folder.complete(datetime.now(UTC) + LATER, 5)
    path.unlink()
    path.symlink_to(secret)
    assert drop.folder.claim(arrival) is None
    assert secret.exists()
    assert list((drop.root / ".working").iterdir()) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("-rf.csv", "-rf.csv"),
        ("may\nERROR forged line.csv", "may_ERROR forged line.csv"),
        ("\x1b[2Jmay.csv", "_[2Jmay.csv"),
        ("may\u202evsc.xlsx", "may_vsc.xlsx"),
        ("三月" * 40 + ".csv", "三月" * 26 + ".csv"),
        (os.fsdecode("三月.csv".encode("gb18030")), "三月.csv"),
        (os.fsdecode(b"\xff\xff.csv"), "__.csv"),
    ],
)
def test_whatever_a_file_is_called_it_is_taken_under_a_name_that_harms_nobody(
    drop: Drop, given: str, kept: str
) -> None:
    drop.put(f"contracts/{given}", BAD_ROW)
    (taken,) = drop.look()
    assert (taken.name, taken.accepted, taken.rejected) == (kept, 1, 1)
    name = f"20260302T090000-{kept}"
    assert drop.names("failed") == [name, f"{name}.rejected.csv", f"{name}.report.txt"]
    assert drop.look() == []


@pytest.mark.skipif(
    not Path("/dev/shm").is_dir() or os.stat("/dev/shm").st_dev == os.stat("/tmp").st_dev,  # noqa: PTH116
    reason="needs a second file system",
)
def test_a_folder_that_is_mounted_from_elsewhere_works_too(drop: Drop) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as mounted:
        (drop.root / "contracts").rmdir()
        (drop.root / "contracts").symlink_to(mounted)
        drop.put("contracts/may.csv")
        (taken,) = drop.look()
        assert taken.ok
        assert list(Path(mounted).iterdir()) == []
    assert drop.names("done") == ["20260302T090000-may.csv", "20260302T090000-may.csv.report.txt"]


def test_a_file_that_cannot_be_taken_away_is_told_and_stops_no_other(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop.put("contracts/first.csv")
    drop.put("handovers/second.csv")
    rename = Path.rename

    def refused(path: Path, target: Path) -> Path:
        if path.name == "first.csv":
            raise PermissionError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refused)
    stuck, other = drop.look()
    assert stuck.error is not None
    assert "Permission denied" in stuck.error
    assert "first.csv" not in stuck.error
    assert (other.name, (other.file or "").partition("/")[0]) == ("second.csv", "failed")
    assert (drop.root / "contracts" / "first.csv").exists()


def test_what_a_dead_process_had_in_hand_is_put_back_at_the_next_start(drop: Drop) -> None:
    drop.put("contracts/云璟一期/may.csv")
    (arrival,) = drop.folder.complete(datetime.now(UTC) + LATER, 5)
    claimed = drop.folder.claim(arrival)
    assert claimed is not None
    claimed.path.with_name(claimed.path.name + ".rejected.csv").write_text("half", encoding="utf-8")
    drop.folder.prepare()
    assert arrival.path.exists()
    assert list((drop.root / ".working").rglob("*")) == []
    assert drop.names("contracts") == ["may.csv"]


def test_a_file_that_went_away_meanwhile_is_nobody_s_problem(drop: Drop) -> None:
    path = drop.put("contracts/may.csv")
    (arrival,) = drop.folder.complete(datetime.now(UTC) + LATER, 5)
    path.unlink()
    assert drop.folder.claim(arrival) is None
    assert list((drop.root / ".working").iterdir()) == []


def test_a_file_that_cannot_be_read_fails_in_one_line(drop: Drop) -> None:
    path = drop.put("contracts/may.csv")
    (arrival,) = drop.folder.complete(datetime.now(UTC) + LATER, 5)
    path.unlink()
    taken, report = drop.taker.take(path, arrival, "folder")
    assert taken.error is not None
    assert taken.error.startswith("may.csv cannot be read (No such file or directory)")
    assert report == taken.error + "\n"


# --- By command and by daemon ---------------------------------------------------------------------------------------


def test_the_command_takes_in_what_lies_there_and_lists_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write_config('language = "en"\n[cities.shenzhen]\n[drop]\nfolder = "var/drop"\nsettle = 0\n')
    assert desk.ask("intake", "run") == []
    folder = tmp_path / "var" / "drop" / "contracts"
    (folder / "may.csv").write_text(GOOD, encoding="utf-8")
    (taken,) = desk.ask("intake", "run")
    assert (taken["accepted"], taken["error"]) == (1, None)
    (folder / "june.csv").write_text("nothing of this kind", encoding="utf-8")
    answer = desk.type("intake", "run")
    assert answer.status == 1
    assert "failed/contracts/" in answer.out
    (row,) = [one for one in desk.ask("intake", "list") if one["finished_at"]]
    assert (row["source"], row["filename"], row["accepted"]) == ("folder", "may.csv", 1)


def test_without_a_folder_the_command_says_how_to_name_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write_config('language = "en"\n')
    answer = desk.type("intake", "run")
    assert answer.status == 2
    assert "[drop] folder" in answer.err


@pytest.mark.bad_day
def test_a_daemon_killed_in_the_middle_takes_each_file_in_the_end(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.config["drop"] = {"folder": "var/drop", "settle": 0.0, "look_every": 0.05}
        site.write()
        folder = tmp_path / "var" / "drop"
        for number in range(3):
            daemon = site.run()
            rows = "".join(
                f"HT-{number}-{each},云璟一期,shenzhen,{number},1,{each},王小明,138{number}{each:07},2026-03-02\n"
                for each in range(400)
            )
            part = folder / "contracts" / f"{number}.part"
            part.write_text(HEADER + rows, encoding="utf-8")
            part.rename(part.with_suffix(".csv"))
            until(lambda n=number: not (folder / "contracts" / f"{n}.csv").exists(), "the file is in hand")  # type: ignore[misc]  # bound
            time.sleep(0.05 * number)  # the moment is what differs
            daemon.kill()
        daemon = site.run()
        until(lambda: site.one("select count(*) from contracts") == 1200, "all contracts")
        until(lambda: len(list((folder / "done").rglob("*.csv"))) == 3, "all files")
        assert daemon.stop() == 0
        assert site.one("select count(*) from events where type = 'contract_signed'") == 1200
        assert list((folder / ".working").iterdir()) == []
