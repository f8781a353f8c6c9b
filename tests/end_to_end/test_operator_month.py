"""An operator's month: held messages, caps, bounces, approvals, keys, a restore in another place, people to forget.

The daemon's own code on one clock, with real servers; what became of it is asked by command.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.plugins import install_plugin
from tests.support.premises import Premises
from tests.support.smtp import ReceivedMail
from tests.support.town import CUSTOMERS, Town, contract_file, town

CARE = '''
"""A letter a week, a note each evening at nine for three days, a second letter, and on one day too many of them."""

from datetime import UTC, datetime, time, timedelta

from keguan.hookspecs import hookimpl
from keguan.model import Action, Email, Plan, Sms


@hookimpl
def on_contract_signed(contract, context):
    def at(days, clock):
        return context.city.at(contract.signed_on + timedelta(days=days), clock)

    return [
        *(Plan(action="letter", due=at(days, time(10)), occurrence=days) for days in (1, 8, 22)),
        Plan(action="note", due=at(1, time(21))),
        *(Plan(action="extra", due=at(3, time(11)), occurrence=number) for number in range(1, 5)),
        *(Plan(action="note", due=at(days, time(21)), occurrence=days) for days in (12, 14, 20)),
    ]


def letter(job):
    return [Email(to=job.record.owners[0], template="letter", values={"number": job.record.contract_no})]


def note(job):
    return [Sms(to=job.record.owners[0], template="note", values={"number": job.record.contract_no})]


def extra(job):
    return [Sms(to=job.record.owners[0], template="extra", values={"number": job.record.contract_no})]


@hookimpl
def register_actions():
    return [Action("letter", letter), Action("note", note), Action("extra", extra)]
'''
TEMPLATES = {
    "letter.email.j2": "Subject: 合同 {{ number }}\n\n感谢您。\n",
    "note.sms.j2": "合同{{ number }}的手续已办好。\n",
    "extra.sms.j2": "合同{{ number }}的资料已备好。\n",
}
MANY = 45
RATE = 15.0
APPROVED = {"id": "T-NOTE", "approved_on": "2035-01-02"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    install_plugin(tmp_path / "site-packages", "monthly", CARE, TEMPLATES)
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    with town(
        tmp_path / "here",
        "2035-03-01 07:00",
        plugins={"sixplustwo": {"enabled": False}, "monthly": {"enabled": True}},
        channels={"sms": ["first"]},
        templates={"monthly": {"note": {"first": APPROVED}, "extra": {"first": {**APPROVED, "id": "T-EXTRA"}}}},
        privacy={"retention": {"messages": 7, "receipts": 5, "imports": 20, "former_customers": 0}},
    ) as opened:
        config = opened.premises.config
        config["departments"] = {}
        config["adapters"]["first"] = {**opened.first.table(template=True), "rate": RATE}
        opened.premises.restart()
        yield opened
    sys.modules.pop("monthly_plugin", None)


class Month:
    """Plays the month; ``premises`` is where the company works now."""

    def __init__(self, place: Town) -> None:
        self.town = place
        self.premises: Premises = place.premises

    @property
    def desk(self) -> Any:
        return self.premises.desk

    def messages(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the messages that have these values, each held or refused one with its rule or its error."""
        rows = self.desk.ask("outbox", "list")
        for row in rows:
            if row["status"] in ("held", "suppressed", "expired"):
                assert row["rule"], row
            if row["status"] in ("dead", "undelivered", "in_doubt", "dropped"):
                assert row["error"], row
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def statuses(self, **wanted: Any) -> dict[str, int]:
        return dict(Counter(row["status"] for row in self.messages(**wanted)))

    def rules(self, status: str) -> dict[str, int]:
        return dict(Counter(row["rule"] for row in self.messages(status=status)))

    def at(self, day: int, hour: str, *, healthy: bool = True) -> None:
        """Live until then; ``status`` says whether all is well."""
        self.premises.until(f"2035-03-{day:02} {hour}")
        assert self.desk.ask("health")["healthy"]
        status = self.desk.type("--json", "status")
        assert (status.json["healthy"], status.status) == (healthy, 0 if healthy else 1), status.json["problems"]

    def sell(self, numbers: list[int], signed_on: str, *, many: int = 0) -> None:
        lines = contract_file(numbers, signed_on)
        for number in range(many):
            lines += f"M-{number},云璟一期,深圳,9,1,{number},钱多多,139001390{number:02},,,{signed_on},已签约\n"
        self.premises.drop("contracts", "sales.csv", lines)
        (taken,) = self.premises.take_in()
        assert taken["rejected"] == 0

    def mails_to(self, number: int) -> list[ReceivedMail]:
        return self.town.mails_to(CUSTOMERS[number].email)

    def examine(self) -> None:
        """Have ``doctor`` look: the machine's clock stands before what the database knows, and it says so alone."""
        found = self.desk.type("--json", "doctor").json["checks"]
        assert {one["check"] for one in found if not one["ok"]} == {"clock"}, found
        assert {"privacy", "adapters", "calendar", "database"} <= {one["check"] for one in found}

    # --- The days -------------------------------------------------------------------------------------------

    def a_night_of_many_messages(self) -> None:
        """At nine in the evening all are held, and at nine in the morning they leave at the gateway's rate."""
        self.sell([0, 1, 3, 4], "2035-03-01", many=MANY)
        self.town.mail.on("rcpt", "550 5.1.1 no such user", address=CUSTOMERS[1].email)
        self.at(2, "10:05", healthy=False)  # a letter was refused, and somebody has to see it
        (dead,) = self.messages(status="dead", rule=None)
        assert (dead["channel"], dead["adapter"]) == ("email", "mail")
        assert "550" in dead["error"]
        (suppressed,) = self.desk.ask("customers", "suppressions")
        assert suppressed["channel"] == "email"
        assert self.rules("dead") == {None: 1, "gate.no_address": MANY}
        self.at(2, "23:00", healthy=False)
        assert self.rules("held") == {"gate.quiet_hours": MANY + 4}
        assert self.town.first.taken == []
        assert {row["held_until"] for row in self.messages(status="held")} == {"2035-03-03T09:00:00+08:00"}
        self.at(3, "09:30", healthy=False)
        left = sorted(row["sent_at"] for row in self.messages(channel="sms"))
        assert len(left) == len(self.town.first.taken) == MANY + 4
        assert left[0] >= "2035-03-03T09:00:00"
        seconds = Counter(at[:19] for at in left)
        assert max(seconds.values()) <= RATE + 1
        assert left[-1][:19] >= "2035-03-03T09:00:02"

    def too_many_on_one_day(self) -> None:
        """The fourth message of a day waits for the next one, and says which limit it met."""
        self.at(4, "12:00", healthy=False)
        assert self.rules("held") == {"gate.per_day": MANY + 4}
        self.at(5, "09:30", healthy=False)
        assert self.rules("held") == {}
        numbers = [row["id"] for row in self.messages(status="dead")]
        self.desk.ask("outbox", "drop", *map(str, numbers), "--reason", "地址不存在")
        self.at(5, "10:00")

    def a_wish_and_a_report(self) -> None:
        """One click in a mail that left, and a server's report in the mailbox: two people get no more letters."""
        (letter,) = self.mails_to(0)
        token = re.search(r"/u/([\w.-]+)>", str(letter.message["List-Unsubscribe"]))
        assert token is not None
        assert self.premises.browser.post(f"/u/{token[1]}", b"List-Unsubscribe=One-Click").status == 200
        (returned,) = self.mails_to(3)
        self.town.mailbox.put(_report(CUSTOMERS[3].email, returned.message_id))
        self.premises.take_in()
        assert [one["outcome"] for one in self.desk.ask("intake", "mails")] == ["heard"]
        assert len(self.messages(status="undelivered")) == 1
        self.at(9, "10:05")
        assert self.rules("suppressed") == {"gate.bounced": 2, "gate.opted_out": 1}
        assert [len(self.mails_to(number)) for number in (0, 1, 3, 4)] == [1, 0, 1, 2]

    def an_approval_lost(self) -> None:
        """A template that is approved no longer holds its messages by name, until it is again."""
        table = self.premises.config["templates"]["monthly"]["note"]["first"]
        approved = table.pop("approved_on")
        self.premises.restart()
        self.at(14, "09:30")
        assert self.rules("held") == {"gate.template_not_approved": MANY + 4}
        assert self.desk.ask("status")["held_by_rule"] == {"gate.template_not_approved": MANY + 4}
        self.examine()
        assert Counter(one.template for one in self.town.first.taken)["T-NOTE"] == MANY + 4
        checked = self.desk.type("--json", "templates", "check")
        assert "note" in checked.out
        table["approved_on"] = approved
        self.premises.restart()
        held = [str(row["id"]) for row in self.messages(status="held")]
        self.desk.ask("outbox", "release", *held)
        self.at(14, "10:00")
        assert self.rules("held") == {}

    def a_new_key(self) -> None:
        """The key is changed while the same process works on, and the old one is taken away."""
        rotated = self.desk.ask("privacy", "rotate")
        assert rotated["left"] == 0
        file = self.premises.folder / "secrets" / "KEGUAN_PRIVACY__KEYS"
        newest = file.read_text().splitlines()[0]
        file.write_text(newest + "\n")
        self.at(16, "08:00")  # over the notes of 21:00, held under the new key
        assert self.rules("held") == {"gate.quiet_hours": MANY + 4}
        self.examine()
        (one,) = self.desk.ask("privacy", "log", "--kind", "rotate")
        assert one["counts"]

    def another_place(self, folder: Path) -> None:
        """The backup of a night with held messages goes on elsewhere, and nothing leaves twice."""
        backup = folder.parent / "backup.db"
        assert self.desk.ask("db", "backup", str(backup))["bytes"]
        assert self.desk.ask("db", "verify")["ok"]
        before = len(self.town.first.taken)
        self.examine()
        old = self.premises
        old.close()
        self.premises = old.moved_to(folder, backup)
        self.at(16, "09:30")
        assert len(self.town.first.taken) == before + MANY + 4
        assert set(self.town.first.copies.values()) == {1}
        assert self.rules("held") == {}

    def the_end_of_the_month(self) -> None:
        """What is past its time has gone, with a report; what it was about is still counted."""
        self.at(31, "23:00")
        purges = self.desk.ask("privacy", "log", "--kind", "purge")
        assert sum((one["counts"] or {}).get("messages", 0) for one in purges) >= MANY
        first = min(self.messages(), key=lambda row: row["id"])
        assert first["body"] == "*"
        assert first["status"]
        assert self.desk.ask("privacy", "purge", "--dry-run")["dry_run"]
        assert set(self.town.first.copies.values()) == {1}
        assert len(self.messages()) == (MANY + 4) * 11

    def somebody_to_forget(self) -> None:
        """All that is held about a person is said, then forgotten; only files that came in still know."""
        one = CUSTOMERS[4]
        exported = self.desk.type("privacy", "export", "HT-5")
        assert exported.status == 0
        assert one.phone in exported.out
        assert self.desk.type("privacy", "erase", "HT-5").status == 2
        self.desk.ask("privacy", "erase", "HT-5", "--yes")
        for words in ("outbox list --unmask", "customers list --unmask", "journey HT-5", "events list", "tasks list"):
            answer = self.desk.type("--json", *words.split())
            assert [value for value in one if value and value in answer.out] == [], words
        self.premises.close()
        values = [value.encode() for value in one if value]
        clear = {
            str(file.relative_to(self.premises.folder))
            for file in (self.premises.folder / "var").rglob("*")
            if file.is_file() and any(value in file.read_bytes() for value in values)
        }
        assert clear == set()  # what came in lies in the old place; see docs/operating.md

    def play(self, folder: Path) -> None:
        """From the first to the last day."""
        self.a_night_of_many_messages()
        self.too_many_on_one_day()
        self.a_wish_and_a_report()
        self.an_approval_lost()
        self.a_new_key()
        self.another_place(folder)
        self.the_end_of_the_month()
        self.somebody_to_forget()


def _report(address: str, message_id: str) -> bytes:
    """What a mail server writes when a mail could not be delivered in the end (RFC 3464)."""
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: service@example.com\r\nSubject: failed\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nsorry\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        f"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n\r\n--b--\r\n"
    ).encode()


def test_an_operators_month(place: Town, tmp_path: Path) -> None:
    month = Month(place)
    try:
        month.play(tmp_path / "there")
    finally:
        month.premises.close()
