"""Registers: lines that are kept about a project, found again by their key, and never lost."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import select
from tests.core.forms.conftest import words
from tests.support.estate import Estate, at

from keguan import Form
from keguan.errors import InputError, Refusals, UsageError
from keguan.people.rotation import TABLES
from keguan.queries.reader import Filters, Reader
from keguan.queries.registers import line_log, list_lines, list_registers
from keguan.registers.keeping import Keeper
from keguan.registers.naming import find_place
from keguan.registers.taking import take_file
from keguan.registers.writing import write_lines
from keguan.store.schema import accesses, entry_log, events

MERCHANTS: dict[str, Any] = {
    "name": "merchants",
    "title": words("Merchants"),
    "register": {
        "about": "project",
        "key": "name",
        "counts": "approved",
        "expires": "licence_until",
        "tells": "merchants_changed",
    },
    "fields": [
        {"name": "name", "type": "text", "required": True, "label": words("Name")},
        {"name": "phone", "type": "phone", "label": words("Phone")},
        {"name": "licence_until", "type": "date", "label": words("Licence until")},
        {"name": "approved", "type": "yes_no", "label": words("Approved")},
    ],
}
FORMS = {"probe.merchants": Form.model_validate(MERCHANTS)}
NAME = "probe.merchants"
PROJECT = "云璟一期"


class Office:
    """Somebody who keeps a register of the estate."""

    def __init__(self, estate: Estate) -> None:
        self.estate, self.store, self.settings = estate, estate.store, estate.reader().settings
        estate.project(PROJECT)

    def keeper(self, connection: Any, by: str = "Mei") -> Keeper:
        return Keeper(self.store, connection, FORMS, at("2026-03-02 10:00"), by)

    def add(self, **answers: str) -> int:
        with self.store.write() as connection:
            place = find_place(connection, self.settings, "project", PROJECT)
            return self.keeper(connection).add(NAME, place, answers)

    def change(self, entry: int, reason: str = "new licence", **answers: str) -> bool:
        with self.store.write() as connection:
            return self.keeper(connection).change(entry, answers, reason)

    def remove(self, entry: int, reason: str = "closed") -> None:
        with self.store.write() as connection:
            self.keeper(connection).remove(entry, reason)

    def restore(self, entry: int) -> None:
        with self.store.write() as connection:
            self.keeper(connection).restore(entry, "open again")

    @property
    def reader(self) -> Reader:
        return Reader(self.store, self.settings, at("2026-03-02 10:00"), "en")

    def lines(self, **wanted: Any) -> list[dict[str, Any]]:
        return list(list_lines(self.reader, FORMS, NAME, Filters(), **wanted))

    def told(self) -> list[str]:
        with self.store.read() as connection:
            found = connection.execute(select(events.c.data).where(events.c.type == "merchants_changed"))
            return [row.data["what"] for row in found.all()]

    def take(self, file: Path, **wanted: Any) -> Any:
        stated = {"about": PROJECT, "now": at("2026-03-02 10:00"), "by": "Mei", "reason": "list of March", **wanted}
        forms = stated.pop("forms", FORMS)
        return take_file(self.store, self.settings, forms, NAME, file, language="en", **stated)


@pytest.fixture
def office(estate: Estate) -> Office:
    return Office(estate)


def test_a_line_is_kept_with_everything_that_became_of_it(office: Office) -> None:
    entry = office.add(name="Kettle", phone="13800138000", approved="yes")
    assert office.change(entry, approved="no")
    office.remove(entry)
    assert office.lines() == []
    office.restore(entry)
    [line] = office.lines()
    assert (line["answers"]["name"], line["counts"], line["removed_at"]) == ("Kettle", False, None)
    log = line_log(office.reader, FORMS, entry)
    assert [(row["what"], row["who"], row["reason"]) for row in log] == [
        ("added", "Mei", None),
        ("changed", "Mei", "new licence"),
        ("removed", "Mei", "closed"),
        ("restored", "Mei", "open again"),
    ]
    assert [row["answers"].get("approved") for row in log] == [True, False, False, False]


def test_personal_answers_are_masked_unless_somebody_asks_for_them(office: Office) -> None:
    office.add(name="Kettle", phone="13800138000")
    assert "13800138000" not in str(office.lines())
    assert office.lines(unmask=True)[0]["answers"]["phone"] == "+8613800138000"


def test_the_subject_hears_only_of_lines_that_count_or_did(office: Office) -> None:
    entry = office.add(name="Kettle")
    assert office.told() == []
    office.change(entry, approved="yes")
    office.change(entry, phone="13800138000")
    office.change(entry, approved="no")
    office.change(entry, phone="13800138001")
    assert office.told() == ["changed", "changed", "changed"]


def test_two_lines_with_one_key_are_refused(office: Office) -> None:
    first = office.add(name="Kettle")
    with pytest.raises(InputError, match=f"line {first} has the same name"):
        office.add(name="Kettle")
    office.remove(first)
    office.add(name="Kettle")
    with pytest.raises(InputError, match="has the same name"):
        office.restore(first)


def test_wrong_and_missing_answers_have_a_line_each_and_nothing_is_kept(office: Office) -> None:
    with pytest.raises(Refusals) as refused:
        office.add(licence_until="someday", approved="perhaps")
    assert sorted(str(error.values["field"]) for error in refused.value.errors) == ["approved", "licence_until", "name"]
    assert office.lines(everything=True) == []


def test_a_change_needs_a_reason_and_an_equal_one_is_none(office: Office) -> None:
    entry = office.add(name="Kettle")
    assert not office.change(entry, reason="", name="Kettle")
    with pytest.raises(InputError, match="reason is empty"):
        office.change(entry, reason=" ", name="Pot")


def test_expired_lines_are_found_before_and_after_the_day(office: Office) -> None:
    office.add(name="Over", licence_until="2026-03-01")
    office.add(name="Soon", licence_until="2026-03-20")
    office.add(name="Later", licence_until="2027-03-20")
    office.add(name="Open end")
    assert [line["answers"]["name"] for line in office.lines() if line["expired"]] == ["Over"]
    assert [line["answers"]["name"] for line in office.lines(expiring=30)] == ["Over", "Soon"]


def test_a_file_adds_new_lines_and_changes_known_ones_and_again_changes_nothing(office: Office, tmp_path: Path) -> None:
    office.add(name="Kettle", approved="no")
    file = tmp_path / "merchants.csv"
    file.write_text(
        "Name,Phone,Approved,Colour\nKettle,,yes,red\nPan,13800138001,no,\n,13800138002,yes,\n", encoding="utf-8"
    )
    taken = office.take(file)
    assert (taken.accepted, taken.unchanged, taken.dropped) == (2, 0, ["Colour"])
    assert [wrong["row"] for wrong in taken.rejected] == [4]
    assert {line["answers"]["name"]: line["counts"] for line in office.lines()} == {"Kettle": True, "Pan": False}
    again = office.take(file)
    assert (again.accepted, again.unchanged) == (0, 2)


def test_a_file_taken_twice_adds_nothing_to_a_register_without_a_key(office: Office, tmp_path: Path) -> None:
    forms = {NAME: Form.model_validate({**MERCHANTS, "register": {"about": "project"}})}
    file = tmp_path / "merchants.csv"
    file.write_text("Name,Approved\nKettle,yes\nKettle,no\n", encoding="utf-8")
    assert (office.take(file, forms=forms).accepted, office.take(file, forms=forms).unchanged) == (2, 2)
    office.remove(office.lines()[0]["entry"])
    assert office.take(file, forms=forms).accepted == 1
    assert [line["answers"]["approved"] for line in office.lines()] == [False, True]


def test_a_rehearsed_file_changes_nothing(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "merchants.csv"
    file.write_text("Name,Approved\nKettle,yes\n", encoding="utf-8")
    assert office.take(file, dry_run=True).accepted == 1
    assert office.lines(everything=True) == []


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_what_is_written_out_can_be_taken_in_again(office: Office, tmp_path: Path, ending: str) -> None:
    office.add(name="=Kettle", phone="13800138000", licence_until="2026-05-01", approved="yes")
    file = tmp_path / f"merchants{ending}"
    assert write_lines(office.reader, FORMS, NAME, Filters(), file) == 1
    assert file.stat().st_mode & 0o077 == 0
    again = office.take(file, about=None)
    assert (again.rejected, again.unchanged) == ([], 1)
    with office.store.read() as connection:
        assert connection.execute(select(accesses.c.what)).scalars().all() == ["registers export"]


def test_a_file_is_never_overwritten(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "merchants.csv"
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="there already"):
        write_lines(office.reader, FORMS, NAME, Filters(), file)
    assert file.read_text(encoding="utf-8") == "mine"


def test_registers_are_listed_with_their_numbers(office: Office) -> None:
    office.remove(office.add(name="Kettle"))
    office.add(name="Pan")
    [row] = list_registers(office.reader, FORMS)
    assert (row["register"], row["entries"], row["removed"]) == (NAME, 1, 1)


def test_the_log_is_sealed_like_the_lines(office: Office) -> None:
    assert entry_log in TABLES


def test_an_unknown_register_names_the_nearest(office: Office) -> None:
    with pytest.raises(InputError, match=r"probe\.merchants"):
        list(list_lines(office.reader, FORMS, "probe.merchant", Filters()))


@pytest.mark.parametrize("register", [{"about": "project", "key": "approved"}, {"about": "moon"}])
def test_a_register_that_cannot_work_is_refused_when_it_is_declared(register: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Form.model_validate(MERCHANTS | {"register": register})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.dictionaries(st.sampled_from(["Kettle", "Pan", "Pot"]), st.sampled_from(["yes", "no"]), min_size=1))
def test_taking_a_file_twice_is_taking_it_once(rows: dict[str, str], office: Office, tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    with file.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([("Name", "Approved"), *rows.items()])
    office.take(file)
    with office.store.read() as connection:
        before = len(connection.execute(select(entry_log.c.id)).all())
    assert office.take(file).accepted == 0
    with office.store.read() as connection:
        assert len(connection.execute(select(entry_log.c.id)).all()) == before
