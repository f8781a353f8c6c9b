"""What the daemon answers over HTTP."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from tests.support.web import Browser, served

from keguan.adapters.base import Heard, OutgoingMessage, Receipt, Report
from keguan.errors import ConfigError
from keguan.model import Company
from keguan.people.unsubscribe import Unsubscribe, Wish, unsubscribe_of
from keguan.queries.reader import Reader
from keguan.runner.health import Health, write_health
from keguan.settings import Settings
from keguan.store.engine import Store
from keguan.store.schema import people, permissions
from keguan.web import patience
from keguan.web.app import LARGEST_BODY, LARGEST_FORM, build_app
from keguan.web.server import WebServer
from keguan.web.site import Site

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
WAY_OUT = Unsubscribe("a secret of this test", "https://care.example.com", "stop@example.com")


class Gateway:
    """An adapter whose gateway calls."""

    def send(self, message: OutgoingMessage, now: datetime) -> Report:
        raise AssertionError("nothing is sent here")

    def check(self) -> str | None:
        return None

    def close(self) -> None: ...

    def heard(
        self, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, now: datetime
    ) -> Heard:
        if headers.get("x-signature") != "right":
            raise PermissionError
        if body == b"nonsense":
            raise ValueError("not a receipt")
        return Heard(receipts=(Receipt(body.decode(), "delivered", now),), answer='{"code": 0}')


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Site:
    return Site(
        store=store,
        now=lambda: NOW,
        company=Company("云璟地产", "400-000-0000", "云璟地产"),
        language="zh",
        health_file=tmp_path / "health.json",
        reader=lambda: Reader(store, Settings(), NOW, "en"),
        unsubscribe=WAY_OUT,
        listeners={"cloud": Gateway()},
    )


@pytest.fixture
def browser(site: Site) -> Iterator[Browser]:
    with served(site) as asked:
        yield asked


@pytest.fixture
def customer(store: Store) -> int:
    with store.write() as connection:
        return int(connection.execute(insert(people).values(name="张三").returning(people.c.id)).scalar_one())


def _answers(store: Store) -> list[tuple[int, str, str, bool, str]]:
    c = permissions.c
    with store.read() as connection:
        rows = connection.execute(select(c.person_id, c.channel, c.message_class, c.granted, c.source))
        return [tuple(row) for row in rows]


# --- Opting out ---------------------------------------------------------------------------------------------------


def test_one_click_ends_one_kind_of_message_for_one_person(store: Store, browser: Browser, customer: int) -> None:
    path = "/u/" + WAY_OUT.token(Wish(customer, "email", "service"))
    answer = browser.post(path, b"List-Unsubscribe=One-Click", {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200
    assert _answers(store) == [(customer, "email", "service", False, "link")]
    browser.post(path, b"List-Unsubscribe=One-Click")
    assert len(_answers(store)) == 1


def test_who_only_looks_ends_nothing(store: Store, browser: Browser, customer: int) -> None:
    page = browser.get("/u/" + WAY_OUT.token(Wish(customer, "email", "service")))
    assert page.status == 200
    assert '<form method="post">' in page.text
    assert "张三" not in page.text
    assert _answers(store) == []


@pytest.mark.parametrize("token", ["x", "WzEsImVtYWlsIiwic2VydmljZSJd.c2lnbmVk", "%00", "."])
def test_a_link_that_is_not_ours_ends_nothing(store: Store, browser: Browser, customer: int, token: str) -> None:
    assert browser.get(f"/u/{token}").status == 404
    assert browser.post(f"/u/{token}").status == 404
    assert _answers(store) == []


def test_a_link_signed_with_another_secret_ends_nothing(store: Store, browser: Browser, customer: int) -> None:
    forged = replace(WAY_OUT, secret="guessed").token(Wish(customer, "email", "service"))
    assert browser.post(f"/u/{forged}").status == 404
    assert _answers(store) == []


def test_a_link_of_somebody_who_is_not_there_any_more_says_so(store: Store, browser: Browser) -> None:
    assert browser.post("/u/" + WAY_OUT.token(Wish(4711, "email", "service"))).status == 404


def test_links_name_the_ways_there_are() -> None:
    wish = Wish(17, "email", "service")
    web, mail = WAY_OUT.links(wish)
    token = WAY_OUT.token(wish)
    assert web == f"https://care.example.com/u/{token}"
    assert re.fullmatch(r"mailto:stop@example\.com\?subject=unsubscribe%20[\w.-]+", mail)
    assert replace(WAY_OUT, mail=None).links(wish) == (web,)
    assert replace(WAY_OUT, public_url=None).links(wish) == (mail,)
    assert WAY_OUT.read(token) == wish


# --- Gateways that call -------------------------------------------------------------------------------------------


def test_a_gateway_that_calls_is_answered_when_its_news_is_stored(store: Store, browser: Browser) -> None:
    answer = browser.post("/gateways/cloud/receipts", b"biz-1", {"X-Signature": "right"})
    assert (answer.status, answer.json) == (200, {"code": 0})
    with store.read() as connection:
        found = connection.exec_driver_sql("select adapter, provider_id, status from receipts").all()
    assert [tuple(row) for row in found] == [("cloud", "biz-1", "delivered")]


def test_a_wrong_signature_nonsense_and_unknown_gateways_are_refused(store: Store, browser: Browser) -> None:
    assert browser.post("/gateways/cloud", b"biz-1").status == 403
    assert browser.post("/gateways/cloud", b"nonsense", {"X-Signature": "right"}).status == 400
    assert browser.post("/gateways/other", b"biz-1", {"X-Signature": "right"}).status == 404
    with store.read() as connection:
        assert connection.exec_driver_sql("select count(*) from receipts").scalar() == 0


def test_a_body_beyond_the_limit_is_not_read(browser: Browser) -> None:
    answer = browser.post("/gateways/cloud", b"x" * (LARGEST_BODY + 1), {"X-Signature": "right"})
    assert answer.status == 413


# --- For whoever watches --------------------------------------------------------------------------------------------


def test_health_is_that_of_the_last_beat(site: Site, browser: Browser) -> None:
    assert browser.get("/healthz").status == 503
    write_health(site.health_file, Health(NOW - timedelta(seconds=5), 17, 2.0))
    answer = browser.get("/healthz")
    assert (answer.status, answer.json) == (200, {"healthy": True, "problem": None, "lag_seconds": 2.0})
    write_health(site.health_file, Health(NOW - timedelta(minutes=5), 17, 2.0))
    assert browser.get("/healthz").json["problem"] == "stale"


def test_ready_means_that_the_database_is_of_this_version(store: Store, browser: Browser) -> None:
    assert browser.get("/readyz").status == 200
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version_core SET version_num = 'core_0000'")
    assert browser.get("/readyz").json == {"ready": False, "problem": "store.schema"}


def test_metrics_are_the_counts_of_status(browser: Browser) -> None:
    page = browser.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    assert "keguan_queued 0.0" in page.text
    assert "keguan_healthy 1.0" in page.text


# --- The server -----------------------------------------------------------------------------------------------------


def test_an_address_that_is_taken_is_one_clear_line(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ConfigError) as caught:
        WebServer(build_app(site), "127.0.0.1", other.getsockname()[1])
    assert caught.value.key == "web.port_taken"


FORM = b"POST /s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\n"


def test_who_never_ends_a_request_is_left(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_PATIENCE", 0.1)
    with served(site) as asked:
        for begun in (b"", b"GET /hea", FORM + b"code="):
            with socket.create_connection(("127.0.0.1", asked.port), timeout=20) as slow:
                slow.sendall(begun)
                assert slow.recv(100) == b""


def test_a_head_without_end_is_refused(browser: Browser) -> None:
    with socket.create_connection(("127.0.0.1", browser.port), timeout=20) as endless:
        endless.sendall(b"GET /healthz?" + b"x" * 100_000)
        assert endless.recv(100).startswith(b"HTTP/1.1 400")


def test_what_customers_send_is_smaller_than_what_gateways_may(browser: Browser) -> None:
    assert browser.post("/s", b"code=" + b"x" * LARGEST_FORM).status == 413
    assert browser.post("/gateways/cloud", b"x" * LARGEST_FORM).status == 403


# --- The secret of links --------------------------------------------------------------------------------------------


def test_a_secret_that_a_full_disk_left_empty_is_made_anew(tmp_path: Path) -> None:
    settings = Settings.model_validate({"web": {"public_url": "https://care.example.com"}})
    settings._base_dir = tmp_path
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "secrets" / "KEGUAN_WEB__SECRET"
    file.write_text("")
    found = unsubscribe_of(settings)
    assert found is not None
    assert len(found.secret) > 40
    assert file.stat().st_mode & 0o777 == 0o600
    again = unsubscribe_of(settings)
    assert again == found
    assert [one.name for one in file.parent.iterdir()] == [file.name]
