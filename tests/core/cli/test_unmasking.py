"""Whoever sees personal values in full stands in the access log, whatever the command that showed them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from sqlalchemy import delete
from tests.core.cli.conftest import Desk as Terminal
from tests.support.estate import Estate, at
from tests.support.papers import PDF

from keguan.adapters.base import Heard, Reply
from keguan.cli.main import _COMMANDS, cli
from keguan.outbox.receipts import record_heard
from keguan.people.suppressions import suppress
from keguan.store.schema import accesses

PHONE, NAME = "+8613800138000", "张小满"
CALL = "sixplustwo.signing_callback"
FAR = at("2036-03-17T10:00")

SHOWS = {
    "customers list": ("--unmask",),
    "customers suppressions": ("--unmask",),
    "journey": ("HT-001", "--unmask"),
    "outbox list": ("--unmask",),
    "outbox show": (1, "--unmask"),
    "registers log": (1, "--unmask"),
    "registers show": ("sixplustwo.preferred_merchants", "--unmask"),
    "replies list": ("--unmask",),
    "staff list": ("--unmask",),
    "tasks form": (1, "--unmask"),
    "tasks list": ("--unmask",),
    "tasks show": (1, "--unmask"),
    "tasks stats": ("--unmask",),
}
"""Every command with ``--unmask``, and how it is called."""
TELLS_ANYWAY = {
    "privacy export": ("HT-001",),
    "tasks sheet": (1, "--out", "calls.xlsx"),
    "registers export": ("sixplustwo.preferred_merchants", "merchants.csv"),
    "tasks evidence": (2, "--out", "copies"),
}
"""Every command that shows or writes values in full without being asked to."""


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command of the core with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif command is not None:
            yield " ".join((*path, name)), command


def test_no_command_with_unmask_is_missing_here() -> None:
    groups = {name: cli.get_command(click.Context(cli), name) for name in _COMMANDS}
    found = commands(click.Group(commands={name: each for name, each in groups.items() if each is not None}))
    assert {path for path, each in found if any(option.name == "unmask" for option in each.params)} == set(SHOWS)


@pytest.fixture
def town(desk: Terminal, estate: Estate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """One of everything that is personal."""
    monkeypatch.chdir(tmp_path)
    project = estate.project()
    person = estate.person(NAME, PHONE)
    contract = estate.contract("HT-001", project, estate.home(project), [person])
    estate.task("call back", ("contract", contract), due=FAR, form=CALL, project_id=project)
    estate.message(person, body=f"【云璟地产】{NAME}您好", project_id=project)
    estate.employee("周敏")
    proven = estate.task("visit", due=FAR)
    Path("page.pdf").write_bytes(PDF)
    desk("tasks", "done", proven, "--evidence", "page.pdf", "--by", "周敏")
    merchant = ("name=Kettle", "offer=ten percent", f"contact={NAME}", "licence_until=2030-01-01", "approved=yes")
    desk("registers", "add", "sixplustwo.preferred_merchants", "深圳", *merchant)
    with estate.store.write() as connection:
        record_heard(connection, "cloud", Heard(replies=(Reply(PHONE, "请来电", FAR, "1"),)), FAR)
        suppress(connection, "sms", "index", why="gate.bounced", now=FAR)
        connection.execute(delete(accesses))
    return estate


@pytest.mark.parametrize("command", sorted(SHOWS))
def test_asking_for_values_in_full_is_recorded(command: str, desk: Terminal, town: Estate) -> None:
    answer = desk(*command.split(), *SHOWS[command])
    assert answer.status == 0, answer.err
    assert [(row.who, row.what.startswith(command)) for row in town.rows(accesses)] == [("li", True)]


@pytest.mark.parametrize("command", sorted(TELLS_ANYWAY))
def test_what_is_told_in_full_without_being_asked_is_recorded_too(command: str, desk: Terminal, town: Estate) -> None:
    answer = desk(*command.split(), *TELLS_ANYWAY[command])
    assert answer.status == 0, answer.err
    assert [(row.who, row.what.startswith(command)) for row in town.rows(accesses)] == [("li", True)]


def test_who_closed_a_task_is_masked_like_everybody(desk: Terminal, town: Estate) -> None:
    shown = desk("tasks", "show", 2).out
    assert ("周敏" in shown, "周*" in shown) == (False, True)
    assert "周敏" in desk("tasks", "show", 2, "--unmask").out


@pytest.mark.parametrize("command", sorted(SHOWS))
def test_without_being_asked_nothing_is_shown_in_full(command: str, desk: Terminal, town: Estate) -> None:
    answer = desk(*command.split(), *(word for word in SHOWS[command] if word != "--unmask"))
    assert answer.status == 0, answer.err
    assert not [word for word in (NAME, PHONE[3:], "周敏") if word in answer.out + answer.err]
    assert town.rows(accesses) == []
