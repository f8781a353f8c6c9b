"""``keguan templates`` and ``keguan codes`` as people and scripts use them."""

from pathlib import Path
from typing import Any

import pytest
from tests.core.cli.conftest import Desk
from tests.support.estate import Estate

from keguan.model import Subject
from keguan.people.codes import WantedCode, ensure_codes
from keguan.store.schema import accesses

GATEWAY = """
[company]
name = "云璟地产"
hotline = "400-000-0000"
web = "https://care.example.com/s"
[cities.shenzhen]
name = "深圳"
[adapters.ali]
type = "aliyun"
access_key_id = "LTAI0000"
access_key_secret = "not a secret"
endpoint = "127.0.0.1:9"
protocol = "http"
price = 0.045
[channels]
sms = ["ali"]
"""
DRAFT = "恭喜您成为{{ project }}业主！请到{{ company.web }}/{{ code }}填写问卷。"


@pytest.fixture
def gateway(desk: Desk) -> Desk:
    """An installation whose text messages leave through a gateway that wants approved templates."""
    (desk.folder / "config" / "keguan.toml").write_text(GATEWAY, encoding="utf-8")
    return desk


def add(desk: Desk, toml: str) -> None:
    file = desk.folder / "config" / "keguan.toml"
    file.write_text(file.read_text(encoding="utf-8") + toml, encoding="utf-8")


def replace_template(desk: Desk, text: str) -> Path:
    file = desk.folder / "config" / "templates" / "sixplustwo" / "zh" / "congratulation.sms.j2"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def check(desk: Desk, *words: str, status: int) -> Any:
    answer = desk("--json", "templates", "check", *words)
    assert answer.status == status, answer.err
    return answer.json


def test_without_a_gateway_templates_only_have_to_compile(desk: Desk) -> None:
    document = check(desk, status=0)
    assert (document["ok"], document["findings"], document["open"]) == (True, [], [])
    assert "--gateway" in desk("--lang", "en", "templates", "check").out


def test_what_waits_for_approval_is_listed_and_is_no_error(gateway: Desk) -> None:
    document = check(gateway, status=0)
    assert {(row["gateway"], row["state"]) for row in document["open"]} == {("ali", "unregistered")}
    assert "congratulation" in {row["name"] for row in document["open"]}


def test_what_the_provider_would_refuse_is_an_error_with_its_source(gateway: Desk) -> None:
    replace_template(gateway, DRAFT)
    document = check(gateway, "congratulation", status=1)
    assert {each["rule"] for each in document["findings"]} == {"link_in_variable", "forbidden_content"}
    assert all(each["source"].startswith("https://") for each in document["findings"])
    answer = gateway("--lang", "en", "templates", "check", "sixplustwo/congratulation")
    assert answer.status == 1
    assert "error: sixplustwo/congratulation (ali): a variable may not be part of a link" in answer.err
    assert "errors: 2" in answer.out


def test_what_only_warns_ends_well_unless_strict(gateway: Desk) -> None:
    document = check(gateway, "deposit", "--gateway", "tencent", status=0)
    assert [(each["rule"], each["level"]) for each in document["findings"]] == [("estate_codes_only", "warning")]
    assert [row["lead_days"] for row in document["open"]] == [1]
    assert check(gateway, "deposit", "--gateway", "tencent", "--strict", status=1)["ok"] is False
    assert check(gateway, "deposit", "--gateway", "ali", "--strict", status=0)["ok"] is True


def test_a_mistake_in_the_registry_is_told_by_check_and_doctor_and_stops_nothing_else(gateway: Desk) -> None:
    add(gateway, '[templates.sixplustwo.congratulation.ali]\nid = "SMS_1"\nvariables = ["projekt"]\n')
    document = check(gateway, status=1)
    assert "project" in document["problems"][0]
    assert "templates.sixplustwo.congratulation.ali" in document["problems"][0]
    assert gateway("--json", "status").status in (0, 1)
    assert "projekt" in gateway("doctor").out


def test_show_renders_costs_and_names_what_to_submit(gateway: Desk) -> None:
    (sms,) = [each for each in gateway.json("templates", "show", "congratulation") if each["channel"] == "sms"]
    assert (sms["segments"], sms["cost"]) == (1, 0.045)
    (entry,) = sms["gateways"]
    assert entry["form"].startswith("恭喜您成为${project}业主！")
    assert "400-000-0000" in entry["form"]
    assert (entry["state"], entry["variables"], entry["cost"]) == ("unregistered", ["project"], 0.045)
    registered = (
        '[templates.sixplustwo.congratulation.ali]\nid = "SMS_1"\napproved_on = 2026-03-01\n'
        f'text_digest = "{entry["text_digest"]}"\n'
    )
    add(gateway, registered)
    assert state_of(gateway) == ("approved", "SMS_1")
    assert check(gateway, "congratulation", "--strict", status=0)["open"] == []
    replace_template(gateway, "恭喜您成为{{ project }}的业主！")
    assert state_of(gateway) == ("changed", "SMS_1")
    assert check(gateway, "congratulation", status=1)["open"][0]["state"] == "changed"


def state_of(desk: Desk) -> tuple[str, str]:
    samples = desk.json("templates", "show", "congratulation")
    (entry,) = [entry for each in samples for entry in each["gateways"]]
    return entry["state"], entry["id"]


@pytest.mark.parametrize("name", ["digest", "department", "escalation", "handed_over"])
def test_show_renders_the_letters_to_staff_with_an_invented_task(desk: Desk, name: str) -> None:
    shown = desk.json("--lang", "en", "templates", "show", name)
    assert {sample["plugin"] for sample in shown} == {"keguan"}
    assert all("1" in sample["text"] for sample in shown)
    assert any("〔title〕" in sample["text"] for sample in shown)


def test_show_prints_for_people(gateway: Desk) -> None:
    answer = gateway("--lang", "en", "templates", "show", "congratulation", "project=云璟一期")
    assert "【云璟地产】恭喜您成为云璟一期业主" in answer.out
    assert "It costs 0.045 yuan." in answer.out
    assert "ali: not registered" in answer.out
    assert "text_digest" in answer.out


def test_misspelt_names_are_told_with_the_nearest(gateway: Desk) -> None:
    answer = gateway("--lang", "en", "templates", "check", "congratulations")
    assert (answer.status, "congratulation" in answer.err) == (2, True)
    answer = gateway("--lang", "en", "templates", "check", "--gateway", "alli")
    assert (answer.status, "ali, general, aliyun" in answer.err) == (2, True)


def test_what_keguan_itself_writes_to_staff_is_listed(desk: Desk) -> None:
    assert "keguan" in {row["plugin"] for row in desk.json("templates", "list")}


def test_a_simulation_takes_the_price_of_the_gateway(gateway: Desk) -> None:
    words = ("simulate", "--from", "2024-01-01", "--to", "2024-01-31", "--homes", "1")
    assert gateway.json(*words)["sms"]["price"] == 0.045
    assert gateway.json(*words, "--segment-price", "0.1")["sms"]["price"] == 0.1


class TestCodes:
    @pytest.fixture
    def code(self, estate: Estate) -> str:
        person = estate.person()
        subject = Subject("contract", estate.contract("HT-1", estate.project()))
        wanted = [WantedCode("area.ask/contract/1/1/survey/1", "survey", person, subject)]
        with estate.store.write() as connection:
            return ensure_codes(estate.store, connection, wanted, estate.now, 36_500)[wanted[0].key]

    def test_show_tells_what_it_opens_and_is_recorded(self, desk: Desk, estate: Estate, code: str) -> None:
        shown = desk.json("codes", "show", code.lower())
        assert (shown["code"], shown["purpose"], shown["valid"], shown["used_at"]) == (code, "survey", True, None)
        assert shown["subject"] == {"type": "contract", "id": "HT-1"}
        (access,) = estate.rows(accesses)
        assert (access.what, access.rows, access.who) == (f"codes show {code[:2]}****", 1, "li")

    def test_the_list_shows_no_code_that_opens_anything(self, desk: Desk, code: str) -> None:
        (row,) = desk.json("codes", "list")
        assert row["code"] == f"{code[:2]}****"
        assert desk.json("codes", "list", "--purpose", "status") == []

    def test_a_person_ends_it(self, desk: Desk, code: str) -> None:
        assert desk.json("codes", "expire", code)["expired"] is True
        assert desk.json("codes", "show", code)["valid"] is False
        assert desk.json("codes", "list") == []
        assert len(desk.json("codes", "list", "--ended")) == 1

    def test_one_that_nobody_has(self, desk: Desk) -> None:
        for words in (("codes", "show", "AAAAAA"), ("codes", "expire", "nonsense")):
            answer = desk("--lang", "en", *words)
            assert (answer.status, answer.out) == (1, "")
            assert answer.err.startswith("error: there is no such code")
