"""What a gateway can approve of a text message, and what it fills in."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keguan.errors import TemplateError
from keguan.model import Company
from keguan.outbox.provider_form import NotPlain, ProviderForm, canonical
from keguan.outbox.sms import PART, SINGLE, length, segments
from keguan.outbox.templates import Templates

COMPANY = Company("云璟地产", "400-000-0000", "云璟物业", "https://care.example.com/s")


def templates_with(folder: Path, source: str, company: Company = COMPANY) -> Templates:
    (folder / "zh").mkdir(parents=True, exist_ok=True)
    (folder / "zh" / "note.sms.j2").write_text(source, encoding="utf-8")
    return Templates({"letters": folder}, None, "zh", company)


def form_of(folder: Path, source: str, company: Company = COMPANY) -> ProviderForm:
    form = templates_with(folder, source, company).provider_form("letters", "note")
    assert isinstance(form, ProviderForm)
    return form


def test_the_company_is_fixed_text_and_every_other_output_a_variable(tmp_path: Path) -> None:
    form = form_of(tmp_path, "{{ project }}业主您好，热线{{ company.hotline }}，您的{{ home.label | trim }}。\n")
    assert form.written("${NAME}") == "${project}业主您好，热线400-000-0000，您的${home}。"
    assert form.written("{NUMBER}") == "{1}业主您好，热线400-000-0000，您的{2}。"
    assert form.written("${TXT_20}") == "${TXT_20}业主您好，热线400-000-0000，您的${TXT_20}。"
    assert form.variables == ("project", "home")


def test_a_name_that_occurs_again_is_numbered_and_meets_no_other(tmp_path: Path) -> None:
    form = form_of(tmp_path, "{{ home2 }}甲{{ home.building }}栋{{ home.room }}室{{ home.unit }}")
    assert form.variables == ("home2", "home", "home3", "home4")


def test_the_gateway_gets_names_and_texts_in_the_order_of_the_template(tmp_path: Path) -> None:
    templates = templates_with(tmp_path, "{{ b }}，{{ company.name }}，{{ a }}，{{ b }}")
    sms = templates.render_sms("letters", "note", {"a": 1, "b": " 乙\n【丙】"})
    assert sms.variables == (("b", "乙 [丙]"), ("a", "1"), ("b2", "乙 [丙]"))
    assert sms.text == "【云璟物业】乙 [丙]，云璟地产，1，乙 [丙]"
    assert "乙" not in repr(sms)


@pytest.mark.parametrize(
    ("source", "kind", "line"),
    [
        ("一\n{% for x in xs %}{{ x }}{% endfor %}", "loop", 2),
        ("{% if a %}甲{% endif %}", "condition", 1),
        ("一\n二{{ a if b else c }}", "condition", 2),
        ("{{ n * 2 }}", "expression", 1),
        ("{{ (a or b) | trim }}", "expression", 1),
    ],
)
def test_more_than_text_and_values_has_no_such_form(tmp_path: Path, source: str, kind: str, line: int) -> None:
    templates = templates_with(tmp_path, source)
    found = templates.provider_form("letters", "note")
    assert isinstance(found, NotPlain)
    assert (found.kind, found.line) == (kind, line)
    rendered = templates.render_sms("letters", "note", {"a": "甲", "b": "乙", "c": "丙", "n": 2, "xs": ["丁"]})
    assert rendered.variables is None


def test_what_the_company_lacks_is_named(tmp_path: Path) -> None:
    form = form_of(tmp_path, "请到{{ company.web }}输入{{ code }}", Company("云璟", "400", "云璟"))
    assert form.empty == ("company.web",)
    assert form_of(tmp_path, "请到{{ company.web }}输入{{ code }}").empty == ()


def test_what_the_company_does_not_have_fails_with_its_line(tmp_path: Path) -> None:
    templates = templates_with(tmp_path, "一\n{{ company.fax }}")
    with pytest.raises(TemplateError) as caught:
        templates.render_sms("letters", "note", {})
    assert (caught.value.key, caught.value.values["line"]) == ("template.failed", 2)


def test_a_mistake_in_a_later_line_is_told_with_that_line(tmp_path: Path) -> None:
    templates = templates_with(tmp_path, "{{ a }}\n二\n{{ b }}")
    with pytest.raises(TemplateError) as caught:
        templates.render_sms("letters", "note", {"a": "甲", "b": None})
    assert (caught.value.key, caught.value.values["line"]) == ("template.unprintable", 3)


def test_another_text_has_another_digest_and_another_way_of_writing_places_has_not(tmp_path: Path) -> None:
    form, other = form_of(tmp_path / "a", "{{ a }}您好"), form_of(tmp_path / "b", "{{ a }}你好")
    assert form.digest("{NUMBER}") != other.digest("{NUMBER}")
    assert form.digest("{NUMBER}") == form_of(tmp_path / "c", "{{ other }}您好").digest("{NUMBER}")
    assert form.digest("${NAME}") != form_of(tmp_path / "c", "{{ other }}您好").digest("${NAME}")
    assert canonical(" {2}您好\r\n", "{NUMBER}") == canonical("{1}您好", "{NUMBER}")


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="{}【】#%"), max_size=12)
OUTPUTS = st.sampled_from(("{{ a }}", "{{ b.c }}", "{{ b.d | upper }}", "{{ company.name }}", "{{ n }}"))


@given(
    parts=st.lists(st.one_of(WORDS, OUTPUTS), max_size=10), a=st.text(max_size=20), c=WORDS, d=WORDS, n=st.integers()
)
@settings(max_examples=150, deadline=None)
def test_filling_the_form_gives_exactly_the_message(
    parts: list[str], a: str, c: str, d: str, n: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    templates = templates_with(tmp_path_factory.mktemp("law"), "".join(parts))
    form = templates.provider_form("letters", "note")
    assert isinstance(form, ProviderForm)
    sms = templates.render_sms("letters", "note", {"a": a, "b": {"c": c, "d": d}, "n": n % 10**9})
    assert sms.variables is not None
    assert tuple(name for name, _text in sms.variables) == form.variables
    assert len(set(form.variables)) == len(form.variables)
    assert "【云璟物业】" + form.fill([text for _name, text in sms.variables]) == sms.text
    assert sms.segments == segments(sms.text)


@given(text=st.text(st.characters(codec="utf-8"), max_size=600))
def test_segments_hold_the_message_and_none_is_idle(text: str) -> None:
    count, size = segments(text), length(text)
    assert size <= (SINGLE if count == 1 else count * PART)
    assert count == 1 or size > max(SINGLE, (count - 1) * PART)
    assert segments(text + "字") >= count
