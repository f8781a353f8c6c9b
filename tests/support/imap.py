"""A mailbox server for tests: enough of IMAP to log in, look and fetch, and bad days on demand."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

__all__ = ["MailboxServer", "mailbox_server"]

USER, PASSWORD = "import@example.com", "correct horse"


@dataclass
class MailboxServer:
    """What lies in the mailbox, and how the server behaves."""

    port: int = 0
    validity: int = 1
    mails: dict[int, bytes] = field(default_factory=dict)
    hang: bool = False
    """Say nothing after the log-in."""
    drop_at_fetch: bool = False
    """End the connection in the middle of a mail."""
    fetched: list[int] = field(default_factory=list)
    selected: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def put(self, content: bytes) -> int:
        """Put a mail into the mailbox; return its number."""
        uid = max(self.mails, default=0) + 1
        self.mails[uid] = content
        return uid


@contextmanager
def mailbox_server(context: ssl.SSLContext | None = None) -> Iterator[MailboxServer]:
    """Serve a mailbox on a free port; by TLS when a context is given."""
    mailbox = MailboxServer()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = False  # closing the server waits for those that still answer

    class Handler(_Handler):
        box = mailbox
        tls = context

    with Server(("127.0.0.1", 0), Handler) as server:
        mailbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield mailbox
        finally:
            mailbox.closing.set()
            server.shutdown()
            thread.join()


class _Handler(socketserver.StreamRequestHandler):
    box: MailboxServer
    tls: ssl.SSLContext | None

    def setup(self) -> None:
        if self.tls is not None:
            self.request = self.tls.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
        super().setup()

    def handle(self) -> None:
        with suppress(OSError, ValueError):
            self._say("* OK ready")
            while line := self.rfile.readline():
                if not self._answer(line.decode("utf-8").strip()):
                    return

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()
        self.request.close()  # the socket that TLS made of the server's own

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def _answer(self, line: str) -> bool:
        tag, command, rest = [*line.split(" ", 2), ""][:3]
        if self.box.hang and command.upper() not in ("CAPABILITY", "LOGIN", "LOGOUT"):
            self.box.closing.wait(20)
            return False
        match command.upper():
            case "CAPABILITY":
                self._say("* CAPABILITY IMAP4rev1")
            case "LOGIN":
                if rest != f'{USER} "{PASSWORD}"':
                    self._say(f"{tag} NO [AUTHENTICATIONFAILED] {USER} is not welcome")
                    return True
            case "SELECT" | "EXAMINE":
                self.box.selected.append(rest)
                if "missing" in rest:
                    self._say(f"{tag} NO no such mailbox")
                    return True
                self._say(f"* {len(self.box.mails)} EXISTS")
                self._say(f"* OK [UIDVALIDITY {self.box.validity}] UIDs valid")
            case "UID":
                return self._uid(tag, rest)
            case "LOGOUT":
                self._say("* BYE")
        self._say(f"{tag} OK done")
        return command.upper() != "LOGOUT"

    def _uid(self, tag: str, rest: str) -> bool:
        words = rest.split(" ", 2)
        if words[0].upper() == "SEARCH":
            found = sorted(self.box.mails)
            if words[1].upper() == "UID":  # "n:*" always matches the last mail
                start = int(words[2].partition(":")[0])
                found = [uid for uid in found if uid >= start] or found[-1:]
            self._say("* SEARCH " + " ".join(map(str, found)))
        else:
            uid = int(words[1])
            content = self.box.mails.get(uid)
            if content is not None and re.search("SIZE", words[2]):
                self._say(f"* {uid} FETCH (UID {uid} RFC822.SIZE {len(content)})")
            elif content is not None:
                self.box.fetched.append(uid)
                self.wfile.write(b"* %d FETCH (UID %d BODY[] {%d}\r\n" % (uid, uid, len(content)))
                if self.box.drop_at_fetch:
                    self.wfile.write(content[: len(content) // 2])
                    return False
                self.wfile.write(content + b")\r\n")
        self._say(f"{tag} OK done")
        return True
