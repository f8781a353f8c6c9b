"""The three vendors' SMS adapters over their fakes, built alike, so that one test can speak of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from tests.support.vendor_gateways import FakeAliyun, FakeTencent, FakeTwilio, Gateway, write_authority

from keguan.adapters.base import Adapter, OutgoingMessage, Surroundings
from keguan.adapters.registry import adapter_types

__all__ = ["NAME", "NOW", "NUMBER", "SECRET", "VENDORS", "Vendor", "build", "sms"]

Vendor = Literal["aliyun", "tencent", "twilio"]
VENDORS: tuple[Vendor, ...] = ("aliyun", "tencent", "twilio")
NOW = datetime(2026, 3, 5, 1, 30, tzinfo=UTC)
NUMBER = "+8613800138000"
NAME = "欧阳修远"
SECRET = "s3cret-of-the-gateway"
_FAKES = {"aliyun": FakeAliyun, "tencent": FakeTencent, "twilio": FakeTwilio}
_TABLES: dict[str, dict[str, Any]] = {
    "aliyun": {"access_key_id": "LTAI1", "access_key_secret": SECRET},
    "tencent": {"secret_id": "AKID1", "secret_key": SECRET, "sdk_app_id": "1400006666"},
    "twilio": {"account_sid": "AC1", "auth_token": SECRET, "from": "+15550001111", "allow_mainland": True},
}


def sms(key: str = "k1", to: str = NUMBER, **fields: Any) -> OutgoingMessage:
    values: dict[str, Any] = {
        "to_name": NAME,
        "title": "",
        "text": f"【云璟物业】{NAME}，您好",
        "template_id": "SMS_1001",
        "variables": (("name", NAME), ("home", "3-1201")),
    } | fields
    return OutgoingMessage(key=key, channel="sms", to_address=to, **values)


@dataclass
class Fakes:
    """Makes the fake of a vendor."""

    vendor: Vendor

    def __call__(self, *, tls: str | None = None, secret: str = SECRET) -> Any:
        return _FAKES[self.vendor](secret=secret, tls=tls)


def build(
    vendor: Vendor,
    gateway: Gateway,
    folder: Path,
    *,
    secrets: Mapping[str, str] | None = None,
    trust: bool = True,
    without: str | None = None,
    **table: Any,
) -> Any:
    """Return the adapter ``sms`` of that kind, set up for ``gateway``."""
    values = {"timeout": 8.0} | _TABLES[vendor] | table
    values.pop(without or "", None)
    if gateway.protocol == "https" and trust:
        values["ca_file"] = write_authority(folder)
    if vendor == "twilio":
        values["endpoint"] = f"{gateway.protocol}://{gateway.address}"
    else:
        values |= {"endpoint": gateway.address, "protocol": gateway.protocol}
    kind = adapter_types()[vendor]
    surroundings = Surroundings(folder, "云璟地产", (secrets or {}).get, signature="云璟物业")
    adapter: Adapter = kind.build("sms", kind.settings(**values), surroundings)
    return adapter
