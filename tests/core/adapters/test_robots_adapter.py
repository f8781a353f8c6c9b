"""Chat robots for staff through Apprise: who is told, and what the services' answers mean."""

import importlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.support.sms_adapters import NOW
from tests.support.vendor_gateways import FakeRobot

from keguan.adapters.base import Outcome, OutgoingMessage, Surroundings
from keguan.adapters.registry import adapter_types
from keguan.adapters.robots import RobotsSettings
from keguan.errors import ConfigError

TOKEN = "abcdefgh12345678"
Build = Callable[..., Any]


def told(to: str = "客服部", **fields: Any) -> OutgoingMessage:
    values: dict[str, Any] = {"to_name": None, "title": "今日任务", "text": "三户回访"} | fields
    return OutgoingMessage(key="k1", channel="chat", to_address=to, **values)


@pytest.fixture
def service() -> Iterator[FakeRobot]:
    with FakeRobot() as fake:
        yield fake


@pytest.fixture
def robots(tmp_path: Path) -> Build:
    def build(**table: Any) -> Any:
        kind = adapter_types()["apprise"]
        return kind.build("robots", kind.settings(**({"timeout": 8.0} | table)), Surroundings(tmp_path, "云璟地产"))

    return build


@pytest.fixture(params=["wecombot.NotifyWeComBot", "dingtalk.NotifyDingTalk", "feishu.NotifyFeishu"])
def robot(request: pytest.FixtureRequest, service: FakeRobot, robots: Build, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A robot of each of the three services that refuse with HTTP 200, at a service of our own."""
    schema, _, plugin = request.param.partition(".")
    place = "{key}" if schema == "wecombot" else "{token}"
    kind = getattr(importlib.import_module(f"apprise.plugins.{schema}"), plugin)
    monkeypatch.setattr(kind, "notify_url", f"http://{service.address}/{place}")
    return robots(urls={"客服部": f"{schema}://{TOKEN}"})


def test_the_robot_tells_title_and_text(service: FakeRobot, robot: Any) -> None:
    assert robot.send(told(), NOW).outcome is Outcome.SENT
    said = json.dumps(service.told, ensure_ascii=False)
    assert "今日任务" in said
    assert "三户回访" in said


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (0, Outcome.SENT),
        (93000, Outcome.TEMPORARY),
        (45009, Outcome.LIMIT),
        (130101, Outcome.LIMIT),
        (19001, Outcome.TEMPORARY),
    ],
)
def test_a_refusal_under_http_200_is_no_success(service: FakeRobot, robot: Any, code: int, outcome: Outcome) -> None:
    service.next(body=json.dumps({"errcode": code, "code": code, "errmsg": TOKEN}).encode())
    report = robot.send(told(), NOW)
    assert (report.outcome, report.pauses) == (outcome, False)
    assert TOKEN not in report.detail
    assert (report.retry_after is not None) is (outcome is Outcome.LIMIT)


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        ({"status": 429}, Outcome.LIMIT),
        ({"status": 500, "body": b"oops"}, Outcome.IN_DOUBT),
        ({"status": 503}, Outcome.TEMPORARY),
        ({"status": 404}, Outcome.TEMPORARY),
        ({"body": b"<html>"}, Outcome.IN_DOUBT),
        ({"body": b""}, Outcome.IN_DOUBT),
        ({"body": b"[]"}, Outcome.IN_DOUBT),
        ({"drop": True}, Outcome.IN_DOUBT),
    ],
)
def test_bad_answers(service: FakeRobot, robot: Any, act: dict[str, Any], outcome: Outcome) -> None:
    service.next(**act)
    assert robot.send(told(), NOW).outcome is outcome
    assert len(service.asked) == 1
    assert robot.send(told(), NOW).outcome is Outcome.SENT


@pytest.mark.parametrize("act", ["hang", "trickle"])
def test_a_service_that_does_not_come_to_an_end_is_left_in_doubt(service: FakeRobot, robots: Build, act: str) -> None:
    robot = robots(default=f"json://{service.address}", timeout=0.5)
    service.next(**{act: True})
    assert robot.send(told(), NOW).outcome is Outcome.IN_DOUBT


def test_a_service_that_cannot_be_reached_got_nothing(service: FakeRobot, robot: Any) -> None:
    service.stop()
    assert robot.send(told(), NOW).outcome is Outcome.TEMPORARY


def test_an_expired_certificate_stops_this_robot_and_no_other(robots: Build, service: FakeRobot) -> None:
    with FakeRobot(tls="expired") as other:
        robot = robots(urls={"工程部": f"jsons://{other.address}"}, default=f"json://{service.address}")
        report = robot.send(told("工程部"), NOW)
        assert (report.outcome, other.told) == (Outcome.TEMPORARY, [])
        assert "certificate" in report.detail
        assert robot.send(told(), NOW).outcome is Outcome.SENT


class TestLongTexts:
    LONG = "长" * 6000

    def test_go_in_parts(self, service: FakeRobot, robots: Build, robot: Any) -> None:
        assert robot.send(told(text=self.LONG), NOW).outcome is Outcome.SENT
        assert json.dumps(service.told, ensure_ascii=False).count("长") == 6000

    def test_of_which_only_some_arrive_are_in_doubt(self, service: FakeRobot, robot: Any) -> None:
        service.next(status=429)
        report = robot.send(told(text=self.LONG), NOW)
        if len(service.asked) > 1:
            assert report.outcome is Outcome.IN_DOUBT
        else:  # this service takes long texts whole
            assert report.outcome is Outcome.LIMIT


class TestDepartments:
    def test_each_has_its_robot_and_the_rest_the_default(self, service: FakeRobot, robots: Build) -> None:
        robot = robots(
            urls={"客服部": f"json://{service.address}/kf", "工程部": f"json://{service.address}/gc"},
            default=f"json://{service.address}/all",
        )
        for department in ("工程部", "客服部", "安保部"):
            assert robot.send(told(department), NOW).outcome is Outcome.SENT
        assert [one.path for one in service.asked] == ["/gc", "/kf", "/all"]

    def test_without_a_robot_another_adapter_may_know_the_way(self, service: FakeRobot, robots: Build) -> None:
        report = robots(urls={"客服部": f"json://{service.address}"}).send(told("工程部"), NOW)
        assert report.outcome is Outcome.TEMPORARY
        assert "工程部" in report.detail

    def test_the_core_keeps_the_pace_and_not_the_library(self, service: FakeRobot, robots: Build) -> None:
        robot = robots(default=f"json://{service.address}")
        assert [robot.send(told(), NOW).outcome for _ in range(5)] == [Outcome.SENT] * 5


class TestSettings:
    @pytest.mark.parametrize("url", [f"wecombott://{TOKEN}", "wecombot://", f"https://{TOKEN}.example/hook", TOKEN])
    def test_an_address_that_cannot_be_read_is_named_by_its_department(
        self, robots: Build, url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(ConfigError) as caught:
            robots(urls={"客服部": url})
        assert "客服部" in str(caught.value)
        assert TOKEN not in str(caught.value) + caplog.text + "".join(capfd.readouterr())

    def test_no_robot_at_all_is_refused(self, robots: Build) -> None:
        with pytest.raises(ConfigError):
            robots()

    def test_no_token_is_shown(self) -> None:
        settings = RobotsSettings.model_validate({"urls": {"客服部": f"wecombot://{TOKEN}"}})
        assert TOKEN not in repr(settings) + settings.model_dump_json()
        with pytest.raises(ValidationError) as caught:
            RobotsSettings.model_validate({"urls": {"客服部": f"wecombot://{TOKEN}"}, "url": "x"})
        assert TOKEN not in str(caught.value)

    def test_the_check_sends_nothing(self, service: FakeRobot, robots: Build) -> None:
        assert robots(default=f"json://{service.address}").check() is None
        assert service.asked == []


def test_how_long_a_service_takes_nothing_more(service: FakeRobot, robot: Any) -> None:
    service.next(body=b'{"errcode":130101,"code":130101}')
    assert robot.send(told(), NOW).retry_after == timedelta(minutes=10)
