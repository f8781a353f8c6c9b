"""Text messages from a signed contract through approved templates at two gateways, and what these tell afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.support.plugins import PROBE, PROBE_TEMPLATES, install_plugin
from tests.support.site import DaemonProcess, Site, until
from tests.support.sms_adapters import SECRET
from tests.support.vendor_gateways import FakeAliyun, FakeTencent
from tests.support.web import Browser

pytestmark = pytest.mark.bad_day

CALLBACK = "agreed-with-the-gateway"
TEXT = "Contract {{ number }} of {{ name }} is signed.\n"
NAMED = PROBE.replace(
    'template="message", values={"number": job.record.contract_no}',
    'template="message", values={"number": job.record.contract_no, "name": job.record.owners[0].name}',
)
REFUSED = {"3": "isv.BLACK_KEY_CONTROL_LIMIT", "4": "isp.SYSTEM_ERROR", "6": "isp.SYSTEM_ERROR"}
"""Last digit of a number → what the first gateway says: one refused for good, two not taken just now."""


class Moody(FakeAliyun):
    """Refuses some of what it is given."""

    def _SendSms(self, query: dict[str, str]) -> dict[str, Any]:  # noqa: N802 - the vendor's name
        code = REFUSED.get(query["PhoneNumbers"][-1])
        return {"Code": code, "Message": "refused"} if code else super()._SendSms(query)


@pytest.fixture
def gateways() -> Iterator[tuple[Moody, FakeTencent]]:
    with Moody(secret=SECRET) as ali, FakeTencent(secret=SECRET) as tencent:
        yield ali, tencent


@pytest.fixture
def site(tmp_path: Path, gateways: tuple[Moody, FakeTencent]) -> Iterator[Site]:
    with Site(tmp_path) as site:
        install_plugin(site.plugins, "probe", NAMED, PROBE_TEMPLATES | {"message.sms.j2": TEXT})
        plain = {"protocol": "http", "callback_secret": CALLBACK, "timeout": 10.0}
        site.config["company"]["signature"] = "云璟物业"
        site.config["web"] = {"listen": "127.0.0.1:0"}
        keys = {"ali": ("aliyun", "access_key_id", "access_key_secret"), "tx": ("tencent", "secret_id", "secret_key")}
        site.config["adapters"] = {
            name: {"type": kind, key: "A", secret: SECRET, "endpoint": gateway.address} | plain
            for (name, (kind, key, secret)), gateway in zip(keys.items(), gateways, strict=True)
        }
        site.config["adapters"]["tx"]["sdk_app_id"] = "14"
        site.config["channels"] = {"sms": ["ali", "tx"]}
        approved = {"approved_on": date(2026, 1, 1)}
        site.config["templates"] = {
            "probe": {
                "message": {
                    "ali": {"id": "SMS_77", "text": "Contract ${number} of ${name} is signed."} | approved,
                    "tx": {"id": "8811", "variables": ["name", "number"]} | approved,
                }
            }
        }
        site.write()
        yield site


def states(site: Site) -> dict[str, tuple[str, str | None]]:
    """Status and gateway of each text message, by the last digit of its number."""
    found = site.rows(
        "select c.contract_no, m.status, m.adapter from messages m join owners o on o.person_id = m.person_id "
        "join contracts c on c.id = o.contract_id where m.channel = 'sms'"
    )
    return {row[0][-1]: (row[1], row[2]) for row in found}


def started(site: Site) -> tuple[DaemonProcess, Browser]:
    daemon = site.run()
    return daemon, Browser(daemon.wait_for("listening")["port"])


def report(sent: dict[str, str], number: int, **more: Any) -> dict[str, Any]:
    """What the first gateway tells of the ``number``-th message that it took."""
    return {
        "phone_number": sent["PhoneNumbers"],
        "out_id": sent["OutId"],
        "biz_id": f"9006{number}^0",
        "report_time": "2026-03-05 09:31:00",
        "success": True,
        "err_code": "DELIVERED",
    } | more


def test_half_a_batch_refused_leaves_through_the_next_gateway_and_receipts_find_their_messages(
    site: Site, gateways: tuple[Moody, FakeTencent]
) -> None:
    ali, tencent = gateways
    daemon, browser = started(site)
    site.sign(6)  # contracts and numbers that end in 2 to 7
    until(lambda: sum(state in ("sent", "dead") for state, _ in states(site).values()) == 6, "all six have a fate")
    assert states(site) == {
        **dict.fromkeys("257", ("sent", "ali")),
        **dict.fromkeys("46", ("sent", "tx")),
        "3": ("dead", "ali"),
    }
    for sent in ali.sent:
        number = sent["PhoneNumbers"][-1]
        assert (sent["TemplateCode"], sent["SignName"]) == ("SMS_77", "云璟物业")
        assert json.loads(sent["TemplateParam"]) == {"number": f"HT-00000{number}", "name": "周宁"}
    for asked in tencent.sent:
        number = asked["PhoneNumberSet"][0][-1]
        assert (asked["TemplateId"], asked["SignName"]) == ("8811", "云璟物业")
        assert asked["TemplateParamSet"] == ["周宁", f"HT-00000{number}"], "in its own order"

    first, second, third = ali.sent
    batch = [
        report(first, 1),
        report(second, 2, success=False, err_code="MK:0001", err_msg="空号"),
        report(first, 999, out_id="nobody-knows-this"),
    ]
    assert browser.post("/gateways/ali/guessed", json.dumps(batch).encode()).status == 403
    assert browser.post("/gateways/nobody/x", b"[]").status == 404
    for _ in range(2):  # the gateway did not get our answer, and tells it again
        told = browser.post(f"/gateways/ali/{CALLBACK}", json.dumps(batch).encode())
        assert (told.status, told.json) == (200, {"code": 0, "msg": "OK"})
    digits = [sent["PhoneNumbers"][-1] for sent in (first, second, third)]
    assert [states(site)[digit][0] for digit in digits] == ["delivered", "undelivered", "sent"]
    assert site.one("select count(*) from receipts where message_id is null") == 1
    assert site.one("select count(*) from receipts") == 3
    assert site.one("select count(*) from suppressions") == 1
    assert daemon.stop() == 0

    daemon, browser = started(site)  # the others come late, to another process
    browser.post(f"/gateways/ali/{CALLBACK}", json.dumps([report(third, 3)]).encode())
    late = [
        {
            "sid": f"2028:{number}",
            "mobile": asked["PhoneNumberSet"][0][3:],
            "nationcode": "86",
            "report_status": "SUCCESS",
            "errmsg": "DELIVRD",
            "user_receive_time": "2026-03-06 10:00:00",
        }
        for number, asked in enumerate(tencent.sent, 1)
    ]
    assert browser.post(f"/gateways/tx/{CALLBACK}", json.dumps(late).encode()).status == 200
    stop = {"nationcode": "86", "mobile": late[0]["mobile"], "text": "退订", "sign": "云璟物业", "time": 1772674205}
    assert browser.post(f"/gateways/tx/{CALLBACK}", json.dumps(stop).encode()).status == 200
    assert {states(site)[digit][0] for digit in (digits[2], "4", "6")} == {"delivered"}
    assert {row[0] for row in site.rows("select message_class from permissions where not granted")} >= {"service"}
    findings = json.loads(site.keguan("--json", "outbox", "list").stdout)
    assert "1380000" not in json.dumps(findings)
    assert daemon.stop() == 0
    assert not [word for word in ("1380000", "周宁", SECRET, CALLBACK) if word in daemon.output]
