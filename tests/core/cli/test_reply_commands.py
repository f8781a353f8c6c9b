"""What customers answered and what gateways told, on the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert
from tests.support.cli import Desk

from keguan.adapters.base import Heard, Receipt, Reply
from keguan.building import open_database
from keguan.outbox.receipts import record_heard
from keguan.settings import load_settings
from keguan.store.schema import people

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
PHONE = "+8613800138000"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write_config('language = "en"\n')
    store = open_database(load_settings(desk.config, {}))
    replies = (
        Reply(PHONE, "R", AT, "1"),
        Reply(PHONE, "请让张三打 13900139000 给我", AT.replace(hour=2), "2"),
    )
    receipts = (Receipt("biz-1", "undelivered", AT, "MK:0001"),)
    with store.write() as connection:
        connection.execute(insert(people).values(name="张三", phone=PHONE))
        record_heard(connection, "cloud", Heard(receipts=receipts, replies=replies), AT)
    store.close()
    return desk


def test_replies_are_listed_masked_and_the_unclear_ones_wait_for_a_reader(desk: Desk) -> None:
    newest, opt_out = desk.ask("replies", "list")
    assert (opt_out["meaning"], opt_out["text"], opt_out["phone"]) == ("opt_out", "R", "138****8000")
    assert newest["meaning"] is None
    assert newest["text"] == "请让张*打 139****9000 给我"
    assert [one["id"] for one in desk.ask("replies", "list", "--unread")] == [newest["id"]]


def test_a_reply_that_was_read_waits_no_longer(desk: Desk) -> None:
    (waiting,) = desk.ask("replies", "list", "--unread")
    assert desk.ask("replies", "read", str(waiting["id"]), "--by", "周敏") == {"read": [waiting["id"]]}
    assert desk.ask("replies", "list", "--unread") == []
    assert desk.ask("replies", "list")[0]["read_by"] == "周*"


def test_a_reply_that_does_not_exist_is_one_clear_line(desk: Desk) -> None:
    answer = desk.type("replies", "read", "99")
    assert answer.status == 1
    assert answer.err == "error: there is no reply 99 (replies): see `keguan replies list`\n"


def test_seeing_replies_in_full_is_recorded(desk: Desk) -> None:
    assert desk.ask("replies", "list", "--unmask")[1]["phone"] == PHONE
    assert "replies list" in str(desk.ask("privacy", "log", "--kind", "access"))


def test_receipts_are_listed_with_the_gateways_own_word(desk: Desk) -> None:
    (receipt,) = desk.ask("outbox", "receipts")
    assert (receipt["adapter"], receipt["status"], receipt["code"]) == ("cloud", "undelivered", "MK:0001")
    assert receipt["message"] is None
    assert desk.ask("outbox", "receipts", "1") == []
