"""What `keguan doctor` says of gateways and robots: each on a line of its own, however many are wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.support.cli import Desk
from tests.support.sms_adapters import SECRET
from tests.support.vendor_gateways import FakeTencent

TABLES = """
[adapters.abroad]
type = "twilio"
account_sid = "AC1"
from = "+15550001111"

[adapters.aliyun]
type = "aliyun"
access_key_id = "LTAI1"

[adapters.robots]
type = "apprise"
default = "wecombot://abcdefgh12345678"

[adapters.tencent]
type = "tencent"
secret_id = "AKID1"
sdk_app_id = "1400006666"
sign_name = "云璟物业"
protocol = "http"
endpoint = "{address}"
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "site")
    assert desk.type_bare("--json", "init", str(desk.folder)).status == 0
    return desk


def test_each_adapter_is_examined_by_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "twilio.rest", None)
    desk.language = "en"
    with FakeTencent(secret=SECRET) as gateway:
        text = desk.config.read_text(encoding="utf-8")
        desk.config.write_text(text + TABLES.replace("{address}", gateway.address), encoding="utf-8")
        answer = desk.type("--json", "doctor", environment={"KEGUAN_ADAPTERS__TENCENT__SECRET_KEY": SECRET})
        assert gateway.sent == []
    assert answer.status == 1
    said = {row["detail"]: row["ok"] for row in answer.json["checks"] if row["check"] == "adapters"}
    assert [detail for detail, ok in said.items() if "pip install 'keguan[twilio]'" in detail and not ok]
    assert [detail for detail, ok in said.items() if "KEGUAN_ADAPTERS__ALIYUN__ACCESS_KEY_SECRET" in detail and not ok]
    assert [detail for detail, ok in said.items() if "robots" in detail and "nobody was asked" in detail and ok]
    assert [detail for detail, ok in said.items() if "tencent" in detail and ok]
    assert SECRET not in answer.out + answer.err
    assert "Traceback" not in answer.err
