"""A staff member's week: a holiday on Thursday, worked off on Saturday; the daemon's code, real servers, one clock.

What people know they know from commands, from their mails and from the robot's file; nobody looks into tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from PIL import Image
from tests.support.carrier import TOKEN
from tests.support.papers import photo
from tests.support.town import CUSTOMERS, PERSONAL, STAFF, Town, contract_file, staff_file, town

ZHANG, ZHOU, LI, WANG = STAFF
STAFF_NUMBERS = {one.name: number for number, one in enumerate(STAFF, start=1)}
SECTIONS = {"已逾期": "overdue", "今天到期": "due_today", "新增": "new"}


class Week:
    """Plays the week; each day ends with what people can see by then."""

    def __init__(self, place: Town) -> None:
        self.town = place
        self.premises = place.premises
        self.desk = place.premises.desk
        self.folder = place.premises.folder
        self.last_digest = "2035-03-01T00:00+08:00"  # nobody was told of anything before

    # --- What people see ------------------------------------------------------------------------------------

    def tasks(self, *conditions: str) -> dict[str, dict[str, Any]]:
        """Return the open tasks under these conditions, by contract; the company's own ones by their numbers."""
        rows = self.desk.ask("tasks", "list", "--status", "open", *conditions)
        return {row["subject"]["id"] if row["subject"]["type"] == "contract" else str(row["id"]): row for row in rows}

    def number(self, contract: str) -> str:
        """Return the number of the one task about a contract."""
        rows = self.desk.ask("tasks", "list", "--plugin", "sixplustwo")
        return str(next(row["id"] for row in rows if row["subject"]["id"] == contract))

    def messages(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the messages to customers that have these values."""
        rows = self.desk.ask("outbox", "list", "--plugin", "sixplustwo")
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def at(self, day: str, hour: str) -> None:
        """Live until then, and see that all is well."""
        self.premises.until(f"2035-03-{day} {hour}")
        assert self.desk.ask("health")["healthy"]

    def morning(self, day: str, expected: dict[str, dict[str, set[str]]]) -> None:
        """Read the digests of 08:30: each equals the list with the same conditions, and says what is ``expected``."""
        self.at(day, "08:30")
        date = f"2035-03-{day}"
        told = {
            **{one.name: self._digest(one.email) for one in (ZHANG, ZHOU, LI, WANG)},
            "客关": self._digest("kefu@staff.example"),
        }
        here = {row["id"] for row in self.desk.ask("staff", "list") if not row["away"]}
        for who, digest in told.items():
            if who != "客关" and STAFF_NUMBERS[who] not in here:  # away, or has left: somebody else is told
                assert not any(digest.values())
                continue
            whose = ("--department", who) if who == "客关" else ("--assignee", who)
            overdue = _ids(self.tasks(*whose, "--overdue"))
            today = _ids(self.tasks(*whose, "--from", date, "--to", date)) - overdue
            new = _ids(self.tasks(*whose, "--new-since", self.last_digest)) - overdue - today
            assert digest == {"overdue": overdue, "due_today": today, "new": new}, (who, day)
        names = {self.number(f"HT-{n + 1}"): f"HT-{n + 1}" for n in range(len(CUSTOMERS)) if self._has_task(n)}
        found: dict[str, dict[str, set[str]]] = {}
        for who, digest in told.items():
            for name, ids in digest.items():
                buyers = {names[one] for one in ids if one in names}  # the company has tasks of its own
                if buyers:
                    found.setdefault(who, {})[name] = buyers
        assert found == expected
        assert self._robot(date) == told["客关"]["overdue"] | told["客关"]["due_today"]  # of new ones it tells how many
        self.last_digest = f"{date}T08:30+08:00"

    def _has_task(self, number: int) -> bool:
        rows = self.desk.ask("tasks", "list")
        return any(row["subject"]["id"] == f"HT-{number + 1}" for row in rows)

    def _digest(self, address: str) -> dict[str, set[str]]:
        """Return the numbers of the tasks in this morning's digest for an address, by section."""
        sections: dict[str, set[str]] = {name: set() for name in SECTIONS.values()}
        now = self.premises.clock.now()
        for one in self.town.mails_to(address, subject="今日工作"):
            if one.message["Date"].datetime == now:
                section = ""
                for line in one.text().splitlines():
                    section = SECTIONS.get(line.split("（")[0], section)
                    sections.get(section, set()).update(re.findall(r"\[(\d+)\]", line))
        return sections

    def _robot(self, date: str) -> set[str]:
        files = list((self.folder / "var" / "outbox" / date).glob("digest-*-chat.*.txt"))
        assert len(files) <= 1
        text = files[0].read_text(encoding="utf-8") if files else ""
        return {number for line in text.splitlines() if "编号：" in line for number in line.split("：")[1].split()}

    # --- The days -------------------------------------------------------------------------------------------

    def monday(self) -> None:
        """Files come in by folder and by mail; a wrong row comes back, and in again corrected."""
        days = self.folder / "days.csv"
        days.write_text("date,working,name\n2035-03-08,no,春日\n2035-03-10,yes,\n", encoding="utf-8")
        assert self.desk.ask("calendar", "load", str(days))["days"] == 2
        self.premises.drop("staff", "staff.csv", staff_file())
        assert [one["accepted"] for one in self.premises.take_in()] == [len(STAFF)]
        assert [one["leads"] for one in self.desk.ask("staff", "list")] == [[], [], ["客关"], []]

        self.morning("05", {})
        self.at("05", "09:10")
        self.premises.drop("contracts", "monday.csv", contract_file([0, 1, 2], "2035-03-01").replace("138003", "138"))
        (taken,) = self.premises.take_in()
        assert (taken["accepted"], taken["rejected"]) == (2, 1)
        rejected = self.folder / "var" / "drop" / f"{taken['file']}.rejected.csv"
        self.premises.drop(
            "contracts", "again.csv", rejected.read_text("utf-8-sig").replace("13800138,", "13800138003,")
        )
        (taken,) = self.premises.take_in()
        assert (taken["accepted"], taken["rejected"]) == (1, 0)

        self.at("05", "10:00")
        self.town.write("合同 三月", "march.csv", contract_file([3, 4], "2035-03-05"))
        self.town.write("合同 三月", "forged.csv", contract_file([0], "2035-03-05"), sender="eve@evil.example")
        (taken,) = self.premises.take_in()
        assert (taken["accepted"], taken["rejected"]) == (2, 0)
        assert [one["outcome"] for one in self.desk.ask("intake", "mails")] == ["refused", "imported"]
        assert {one["source"] for one in self.desk.ask("intake", "list")} == {"folder", "mail"}

    def tuesday(self) -> None:
        """The first gateway is down: the second sends everything, once; receipts and an answer come back."""
        self.town.first.mood = "down"
        self.morning("06", {"客关": {"due_today": {"HT-1", "HT-2", "HT-3"}}})
        self.desk.ask("tasks", "assign", self.number("HT-1"), self.number("HT-2"), "--to", ZHANG.name)
        self.desk.ask("tasks", "assign", self.number("HT-3"), "--to", ZHOU.name)
        self.at("06", "09:35")
        assert self.town.first.taken == []
        assert {one.mobile for one in self.town.second.taken} == {one.phone for one in CUSTOMERS}
        assert {(row["status"], row["adapter"], row["attempts"]) for row in self.messages()} <= {
            ("sent", "second", 1),
            ("sent", "second", 2),
        }
        gateways = {one["name"]: one for one in self.desk.ask("status")["gateways"]}
        assert gateways["first"]["last_error"]
        assert gateways["second"]["last_sent_at"]

        states = [
            {"id": one.id, "state": "MK:0001" if one.mobile == CUSTOMERS[1].phone else "DELIVRD"}
            for one in self.town.second.taken
        ]
        self.premises.call("second/receipts", _json([*states, states[0], {"id": "nobody", "state": "DELIVRD"}]), TOKEN)
        assert len(self.messages(status="delivered")) == len(CUSTOMERS) - 1
        (back,) = self.messages(status="undelivered")
        assert "MK:0001" in back["error"]

        self.at("06", "11:00")
        answer = {"mobile": CUSTOMERS[3].phone, "content": "退订。", "id": "mo-1"}
        self.premises.call("second/replies", _json([answer]), TOKEN)
        wishes = self.desk.ask("customers", "consents", CUSTOMERS[3].phone)
        assert {(one["channel"], one["granted"]) for one in wishes} == {("sms", False)}

    def the_paper(self) -> None:
        """A workbook goes out and comes back; a photo proves it, and does not say where it was taken."""
        self.at("06", "16:00")
        task = self.number("HT-1")
        book = self.folder / "calls.xlsx"
        assert self.desk.ask("tasks", "sheet", task, "--out", str(book))["tasks"] == [int(task)]
        self._fill_in(book, {"Day of the call *": "2035-03-06", "Reached *": "nobody knows"})
        wrong = self.desk.type("--json", "tasks", "sheet-in", str(book))
        assert wrong.status == 1
        (mistake,) = wrong.json["rejected"]
        assert re.fullmatch("[A-Z]+2", mistake["cell"])
        self._fill_in(book, {"Reached *": "no answer in three tries"})
        assert self.desk.ask("tasks", "sheet-in", str(book))["complete"] == [int(task)]
        snap = self.folder / "IMG_0001.jpg"
        snap.write_bytes(photo())
        (done,) = self.desk.ask("tasks", "done", task, "--evidence", str(snap), "--by", ZHANG.name)
        assert (done["status"], len(done["evidence"])) == ("done", 1)
        out = self.folder / "proofs"
        self.desk.ask("tasks", "evidence", task, "--out", str(out))
        (copy,) = out.iterdir()
        kept = copy.read_bytes()
        assert b"SECRETPHONE" in snap.read_bytes()
        assert b"SECRET" not in kept
        assert not Image.open(BytesIO(kept)).getexif()

        refused = self.desk.type("tasks", "postpone", self.number("HT-2"), "--to", "2035-03-09")
        assert refused.status == 2
        self.desk.ask("tasks", "postpone", self.number("HT-2"), "--to", "2035-03-09", "--reason", "客户出差")
        assert self.tasks()["HT-2"]["postponed"] == 1

    def _fill_in(self, book: Path, answers: dict[str, str]) -> None:
        workbook = openpyxl.load_workbook(book)
        sheet = workbook.worksheets[0]
        for cell in sheet[1]:
            if cell.value in answers:
                sheet.cell(2, cell.column, answers[str(cell.value)])
        workbook.save(book)

    def climbed(self, contract: str) -> list[tuple[str, str]]:
        """Return the steps that the task of a contract has climbed: when, and what the log says."""
        story = self.desk.ask("tasks", "show", self.number(contract))
        return [(one["at"][:16], one["what"]) for one in story["log"] if one["what"] == "escalated"]

    def wednesday(self) -> None:
        """What was left over climbs when work begins; somebody will be away."""
        self.morning("07", {ZHOU.name: {"overdue": {"HT-3"}}, "客关": {"overdue": {"HT-3"}}})
        assert self.climbed("HT-3") == []  # due at 18:00: the office was closing, and is not open yet
        self.at("07", "15:00")
        assert self.climbed("HT-3") == [("2035-03-07T09:00", "escalated")]
        assert len(self.town.mails_to(ZHOU.email, subject="逾期")) == 2  # the digest's subject says it too
        self.desk.ask(
            "staff", "away", ZHOU.name, "--from", "2035-03-09", "--until", "2035-03-10", "--deputy", ZHANG.name
        )

    def thursday(self) -> None:
        """A holiday: nobody is told anything."""
        before = len(self.town.mail.mails)
        self.at("08", "20:00")
        assert len(self.town.mail.mails) == before

    def friday(self) -> None:
        """The deputy sees the tasks; the head hears of the overdue one; somebody is going to leave."""
        self.morning(
            "09",
            {
                ZHANG.name: {"overdue": {"HT-3"}, "due_today": {"HT-2"}},
                "客关": {"overdue": {"HT-3"}, "due_today": {"HT-2", "HT-4", "HT-5"}},
            },
        )
        assert self.tasks("--assignee", ZHANG.name).keys() == {"HT-2", "HT-3"}
        assert self.tasks("--assignee", ZHANG.name)["HT-3"]["deputy"] == "张**"
        self.at("09", "12:00")
        assert [when for when, _ in self.climbed("HT-3")] == ["2035-03-07T09:00", "2035-03-09T09:00"]
        assert len(self.town.mails_to(LI.email)) == 1
        call = ("called_on=2035-03-09", "reached=no_answer")
        assert self.desk.type("tasks", "fill", self.number("HT-2"), *call, "--done").status == 0
        self.desk.ask("staff", "leaves", ZHOU.name, "--on", "2035-03-10")
        self.town.first.mood = "fine"

    def saturday(self) -> None:
        """Worked off: tasks were handed over, the manager hears, and who wanted no more gets no more."""
        self.morning(
            "10",
            {
                ZHANG.name: {"overdue": {"HT-3"}},
                "客关": {"overdue": {"HT-3", "HT-4", "HT-5"}},
            },
        )
        assert self.tasks("--assignee", ZHANG.name)["HT-3"]["assignee"] == "张**"
        assert self.tasks("--assignee", ZHANG.name)["HT-3"]["deputy"] is None
        self.at("10", "12:00")
        assert [when for when, _ in self.climbed("HT-3")] == [
            "2035-03-07T09:00",
            "2035-03-09T09:00",
            "2035-03-10T09:00",
        ]
        assert len(self.town.mails_to(WANG.email)) == 1
        assert [one.mobile for one in self.town.first.taken] == [CUSTOMERS[4].phone]
        (kept_back,) = self.messages(status="suppressed")
        assert kept_back["rule"] == "gate.opted_out"
        assert len(self.town.second.to(CUSTOMERS[3].phone)) == 1  # from before

    def sunday(self) -> None:
        """Nobody works; what was promised is accounted for, once each."""
        before = len(self.town.mail.mails)
        self.at("11", "23:00")
        assert len(self.town.mail.mails) == before
        assert len(self.climbed("HT-3")) == 3
        copies = self.town.first.copies + self.town.second.copies
        assert set(copies.values()) == {1}
        for row in self.desk.ask("outbox", "list"):
            assert row["status"] in ("sent", "delivered") or row["error"], row
        counted = [row["postponed"] for row in self.desk.ask("tasks", "stats")]
        assert sorted(counted)[-2:] == [1, 1]  # of the person and of the department
        steps = {one["touchpoint"]: one["status"] for one in self.desk.ask("journey", "HT-1")["steps"]}
        assert steps["signing_callback"] == "kept"
        status = self.desk.ask("status")
        left = self.desk.ask("tasks", "list", "--status", "open")
        assert (status["healthy"], status["open_tasks"]) == (True, len(left))
        assert status["overdue_tasks"] == sum(row["overdue"] for row in left)
        assert sum(row["action"] == "signing_callback" for row in left) == 3

    def play(self) -> None:
        """All seven days."""
        self.monday()
        self.tuesday()
        self.the_paper()
        self.wednesday()
        self.thursday()
        self.friday()
        self.saturday()
        self.sunday()


def _ids(rows: dict[str, dict[str, Any]]) -> set[str]:
    return {str(row["id"]) for row in rows.values()}


def _json(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path, "2035-03-05 07:00") as opened:
        yield opened


def test_a_staff_members_week(place: Town) -> None:
    Week(place).play()


LISTS = (
    "status", "outbox list", "tasks list", "plans list", "events list", "customers list", "customers suppressions",
    "staff list", "intake list", "intake mails", "journey HT-1", "tasks stats", "tasks show 1", "tasks form 1",
    "tasks evidence 1", "privacy log", "codes list", "templates list", "checks run", "outbox show 1", "doctor",
    "health",
)  # fmt: skip
WRONG = (
    ("customers", "consents", CUSTOMERS[0].phone + "9"),
    ("tasks", "fill", "3", f"right_phone={CUSTOMERS[0].phone}0"),
)


def found_in(text: str) -> list[str]:
    """Return which values of people can be read in a text."""
    return [value for value in PERSONAL if value in text]


def test_a_week_at_debug_level_tells_nobody_who_they_are(tmp_path: Path) -> None:
    with town(tmp_path, "2035-03-05 07:00", debug=True) as place:
        Week(place).play()
        desk = place.premises.desk
        for words in LISTS:
            desk.type(*words.split())
        for wrong in WRONG:
            assert desk.type(*wrong).status in (1, 2)
        metrics = place.premises.browser.get("/metrics").text
        place.premises.close()

        told = {" ".join(words): found_in(text) for words, text in desk.printed}
        assert {words: values for words, values in told.items() if values} == {}
        assert found_in(metrics) == []
        var = tmp_path / "var"
        readable = [*var.rglob("*.log*"), *var.rglob("*.report.txt"), *var.rglob("*.json*"), var / "keguan.db"]
        assert {file.name: found for file in readable if (found := _values_in(file))} == {}
        assert '"level": "info"' in (var / "log" / "keguan.log").read_text(encoding="utf-8")
        assert len(list(var.rglob("*.report.txt"))) == 4
        assert any(_values_in(file) for file in var.rglob("*.csv")), "what came in holds them, so they can be found"


def _values_in(file: Path) -> list[str]:
    content = file.read_bytes()
    return [value for value in PERSONAL if value.encode() in content]
