"""Answers are read as people write them, refused with a way to write them, and masked where they are personal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.forms.conftest import CALL

from keguan import Form, FormField
from keguan.forms.checking import read_answers, what_is_missing
from keguan.forms.values import how_to_write, parse_answer, shown_answer
from keguan.intake.fields import FieldError

FIELDS = {field.name: field for field in Form.model_validate(CALL).fields}


@pytest.mark.parametrize(
    ("name", "cell", "answer"),
    [
        ("called_on", "2026年3月5日", "2026-03-05"),
        ("called_on", datetime(2026, 3, 5, 10), "2026-03-05"),  # noqa: DTZ001 - as a workbook has it
        ("called_on", date(2026, 3, 5), "2026-03-05"),
        ("at", "9:05", "09:05"),
        ("at", "14点30分", "14:30"),
        ("at", time(14, 30), "14:30"),
        ("at", 0.5, "12:00"),
        ("mood", "good", "good"),
        ("mood", " Bad ", "bad"),
        ("mood", "Good（中）", "good"),
        ("topics", "garden, Noise", ["noise", "garden"]),
        ("topics", "Lift（中）、noise；lift", ["noise", "lift"]),
        ("again", "是", True),
        ("again", "No", False),
        ("again", True, True),
        ("phone", 13800138000.0, "+8613800138000"),
        ("mail", "a@example.com", "a@example.com"),
        ("who", "王小明", "王小明"),
        ("room", "0301", "0301"),
        ("mark", "4分", 4),
        ("mark", 5.0, 5),
        ("area", "88.5 m2", "88.5"),
        ("area", 88.5, "88.5"),
        ("fee", "1,200", "1200.00"),
        ("fee", 12.5, "12.50"),
    ],
)
def test_an_answer_is_read_in_every_way_that_people_write_it(name: str, cell: Any, answer: Any) -> None:
    assert parse_answer(FIELDS[name], cell) == answer


def test_a_choice_is_made_by_the_name_that_the_command_line_shows() -> None:
    table = {"name": "reached", "type": "choice", "label": {"zh": "接通", "en": "Reached"}}
    labels = {"no_answer": {"zh": "三次未接", "en": "three tries"}, "wrong_number": {"zh": "错号", "en": "not theirs"}}
    field = FormField.model_validate(table | {"choices": [{"name": n, "label": one} for n, one in labels.items()]})
    assert [parse_answer(field, name) for name in labels] == list(labels)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("called_on", "3/5/2026"),
        ("called_on", "soon"),
        ("at", "25:00"),
        ("at", 7),
        ("mood", "so so"),
        ("topics", "noise, smell"),
        ("again", "maybe"),
        ("phone", "138****8000"),
        ("phone", "12"),
        ("mail", "a@b@c"),
        ("who", "王*"),
        ("mark", "6"),
        ("mark", "0"),
        ("mark", 3.5),
        ("area", "many"),
        ("area", "0.5"),
        ("area", "12.55"),
        ("area", True),
        ("fee", "10001"),
        ("fee", "-5"),
    ],
)
def test_what_cannot_be_read_is_refused_without_quoting_it(name: str, cell: Any) -> None:
    with pytest.raises(FieldError) as refused:
        parse_answer(FIELDS[name], cell)
    assert str(cell) not in str(refused.value) or len(str(cell)) < 4
    assert ": " in str(refused.value), "it says how to write it"


@given(st.sampled_from(sorted(set(FIELDS) - {"photo"})), st.text(min_size=1, max_size=60))
def test_any_text_is_an_answer_that_reads_the_same_again_or_is_refused(name: str, cell: str) -> None:
    field = FIELDS[name]
    try:
        answer = parse_answer(field, cell)
    except FieldError:
        return
    if answer not in ("", []):
        again = ", ".join(answer) if isinstance(answer, list) else str(answer)
        assert parse_answer(field, again) == answer


def test_every_type_says_how_it_is_written() -> None:
    for field in FIELDS.values():
        assert str(how_to_write(field))


@pytest.mark.parametrize(
    ("name", "answer", "masked"),
    [
        ("phone", "+8613800138000", "138****8000"),
        ("mail", "wang@example.com", "w***@example.com"),
        ("who", "王小明", "王**"),
        ("why", "请打13800138000", "请打138****8000"),
        ("mood", "bad", "Bad"),
        ("again", False, "no"),
        ("area", "88.5", "88.5 m2"),
        ("photo", ["a", "b"], "2 files"),
        ("topics", [], ""),
        ("why", None, ""),
    ],
)
def test_what_is_personal_is_masked_where_it_is_shown(name: str, answer: Any, masked: str) -> None:
    assert shown_answer(FIELDS[name], answer, "en") == masked


def missing(
    form: Form, answers: Mapping[str, Any], lines: list[dict[str, Any]] | None = None
) -> list[tuple[str, int | None]]:
    return [(one.field, one.line) for one in what_is_missing(form, answers, lines or [])]


def test_what_is_required_depends_on_other_answers(forms: Mapping[str, Form]) -> None:
    call = forms["probe.call"]
    assert missing(call, {}) == [("called_on", None), ("mood", None)]
    assert missing(call, {"called_on": "2026-03-05", "mood": "good"}) == []
    bad = {"called_on": "2026-03-05", "mood": "bad"}
    assert missing(call, bad) == [("why", None), ("photo", None)]
    assert missing(call, bad | {"why": "x", "photo": ["a"]}) == [("photo", None)], "two photos are asked for"
    assert missing(call, bad | {"why": "x", "photo": ["a", "b"]}) == []


def test_lines_are_checked_each_and_together(forms: Mapping[str, Form]) -> None:
    campaign = forms["probe.campaign"]
    held = {"held_on": "2026-03-05"}
    assert missing(campaign, held, [{"home": "1"}, {}, {"home": "2", "came": True}]) == [("came", 1)]
    assert missing(campaign, held, [{"came": True}]) == [("home", 1), ("home", 1)]
    assert missing(campaign, held, [{"home": "1", "came": True}, {"home": "1", "came": False}]) == [("home", 2)]
    table = campaign.lines
    assert table is not None
    strict = campaign.model_copy(update={"lines": table.model_copy(update={"least": 2, "most": 2})})
    assert missing(strict, held, [{"home": "1", "came": True}]) == [("", None)]
    assert missing(strict, held, [{"home": str(n), "came": True} for n in range(3)]) == [("", None)]


def test_a_wrong_answer_keeps_the_one_of_before_and_an_empty_one_takes_it_away() -> None:
    fields = tuple(FIELDS.values())
    before = {"mood": "good", "again": True, "room": "1"}
    answers, mistakes = read_answers(
        fields, {"mood": "so so", "again": "", "room": "2", "colour": "red", "photo": "x"}, before
    )
    assert answers == {"mood": "good", "room": "2"}
    assert [(one.field, one.reason.key) for one in mistakes] == [
        ("mood", "forms.choice_unknown"),
        ("colour", "forms.field_unknown"),
        ("photo", "forms.field_is_file"),
    ]


def test_a_mistake_shows_its_value_masked() -> None:
    field: FormField = FIELDS["phone"]
    _, [mistake] = read_answers([field], {"phone": "13800138000 13900139000"}, {})
    assert "8001" not in mistake.shown
    assert "****" in mistake.shown
