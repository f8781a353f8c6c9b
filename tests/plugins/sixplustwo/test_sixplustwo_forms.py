"""The forms of the touchpoints: which there are, what they prove, and what follow-ups and campaigns read in them."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from keguan.forms import load_forms
from keguan.model.forms import Form
from keguan_sixplustwo.library import playbooks
from keguan_sixplustwo.touchpoint import Kind, Touchpoint

FORMS = {form.name: form for form in load_forms("keguan_sixplustwo")}
ENTRIES = [entry for book in playbooks().values() for entry in book.touchpoints.values()]
SCALE = ["very_satisfied", "satisfied", "neutral", "dissatisfied", "very_dissatisfied", "refused"]
BRANDS = re.compile("万科|万客|家书》|明源|帕尔迪|Vanke|Mingyuan|Pulte", re.IGNORECASE)
AGREED = {"what", "department", "by"}


def lines_of(form: Form) -> dict[str, str]:
    """Return the fields of a form's lines with their types."""
    assert form.lines is not None
    return {field.name: field.type for field in form.lines.fields}


def using(name: str) -> list[Touchpoint]:
    return [entry for entry in ENTRIES if entry.form == name]


def test_every_form_that_a_touchpoint_asks_for_exists() -> None:
    assert {entry.form for entry in ENTRIES if entry.form} <= FORMS.keys()


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.name)
def test_what_a_form_proves_is_asked_for_by_its_touchpoints(form: Form) -> None:
    asked = {(item.zh, item.en) for entry in using(form.name) for item in entry.evidence or ()}
    assert {(item.zh, item.en) for item in form.proves} <= asked


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.name)
def test_a_form_names_its_clause_and_only_departments_that_have_a_name(form: Form) -> None:
    assert form.clause
    assert set(form.departments) <= {"客关", "营销", "项目部", "维修", "物业", "呼叫中心", "客户会", "集团"}


def test_whoever_answers_for_a_touchpoint_may_fill_in_its_form() -> None:
    for entry in ENTRIES:
        if entry.form and entry.owner and FORMS[entry.form].departments:
            assert entry.owner[0] in FORMS[entry.form].departments, entry.id


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.kind is Kind.CAMPAIGN], ids=lambda entry: entry.id)
def test_a_campaign_has_a_line_for_each_home(entry: Touchpoint) -> None:
    form = FORMS[entry.form or ""]
    assert form.lines is not None
    assert form.lines.key == "home"
    assert form.lines.most >= 2000
    assert "homes_handed_over" in {field.name for field in form.fields}


def test_a_sample_is_written_down_with_its_seed_and_its_contradiction() -> None:
    fields = {field.name for field in FORMS["three_month_visit"].fields}
    assert {"homes_handed_over", "homes_drawn", "seed", "contradiction"} <= fields


@pytest.mark.parametrize(
    "name",
    [
        "meeting", "activity", "mystery_check", "site_assessment", "site_opening", "three_month_visit", "house_check",
        "maintenance_visit", "risk_check",
    ],
)  # fmt: skip
def test_what_is_to_be_done_says_by_whom_and_until_when(name: str) -> None:
    fields = lines_of(FORMS[name])
    assert fields.keys() >= AGREED
    assert (fields["what"], fields["department"], fields["by"]) == ("text", "text", "date")


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.kind is Kind.MEETING], ids=lambda entry: entry.id)
def test_a_meeting_is_proven_and_followed_up(entry: Touchpoint) -> None:
    assert entry.notice == 3
    form = FORMS[entry.form or ""]
    assert lines_of(form).keys() >= AGREED
    assert "scene" in {field.name for field in form.files if field.required}


def test_minutes_agenda_sign_in_and_photos_belong_to_a_meeting() -> None:
    required = {field.name for field in FORMS["meeting"].fields if field.required}
    assert required >= {"agenda", "minutes", "signed_in", "sign_in", "scene", "held_on", "noticed_on"}


@pytest.mark.parametrize("name", ["signing_callback", "handover_callback", "marketing_callback"])
def test_a_call_back_has_attempts_and_a_result_for_each_question(name: str) -> None:
    form = FORMS[name]
    reached = next(field for field in form.fields if field.name == "reached")
    assert {each.name for each in reached.choices} == {"answered", "no_answer", "refused", "wrong_number"}
    scales = [[each.name for each in f.choices] for f in form.fields if f.type == "choice" and f.name != "reached"]
    assert scales
    assert all(scale == SCALE for scale in scales)
    assert lines_of(form) == {"tried_on": "date", "at": "time", "outcome": "choice"}


def test_the_tally_counts_the_scale_and_those_who_were_not_reached() -> None:
    numbers = [field.name for field in FORMS["callback_statistics"].fields if field.type == "number"]
    assert numbers == [*SCALE, "unreached"]


def test_each_panel_of_the_declaration_has_its_photo() -> None:
    photos = {field.name for field in FORMS["sunshine_declaration"].files if field.required}
    parts = {e.id.removeprefix("sunshine_") for e in ENTRIES if e.within == "sunshine_declaration"}
    assert photos == parts


def test_the_letter_is_approved_before_it_is_sent() -> None:
    fields = {field.name: field for field in FORMS["progress_letter"].fields}
    assert fields["approved"].required
    assert {"title", "sms_text", "email_text", "approved_by"} <= fields.keys()


def test_a_gate_asks_whether_it_was_passed() -> None:
    for entry in ENTRIES:
        if entry.gate is not None:
            gate = next(each for each in ENTRIES if each.id == entry.gate)
            passed = next(field for field in FORMS[gate.form or ""].fields if field.name == "passed")
            assert passed.type == "yes_no"
            assert passed.required


def test_the_fund_is_accounted_for_use_by_use() -> None:
    form = FORMS["loyalty_fund"]
    assert lines_of(form)["amount"] == "money"
    assert form.lines is not None
    assert form.lines.least == 1


def test_nothing_names_a_brand() -> None:
    root = resources.files("keguan_sixplustwo")
    folders = [
        root / "data",
        root / "data" / "guide",
        root / "forms",
        root / "templates" / "zh",
        root / "templates" / "en",
    ]
    for folder in folders:
        for file in folder.iterdir():
            if file.is_file():
                assert BRANDS.search(file.read_text(encoding="utf-8")) is None, file.name
