"""Which gateway approved which template, as the configuration says and as the templates are."""

from datetime import date
from pathlib import Path

import pytest

from keguan.model import Company
from keguan.outbox.approvals import Approval, Approvals
from keguan.outbox.provider_form import ProviderForm
from keguan.outbox.registry import Registry, read_registry
from keguan.outbox.sms_gateways import DEFAULT_PRICE, Gateway, segment_price
from keguan.outbox.template_check import CheckedTemplate, check_templates
from keguan.outbox.templates import Templates
from keguan.settings import Settings, parse_settings

COMPANY = Company("云璟地产", "400-000-0000", "云璟物业")
DAY = date(2026, 3, 2)
ALIYUN = Gateway("ali", "aliyun", "aliyun", approves=True, price=0.045)
CONFIG = """
[company]
name = "云璟地产"
[adapters.ali]
type = "aliyun"
[adapters.tx]
type = "tencent"
"""


def templates_with(folder: Path, source: str = "{{ project }}的{{ name }}您好") -> Templates:
    (folder / "zh").mkdir(parents=True, exist_ok=True)
    (folder / "zh" / "note.sms.j2").write_text(source, encoding="utf-8")
    (folder / "zh" / "letter.email.j2").write_text("Subject: x\n\ny", encoding="utf-8")
    return Templates({"letters": folder}, None, "zh", COMPANY)


def configured(entry: str, place: str = "letters.note.ali") -> Settings:
    text = f"{CONFIG}[templates.{place}]\n{entry}" if entry else CONFIG
    return parse_settings(text, Path("config/keguan.toml"), {})


def registry(folder: Path, entry: str, place: str = "letters.note.ali", source: str | None = None) -> Registry:
    templates = templates_with(folder) if source is None else templates_with(folder, source)
    return read_registry(configured(entry, place), templates, installed=["letters", "sleeping"])


def only(approvals: Approvals) -> Approval:
    (approval,) = approvals.all()
    return approval


def test_an_entry_without_more_takes_the_variables_of_the_template(tmp_path: Path) -> None:
    found = registry(tmp_path, 'id = "SMS_1"\napproved_on = 2026-03-01')
    approval = found.approvals.find("ali", "letters", "note")
    assert found.mistakes == ()
    assert approval is not None
    assert (approval.id, approval.variables, approval.message_class) == ("SMS_1", ("project", "name"), "service")
    assert approval.in_force(DAY)
    assert not approval.in_force(date(2026, 2, 28))
    assert not approval.noted


def test_a_gateways_own_order_and_class(tmp_path: Path) -> None:
    entry = 'id = "7"\nvariables = ["name", "project"]\nclass = "promotion"\nlead_days = 3'
    approval = only(registry(tmp_path, entry, "letters.note.tx").approvals)
    assert (approval.variables, approval.message_class, approval.lead_days) == (("name", "project"), "promotion", 3)
    assert not approval.in_force(DAY)
    assert approval.state(DAY) == "submitted"


@pytest.mark.parametrize(
    ("place", "text", "changed"),
    [
        ("letters.note.ali", "${project}的${name}您好", False),
        ("letters.note.ali", "${xm}的${name}您好", True),
        ("letters.note.ali", "${project}的${name}你好", True),
        ("letters.note.tx", "{1}的{2}您好", False),
        ("letters.note.tx", "{2}的{1}您好", False),
        ("letters.note.tx", "{1}的您好", True),
    ],
)
def test_a_template_that_reads_otherwise_than_approved_is_not_approved(
    tmp_path: Path, place: str, text: str, changed: bool
) -> None:
    approval = only(registry(tmp_path, f'id = "1"\napproved_on = 2026-03-01\ntext = "{text}"', place).approvals)
    assert (approval.changed, approval.in_force(DAY)) == (changed, not changed)
    assert approval.noted


def test_the_digest_notices_a_change_as_well(tmp_path: Path) -> None:
    form = templates_with(tmp_path).provider_form("letters", "note")
    assert isinstance(form, ProviderForm)
    entry = f'id = "1"\napproved_on = 2026-03-01\ntext_digest = "{form.digest("${NAME}").upper()}"'
    assert only(registry(tmp_path, entry).approvals).state(DAY) == "approved"
    assert only(registry(tmp_path, entry, source="{{ project }}的{{ name }}！").approvals).state(DAY) == "changed"


@pytest.mark.parametrize(
    ("place", "entry", "key", "near"),
    [
        ("leters.note.ali", "", "config.template_unknown_near", "letters"),
        ("zzz.note.ali", "", "config.template_unknown", None),
        ("letters.nota.ali", "", "config.template_unknown_near", "note"),
        ("letters.letter.ali", "", "config.template_unknown", None),
        ("letters.note.alli", "", "config.template_unknown_near", "ali"),
        ("letters.note.ali", 'variables = ["projekt", "name"]', "config.template_variable", "project"),
        ("letters.note.ali", 'variables = ["name", "name", "project"]', "config.template_variable_twice", None),
        ("letters.note.ali", 'variables = ["name"]', "config.template_variables_lacking", None),
    ],
)
def test_mistakes_name_the_nearest_and_approve_nothing(
    tmp_path: Path, place: str, entry: str, key: str, near: str | None
) -> None:
    found = registry(tmp_path, f'id = "1"\n{entry}\napproved_on = 2026-03-01', place)
    mistake = found.mistakes[0]
    assert mistake.key == key
    assert f"templates.{place.rpartition('.')[0].partition('.')[0]}" in str(mistake.values["where"])
    assert near is None or mistake.values["near"] == near
    assert found.approvals.all() == ()
    assert ": " in str(mistake) or "：" in str(mistake)


def test_entries_of_a_plugin_that_is_off_wait_unread(tmp_path: Path) -> None:
    found = registry(tmp_path, 'id = "1"', "sleeping.whatever.nobody")
    assert (found.mistakes, found.approvals.all()) == ((), ())


def test_what_cannot_be_submitted_cannot_be_registered(tmp_path: Path) -> None:
    found = registry(tmp_path, 'id = "1"', source="一\n{% if name %}{{ name }}{% endif %}")
    (mistake,) = found.mistakes
    assert (mistake.key, mistake.values["line"]) == ("config.template_not_plain", 2)


def check(folder: Path, entry: str = "", source: str | None = None, gateway: Gateway = ALIYUN) -> CheckedTemplate:
    templates = templates_with(folder) if source is None else templates_with(folder, source)
    approvals = read_registry(configured(entry), templates, installed=["letters"]).approvals
    (checked,) = check_templates(templates, [gateway], approvals, DAY)
    return checked


class TestHowATemplateStandsWithAGateway:
    def test_unregistered_it_names_the_days_that_its_review_takes(self, tmp_path: Path) -> None:
        tencent = Gateway("tx", "tencent", "tencent", approves=True, price=None)
        checked = check(tmp_path, gateway=tencent)
        assert (checked.standing, checked.lead_days) == ("unregistered", 1)

    def test_submitted_with_the_days_of_the_entry(self, tmp_path: Path) -> None:
        checked = check(tmp_path, 'id = "1"\nlead_days = 4')
        assert (checked.standing, checked.lead_days) == ("submitted", 4)

    def test_approved_without_a_note_of_the_text_is_worth_a_warning(self, tmp_path: Path) -> None:
        checked = check(tmp_path, 'id = "1"\napproved_on = 2026-03-01')
        assert checked.standing == "approved"
        assert [(each.rule, each.level) for each in checked.remarks] == [("not_noted", "warning")]

    def test_changed_is_an_error(self, tmp_path: Path) -> None:
        checked = check(tmp_path, 'id = "1"\napproved_on = 2026-03-01\ntext = "您好"')
        assert (checked.standing, [each.rule for each in checked.remarks]) == ("changed", ["changed"])

    def test_a_loop_is_an_error_that_says_how_to_split(self, tmp_path: Path) -> None:
        checked = check(tmp_path, source="{% for x in xs %}{{ x }}{% endfor %}")
        assert (checked.standing, [each.rule for each in checked.remarks]) == ("unsubmittable", ["loop"])

    def test_a_gateway_abroad_wants_nothing(self, tmp_path: Path) -> None:
        abroad = Gateway("world", "twilio", None, approves=False, price=None)
        checked = check(tmp_path, source="{% for x in xs %}{{ x }}{% endfor %}", gateway=abroad)
        assert (checked.standing, checked.remarks) == ("not_needed", ())

    def test_the_class_of_the_entry_decides_what_is_asked(self, tmp_path: Path) -> None:
        checked = check(tmp_path, 'id = "1"\nclass = "promotion"\ntext = "${project}的${name}您好"')
        assert {each.rule for each in checked.remarks} == {"opt_out_missing", "estate_promotion"}


def test_a_gateways_own_signature_is_what_its_provider_judges(tmp_path: Path) -> None:
    long = "短" * (498 - len("云璟物业"))
    templates = templates_with(tmp_path, long)
    own = Gateway("ali", "aliyun", "aliyun", approves=True, price=None, signature="云璟物业客户服务中心")
    company, other = (next(check_templates(templates, [each], Approvals(), DAY)) for each in (ALIYUN, own))
    assert "length" not in {remark.rule for remark in company.remarks}
    assert {"length": 506, "limit": 500} in [remark.values for remark in other.remarks if remark.rule == "length"]


def test_a_segment_costs_what_the_first_gateway_in_use_says() -> None:
    def priced(channels: str) -> float:
        tables = '[adapters.a]\ntype = "http"\n[adapters.b]\ntype = "http"\nprice = 0.031\n'
        text = f'[company]\nname = "x"\n{tables}{channels}'
        return segment_price(parse_settings(text, Path("config/keguan.toml"), {}))

    assert priced('[channels]\nsms = ["a", "b"]') == 0.031
    assert priced('[channels]\nsms = ["a"]') == DEFAULT_PRICE
    assert priced("") == DEFAULT_PRICE
