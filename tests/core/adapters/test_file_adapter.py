"""The ``file`` adapter: messages that people can read, and an honest count."""

import errno
import json
import os
import threading
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.adapters import build_adapter

from keguan.adapters.base import Adapter, Outcome, OutgoingMessage
from keguan.model import Attachment

NOW = datetime(2026, 3, 5, 17, 30, tzinfo=UTC)  # already the sixth in China
KEY = "sixplustwo:congratulate:contract/17:1#0"


def adapter_in(folder: Path, **table: Any) -> Adapter:
    return build_adapter(folder, "file", **table)


def sms(key: str = KEY, text: str = "【云璟物业】您好") -> OutgoingMessage:
    return OutgoingMessage(key, "sms", "+8613800138000", "张三", "", text, segments=1)


def email(key: str = KEY, **fields: Any) -> OutgoingMessage:
    values: dict[str, Any] = {
        "to_address": "zhangsan@example.cn",
        "to_name": "张三",
        "title": "新家",
        "text": "尊敬的张三",
    } | fields
    return OutgoingMessage(key=key, channel="email", **values)


def delivered(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "var/outbox/delivered.jsonl").read_bytes().splitlines()]


def written(folder: Path, pattern: str) -> list[Path]:
    return sorted((folder / "var/outbox").glob(f"*/{pattern}"))


def test_a_text_message_is_a_text_file_in_the_folder_of_its_day(tmp_path: Path) -> None:
    assert adapter_in(tmp_path).send(sms(), NOW).outcome is Outcome.SENT
    (file,) = written(tmp_path, "*.txt")
    assert file.parent.name == "2026-03-06"
    assert file.name.startswith("sixplustwo-congratulate-contract-17-1-0.")
    head, _, body = file.read_text(encoding="utf-8").partition("\n\n")
    assert body == "【云璟物业】您好\n"
    assert head.splitlines() == ["To: +8613800138000", "Date: 2026-03-06T01:30:00+08:00", f"Key: {KEY}", "Segments: 1"]


def test_an_email_is_a_mail_file_that_people_and_programs_can_read(tmp_path: Path) -> None:
    files = (Attachment("报告.pdf", b"%PDF", "application/pdf"),)
    adapter = adapter_in(tmp_path)
    adapter.send(email(html="<p>您好</p>"), NOW)
    adapter.send(email("other", attachments=files), NOW)
    plain, with_file = (
        BytesParser(policy=default).parsebytes(f.read_bytes()) for f in reversed(written(tmp_path, "*.eml"))
    )
    assert "尊敬的张三".encode() in plain.as_bytes()
    assert (plain["Subject"], str(plain["To"])) == ("新家", "张三 <zhangsan@example.cn>")
    html = plain.get_body(("html",))
    assert html is not None
    assert html.get_content().strip() == "<p>您好</p>"
    assert next(with_file.iter_attachments()).get_filename() == "报告.pdf"


def test_each_delivery_is_a_line_with_key_channel_and_instant(tmp_path: Path) -> None:
    adapter = adapter_in(tmp_path)
    adapter.send(sms(), NOW)
    adapter.send(email("two"), NOW)
    assert delivered(tmp_path) == [
        {"key": KEY, "channel": "sms", "at": "2026-03-06T01:30:00.000+08:00"},
        {"key": "two", "channel": "email", "at": "2026-03-06T01:30:00.000+08:00"},
    ]


def test_a_repeat_overwrites_the_file_and_is_counted_as_a_repeat(tmp_path: Path) -> None:
    adapter = adapter_in(tmp_path)
    adapter.send(sms(text="一"), NOW)
    adapter.send(sms(text="二"), NOW)
    (file,) = written(tmp_path, "*.txt")
    assert file.read_text(encoding="utf-8").endswith("\n二\n")
    assert len(delivered(tmp_path)) == 2


@given(keys=st.sets(st.text(st.characters(exclude_categories=["Cs"]), max_size=120), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_any_key_gives_a_safe_name_of_its_own(keys: set[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("outbox")
    adapter = adapter_in(folder)
    assert all(adapter.send(sms(key), NOW).outcome is Outcome.SENT for key in keys)
    names = [file.name for file in written(folder, "*")]
    assert len({name.lower() for name in names}) == len(keys)
    assert all(name.isascii() and len(name) < 120 and not name.startswith("-") for name in names)
    assert {line["key"] for line in delivered(folder)} == keys
    assert {file.name for file in folder.iterdir()} == {"var"}


def test_customer_text_never_becomes_a_name_or_a_header(tmp_path: Path) -> None:
    adapter_in(tmp_path).send(email(title="../../x\r\nBcc: b@example.cn", to_name="/etc/passwd\n"), NOW)
    (file,) = written(tmp_path, "*")
    mail = BytesParser(policy=default).parsebytes(file.read_bytes())
    assert (mail["Subject"], mail["Bcc"]) == ("../../x Bcc: b@example.cn", None)
    assert "passwd" not in file.name


def test_only_the_owner_can_read_what_customers_are_told(tmp_path: Path) -> None:
    adapter_in(tmp_path, durable=True).send(sms(), NOW)
    for file in [*written(tmp_path, "*"), tmp_path / "var/outbox/delivered.jsonl"]:
        assert file.stat().st_mode & 0o077 == 0


def test_directory_and_zone_can_be_set(tmp_path: Path) -> None:
    adapter_in(tmp_path, directory="elsewhere", time_zone="UTC").send(sms(), NOW)
    assert [file.parent.name for file in (tmp_path / "elsewhere").glob("*/*.txt")] == ["2026-03-05"]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (email(to_address="zhangsan"), "e-mail address"),
        (sms(text="\ud800"), "Unicode"),
        (email(text="\ud800"), "Unicode"),
    ],
)
def test_what_nobody_could_deliver_is_refused_for_good(tmp_path: Path, message: OutgoingMessage, words: str) -> None:
    report = adapter_in(tmp_path).send(message, NOW)
    assert report.outcome is Outcome.PERMANENT
    assert words in report.detail


class TestTroubleWithTheDisk:
    def test_a_place_that_cannot_be_written_is_temporary_and_named(self, tmp_path: Path) -> None:
        (tmp_path / "var").write_text("a file where a folder should be")
        report = adapter_in(tmp_path).send(sms(), NOW)
        assert report.outcome is Outcome.TEMPORARY
        assert "var/outbox" in report.detail

    @pytest.mark.parametrize("written_before", [0, 1])
    def test_a_full_disk_leaves_neither_half_a_file_nor_half_a_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written_before: int
    ) -> None:
        adapter = adapter_in(tmp_path)
        adapter.send(sms("first"), NOW)
        write = os.write
        calls: list[int] = []

        def full(descriptor: int, content: bytes) -> int:
            calls.append(descriptor)
            if len(calls) <= written_before:
                return write(descriptor, content)
            if len(calls) == written_before + 1:
                return write(descriptor, content[:7])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "write", full)
        report = adapter.send(sms("second"), NOW)
        assert report.outcome is Outcome.TEMPORARY
        assert "No space left" in report.detail
        monkeypatch.setattr(os, "write", write)
        assert [line["key"] for line in delivered(tmp_path)] == ["first"]
        assert written(tmp_path, "*.part") == []
        assert adapter.send(sms("second"), NOW).outcome is Outcome.SENT
        assert [line["key"] for line in delivered(tmp_path)] == ["first", "second"]

    def test_a_folder_that_was_taken_away_is_made_again(self, tmp_path: Path) -> None:
        import shutil

        adapter = adapter_in(tmp_path)
        adapter.send(sms("first"), NOW)
        shutil.rmtree(tmp_path / "var")
        outcomes = [adapter.send(sms("second"), NOW).outcome for _ in range(2)]
        assert outcomes[-1] is Outcome.SENT


def test_several_writers_lose_no_line(tmp_path: Path) -> None:
    def write(name: str) -> None:
        adapter = adapter_in(tmp_path)
        for number in range(50):
            assert adapter.send(sms(f"{name}-{number}"), NOW).outcome is Outcome.SENT

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({line["key"] for line in delivered(tmp_path)}) == 200
