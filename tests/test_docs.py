"""What is read is true: links lead somewhere, the quick start stands in both languages, tables are complete."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from tests.support.documents import ROOT, blocks, documents

from keguan.cli.main import cli
from keguan.model.checks import PromiseStatus
from keguan.store.schema import MESSAGE_STATUSES, PLAN_STATUSES, TASK_STATUSES
from keguan_sixplustwo.touchpoint import Kind, Touchpoint

DOCS = ROOT / "docs"
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
_TOP = ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md")


def prose(file: Path) -> str:
    """Return the text of ``file`` without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("file", documents(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_between_documents_leads_somewhere(file: Path) -> None:
    links = [link for link in _LINK.findall(prose(file)) if "://" not in link]
    assert [link for link in links if not (file.parent / link).exists()] == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    for readme in ("README.md", "README.zh-CN.md"):
        links = {(ROOT / link).resolve() for link in _LINK.findall(prose(ROOT / readme)) if "://" not in link}
        assert {file for file in DOCS.glob("*.md") if file not in links} == set()
        assert {ROOT / name for name in _TOP if name != readme} <= links


def test_the_quick_start_is_two_lines_and_the_same_in_both_languages() -> None:
    first = [blocks(ROOT / name, "sh")[0].text for name in ("README.md", "README.zh-CN.md")]
    lines = first[0].splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("keguan demo")
    assert "pytest" in lines[1]
    assert first[0] == first[1]


def test_both_readmes_have_the_same_parts_and_the_same_figures() -> None:
    english, chinese = (ROOT / name for name in ("README.md", "README.zh-CN.md"))
    for marks in (r"^## ", r"^<!-- /?bench -->$", r"^\| "):
        counts = [len(re.findall(marks, file.read_text(encoding="utf-8"), re.MULTILINE)) for file in (english, chinese)]
        assert counts[0] == counts[1] > 0
    figures = [re.findall(r"`([a-z]+(?:_[a-z]+)+)`", prose(file)) for file in (english, chinese)]
    assert figures[0] == figures[1]


def test_the_variant_in_the_readme_is_one_that_the_developers_tutorial_writes_and_checks() -> None:
    tutorial = (DOCS / "tutorial-developers.md").read_text(encoding="utf-8")
    for readme in ("README.md", "README.zh-CN.md"):
        assert blocks(ROOT / readme, "python")[0].text in tutorial


def test_every_command_that_a_document_names_exists() -> None:
    context = cli.make_context("keguan", [], resilient_parsing=True)
    known = set(cli.list_commands(context)) | {"greetings"}  # the plugin of the reference
    named = {
        (file.name, command)
        for file in documents()
        for command in re.findall(r"`keguan (?:--?[^\s`]+ )*([a-z]+)\b", prose(file))
    }
    assert named
    assert {each for each in named if each[1] not in known} == set()


@pytest.mark.parametrize(
    ("heading", "statuses"),
    [
        ("### Plans", PLAN_STATUSES),
        ("### Messages", MESSAGE_STATUSES),
        ("### Tasks", TASK_STATUSES),
        ("### Deliveries of events", ("new", "done", "failed", "skipped")),
        ("### Promises, in `journey`", get_args(PromiseStatus)),
    ],
)
def test_the_manual_explains_every_status_and_no_other(heading: str, statuses: tuple[str, ...]) -> None:
    section = (DOCS / "operating.md").read_text(encoding="utf-8").partition(f"\n{heading}\n")[2]
    table = section.partition("\n#")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(statuses)


def reasons() -> list[str]:
    """Return what an import may say of a file or a row: the sentences as the catalogues have them."""
    texts = ROOT / "core" / "keguan" / "texts" / "en"
    found = tomllib.loads((texts / "import.toml").read_text(encoding="utf-8"))
    apply = (texts / "apply.toml").read_text(encoding="utf-8")
    own = apply.partition("# Reasons of rejection\n")[2].partition("\n# ")[0]
    assert own
    return [*(text for key, text in found.items() if not key.startswith("notice_")), *tomllib.loads(own).values()]


def test_the_manual_of_imports_lists_every_reason_for_a_rejection() -> None:
    listed = (DOCS / "import.md").read_text(encoding="utf-8")
    whats = [re.sub(r"\{\w+\}", "…", re.split(r" \(|: ", reason)[0]) for reason in reasons()]
    assert [what for what in whats if f"| {what}" not in listed] == []


def test_the_page_on_standards_names_no_field_that_a_touchpoint_has_not() -> None:
    section = (
        (DOCS / "standards.md").read_text(encoding="utf-8").partition("## A touchpoint\n")[2].partition("\n### ")[0]
    )
    named = set(re.findall(r"`(\w+)`", section))
    assert "playbook.md" in section
    assert named - {"null"} <= set(Touchpoint.model_fields) | set(Kind)


def test_the_commands_for_contributors_exist() -> None:
    lines = [line for block in blocks(ROOT / "CONTRIBUTING.md", "sh") for line in block.text.splitlines()]
    for line in lines:
        for module in re.findall(r"python3? -m (\w+)", line):
            assert importlib.util.find_spec(module), line
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"`make (\w+)`", text)) <= set(targets)
    for path in re.findall(r"`((?:core|tests|docs|plugins|\.ci)/[\w/.-]+)`", text):
        if "AREA" not in path:
            assert (ROOT / path).exists(), path


def test_the_page_on_design_names_every_package_of_the_core_and_no_other() -> None:
    table = (DOCS / "design.md").read_text(encoding="utf-8").partition("## Where things are\n")[2]
    cells = re.findall(r"^\| .+? \| (.+) \|$", table, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    core = ROOT / "core" / "keguan"
    assert named == {folder.name for folder in core.iterdir() if folder.is_dir() and folder.name[0] not in "._"}
    assert [path for path in re.findall(r"`(\w+/\w+\.py)`", table) if not (core / path).exists()] == []
