"""A form is declared as data, and what makes no sense in it is found when it is read."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import ValidationError
from tests.support.documents import ROOT, blocks

from keguan import Form
from keguan.errors import PluginError
from keguan.forms import load_forms
from keguan.model.forms import FieldType

L = {"zh": "问", "en": "Q"}
L2 = {"zh": "答", "en": "A"}


def form(*fields: dict[str, Any], **more: Any) -> Form:
    return Form.model_validate({"name": "paper", "title": L, "fields": fields, **more})


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ([], "at least 1"),
        ([{"name": "a", "type": "txt", "label": L}], "Input should be"),
        ([{"name": "A", "type": "text", "label": L}], "match pattern"),
        ([{"name": "a", "type": "text", "label": {"zh": "问"}}], "Field required"),
        ([{"name": "a", "type": "text", "label": L, "colour": "red"}], "not permitted"),
        ([{"name": "a", "type": "text", "label": L}] * 2, "two fields are called a"),
        ([{"name": "a", "type": "text", "label": L}, {"name": "b", "type": "text", "label": L}], "have one label"),
        ([{"name": "a", "type": "choice", "label": L}], "choices belong"),
        ([{"name": "a", "type": "text", "label": L, "choices": [{"name": "x", "label": L}]}], "choices belong"),
        ([{"name": "a", "type": "choice", "label": L, "choices": [{"name": "x", "label": L}] * 2}], "one name"),
        (
            [
                {
                    "name": "a",
                    "type": "choice",
                    "label": L,
                    "choices": [{"name": "x", "label": L}, {"name": "y", "label": L}],
                }
            ],
            "one label",
        ),
        ([{"name": "a", "type": "text", "label": L, "unit": L}], "belong to number"),
        ([{"name": "a", "type": "number", "label": L, "least": 3, "most": 2}], "least is more"),
        ([{"name": "a", "type": "rating", "label": L, "most": 11}], "2 to 10"),
        ([{"name": "a", "type": "text", "label": L, "count": 2}], "count belongs"),
        ([{"name": "a", "type": "text", "label": L, "required_when": {"field": "b", "equals": "x"}}], "no other field"),
        (
            [
                {"name": "a", "type": "text", "label": L, "required_when": {"field": "b", "equals": "x"}},
                {"name": "b", "type": "yes_no", "label": L2},
            ],
            "compares",
        ),
        (
            [
                {"name": "a", "type": "text", "label": L, "required_when": {"field": "b", "equals": "z"}},
                {"name": "b", "type": "choice", "label": L2, "choices": [{"name": "x", "label": L}]},
            ],
            "no choice of it",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(fields: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        form(*fields)


def test_lines_need_a_key_to_be_filled_in_beforehand_and_hold_no_files() -> None:
    text, photo = {"name": "a", "type": "text", "label": L}, {"name": "b", "type": "photo", "label": L2}
    for lines, problem in (
        ({"label": L, "fields": [text], "prefill": "homes"}, "needs a key"),
        ({"label": L, "fields": [text], "key": "z"}, "names a text field"),
        ({"label": L, "fields": [text, photo]}, "no files"),
        ({"label": L, "fields": [text], "least": 9, "most": 3}, "least is more"),
    ):
        with pytest.raises(ValidationError, match=problem):
            form(text, lines=lines)


def test_a_summary_names_nothing_personal() -> None:
    with pytest.raises(ValidationError, match="summary"):
        form({"name": "a", "type": "phone", "label": L}, summary=["a"])


def test_phone_mail_and_person_are_personal_unless_the_form_says_otherwise() -> None:
    for kind, personal in (("phone", True), ("email", True), ("person", True), ("text", False), ("number", False)):
        assert form({"name": "a", "type": kind, "label": L}).fields[0].is_personal is personal
    assert form({"name": "a", "type": "phone", "label": L, "personal": False}).fields[0].is_personal is False


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "papers_probe"
    (folder / "forms").mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "papers_probe", raising=False)
    return folder


def test_forms_are_read_from_the_package_and_called_as_their_files(package: Path) -> None:
    for name in ("b", "a"):
        source = "title: {zh: 问, en: Q}\nfields:\n  - {name: a, type: text, label: {zh: 问, en: Q}}\n"
        (package / "forms" / f"{name}.yaml").write_text(source, encoding="utf-8")
    (package / "forms" / "README.md").touch()
    assert [each.name for each in load_forms("papers_probe")] == ["a", "b"]


@pytest.mark.parametrize(
    ("source", "key", "problem"),
    [
        ("title: [", "forms.file_unreadable", "expected"),
        ("- a\n", "forms.file_unreadable", "no table"),
        ("title: {zh: 问, en: Q}\n", "forms.declared_wrong", "fields: Field required"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_what_is_wrong_in_it(
    package: Path, source: str, key: str, problem: str
) -> None:
    (package / "forms" / "a.yaml").write_text(source, encoding="utf-8")
    with pytest.raises(PluginError) as failed:
        load_forms("papers_probe")
    assert failed.value.key == key
    assert "papers_probe/forms/a.yaml" in str(failed.value)
    assert problem in str(failed.value)


def test_a_package_without_forms_has_none(package: Path) -> None:
    (package / "forms").rmdir()
    assert load_forms("papers_probe") == []


def test_the_form_of_the_manual_is_one() -> None:
    block, register = blocks(ROOT / "docs" / "forms.md", "yaml")
    kept = Form.model_validate({"name": "preferred_merchants", **yaml.safe_load(register.text)}).register_of
    assert kept is not None
    assert (kept.about, kept.key) == ("branch", "name")
    shown = Form.model_validate({"name": "group_purchase", **yaml.safe_load(block.text)})
    assert [field.name for field in shown.files] == ["scene"]
    listed = (ROOT / "docs" / "forms.md").read_text(encoding="utf-8").partition("| type |")[2].partition("\n\n")[0]
    rows = "".join(line.split("|")[1] for line in listed.splitlines() if line.startswith("| `"))
    assert sorted(re.findall(r"`(\w+)`", rows)) == sorted(get_args(FieldType))
