"""Whatever leaves through whichever adapter, at DEBUG no log shows whom it is for and what it says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.support.adapters import build_adapter
from tests.support.gateway import Gateway, Say
from tests.support.sms_adapters import NAME, NOW, NUMBER, SECRET, VENDORS, Fakes, Vendor, build, sms
from tests.support.smtp import SmtpSink
from tests.support.vendor_gateways import FakeRobot

from keguan.adapters.base import Adapter, Outcome, OutgoingMessage
from keguan.adapters.registry import adapter_types

ADDRESS = "zhangsan@example.cn"
TOKEN = "robot-token-4711"
TEXT = f"{NAME}，{NUMBER}，身份证 440301199001011234，3-1201"
TELLING = (NUMBER, NUMBER[3:], NAME, ADDRESS, "440301199001011234", "3-1201", SECRET, TOKEN)
MAIL = OutgoingMessage("k1", "email", ADDRESS, NAME, f"{NAME}您好", TEXT)

Opened = Iterator[tuple[Adapter, OutgoingMessage]]


@contextmanager
def _vendor(name: Vendor, folder: Path) -> Opened:
    with Fakes(name)() as gateway:
        yield build(name, gateway, folder), sms(text=TEXT)


@contextmanager
def _smtp(folder: Path) -> Opened:
    with SmtpSink(login=("apikey", SECRET)) as sink:
        connect = partial(build_adapter, folder, "smtp", host="127.0.0.1", port=sink.port, security="none")
        yield connect(user="apikey", password=SECRET, sender="kf@example.cn"), MAIL


@contextmanager
def _file(folder: Path) -> Opened:
    yield build_adapter(folder, "file"), MAIL


@contextmanager
def _http(folder: Path) -> Opened:
    with Gateway() as gateway:
        gateway.next(Say(body={"code": 0, "msg": TEXT, "id": "1"}))
        describe = partial(build_adapter, folder, "http", secrets={"adapters.mail.secrets.key": SECRET})
        adapter = describe(
            url=gateway.url,
            body={"to": "{phone}", "text": "{text}"},
            headers={"X-Key": "{secret.key}"},
            answer={"code": "code", "message": "msg", "id": "id"},
        )
        yield adapter, sms(text=TEXT)


@contextmanager
def _apprise(folder: Path) -> Opened:
    with FakeRobot() as service:
        adapter = build_adapter(folder, "apprise", default=f"json://{service.address}/{TOKEN}")
        yield adapter, OutgoingMessage("k1", "chat", "客服部", NAME, "今日", TEXT)


WAYS: dict[str, Callable[[Path], AbstractContextManager[tuple[Adapter, OutgoingMessage]]]] = {
    "smtp": _smtp,
    "file": _file,
    "http": _http,
    "apprise": _apprise,
}


def _open(kind: str, folder: Path) -> AbstractContextManager[tuple[Adapter, OutgoingMessage]]:
    vendor = next((each for each in VENDORS if each == kind), None)
    return WAYS[kind](folder) if vendor is None else _vendor(vendor, folder)


@pytest.mark.parametrize("kind", sorted(adapter_types()))
def test_a_message_leaves_and_no_log_tells_of_whom(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A new kind of adapter has to be added here, or fails."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # the mail server of the test
    caplog.set_level(logging.DEBUG)
    with _open(kind, tmp_path) as (adapter, message):
        report = adapter.send(message, NOW)
        adapter.check()
        again = repr(adapter) + repr(message) + repr(report)
        adapter.close()
    assert report.outcome is Outcome.SENT, report
    seen = caplog.text + "".join(capfd.readouterr()) + again
    assert not [word for word in TELLING if word in seen]
