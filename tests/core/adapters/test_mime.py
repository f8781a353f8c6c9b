"""The bytes of an e-mail, read back with the standard library's parser."""

import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keguan.adapters.base import OutgoingMessage
from keguan.adapters.mime import Sender, build_email, message_id, parse_address
from keguan.model import Attachment

NOW = datetime(2026, 3, 5, 1, 30, tzinfo=UTC)
SENDER = Sender(parse_address("kf@example.cn"), "云璟地产 客服")
KEY = "sixplustwo:congratulate:contract/17:1#0"

unicode_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
tricky_text = st.one_of(
    unicode_text,
    st.lists(
        st.sampled_from(
            ["\r\n", "\n", "\r", ".", "From me", " ", "=?utf-8?b?eA==?=", "--", "x" * 1500, "汉" * 400, "\x00", "\x85"]
        ),
        max_size=8,
    ).map("".join),
)


def outgoing(
    title: str = "题",
    text: str = "文",
    html: str | None = None,
    name: str = "张三",
    to: str = "a@example.cn",
    key: str = KEY,
    attachments: tuple[Attachment, ...] = (),
) -> OutgoingMessage:
    return OutgoingMessage(key, "email", to, name, title, text, html, attachments)


def build(message: OutgoingMessage, *, eight_bit: bool = False) -> tuple[bytes, EmailMessage]:
    content = build_email(message, parse_address(message.to_address), SENDER, NOW, eight_bit=eight_bit)
    return content, BytesParser(policy=default).parsebytes(content)


def as_lines(text: str) -> str:
    lines = re.sub("\r\n|\r", "\n", text)
    return lines if lines.endswith("\n") else lines + "\n"


def one_line(text: str) -> str:
    return re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).strip()


def content_of(mail: EmailMessage, kind: Literal["plain", "html"]) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


@given(title=unicode_text, text=tricky_text, html=st.none() | tricky_text, eight_bit=st.booleans())
@settings(max_examples=150, deadline=None)
def test_subject_text_and_html_come_back_exactly(title: str, text: str, html: str | None, eight_bit: bool) -> None:
    content, mail = build(outgoing(title, text, html), eight_bit=eight_bit)
    assert mail["Subject"] == one_line(title)
    assert content_of(mail, "plain") == as_lines(text)
    if html is not None:
        assert content_of(mail, "html") == as_lines(html)
    assert mail.defects == []
    lines = content.split(b"\r\n")
    assert all(len(line) <= 998 and b"\r" not in line and b"\n" not in line for line in lines)
    assert not any(line.startswith(b"From ") for line in lines)
    if not eight_bit:
        assert content.isascii()
        assert b"\x00" not in content


@given(name=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=150, deadline=None)
def test_the_recipients_name_comes_back_and_never_adds_an_address(name: str) -> None:
    content, mail = build(outgoing(name=name))
    assert [address.addr_spec for address in mail["To"].addresses] == ["a@example.cn"]
    # Python 3.11 keeps the space between two encoded words of a name; its older decoder follows RFC 2047.
    field = re.search(rb"\r\nTo: (.*?)\r\n <a@example.cn>\r\n", content, re.DOTALL)
    shown = one_line(name)
    if not shown:
        assert field is None
    elif len(shown) <= 11:
        assert mail["To"].addresses[0].display_name.split() == shown.split()  # the parser joins spaces
    elif field is not None and b"=?" in field[1]:
        assert str(make_header(decode_header(field[1].decode()))) == shown


def test_the_other_fields_say_who_when_and_that_a_machine_wrote() -> None:
    _, mail = build(outgoing())
    assert str(mail["From"]) == "云璟地产 客服 <kf@example.cn>"
    assert mail["Date"].datetime == NOW
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == message_id(KEY, "example.cn")
    for field in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"):
        assert len(mail.get_all(field) or ()) == 1


def test_the_message_id_belongs_to_the_key_and_not_to_attempt_or_content() -> None:
    later = datetime(2027, 1, 1, tzinfo=UTC)
    first, again = outgoing("一"), outgoing("二")
    ids = {
        BytesParser(policy=default).parsebytes(build_email(m, parse_address("b@example.cn"), SENDER, at))["Message-ID"]
        for m, at in ((first, NOW), (again, later))
    }
    assert len(ids) == 1
    assert message_id(KEY, "example.cn") != message_id(KEY + "1", "example.cn")


def test_the_same_message_gives_the_same_bytes() -> None:
    message = outgoing(html="<p>您好</p>")
    assert build(message)[0] == build(message)[0]


@pytest.mark.parametrize("part", ["title", "text", "html", "name"])
@pytest.mark.parametrize("with_file", [False, True])
def test_half_characters_are_refused_instead_of_sent_broken(part: str, with_file: bool) -> None:
    attachments = (Attachment("a.txt", b"x"),) if with_file else ()
    with pytest.raises(ValueError, match="surrogates"):
        build(outgoing(**{part: "a\ud800b"}, attachments=attachments))


@pytest.mark.parametrize("field", ["title", "name"])
@pytest.mark.parametrize("with_file", [False, True])
def test_a_line_break_in_a_field_adds_no_header(field: str, with_file: bool) -> None:
    attachments = (Attachment("a\r\nX: y.txt", b"x"),) if with_file else ()
    _, mail = build(outgoing(**{field: "您好\r\nBcc: b@example.cn\n\nText"}, attachments=attachments))
    assert mail["Bcc"] is None
    assert content_of(mail, "plain") == "文\n"


def test_a_text_that_holds_the_boundary_cannot_break_the_mail() -> None:
    content, _ = build(outgoing(html="<p>x</p>"))
    boundary = content.partition(b'boundary="')[2].partition(b'"')[0].decode()
    _, mail = build(outgoing(text=f"--{boundary}--\n\nmore", html="<p>x</p>"))
    assert content_of(mail, "plain") == f"--{boundary}--\n\nmore\n"
    assert content_of(mail, "html") == "<p>x</p>\n"


def test_files_keep_their_names_kinds_and_bytes() -> None:
    files = (
        Attachment("验房 报告.pdf", bytes(range(256)), "application/pdf"),
        Attachment("C:\\temp\\../名单.csv", "张三\r\n".encode("gb18030"), "text/csv"),
        Attachment("mail.eml", b"Subject: x\n\ny", "message/rfc822"),
        Attachment("", b"", "nonsense"),
    )
    content, mail = build(outgoing("题" * 50, "文\n.\n", "<p>文</p>", attachments=files))
    attached = list(mail.iter_attachments())
    assert [part.get_filename() for part in attached] == ["验房 报告.pdf", "名单.csv", "mail.eml", "attachment"]
    assert [part.get_payload(decode=True) for part in attached] == [file.content for file in files]
    assert [part.get_content_type() for part in attached] == [
        "application/pdf", "text/csv", "application/octet-stream", "application/octet-stream",
    ]  # fmt: skip
    assert all(part.get_content_disposition() == "attachment" for part in attached)
    assert (mail["Subject"], content_of(mail, "plain")) == ("题" * 50, "文\n.\n")
    assert content_of(mail, "html") == "<p>文</p>\n"
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998


def test_files_are_readable_where_they_need_not_travel() -> None:
    content, _ = build(outgoing(text="尊敬的张三：\n您好"), eight_bit=True)
    assert "尊敬的张三：\r\n您好".encode() in content


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("a@example.cn", "a@example.cn"),
        ("first.last+tag@sub.example.co", "first.last+tag@sub.example.co"),
        ("a@intranet", "a@intranet"),
        ('"a b"@example.cn', '"a b"@example.cn'),
        ("a@例子.中国", "a@xn--fsqu00a.xn--fiqs8s"),
        ("张三@example.cn", "张三@example.cn"),
    ],
)
def test_addresses_that_can_be_delivered_to(text: str, spec: str) -> None:
    assert parse_address(text).spec == spec


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "@example.cn", "a@", "a@@example.cn", "a b@example.cn", ".a@example.cn", "a.@example.cn",
        "a..b@example.cn", "a@-example.cn", "a@example..cn", "a@example.cn.", "a@exa_mple.cn", "张三 <a@example.cn>",
        "a@example.cn,b@example.cn", "a@example.cn\r\nRCPT TO:<b@example.cn>", "a\n@example.cn", " a@example.cn",
        "a" * 65 + "@example.cn", "a@" + "b" * 64 + ".cn", "a@" + "b." * 130 + "cn", "=?utf-8?q?a?=@example.cn",
        "a@[127.0.0.1]", "a@例子..cn", "a\ud800@example.cn", "<a@example.cn>", "a(x)@example.cn", "a\x00@example.cn",
    ],
)  # fmt: skip
def test_addresses_that_cannot(text: str) -> None:
    with pytest.raises(ValueError, match="not an e-mail address"):
        parse_address(text)


# --- Ways to end such mails ---------------------------------------------------------------------------------------

TOKEN = "WzE3LCJlbWFpbCIsInNlcnZpY2UiXQ." + "x" * 43


@pytest.mark.parametrize("attachments", [(), (Attachment("a.txt", b"x", "text/plain"),)])
def test_mail_programs_are_told_how_to_end_such_mails(attachments: tuple[Attachment, ...]) -> None:
    addresses = (f"https://care.example.com/u/{TOKEN}", f"mailto:stop@example.com?subject=unsubscribe%20{TOKEN}")
    message = OutgoingMessage(
        KEY, "email", "a@example.cn", None, "题", "文", attachments=attachments, unsubscribe=addresses
    )
    content, mail = build(message)
    assert "".join(str(mail["List-Unsubscribe"]).split()) == ",".join(f"<{one}>" for one in addresses)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert addresses[0].encode() in content  # as it is, on a line of its own
    assert max(map(len, content.split(b"\r\n"))) < 998
    assert content_of(mail, "plain") == "文\n"


def test_only_an_https_address_is_announced_as_one_click() -> None:
    message = OutgoingMessage(
        KEY, "email", "a@example.cn", None, "题", "文", unsubscribe=("mailto:stop@example.com?subject=unsubscribe%20x",)
    )
    _, mail = build(message)
    assert mail["List-Unsubscribe-Post"] is None


def test_a_mail_without_a_way_out_names_none() -> None:
    _, mail = build(outgoing())
    assert mail["List-Unsubscribe"] is None
