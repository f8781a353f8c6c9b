"""What the invented staff write into a form answers every question that must be answered, whatever the dice say."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest

from keguan.demo.papers import invented_answers
from keguan.forms.checking import read_answers, what_is_missing
from keguan.forms.declared import load_forms
from keguan.model.forms import Form


@pytest.mark.parametrize("dice", range(20))
@pytest.mark.parametrize("form", load_forms("keguan_sixplustwo"), ids=lambda form: form.name)
def test_nothing_that_must_be_answered_stays_open(form: Form, dice: int) -> None:
    given = invented_answers(form, Random(dice), date(2026, 3, 2), "as planned")
    answers, mistakes = read_answers(form.fields, given, {})
    assert mistakes == []
    files = {field.name for field in form.files}
    questions = form.model_copy(update={"lines": None})
    assert [mistake for mistake in what_is_missing(questions, answers, []) if mistake.field not in files] == []
