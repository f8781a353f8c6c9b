"""No log of any vendor's library shows a number, a variable or a secret, however loud logging is set."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.sms_adapters import NAME, NOW, NUMBER, SECRET, VENDORS, Fakes, Vendor, build, sms
from tests.support.vendor_gateways import FakeRobot

from keguan.adapters.base import OutgoingMessage, Surroundings
from keguan.adapters.registry import adapter_types

TOKEN = "robot-token-4711"
TELLING = (NUMBER, NUMBER[3:], NAME, SECRET, TOKEN, "3-1201")


@pytest.fixture(autouse=True)
def loud(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything at DEBUG, the libraries' own switches thrown, as an administrator in need would."""
    monkeypatch.setenv("DEBUG", "sdk")
    caplog.set_level(logging.DEBUG)
    yield
    caplog.set_level(logging.NOTSET)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_gateway(
    vendor: Vendor, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with Fakes(vendor)() as gateway:
        adapter = build(vendor, gateway, tmp_path, timeout=0.6)
        reports = [adapter.send(sms(), NOW)]
        for act in (
            {"status": 500, "body": NUMBER.encode()},
            {"status": 429},
            {"body": b"<"},
            {"drop": True},
            {"hang": True},
        ):
            gateway.next(**act)
            reports.append(adapter.send(sms(), NOW))
        adapter.inquire(sms(started_at=NOW), NOW)
        adapter.check()
        gateway.stop()
        reports.append(adapter.send(sms(), NOW))
    seen = caplog.text + "".join(capfd.readouterr()) + repr(reports) + repr(adapter)
    assert len(reports) == 7
    assert not [word for word in TELLING if word in seen]


def test_robots(tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with FakeRobot() as service:
        kind = adapter_types()["apprise"]
        table = {"default": f"json://{service.address}/{TOKEN}", "timeout": 0.6}
        adapter = kind.build("robots", kind.settings(**table), Surroundings(tmp_path, "云璟地产"))
        message = OutgoingMessage("k1", "chat", "客服部", NAME, "今日", f"{NAME} {NUMBER} 3-1201")
        reports = [adapter.send(message, NOW)]
        for act in ({"status": 500, "body": NUMBER.encode()}, {"drop": True}, {"hang": True}):
            service.next(**act)
            reports.append(adapter.send(message, NOW))
        service.stop()
        reports.append(adapter.send(message, NOW))
    seen = caplog.text + "".join(capfd.readouterr()) + repr(reports) + repr(adapter)
    assert not [word for word in TELLING if word in seen]


LOUD_PROCESS = """
import logging, sys
from pathlib import Path
from keguan.logs import configure_logs
configure_logs("debug", form="text")
from tests.support.sms_adapters import NOW, VENDORS, Fakes, build, sms
for vendor in VENDORS:
    with Fakes(vendor)() as gateway:
        adapter = build(vendor, gateway, Path(sys.argv[1]))
        assert adapter.send(sms(), NOW).provider_id, vendor
logging.getLogger("own").warning("the end was reached")
"""


@pytest.mark.bad_day
def test_a_process_that_logs_at_debug_before_the_libraries_are_loaded(tmp_path: Path) -> None:
    """Two of the libraries set their own loggers to DEBUG, with a handler of their own, while they are imported."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", LOUD_PROCESS, str(tmp_path)],
        capture_output=True, text=True, cwd=root, check=False,
        env=os.environ | {"PYTHONPATH": str(root), "DEBUG": "sdk"},
    )  # fmt: skip
    seen = done.stdout + done.stderr
    assert "the end was reached" in seen, seen
    assert not [word for word in TELLING if word in seen]


@pytest.mark.bad_day
def test_without_any_of_the_libraries_nothing_of_them_is_imported() -> None:
    code = (
        "import sys; import keguan.adapters.registry, keguan.cli.main; "
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('alibabacloud_dysmsapi20170525', 'Tea', 'darabonba', 'tencentcloud', 'twilio', 'apprise', 'requests')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
