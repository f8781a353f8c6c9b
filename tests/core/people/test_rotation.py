"""Changing keys loses nobody, whatever is written in between."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import insert, select, text, update
from tests.support.databases import SqliteTemplate
from tests.support.estate import Estate, at
from tests.support.keys import key, key_text, ring

from keguan.errors import UsageError
from keguan.people import rotation
from keguan.people.lookup import find_customer
from keguan.people.rotation import rotate, unsealed
from keguan.sealing import NO_KEYS, KeyRing, parse_keys
from keguan.store.engine import Store, open_store
from keguan.store.schema import keys, messages, people, privacy_log, suppressions

NOW = at("2026-03-02T09:00")


@pytest.fixture
def estate(store: Store, tmp_path: Path) -> Estate:
    """An empty company whose keys lie in a file."""
    (tmp_path / "keys").write_text(key_text(0) + "\n")
    store.ring = KeyRing([], file=tmp_path / "keys")
    return Estate(store, NOW)


def fingerprints(estate: Estate) -> dict[str, bool]:
    """Return the keys that the database knows, and whether they are retired."""
    return {row.fingerprint: row.retired_at is not None for row in estate.rows(keys)}


def note(estate: Estate, number: int = 0) -> None:
    with estate.store.write() as connection:
        connection.execute(insert(keys).values(fingerprint=key(number).fingerprint, first_used_at=NOW))


def test_a_rotation_makes_a_key_seals_everything_anew_and_retires_the_old_one(
    estate: Estate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "_BATCH", 2)
    note(estate)
    persons = [estate.person("张小满", f"+861380013800{n}") for n in range(5)]
    estate.message(persons[0], body="您好", attachments=[{"filename": "x"}])
    done = rotate(estate.store, NOW, "li")
    assert done.made
    assert done.counts == {"people": 5, "messages": 1, "replies": 0, "form_entries": 0, "entry_log": 0}
    assert (done.retired, done.left) == ([key(0).fingerprint], 0)
    assert fingerprints(estate) == {key(0).fingerprint: True, done.key: False}
    lines = (tmp_path / "keys").read_text().splitlines()
    assert lines[1:] == [key_text(0)]
    (tmp_path / "keys").write_text(lines[0])  # the old key is taken out
    estate.store.ring = KeyRing([], file=tmp_path / "keys")
    assert [row.name for row in estate.rows(people)] == ["张小满"] * 5
    assert estate.rows(messages)[0].attachments == [{"filename": "x"}]
    with estate.store.read() as connection:
        assert find_customer(connection, "13800138003") == persons[3]
    assert [(row.who, row.what, row.counts["people"]) for row in estate.rows(privacy_log)] == [("li", "rotate", 5)]


def test_a_key_that_the_administrator_put_first_is_taken_and_none_is_made(estate: Estate, tmp_path: Path) -> None:
    note(estate)
    estate.person()
    (tmp_path / "keys").write_text(f"{key_text(1)}\n{key_text(0)}\n")
    done = rotate(estate.store, NOW, "li")
    assert (done.key, done.made, done.retired) == (key(1).fingerprint, False, [key(0).fingerprint])
    assert (tmp_path / "keys").read_text() == f"{key_text(1)}\n{key_text(0)}\n"


def test_a_rotation_that_was_ended_in_the_middle_goes_on_with_the_same_key(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "_BATCH", 2)
    note(estate)
    for number in range(6):
        estate.person(phone=f"+861380013800{number}")
    seen = 0

    def end_it(_table: str, rows: int) -> None:
        nonlocal seen
        seen += rows
        if seen >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(estate.store, NOW, "li", end_it)
    assert unsealed(estate.store)["people"] == 2
    assert fingerprints(estate)[key(0).fingerprint] is False
    done = rotate(estate.store, NOW, "li")
    assert (done.made, done.counts["people"], done.retired) == (False, 2, [key(0).fingerprint])


def test_what_stood_in_clear_before_an_upgrade_is_sealed_and_found(estate: Estate) -> None:
    note(estate)
    with estate.store.write() as connection:
        connection.execute(
            text("INSERT INTO people (id, name, phone, phone_index) VALUES (9, '张小满', :phone, :phone)"),
            {"phone": "+8613800138000"},
        )
    done = rotate(estate.store, NOW, "li")
    assert (done.made, done.counts["people"], done.retired) == (False, 1, [])
    with estate.store.read() as connection:
        assert "13800138000" not in repr(connection.execute(text("SELECT * FROM people")).all())
        assert find_customer(connection, "13800138000") == 9
    assert unsealed(estate.store) == {"people": 0, "messages": 0, "replies": 0, "form_entries": 0, "entry_log": 0}


def test_what_another_program_seals_with_an_old_key_meanwhile_keeps_that_key(estate: Estate) -> None:
    note(estate)
    estate.person()
    late = open_store(estate.store.engine.url.render_as_string(hide_password=False), Path(), ring(0))
    wrote = 0

    def write_on(table: str, _rows: int) -> None:
        nonlocal wrote
        if table == "people":
            wrote += 1
            Estate(late, NOW).person(phone=f"+86139{wrote:08d}")

    done = rotate(estate.store, NOW, "li", write_on)
    late.close()
    assert done.left == 1
    assert done.retired == []
    assert fingerprints(estate)[key(0).fingerprint] is False
    again = rotate(estate.store, NOW, "li")
    assert (again.made, again.counts["people"], again.retired) == (False, 1, [key(0).fingerprint])


def test_addresses_that_bounced_stay_known_under_the_new_key(estate: Estate) -> None:
    note(estate)
    person = estate.person()
    was = estate.one(people, person).phone_index
    with estate.store.write() as connection:
        connection.execute(insert(suppressions).values(channel="sms", address_index=was, why="gate.bounced", at=NOW))
    rotate(estate.store, NOW, "li")
    now = estate.one(people, person).phone_index
    assert now != was
    assert now in {row.address_index for row in estate.rows(suppressions)}


def test_sealing_that_was_switched_off_opens_everything(estate: Estate) -> None:
    note(estate)
    person = estate.person()
    estate.store.ring = KeyRing([key(0)], encrypt=False)
    done = rotate(estate.store, NOW, "li")
    assert (done.key, done.counts["people"], done.retired) == (None, 1, [key(0).fingerprint])
    estate.store.ring = NO_KEYS
    assert estate.one(people, person).phone == "+8613800138000"
    with estate.store.read() as connection:
        assert find_customer(connection, "13800138000") == person


def test_keys_of_the_environment_are_changed_there(estate: Estate) -> None:
    note(estate)
    estate.store.ring = KeyRing([key(0)], given=[key(0)])
    with pytest.raises(UsageError) as failed:
        rotate(estate.store, NOW, "li")
    assert failed.value.key == "privacy.rotate_environment"


class AnyOrder(RuleBasedStateMachine):
    """Several processes, each knowing the keys there were when it began, write and change keys in any order."""

    template: SqliteTemplate
    persons = Bundle("persons")

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rotation-"))
        self.url = self.template.copy_to(self.folder / "keguan.db")
        self.file = self.folder / "keys"
        self.keys_made = 0
        self.file.write_text(key_text(0))
        self.stores = [open_store(self.url, self.folder, KeyRing([], file=self.file)) for _ in range(2)]
        self.expected: dict[int, tuple[str, str]] = {}
        note(Estate(self.stores[0], NOW))

    @rule(target=persons, process=st.integers(0, 1), name=st.text(min_size=1, max_size=3), phone=st.integers(0, 9))
    def add(self, process: int, name: str, phone: int) -> int:
        number = Estate(self.stores[process], NOW).person(name, f"+861380013800{phone}")
        self.expected[number] = name, f"+861380013800{phone}"
        return number

    @rule(person=persons, process=st.integers(0, 1), phone=st.integers(0, 9))
    def move(self, person: int, process: int, phone: int) -> None:
        store = self.stores[process]
        value = f"+861380013800{phone}"
        with store.write() as connection:
            values = {"phone": value, "phone_index": store.ring.index("phone", value)}
            connection.execute(update(people).where(people.c.id == person).values(values))
        self.expected[person] = self.expected[person][0], value

    @rule()
    def put_a_key_first(self) -> None:
        self.keys_made += 1
        self.file.write_text(f"{key_text(self.keys_made)}\n{self.file.read_text()}")

    @rule(process=st.integers(0, 1))
    def change_keys(self, process: int) -> None:
        assert rotate(self.stores[process], NOW, "li").left == 0

    @rule()
    def take_out_what_may_go(self) -> None:
        with self.stores[0].read() as connection:
            retired = set(
                connection.execute(select(keys.c.fingerprint).where(keys.c.retired_at.is_not(None))).scalars()
            )
        lines = self.file.read_text().splitlines()
        self.file.write_text("\n".join(line for line in lines if parse_keys(line)[0].fingerprint not in retired))

    @invariant()
    def nobody_is_lost(self) -> None:
        if not hasattr(self, "stores"):
            return
        for store in self.stores:
            with store.read() as connection:
                rows = connection.execute(select(people.c.id, people.c.name, people.c.phone)).all()
                assert {row.id: (row.name, row.phone) for row in rows} == self.expected

    def teardown(self) -> None:
        for store in getattr(self, "stores", ()):
            store.close()
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)


def test_any_order_of_writes_and_rotations_loses_nothing(sqlite_template: SqliteTemplate) -> None:
    AnyOrder.template = sqlite_template
    run_state_machine_as_test(AnyOrder, settings=settings(max_examples=25, stateful_step_count=12, deadline=None))
