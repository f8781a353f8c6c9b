"""The catalogues say the same in both languages, and have every sentence that the code asks for."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path

import pytest

from keguan.texts import LANGUAGES

REPOSITORY = Path(__file__).parents[2]
TEXTS = Path(str(resources.files("keguan.texts")))
AREAS = sorted(file.stem for file in (TEXTS / "zh").glob("*.toml"))
KEY = re.compile(rf"({'|'.join(AREAS)})(\.[a-z_]+)+")
SOURCES = [REPOSITORY / "core" / "keguan", *sorted((REPOSITORY / "plugins").glob("*/keguan_*"))]
NO_SENTENCES = (
    "store/schema/",  # foreign keys are written table.column
    "store/migrations/",
    "settings/config_file.py",  # paths of keys in a TOML file
)
BEGINNING = re.compile(rf"({'|'.join(AREAS)})\.[a-z_.]*")
FILE_NAME = re.compile(r"[a-z_]+\.(toml|json|jsonl|py|csv|db)")
HOST_NAMES = ("outbox.invalid",)


@cache
def catalogue(language: str, area: str) -> Mapping[str, str]:
    """Return an area's sentences by key."""

    def walk(prefix: str, node: Mapping[str, object]) -> Iterator[tuple[str, str]]:
        for name, value in node.items():
            if isinstance(value, dict):
                yield from walk(f"{prefix}.{name}", value)
            else:
                assert isinstance(value, str)
                yield f"{prefix}.{name}", value

    return dict(walk(area, tomllib.loads((TEXTS / language / f"{area}.toml").read_text(encoding="utf-8"))))


def keys_in(file: Path) -> Iterator[tuple[str, bool]]:
    """Return every string in a module that can only be a key of a catalogue, docstrings left out.

    With each goes whether it is only the beginning of keys, because an f-string goes on from there.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    skipped = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            first = node.values[0] if node.values else None
            if isinstance(first, ast.Constant) and BEGINNING.fullmatch(str(first.value)):
                yield str(first.value), True
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in skipped or not isinstance(node.value, str):
            continue
        if KEY.fullmatch(node.value) and not FILE_NAME.fullmatch(node.value) and node.value not in HOST_NAMES:
            yield node.value, False


def missing() -> Iterator[str]:
    """Return every key that some module asks for and no catalogue has, with the module."""
    for folder in SOURCES:
        for file in sorted(folder.rglob("*.py")):
            where = file.relative_to(folder).as_posix()
            if where.startswith(NO_SENTENCES):
                continue
            for key, beginning in keys_in(file):
                known = catalogue("zh", key.partition(".")[0])
                # "plans.column" is as good as a key: what prints tables adds the column's name
                if key not in known and not any(each.startswith(key if beginning else f"{key}.") for each in known):
                    yield f"{key} ({folder.name}/{where})"


@cache
def written() -> tuple[frozenset[str], re.Pattern[str]]:
    """Return every string that stands in the code or its data, and what f-strings with a dot in them may become."""
    strings: set[str] = set()
    patterns: set[str] = set()
    for file in (file for folder in SOURCES for file in folder.rglob("*.*") if TEXTS not in file.parents):
        if file.suffix in (".yaml", ".toml", ".j2", ".html"):
            strings |= set(re.findall(r"[a-z_]+(?:\.[a-z_]+)+", file.read_text(encoding="utf-8")))
        if file.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                strings.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in node.values]
                patterns.add("".join(parts) if parts[0] != ".+" else "(?!)")
    areas = rf"({'|'.join(AREAS)})\\."
    return frozenset(strings), re.compile("|".join(sorted(each for each in patterns if re.match(areas, each))))


def is_used(key: str) -> bool:
    """Return whether some code asks for a key: as it is, by an f-string, or as a column or word of what it names."""
    strings, patterns = written()
    parent, _, name = key.rpartition(".")
    column = parent.endswith(".column") and parent.removesuffix(".column") in strings and name in strings
    return key in strings or column or parent in strings or patterns.fullmatch(key) is not None


def fields(sentence: str) -> set[str]:
    """Return the names of the values that a sentence takes."""
    names = (name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)
    return {re.split(r"[.\[]", name)[0] for name in names}


def test_there_is_a_file_for_each_area_in_both_languages() -> None:
    assert AREAS
    for language in LANGUAGES:
        assert sorted(file.stem for file in (TEXTS / language).glob("*.toml")) == AREAS


@pytest.mark.parametrize("area", AREAS)
def test_both_languages_have_the_same_sentences_with_the_same_values(area: str) -> None:
    zh, en = catalogue("zh", area), catalogue("en", area)
    assert zh.keys() == en.keys()
    different = {key for key in zh if fields(zh[key]) != fields(en[key])}
    assert different == set()


def test_every_sentence_that_the_code_asks_for_exists() -> None:
    assert list(missing()) == []


def test_no_sentence_is_left_that_nobody_asks_for() -> None:
    assert [key for area in AREAS for key in catalogue("zh", area) if not is_used(key)] == []
    assert not is_used("plans.column.nobody")


def test_the_search_for_sentences_finds_them(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""plans.docstring"""\n'
        'say("plans.column.id", f"words.status.{x}", "plain", f"{x} plans.middle", "config.toml")\n'
    )
    assert sorted(keys_in(module)) == [("plans.column.id", False), ("words.status.", True)]


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_or_in_the_other_language(area: str, language: str) -> None:
    for key, sentence in catalogue(language, area).items():
        assert sentence.strip(), key
        chinese = any("\u4e00" <= char <= "\u9fff" for char in sentence)
        if language == "en" and chinese:
            raise AssertionError(f"{key} is Chinese in the English catalogue: {sentence}")
