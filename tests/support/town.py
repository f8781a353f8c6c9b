"""A small property company in the spring of 2035, its customers, and the servers around it.

The year is one that no holiday notice covers, so the test loads its own; and it is later than any machine that runs
this, so that files which come in are as old as files that people have finished.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.carrier import TOKEN, Carrier
from tests.support.imap import PASSWORD, USER, MailboxServer, mailbox_server
from tests.support.premises import Premises, hide
from tests.support.smtp import ReceivedMail, SmtpSink

__all__ = ["CUSTOMERS", "PERSONAL", "STAFF", "Customer", "Town", "contract_file", "town"]


class Customer(NamedTuple):
    """One buyer, as the sales department's files have them."""

    name: str
    phone: str
    email: str = ""
    id_no: str = ""


class Colleague(NamedTuple):
    """One of the staff."""

    name: str
    department: str
    email: str
    phone: str


CUSTOMERS = (
    Customer("欧阳小满", "13800138001", "xiaoman@owners.example", "440305199003052342"),
    Customer("司马相宜", "13800138002", "xiangyi@owners.example"),
    Customer("诸葛明亮", "13800138003"),
    Customer("上官婉晴", "13800138004", "wanqing@owners.example"),
    Customer("慕容清秋", "13800138005", "qingqiu@owners.example", "440305198511230024"),
)
STAFF = (
    Colleague("张三丰", "客关", "sanfeng@staff.example", "13700137001"),
    Colleague("周六顺", "客关", "liushun@staff.example", "13700137002"),
    Colleague("李四光", "客关", "siguang@staff.example", "13700137003"),
    Colleague("王五岳", "总部", "wuyue@staff.example", "13700137004"),
)
PERSONAL = tuple(
    value for person in CUSTOMERS for value in (person.name, person.phone, person.email, person.id_no) if value
) + tuple(value for member in STAFF for value in (member.phone, member.email))
"""What nobody may find where it does not belong; names of staff stand in the configuration as heads."""
_HEADER = "合同编号,项目,城市,楼栋,单元,房号,客户姓名,手机号,邮箱,证件号码,签约日期,状态"


def contract_file(buyers: Sequence[int], signed_on: str) -> str:
    """Return the sales department's file: the customers of these numbers bought a home each."""
    lines = [_HEADER]
    for number in buyers:
        one = CUSTOMERS[number]
        home = f"云璟一期,深圳,1,1,{101 + number}"
        lines.append(f"HT-{number + 1},{home},{one.name},{one.phone},{one.email},{one.id_no},{signed_on},已签约")
    return "\n".join(lines) + "\n"


def staff_file() -> str:
    """Return the staff as a file."""
    return "\n".join(["姓名,部门,邮箱,手机号", *(",".join(one) for one in STAFF)]) + "\n"


@dataclass
class Town:
    """The company's installation and everybody it talks to."""

    premises: Premises
    mail: SmtpSink
    first: Carrier
    second: Carrier
    mailbox: MailboxServer

    def write(self, subject: str, name: str, content: str, *, sender: str = "sales@example.com") -> None:
        """Somebody writes to the mailbox, with a file."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, USER, subject
        mail.set_content("see the attachment")
        mail.add_attachment(content.encode(), maintype="text", subtype="csv", filename=name)
        self.mailbox.put(mail.as_bytes())

    def mails_to(self, address: str, *, subject: str = "") -> list[ReceivedMail]:
        """Return what arrived at an address, oldest first."""
        return [
            one for one in list(self.mail.mails) if address in one.recipients and subject in str(one.message["Subject"])
        ]


def _config(mail: SmtpSink, first: Carrier, second: Carrier, mailbox: MailboxServer) -> dict[str, Any]:
    server = {"host": "127.0.0.1", "security": "none"}
    return {
        "language": "zh",
        "company": {"name": "云璟地产", "signature": "云璟物业", "hotline": "400-000-0000"},
        "database": {"url": "sqlite:///var/keguan.db"},
        "cities": {"shenzhen": {"name": "深圳"}},
        "adapters": {
            "first": first.table(),
            "second": second.table(),
            "mail": {"type": "smtp", "port": mail.port, **server},
        },
        "channels": {"sms": ["first", "second"], "email": ["mail"], "chat": ["file"]},
        "drop": {"folder": "var/drop"},
        "mailboxes": {"sales": {"port": mailbox.port, "user": USER, "allowed": ["sales@example.com"], **server}},
        "departments": {
            "客关": {"head": "李四光", "manager": "王五岳", "email": "kefu@staff.example", "chat": "客关"},
        },
        "staff": {
            "ladder": [
                {"after": "0 workdays", "to": "assignee"},
                {"after": "1 workday", "to": "head"},
                {"after": "2 workdays", "to": "manager"},
            ]
        },
        "web": {"listen": "127.0.0.1:0", "public_url": "https://care.example.com"},
    }


@contextmanager
def town(folder: Path, start: str, *, debug: bool = False, **tables: Any) -> Iterator[Town]:
    """Open the company at ``start``, with all servers; ``tables`` stand beside or over those of the configuration."""
    with ExitStack() as servers:
        mail = servers.enter_context(SmtpSink())
        first = servers.enter_context(Carrier("first"))
        second = servers.enter_context(Carrier("second"))
        mailbox = servers.enter_context(mailbox_server())
        for carrier in (first, second):
            hide(folder, f"KEGUAN_ADAPTERS__{carrier.name.upper()}__SECRETS__CALLBACK", TOKEN)
        hide(folder, "KEGUAN_MAILBOXES__SALES__PASSWORD", PASSWORD)
        config = _config(mail, first, second, mailbox)
        for name, table in tables.items():
            config[name] = {**config.get(name, {}), **table} if isinstance(table, dict) else table
        with Premises(folder, config, start, debug=debug) as premises:
            yield Town(premises, mail, first, second, mailbox)
