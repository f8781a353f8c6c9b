"""The page of commands is complete and true: commands, options, and the keys that each really answers with."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import click
import pytest
from sqlalchemy import insert, select, update
from tests.support.cli import Desk
from tests.support.documents import ROOT

from keguan.cli.app import App
from keguan.cli.main import cli
from keguan.demo.life import live
from keguan.demo.summary import summarise
from keguan.model import Subject
from keguan.people.codes import WantedCode, ensure_codes
from keguan.people.suppressions import suppress
from keguan.store.schema import mails, messages, people, receipts, replies, tasks

PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
NOW = datetime(2026, 1, 5, 2, tzinfo=UTC)
UNASKED = {
    "run": "a daemon answers nothing",
    "demo": "its account is compared below, without living three years once more",
    "db restore": "it puts another database in the place of this one; rehearsed with --check only",
}
Shape = Mapping[str, Any]


# --- What the page says --------------------------------------------------------------------------------------


def rows() -> dict[str, tuple[str, str, str, str]]:
    """Return usage, what it does, options and shape by the command's words."""
    found = {}
    for line in PAGE.splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and cells[0].startswith("`keguan "):
            words = [word for word in cells[0].strip("`").split()[1:] if re.fullmatch(r"[a-z][a-z-]*", word)]
            found[" ".join(words)] = (cells[0].strip("`"), cells[1], cells[2], cells[3].strip("`"))
    return found


def named_shapes() -> dict[str, str]:
    """Return the shapes that several commands share, by name."""
    return dict(
        re.findall(r"^\| `(\w+)` \| `(.+)` \|$", PAGE.partition("## Shapes")[2].partition("\n## ")[0], re.MULTILINE)
    )


def parse(notation: str) -> Shape:
    """Return ``{a b{c}}`` or ``[a b]`` as ``{"a": None, "b": {"c": None}}``; ``…`` stands for any keys."""
    for name, keys in named_shapes().items():
        notation = re.sub(rf"(?<=[{{\[ ]){name.upper()}(?=[ }}\]])", keys, notation)
    tokens = iter(re.findall(r"[^\s{}\[\]]+|[{}\[\]]", notation))
    assert next(tokens) in "{["

    def inside() -> dict[str, Any]:
        found: dict[str, Any] = {}
        last = ""
        for token in tokens:
            if token in "{[":
                found[last] = inside()
            elif token in "}]":
                break
            else:
                last = token
                found[token] = None
        return found

    return inside()


def differences(shape: Shape, answer: Any, where: str) -> Iterator[str]:
    """Say how the keys of an answer are others than the page's."""
    if isinstance(answer, list):
        for each in answer:
            yield from differences(shape, each, where)
    elif isinstance(answer, dict) and "…" not in shape:
        if set(answer) != set(shape):
            yield f"{where}: printed {sorted(set(answer) - set(shape))}, not printed {sorted(set(shape) - set(answer))}"
        for name, inner in shape.items():
            if inner is not None:
                yield from differences(inner, answer.get(name), f"{where}.{name}")
    elif answer is not None and not isinstance(answer, dict):
        yield f"{where}: {type(answer).__name__} has no keys"


# --- Against the commands themselves ---------------------------------------------------------------------------


def leaves(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield every command that is no group, with its words."""
    if not isinstance(command, click.Group):
        yield " ".join(context.command_path.split()[1:]), command, context
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from leaves(inner, click.Context(inner, parent=context, info_name=name))


@pytest.fixture(scope="module")
def tree() -> dict[str, tuple[click.Command, click.Context]]:
    """Every command there is, those of the built-in plugin included."""
    app = App(config=ROOT / "config" / "keguan.toml")
    return {words: found for words, *found in leaves(cli, click.Context(cli, info_name="keguan", obj=app))}  # type: ignore[misc]


def test_every_command_stands_on_the_page_and_no_other(tree: Mapping[str, Any]) -> None:
    assert sorted(rows()) == sorted(tree)


def test_each_is_called_and_described_as_its_help_does(tree: Mapping[str, tuple[click.Command, click.Context]]) -> None:
    for words, (command, context) in tree.items():
        usage, does, _, _ = rows()[words]
        arguments = [each.make_metavar(context) for each in command.params if isinstance(each, click.Argument)]
        assert usage == " ".join(["keguan", words, *arguments])
        assert does == command.get_short_help_str(300).rstrip(".")


def test_each_has_the_options_that_the_page_names(tree: Mapping[str, tuple[click.Command, click.Context]]) -> None:
    filters = re.findall(r"`(--[a-z-]+)`", PAGE.partition("*Filters*")[2].partition("\n\n")[0])
    assert len(filters) == 7
    for words, (command, _) in tree.items():
        options = rows()[words][2]
        named = re.findall(r"`(--?[a-z-]+)`", options) + (filters if "*filters*" in options else [])
        assert sorted(named) == sorted(each.opts[0] for each in command.params if isinstance(each, click.Option)), words


def test_each_option_says_what_it_is_for(tree: Mapping[str, tuple[click.Command, click.Context]]) -> None:
    silent = [
        f"{words} {each.opts[0]}"
        for words, (command, _) in tree.items()
        for each in command.params
        if isinstance(each, click.Option) and not each.help
    ]
    assert silent == []


# --- Against what they print -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """An installation in the midst of its life, with one of everything that commands list."""
    folder = tmp_path_factory.mktemp("commands")
    lived = live(folder, 16, date(2025, 12, 31), "en", years=1, until=date(2025, 5, 21))
    store = lived.installation.store
    with store.write() as connection:
        person, phone = connection.execute(
            select(people.c.id, people.c.phone_index).where(people.c.phone_index.is_not(None)).limit(1)
        ).one()
        connection.execute(update(tasks).where(tasks.c.id <= 3).values(status="open", closed_at=None, closed_by=None))
        one = select(messages.c.id).where(messages.c.status == "sent").limit(1).scalar_subquery()
        connection.execute(update(messages).where(messages.c.id == one).values(status="dead"))
        suppress(connection, "sms", phone, why="gate.bounced", now=NOW)
        ensure_codes(
            store, connection, [WantedCode("k", "status", person, Subject("home", 1))], NOW, 9000, lambda: CODE
        )
        receipt = {"adapter": "a", "provider_id": "1", "status": "delivered", "at": NOW, "received_at": NOW}
        receipt |= {"bounces": False, "applied": True}
        connection.execute(insert(receipts).values(receipt))
        connection.execute(insert(mails).values(mailbox="m", uid_validity=1, uid=1, at=NOW, outcome="empty"))
        connection.execute(
            insert(replies).values(adapter="a", reply_id="1", at=NOW, received_at=NOW, phone="1", text="1")
        )
    lived.installation.close()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    with (folder / "config" / "keguan.toml").open("a", encoding="utf-8") as config:
        config.write('\n[drop]\nfolder = "var/drop"\nsettle = 0\n')
    drop = folder / "var" / "drop" / "staff"
    drop.mkdir(parents=True)
    (drop / "s.csv").write_text(FILES["s.csv"], encoding="utf-8")
    return Desk(folder)


CODE = "K7M3RX"
FILES = {
    "s.csv": "姓名,部门,邮箱\n甲乙,客关,jiayi@example.com\n",
    "days.csv": "date,working,name\n2031-12-31,false,Eve\n",
    "record.txt": "record\n",
}
MERCHANTS = "sixplustwo.preferred_merchants"
MERCHANT = ("name=Kettle", "offer=ten percent", "licence_until=2030-01-01", "approved=yes")
TYPED = """
status
health
doctor
init
tick
dispatch
import staff s.csv --dry-run
emit deposit --subject {contract} deposit_on=2023-01-01
intake run
intake list
intake mails
events list
events show tick/shenzhen/2025-03-03
events replay --plugin sixplustwo
journey {contract}
yearplan --year 2025
plans list
preview --date {day}
simulate --from 2026-01-01 --to 2026-02-01 --homes 5
diff --with sixplustwo --homes 1 --years 1
tasks list
tasks show {done}
tasks show {open}
tasks assign {open} --to 1
tasks postpone {open} --to 2099-03-01 --reason later
tasks fill {open}
tasks form {open}
tasks sheet {open} --out book.xlsx
tasks sheet-in book.xlsx
tasks done {open} --evidence record.txt --without-evidence --reason none
tasks evidence {open}
tasks skip {other} --reason none
tasks stats
staff list
staff away 1 --until 2099-01-01 --deputy 2
staff back 1
staff leaves 3 --on 2099-01-01
forms list
forms show sixplustwo.housewarming_visit
outbox list --limit 20
outbox show 1
outbox receipts
outbox retry --status undelivered
outbox release --all
outbox drop {dead} --reason none
checks run
plugins list
plugins check
plugins disable sixplustwo --city wuhan
plugins enable sixplustwo --city wuhan --backfill
plugins new changsha --directory project
templates list
templates show congratulation
templates check --gateway aliyun
codes list
codes show {code}
codes expire {code}
customers list
customers optout {person} --source call
customers optin {person} --source call
customers consents {person}
customers suppressions
customers unsuppress 1 --reason wrong
replies list
replies read 1
privacy export {person}
privacy erase {person} --yes
privacy log
privacy purge
privacy rotate
db upgrade
db verify
db backup copy.db
calendar day 2026-10-01
calendar add 2026-10-01 --workdays 3
calendar between 2026-10-01 2026-10-09
calendar load days.csv --city shenzhen
rehearsal reset
registers list
registers add sixplustwo.preferred_merchants wuhan name=Pan offer=free licence_until=2030-01-01 approved=yes
registers change {entry} offer=none --reason wrong
registers remove {entry} --reason gone
registers restore {entry} --reason back
registers log {entry}
registers show sixplustwo.preferred_merchants
registers export sixplustwo.preferred_merchants merchants.csv
registers import sixplustwo.preferred_merchants merchants.csv
sixplustwo coverage
sixplustwo playbook
sixplustwo annex --project {project} --out annex.html
sixplustwo club
sixplustwo tally
sixplustwo survey
sixplustwo migrate --to guide --project {project} --dry-run
"""


def known(desk: Desk) -> dict[str, object]:
    """Return what the typed commands name: numbers that this installation has."""
    tasks = {status: desk.ask("tasks", "list", "--status", status) for status in ("open", "done")}
    with_form = [each["id"] for each in tasks["open"] if each["form"]]
    return {
        "contract": desk.ask("customers", "list")[0]["contracts"][0],
        "day": desk.ask("plans", "list", "--status", "planned")[0]["due_at"][:10],
        "open": with_form[0],
        "other": with_form[1],
        "done": tasks["done"][0]["id"],
        "dead": desk.ask("outbox", "list", "--status", "dead")[0]["id"],
        "person": desk.ask("customers", "suppressions")[0]["customer"],
        "code": CODE,
        "entry": desk.ask("registers", "add", MERCHANTS, "wuhan", *MERCHANT)["entry"],
        "project": desk.ask("plans", "list", "--limit", "1")[0]["project"],
    }


def test_each_answers_with_the_keys_that_the_page_lists(town: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(town.folder)
    names, asked, wrong = known(town), set(UNASKED), []
    for line in TYPED.strip().splitlines():
        words = shlex.split(line.format(**names))
        command = next(each for each in (" ".join(words[:2]), words[0]) if each in rows())
        answer = town.type("--json", "--lang", "en", *words)
        if not answer.out:
            wrong.append(f"{line}: {answer.err}")
            continue
        asked.add(command)
        shape = parse(rows()[command][3])
        assert isinstance(answer.json, list) == rows()[command][3].startswith("["), line
        wrong += differences(shape, answer.json, line)
    assert not wrong, "\n".join(wrong)
    assert asked == set(rows())


def test_the_account_of_the_demonstration_has_the_keys_of_the_page(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lived = live(tmp_path_factory.mktemp("demo"), 4, date(2025, 12, 31), "en", years=1)
    try:
        assert list(differences(parse(rows()["demo"][3]), summarise(lived, "en"), "demo")) == []
    finally:
        lived.installation.close()
