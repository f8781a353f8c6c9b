"""Messages from template files: found, replaced by the company, checked, rendered."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keguan.errors import TemplateError
from keguan.model import Company, Person
from keguan.outbox.templates import Templates
from keguan.texts import Language

COMPANY = Company(name="云璟地产", hotline="400-000-0000", signature="云璟物业")


class Shelf:
    """Template files of one plugin and of the company, written down for a test."""

    def __init__(self, folder: Path) -> None:
        self.plugin = folder / "plugin"
        self.company = folder / "config" / "templates"

    def put(self, name: str, text: str, *, language: str = "zh", override: bool = False) -> None:
        file = (self.company / "letters" if override else self.plugin) / language / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def templates(self, language: Language = "zh") -> Templates:
        return Templates({"letters": self.plugin}, self.company, language, COMPANY)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def sms(shelf: Shelf, source: str, **values: object) -> str:
    shelf.put("note.sms.j2", source)
    return shelf.templates().render_sms("letters", "note", values).text


def refusal(call: Callable[..., object], *arguments: object) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        call(*arguments)
    return caught.value


class TestTextMessages:
    def test_the_signature_stands_in_front_and_is_billed(self, shelf: Shelf) -> None:
        shelf.put("note.sms.j2", "您" * 64 + "\n")
        rendered = shelf.templates().render_sms("letters", "note", {})
        assert rendered.text == "【云璟物业】" + "您" * 64
        assert rendered.segments == 1
        shelf.put("more.sms.j2", "您" * 65)
        assert shelf.templates().render_sms("letters", "more", {}).segments == 2

    def test_a_signature_configured_with_its_brackets_is_not_bracketed_twice(self, shelf: Shelf) -> None:
        shelf.put("note.sms.j2", "您好")
        company = Company("云璟地产", "400", "【云璟物业】")
        templates = Templates({"letters": shelf.plugin}, None, "zh", company)
        assert templates.render_sms("letters", "note", {}).text == "【云璟物业】您好"

    def test_the_company_is_always_there_and_no_value_can_pose_as_it(self, shelf: Shelf) -> None:
        text = sms(shelf, "{{ company.name }}，热线 {{ company.hotline }}", company="别人")
        assert text == "【云璟物业】云璟地产，热线 400-000-0000"

    def test_dates_and_numbers_read_as_people_write_them(self, shelf: Shelf) -> None:
        at = datetime(2026, 3, 5, 9, 30, tzinfo=timezone(timedelta(hours=8)))
        text = sms(
            shelf, "{{ day }} {{ at }} {{ n }} {{ area }}", day=date(2026, 3, 5), at=at, n=3, area=Decimal("89.50")
        )
        assert text == "【云璟物业】2026年3月5日 2026年3月5日 09:30 3 89.50"
        shelf.put("note.sms.j2", "{{ day }}", language="en")
        assert (
            shelf.templates("en").render_sms("letters", "note", {"day": date(2026, 3, 5)}).text.endswith("2026-03-05")
        )

    def test_a_name_from_a_file_can_forge_neither_line_nor_signature(self, shelf: Shelf) -> None:
        text = sms(shelf, "{{ name }}，您好", name="张三\r\n【某银行】转账\u202e\x00")
        assert text == "【云璟物业】张三 [某银行]转账，您好"

    def test_what_looks_like_a_formula_or_a_template_stays_text(self, shelf: Shelf) -> None:
        assert sms(shelf, "{{ name }}", name="=HYPERLINK(1)+{{ company }}") == "【云璟物业】=HYPERLINK(1)+{{ company }}"

    def test_loops_and_choices_work(self, shelf: Shelf) -> None:
        source = (
            "{% for home in homes if home %}{{ loop.index }}.{{ home }}{% if not loop.last %}，{% endif %}{% endfor %}"
        )
        assert sms(shelf, source, homes=["3-1-1201", "", "3-1-1202"]) == "【云璟物业】1.3-1-1201，2.3-1-1202"
        assert (
            sms(shelf, "{{ homes | join('、') }}等{{ homes | length }}套", homes=["A", "B"]) == "【云璟物业】A、B等2套"
        )
        assert sms(shelf, "{{ (name or '业主') | default('x') | trim }}", name=" ") == "【云璟物业】"

    def test_longer_than_operators_take_is_refused(self, shelf: Shelf) -> None:
        assert refusal(sms, shelf, "您" * 495).key == "template.too_long"

    def test_brackets_of_signatures_in_the_template_are_refused(self, shelf: Shelf) -> None:
        assert refusal(sms, shelf, "【通知】您好").key == "template.brackets"


class TestEmails:
    MAIL = "Subject: {{ name }}的新家\n\n尊敬的{{ name }}：\n{{ story }}\n"

    def test_subject_text_and_html(self, shelf: Shelf) -> None:
        shelf.put("letter.email.j2", self.MAIL)
        shelf.put("letter.email.html.j2", "<p>{{ name }}</p><p>{{ story }}</p>")
        mail = shelf.templates().render_email("letters", "letter", {"name": "张三", "story": "<b>一</b>\n二"})
        assert mail.subject == "张三的新家"
        assert mail.text == "尊敬的张三：\n<b>一</b>\n二\n"
        assert mail.html == "<p>张三</p><p>&lt;b&gt;一&lt;/b&gt;\n二</p>\n"

    def test_without_an_html_file_there_is_no_html(self, shelf: Shelf) -> None:
        shelf.put("letter.email.j2", self.MAIL)
        assert shelf.templates().render_email("letters", "letter", {"name": "x", "story": "y"}).html is None

    @given(name=st.text(max_size=40))
    @settings(max_examples=60, deadline=None)
    def test_no_value_breaks_out_of_the_subject(self, name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
        shelf = Shelf(tmp_path_factory.mktemp("shelf"))
        shelf.put("letter.email.j2", "Subject: 致{{ name }}。\n\n您好\n")
        mail = shelf.templates().render_email("letters", "letter", {"name": name})
        assert len(mail.subject.splitlines()) == 1
        assert mail.text == "您好\n"

    def test_a_subject_over_several_lines_is_joined(self, shelf: Shelf) -> None:
        shelf.put("letter.email.j2", "Subject: Your home,\n  and its keys\n\nHello\n")
        assert shelf.templates().render_email("letters", "letter", {}).subject == "Your home, and its keys"

    @pytest.mark.parametrize("source", ["您好\n", "Subject: x\n您好", "\nSubject: x\n\n您好", ""])
    def test_a_mail_without_a_proper_subject_is_refused(self, shelf: Shelf, source: str) -> None:
        shelf.put("letter.email.j2", source)
        assert refusal(shelf.templates().check, "letters", "letter").key == "template.subject_missing"

    def test_a_subject_that_comes_out_empty_is_refused(self, shelf: Shelf) -> None:
        shelf.put("letter.email.j2", "Subject: {{ name }}\n\n您好\n")
        assert (
            refusal(shelf.templates().render_email, "letters", "letter", {"name": " "}).key == "template.subject_empty"
        )


class TestWhatIsMissing:
    def test_missing_values_are_named(self, shelf: Shelf) -> None:
        error = refusal(sms, shelf, "{{ name }}{{ room }}")
        assert (error.key, error.values["names"]) == ("template.value_missing", "name, room")

    @pytest.mark.parametrize("value", [None, True, Person(1), ["a"], {"a": 1}])
    def test_what_customers_must_never_read_is_refused(self, shelf: Shelf, value: object) -> None:
        error = refusal(lambda: sms(shelf, "一\n{{ value }}", value=value))
        assert (error.key, error.values["line"]) == ("template.unprintable", 2)

    def test_an_error_shows_the_line_and_never_a_value(self, shelf: Shelf) -> None:
        shelf.put("letter.email.j2", "Subject: x\n\n一\n{{ person.phone.area }}\n")
        person = Person(1, name="张三", phone="+8613800138000")
        error = refusal(shelf.templates().render_email, "letters", "letter", {"person": person})
        assert (error.key, error.values["line"]) == ("template.failed", 4)
        assert "张三" not in str(error)
        assert "138" not in str(error)

    def test_a_template_that_lacks_the_language_is_found_by_the_check(self, shelf: Shelf) -> None:
        shelf.put("note.sms.j2", "您好")
        shelf.put("note.sms.j2", "Hello", language="en")
        shelf.put("late.sms.j2", "您好")
        assert shelf.templates("zh").check_all() == []
        (error,) = shelf.templates("en").check_all()
        assert (error.key, error.values["file"]) == ("template.missing", "templates/en/late.sms.j2")
        assert refusal(shelf.templates("en").render_sms, "letters", "late", {}).key == "template.missing"

    @pytest.mark.parametrize("name", ["other", "../note", "zh/note", "", "NOTE", "note.sms"])
    def test_names_that_are_none(self, shelf: Shelf, name: str) -> None:
        shelf.put("note.sms.j2", "您好")
        assert refusal(shelf.templates().render_sms, "letters", name, {}).key == "template.missing"
        assert refusal(shelf.templates().render_sms, "nobody", "note", {}).key == "template.missing"

    def test_names_channels_and_variables(self, shelf: Shelf) -> None:
        shelf.put("note.sms.j2", "{{ name }}{% for home in homes %}{{ home }}{% endfor %}")
        shelf.put("note.email.j2", "Subject: {{ topic }}\n\n{{ name }} {{ company.name }}\n")
        shelf.put("note.email.html.j2", "<p>{{ photo }}</p>")
        shelf.put("other.sms.j2", "Hello", language="en")
        templates = shelf.templates()
        assert templates.names("letters") == ("note", "other")
        assert templates.channels("letters", "note") == ("sms", "email")
        assert templates.variables("letters", "note", "sms") == {"name", "homes"}
        assert templates.variables("letters", "note", "email") == {"topic", "name", "photo"}

    @pytest.mark.parametrize(
        ("source", "key", "line"),
        [
            ("一\n{{ name", "template.syntax", 2),
            ("{% if x %}", "template.syntax", 1),
            ("一\n二\n{% include 'a' %}", "template.forbidden", 3),
        ],
    )
    def test_mistakes_are_found_by_the_check_with_their_line(
        self, shelf: Shelf, source: str, key: str, line: int
    ) -> None:
        shelf.put("note.sms.j2", source)
        error = refusal(shelf.templates().check, "letters", "note")
        assert (error.key, error.values["line"]) == (key, line)

    def test_a_file_that_is_not_utf8_is_refused(self, shelf: Shelf) -> None:
        shelf.put("note.sms.j2", "")
        (shelf.plugin / "zh" / "note.sms.j2").write_bytes("您好".encode("gb18030"))
        assert refusal(shelf.templates().check, "letters", "note").key == "template.unreadable"

    def test_a_file_that_is_huge_is_refused(self, shelf: Shelf) -> None:
        shelf.put("note.sms.j2", "x" * 20_001)
        assert refusal(shelf.templates().check, "letters", "note").key == "template.too_large"


class TestTheCompanysOwn:
    def test_its_file_wins_and_says_so(self, shelf: Shelf) -> None:
        shelf.put("note.sms.j2", "您好")
        shelf.put("note.sms.j2", "您们好", override=True)
        templates = shelf.templates()
        assert templates.render_sms("letters", "note", {}).text == "【云璟物业】您们好"
        source = templates.source("letters", "note", "sms")
        assert (source.overridden, source.text) == (True, "您们好")

    def test_a_file_that_replaces_nothing_is_reported(self, shelf: Shelf) -> None:
        shelf.put("note.sms.j2", "您好")
        shelf.put("nota.sms.j2", "您好", override=True)
        (error,) = shelf.templates().check_all()
        assert error.key == "template.replaces_nothing"

    def test_a_broken_file_of_the_company_is_reported_under_its_own_name(self, shelf: Shelf) -> None:
        shelf.put("note.sms.j2", "您好")
        shelf.put("note.sms.j2", "{{ 1 }", override=True)
        (error,) = shelf.templates().check_all()
        assert "config/templates/letters/zh/note.sms.j2" in str(error.values["file"])


def test_rendering_again_gives_the_same(shelf: Shelf) -> None:
    shelf.put("note.sms.j2", "{{ name }}")
    templates = shelf.templates()
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert templates.render_sms("letters", "note", {"name": at}) == templates.render_sms(
        "letters", "note", {"name": at}
    )
