"""The hook reference names every hook as it is, and its example is a plugin that works."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy
import pytest
from tests.support.documents import ROOT, blocks

import keguan_sixplustwo.hookspecs
from keguan import Subject, hookspecs
from keguan.store.engine import Store, open_store
from keguan.store.migrate import upgrade
from keguan.testing import SampleCity

REFERENCE = ROOT / "docs" / "hooks.md"
_FILE = re.compile(r"# (\S+\.py)\n")


def hooks() -> dict[str, Callable[..., object]]:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    return {
        name: function
        for module in (hookspecs, keguan_sixplustwo.hookspecs)
        for name, function in vars(module).items()
        if inspect.isfunction(function) and manager.parse_hookspec_opts(module, name) is not None
    }


def signature(name: str, hook: Callable[..., object]) -> str:
    signature = inspect.signature(hook)
    arguments = ", ".join(f"{each.name}: {each.annotation}" for each in signature.parameters.values())
    return f"def {name}({arguments}) -> {signature.return_annotation}"


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """The files that the examples are parts of."""
    found: dict[str, str] = {}
    for block in blocks(REFERENCE, "python"):
        if place := _FILE.match(block.text):
            found[place[1]] = found.get(place[1], "") + block.text[place.end() :] + "\n\n"
    return found


@pytest.mark.parametrize("name", sorted(hooks()))
def test_every_hook_stands_there_with_its_exact_signature_and_an_example(name: str, files: dict[str, str]) -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert f"\n### {name}\n\n```python\n{signature(name, hooks()[name])}\n```\n" in text
    assert any(f"@hookimpl\ndef {name}(" in source for source in files.values()), "there is a worked example"


def test_no_hook_stands_there_that_does_not_exist() -> None:
    headings = re.findall(r"^### (\w+)$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(hooks())


@pytest.fixture
def keguan_store(tmp_path: Path) -> Iterator[Store]:
    """One kind of database is enough to show that the examples work."""
    store = open_store(f"sqlite:///{tmp_path / 'keguan.db'}", tmp_path)
    upgrade(store)
    yield store
    store.close()


@pytest.fixture
def package(files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a package of the reference, written down as it stands there."""
    folder = tmp_path / "site-packages"
    for name, source in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(source, encoding="utf-8")
    for block in blocks(REFERENCE, "jinja"):
        place = folder / "keguan_greetings" / block.info
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(block.text, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)

    def load(name: str) -> ModuleType:
        for module in (name, f"{name}.hookspecs"):
            monkeypatch.delitem(sys.modules, module, raising=False)
        return importlib.import_module(name)

    return load


def test_the_example_lives_through_three_years(
    package: Callable[[str], ModuleType], sample_city: Callable[..., SampleCity]
) -> None:
    config = "[plugins.greetings]\nenabled = true\nflag_projects = ['云璟一期']\n"
    city = sample_city({"greetings": package("keguan_greetings")}, config=config)
    sale = city.sign("1201", on=date(2026, 3, 2))
    city.run_until(date(2026, 3, 10))
    city.hand_over(sale)
    city.tell("greetings_party", Subject("project", 1))
    city.run_until(date(2026, 5, 2))
    city.expect("handshake", sale, due="2026-03-05 09:00")
    city.expect("anniversary", sale, "planned", due="2027-03-10 10:00", occurrence=1)
    tasks = {promised.action: promised.status for promised in city.promises()}
    assert tasks["thank_you"] == "late"
    assert tasks["flags"] == "due", "from the tick of the first of May, to be done after the holiday"
    city.run_until(date(2029, 3, 11))
    assert [message.text for message in city.sent] == [
        f"【云璟】{year} years in your home! You have 100 more points in our club. Questions: 400-000-0000."
        for year in (1, 2, 3)
    ]


def test_the_test_of_the_example_passes(
    files: dict[str, str], package: Callable[[str], ModuleType], sample_city: Callable[..., SampleCity]
) -> None:
    package("keguan_greetings")
    names: dict[str, Any] = {}
    exec(compile(files["tests/test_greetings.py"], "test_greetings.py", "exec"), names)  # a test that readers copy
    for name in [name for name in names if name.startswith("test_")]:
        names[name](sample_city)


def test_the_variant_of_the_reference_changes_the_playbook_of_its_city(
    package: Callable[[str], ModuleType], sample_city: Callable[..., SampleCity]
) -> None:
    city = sample_city({"sixplustwo": importlib.import_module("keguan_sixplustwo"), "jinan": package("keguan_jinan")})
    sale = city.sign("1201", on=date(2026, 3, 2))
    city.run_until(date(2026, 3, 10))
    city.hand_over(sale)
    city.settle()
    city.expect("signing_callback", sale, due="2026-03-03 08:00")
    city.expect_nothing("housewarming_visit", sale)
