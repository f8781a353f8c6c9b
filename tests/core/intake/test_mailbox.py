"""A mailbox whose attachments are imported: who may send, what is heard, and bad days."""

from __future__ import annotations

import ssl
import zipfile
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select
from tests.support.cli import Desk
from tests.support.imap import PASSWORD, USER, MailboxServer, mailbox_server

from keguan.adapters.mime import message_id
from keguan.intake.mail.fetching import Mailbox
from keguan.intake.mail.reading import Mail, kind_of, may_send, read_mail
from keguan.intake.mail.session import MailboxError
from keguan.people.unsubscribe import Unsubscribe, Wish
from keguan.settings.arrivals import MailboxSettings
from keguan.store.engine import Store
from keguan.store.schema import mails, messages, people, permissions, suppressions
from keguan.store.sealed import digest

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
KINDS = ("projects", "contracts", "handovers", "customers", "staff", "events")
TABLE = (
    "合同编号,项目,城市,楼栋,单元,房号,客户姓名,手机号,签约日期\n"
    "HT-1,云璟一期,shenzhen,3,1,1201,王小明,13800138000,2026-03-02\n"
)
WAY_OUT = Unsubscribe("a secret of this test", mail="stop@example.com")


def mail(
    *files: tuple[str, bytes],
    sender: str = "Sales <sales@example.com>",
    subject: str = "合同 三月",
    body: str = "hello",
) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, USER, subject
    made.set_content(body)
    for name, content in files:
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made


def settings_of(server: MailboxServer, **more: Any) -> MailboxSettings:
    table = {"allowed": ["sales@example.com"], "password": PASSWORD, "timeout": 2.0, "security": "none", **more}
    return MailboxSettings.model_validate({"host": "127.0.0.1", "port": server.port, "user": USER, **table})


class Post:
    """A mailbox, and what was made of its mails."""

    def __init__(self, store: Store, server: MailboxServer, root: Path) -> None:
        self.store, self.server, self.root = store, server, root

    def fetch(self, **settings: Any) -> int:
        mailbox = Mailbox("sales", settings_of(self.server, **settings), self.store, self.root, KINDS, WAY_OUT)
        return mailbox.fetch(NOW)

    @property
    def files(self) -> dict[str, bytes]:
        return {str(one.relative_to(self.root)): one.read_bytes() for one in self.root.rglob("*") if one.is_file()}

    @property
    def journal(self) -> list[tuple[int, str, str | None]]:
        with self.store.read() as connection:
            rows = connection.execute(select(mails.c.uid, mails.c.outcome, mails.c.detail).order_by(mails.c.uid))
            return [(row[0], row[1], row[2]) for row in rows]


@pytest.fixture
def server() -> Any:
    with mailbox_server() as one:
        yield one


@pytest.fixture
def post(store: Store, server: MailboxServer, tmp_path: Path) -> Post:
    return Post(store, server, tmp_path / "mail")


# --- Files ----------------------------------------------------------------------------------------------------------


def test_an_attachment_of_an_allowed_sender_becomes_a_file_of_its_kind(post: Post) -> None:
    post.server.put(mail(("五月 合同.csv", TABLE.encode("gb18030"))).as_bytes())
    assert post.fetch() == 1
    assert post.files == {"contracts/1-1-1-五月 合同.csv": TABLE.encode("gb18030")}
    assert post.journal == [(1, "imported", None)]


def test_a_mail_is_taken_once(post: Post) -> None:
    post.server.put(mail(("may.csv", b"x")).as_bytes())
    post.fetch()
    assert post.fetch() == 0
    post.server.put(mail(("june.csv", b"x")).as_bytes())
    assert post.fetch() == 1
    assert post.server.fetched == [1, 2]


def test_a_mailbox_that_was_made_anew_is_read_anew(post: Post) -> None:
    post.server.put(mail(("may.csv", b"x")).as_bytes())
    post.fetch()
    post.server.validity = 2
    assert post.fetch() == 1


def test_who_is_not_allowed_is_refused_and_leaves_no_file(post: Post) -> None:
    post.server.put(mail(("may.csv", b"x"), sender="somebody@elsewhere.example").as_bytes())
    post.fetch()
    assert post.journal == [(1, "refused", "mail.sender_not_allowed")]
    assert post.files == {}


def test_nobody_may_send_unless_somebody_is_named(post: Post) -> None:
    post.server.put(mail(("may.csv", b"x")).as_bytes())
    post.fetch(allowed=[])
    assert post.journal == [(1, "refused", "mail.sender_not_allowed")]


def test_a_mail_without_a_body_or_a_table_is_noted_and_nothing_else(post: Post) -> None:
    bare = EmailMessage()
    bare["From"], bare["Subject"] = "sales@example.com", "合同"
    post.server.put(bare.as_bytes())
    post.server.put(mail(("logo.png", b"\x89PNG")).as_bytes())
    post.server.put(b"")
    post.fetch()
    assert [row[1:] for row in post.journal] == [
        ("empty", "mail.no_table"),
        ("empty", "mail.no_table"),
        ("refused", "mail.sender_not_allowed"),
    ]


def test_a_mail_above_the_limit_is_not_fetched(post: Post) -> None:
    post.server.put(mail(("may.csv", b"x" * 60_000_000)).as_bytes())
    post.fetch()
    assert post.server.fetched == []
    assert post.journal == [(1, "refused", "mail.too_large")]


def test_a_mail_that_does_not_say_what_it_is_is_refused_unless_the_mailbox_does(post: Post) -> None:
    post.server.put(mail(("may.csv", b"x"), subject="hello").as_bytes())
    post.fetch()
    assert post.journal == [(1, "refused", "mail.kind_unknown")]
    post.server.put(mail(("may.csv", b"x"), subject="hello").as_bytes())
    post.fetch(kind="handovers", project="云璟一期")
    assert list(post.files) == ["handovers/云璟一期/1-2-1-may.csv"]


def test_a_file_name_leads_nowhere_else(post: Post) -> None:
    post.server.put(mail(("../../../etc/passwd.csv", b"x"), ("a" * 400 + ".csv", b"x")).as_bytes())
    post.fetch()
    assert all(name.startswith("contracts/1-1-") and ".." not in name.split("/") for name in post.files)
    assert len(post.files) == 2


def test_a_file_with_a_long_chinese_name_stops_no_mail(post: Post) -> None:
    post.server.put(mail(("合同" * 60 + ".csv", b"x")).as_bytes())
    post.server.put(mail(("may\u202evsc.xlsx", b"x")).as_bytes())
    assert post.fetch() == 2
    long, turned = sorted(post.files)
    assert long.endswith("合同.csv")
    assert turned.endswith("may_vsc.xlsx")


def test_attachments_are_for_their_owner_only(post: Post) -> None:
    post.server.put(mail(("may.csv", b"x")).as_bytes())
    post.fetch()
    (file,) = post.files
    assert (post.root / file).stat().st_mode & 0o777 == 0o600


def test_a_mail_of_thousands_of_parts_is_looked_at_in_part(post: Post) -> None:
    post.server.put(mail(*((f"{number}.csv", b"x") for number in range(300))).as_bytes())
    post.fetch()
    assert len(post.files) == 100


@pytest.mark.parametrize(
    "senders",
    [
        ["sales@example.com", "mallory@evil.example"],
        ["sales@example.com, mallory@evil.example"],
        ["mallory@evil.example, sales@example.com"],
        ["sales@example.com <mallory@evil.example>"],
        ['"sales@example.com" <mallory@evil.example>'],
    ],
)
def test_whoever_hides_behind_an_allowed_sender_is_not_believed(senders: list[str]) -> None:
    head = "".join(f"From: {one}\r\n" for one in senders)
    found = read_mail(f"{head}Authentication-Results: mx; dmarc=pass\r\n\r\n".encode())
    assert not may_send(found, ("sales@example.com",), "mx")


def test_the_proof_must_be_about_the_sender_that_is_shown() -> None:
    head = "From: sales@example.com\r\nAuthentication-Results: mx; spf=pass; dmarc=pass (p=none) header.from="
    other = read_mail(f"{head}evil.example\r\n\r\n".encode())
    assert not may_send(other, ("sales@example.com",), "mx")
    own = read_mail(f"{head}example.com\r\n\r\n".encode())
    assert may_send(own, ("sales@example.com",), "mx")


@pytest.mark.parametrize("evil", ['"', "\\", "(", "<", "a@b.c,", "=?utf-8?q?a?= "])
def test_a_head_without_end_does_not_occupy_the_reader(evil: str) -> None:
    head = f"From: {evil * 200_000}\r\nSubject: {evil * 200_000}\r\n\r\n"
    assert read_mail(head.encode()).files == ()  # within the time of a test, where it took hours


def test_a_folder_with_a_chinese_name_is_asked_for_as_imap_writes_it(post: Post) -> None:
    post.fetch(folder="导入&案卷")
    assert post.server.selected == ['"&W,xRZQ-&-&aEhTdw-"']  # RFC 9051, 5.1.3


def test_from_the_mailbox_to_the_contract_by_one_command(tmp_path: Path, server: MailboxServer) -> None:
    desk = Desk(tmp_path)
    desk.write_config(
        f'language = "en"\n[cities.shenzhen]\n[mailboxes.sales]\nhost = "127.0.0.1"\nport = {server.port}\n'
        f'security = "none"\nuser = "{USER}"\nallowed = ["@example.com"]\n'
    )
    password = {"KEGUAN_MAILBOXES__SALES__PASSWORD": PASSWORD}
    server.put(mail(("may.csv", TABLE.encode())).as_bytes())
    bomb = BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("xl/workbook.xml", b"<a>" + b" " * 250_000_000)
    server.put(mail(("bomb.xlsx", bomb.getvalue())).as_bytes())
    answer = desk.type("--json", "intake", "run", environment=password)
    assert answer.status == 1
    by_name = {one["name"]: one for one in answer.json}
    assert by_name["1-1-1-may.csv"]["accepted"] == 1
    assert by_name["1-2-1-bomb.xlsx"]["error"]
    (row,) = [one for one in desk.ask("intake", "list") if one["accepted"]]
    assert row["source"] == "mail"
    seen = desk.ask("intake", "mails")
    assert [(one["uid"], one["outcome"]) for one in seen] == [(2, "imported"), (1, "imported")]


# --- Who it really is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "believed"),
    [
        ([], False),
        (["mx.example.com; dkim=pass; dmarc=pass header.from=example.com"], True),
        (["mx.example.com; dmarc=fail"], False),
        (["evil.example; dmarc=pass"], False),
        (["mx.example.com; dmarc=fail", "mx.example.com; dmarc=pass"], False),
        (["evil.example; x=1", "mx.example.com; dmarc=pass"], False),
    ],
)
def test_only_the_newest_word_of_ones_own_server_proves_a_sender(verdicts: list[str], believed: bool) -> None:
    made = mail()
    raw = b"".join(f"Authentication-Results: {one}\r\n".encode() for one in verdicts) + made.as_bytes()
    assert may_send(read_mail(raw), ("sales@example.com",), "mx.example.com") is believed


@pytest.mark.parametrize(
    ("sender", "allowed"),
    [
        ("sales@example.com", True),
        ("SALES@Example.com", True),
        ("sales@sub.example.com", False),
        ("x@notexample.com", False),
    ],
)
def test_a_domain_means_that_domain(sender: str, allowed: bool) -> None:
    assert may_send(read_mail(mail(sender=sender).as_bytes()), ("@example.com",), None) is allowed


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("contracts May", "contracts"),
        ("Handovers: May", "handovers"),
        ("交付明细", "handovers"),
        ("", None),
        ("re", None),
    ],
)
def test_the_subject_says_which_kind_it_is(subject: str, kind: str | None) -> None:
    assert kind_of(Mail(subject=subject), KINDS) == kind


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_nothing_that_arrives_surprises_the_reader(content: bytes) -> None:
    read_mail(content)
    read_mail(b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" + content)


# --- What is heard ----------------------------------------------------------------------------------------------------


def customer(store: Store, key: str = "probe.mail/contract/1/1") -> int:
    with store.write() as connection:
        values = {
            "name": "张三",
            "email": "zhang@example.cn",
            "email_index": digest(connection, "email", "zhang@example.cn"),
        }
        person = int(connection.execute(insert(people).values(values).returning(people.c.id)).scalar_one())
        message = {
            "key": key,
            "plugin": "probe",
            "action": "mail",
            "clause": "x",
            "city": "shenzhen",
            "channel": "email",
        }
        state = {"message_class": "service", "urgent": False, "late": False, "body": "b", "status": "sent"}
        times = dict.fromkeys(("due_at", "next_at", "created_at", "sent_at", "started_at"), NOW)
        connection.execute(insert(messages).values(**message, **state, **times, person_id=person))
    return person


def bounce(key: str, status: str = "5.1.1", address: str = "Zhang@example.cn") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\r\nSubject: failure\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nsorry\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: {status}\r\n"
        "\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: {message_id(key, 'example.com')}\r\n\r\n--b--\r\n"
    ).encode()


def _suppressed(store: Store) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        c = suppressions.c
        return [tuple(row) for row in connection.execute(select(c.channel, c.why, c.detail))]


def _status(store: Store) -> tuple[Any, ...]:
    with store.read() as connection:
        return tuple(connection.execute(select(messages.c.status, messages.c.error)).one())


def test_an_address_that_a_server_says_is_gone_gets_nothing_more(store: Store, post: Post) -> None:
    customer(store)
    post.server.put(bounce("probe.mail/contract/1/1"))
    post.fetch()
    assert _status(store) == ("undelivered", "DSN 5.1.1")
    assert _suppressed(store) == [("email", "gate.bounced", "5.1.1")]
    assert post.journal == [(1, "heard", "mail.bounce")]


def test_a_full_mailbox_is_no_reason_to_write_no_more(store: Store, post: Post) -> None:
    customer(store)
    post.server.put(bounce("probe.mail/contract/1/1", status="5.2.2"))
    post.fetch()
    assert _status(store) == ("undelivered", "DSN 5.2.2")
    assert _suppressed(store) == []


@pytest.mark.parametrize(
    "report", [bounce("somebody's guess"), bounce("probe.mail/contract/1/1", address="li@example.cn")]
)
def test_a_report_that_names_no_mail_of_ours_to_that_address_is_not_believed(
    store: Store, post: Post, report: bytes
) -> None:
    customer(store)
    post.server.put(report)
    post.fetch()
    assert _status(store)[0] == "sent"
    assert _suppressed(store) == []
    assert post.journal == [(1, "heard", "mail.bounce_unknown")]


def test_a_mail_with_a_token_ends_what_it_names_whoever_sends_it(store: Store, post: Post) -> None:
    person = customer(store)
    token = WAY_OUT.token(Wish(person, "email", "service"))
    post.server.put(mail(sender="zhang@example.cn", subject=f"unsubscribe {token}").as_bytes())
    post.server.put(mail(sender="zhang@example.cn", subject="unsubscribe " + "x" * 30).as_bytes())
    post.fetch()
    assert [row[1:] for row in post.journal] == [("heard", "mail.opted_out"), ("refused", "mail.token_unknown")]
    with store.read() as connection:
        c = permissions.c
        rows = connection.execute(select(c.person_id, c.channel, c.message_class, c.granted, c.source)).all()
    assert [tuple(row) for row in rows] == [(person, "email", "service", False, "mail")]


# --- Bad days ---------------------------------------------------------------------------------------------------------


def problem_of(post: Post, **settings: Any) -> str:
    with pytest.raises(MailboxError) as caught:
        post.fetch(**settings)
    assert USER not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    return caught.value.key


def test_a_wrong_password_is_one_clear_line(post: Post) -> None:
    assert problem_of(post, password="wrong") == "mail.login"


def test_a_folder_that_is_not_there_is_named(post: Post) -> None:
    assert problem_of(post, folder="missing") == "mail.no_folder"


def test_a_server_that_says_nothing_is_left_after_the_time(post: Post) -> None:
    post.server.hang = True
    assert problem_of(post, timeout=0.3) == "mail.unreachable"


def test_a_connection_lost_in_the_middle_of_a_mail_loses_no_mail(post: Post) -> None:
    post.server.put(mail(("may.csv", b"x" * 50_000)).as_bytes())
    post.server.drop_at_fetch = True
    assert problem_of(post) == "mail.unreachable"
    assert post.files == {}
    post.server.drop_at_fetch = False
    assert post.fetch() == 1
    assert len(post.files) == 1


def test_a_server_that_is_not_there_is_one_clear_line(store: Store, tmp_path: Path) -> None:
    with mailbox_server() as gone:
        pass
    assert problem_of(Post(store, gone, tmp_path)) == "mail.unreachable"


def test_an_expired_certificate_is_refused_although_its_authority_is_known(store: Store, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ran_out = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = authority.issue_cert("127.0.0.1", not_before=ran_out - timedelta(days=90), not_after=ran_out)
    certificate.configure_cert(context)
    known = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(known))
    with mailbox_server(context) as server:
        post = Post(store, server, tmp_path / "mail")
        assert problem_of(post, security="ssl", ca_file=str(known)) == "mail.certificate"


def test_a_certificate_nobody_vouches_for_is_refused_and_a_known_authority_is_believed(
    store: Store, tmp_path: Path
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    known = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(known))
    with mailbox_server(context) as server:
        post = Post(store, server, tmp_path / "mail")
        server.put(mail(("may.csv", b"x")).as_bytes())
        assert problem_of(post, security="ssl") == "mail.certificate"
        assert post.fetch(security="ssl", ca_file=str(known)) == 1
