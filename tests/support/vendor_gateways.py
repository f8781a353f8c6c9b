"""Loopback fakes of the vendors' SMS gateways and of a chat robot's service: real HTTP servers, with bad days.

>>> with FakeAliyun(secret="s3cret") as gateway:
...     gateway.next(status=500, body=b"oops")       # the next answer; others can hang, drop or talk nonsense
...     gateway.next(hang=True)
...     adapter.send(...)
...     assert gateway.sent == []
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import trustme

__all__ = ["Asked", "FakeAliyun", "FakeRobot", "FakeTencent", "FakeTwilio", "Gateway", "write_authority"]


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


def write_authority(folder: Path) -> str:
    """Write the certificate of the authority that signs the fakes' own, and return its name for ``ca_file``."""
    file = folder / "gateway-authority.pem"
    _authority().cert_pem.write_to_path(file)
    return str(file)


@dataclass(frozen=True)
class Asked:
    """One request as it came; header names in small letters."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class _Act:
    status: int = 200
    body: bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    drop: bool = False
    trickle: bool = False
    after: bool = False
    """Do the work first, then have the bad day."""


class Gateway:
    """An HTTP server in threads. Use it in a ``with`` statement; subclasses answer like one vendor.

    Args:
        tls: ``good`` or ``expired`` for a certificate for ``localhost``; ``None`` for plain HTTP.
    """

    def __init__(self, *, tls: str | None = None) -> None:
        self.asked: list[Asked] = []
        """Every request, in order."""
        self._acts: list[_Act] = []
        self._tls = tls
        self._over = threading.Event()
        self._plain: socket.socket | None = None
        self._connections: list[socket.socket] = []

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{'localhost' if self._tls else '127.0.0.1'}:{self._server.server_address[1]}"

    @property
    def protocol(self) -> str:
        return "https" if self._tls else "http"

    def next(self, **act: Any) -> None:
        """Say what the next request meets: ``status``, ``body``, ``headers``, ``hang``, ``drop`` …"""
        self._acts.append(_Act(**act))

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Return status and JSON of a good day."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *args: object) -> None:
                pass

            def _serve(self) -> None:
                gateway._serve(self)

            do_GET = do_POST = _serve  # noqa: N815 - the standard library's names

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def process_request(self, request: Any, client: Any) -> None:
                gateway._connections.append(request)
                super().process_request(request, client)

            def handle_error(self, *args: object) -> None:
                pass  # clients that give up are what some tests are about

        self._server = Server(("127.0.0.1", 0), Handler)
        if self._tls:
            now = datetime.now(UTC)
            dates: dict[str, Any] = {"not_before": now - timedelta(days=9), "not_after": now - timedelta(days=1)}
            certificate = _authority().issue_cert("localhost", **(dates if self._tls == "expired" else {}))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(poll_interval=0.02), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening: connections are refused from now on."""
        self._over.set()
        if self._plain is not None:
            self._plain.close()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def hang_up_before_tls(self) -> None:
        """Close each further connection as soon as it comes."""
        self._server.shutdown()
        self._thread.join()
        plain = socket.socket(fileno=self._server.socket.detach())

        def close_each() -> None:
            with contextlib.suppress(OSError):
                while not self._over.is_set():
                    connection, _ = plain.accept()
                    connection.close()

        threading.Thread(target=close_each, daemon=True).start()
        self._plain = plain

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        asked = Asked(
            method=handler.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in handler.headers.items()},
            body=handler.rfile.read(int(handler.headers.get("content-length") or 0)),
        )
        self.asked.append(asked)
        act = self._acts.pop(0) if self._acts else None
        if act is None or act.after:
            status, said = self.answer(asked)
            body = json.dumps(said, ensure_ascii=False).encode()
        if act is None:
            self._reply(handler, status, body, "application/json", {})
        elif act.hang:
            self._over.wait(20)
            handler.close_connection = True
        elif act.drop:
            handler.close_connection = True
            with contextlib.suppress(OSError):
                handler.connection.shutdown(2)
        elif act.trickle:
            self._trickle(handler)
        else:
            self._reply(handler, act.status, act.body or b"", act.content_type, act.headers)

    def _trickle(self, handler: BaseHTTPRequestHandler) -> None:
        """Send a byte now and then: each one comes in time, and the answer never ends."""
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", "100000")
        handler.end_headers()
        handler.close_connection = True
        with contextlib.suppress(OSError):
            while not self._over.wait(0.05):
                handler.wfile.write(b" ")
                handler.wfile.flush()

    @staticmethod
    def _reply(
        handler: BaseHTTPRequestHandler, status: int, body: bytes, content_type: str, headers: Mapping[str, str]
    ) -> None:
        handler.send_response(status)
        handler.send_header("content-type", content_type)
        handler.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


class FakeAliyun(Gateway):
    """Dysmsapi: checks the signature (ACS3-HMAC-SHA256), keeps what was sent, and can be asked for it."""

    def __init__(self, *, secret: str, tls: str | None = None) -> None:
        super().__init__(tls=tls)
        self.sent: list[dict[str, str]] = []
        """The parameters of each accepted message."""
        self.refuse: tuple[str, str] | None = None
        """Code and sentence with which messages are refused."""
        self.signs = {"云璟物业": "AUDIT_STATE_PASS"}
        self._secret = secret

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if not self._signed(asked):
            return 400, {"Code": "SignatureDoesNotMatch", "Message": "wrong signature", "RequestId": "R"}
        action: Callable[[dict[str, str]], dict[str, Any]] = getattr(self, f"_{asked.headers['x-acs-action']}")
        return 200, {"RequestId": "R", "Code": "OK", "Message": "OK"} | action(asked.query)

    def _SendSms(self, query: dict[str, str]) -> dict[str, Any]:  # noqa: N802 - the vendor's names
        if self.refuse:
            return {"Code": self.refuse[0], "Message": self.refuse[1]}
        self.sent.append(query)
        return {"BizId": f"9006{len(self.sent)}^0"}

    def _QuerySendDetails(self, query: dict[str, str]) -> dict[str, Any]:  # noqa: N802
        found = [one for one in self.sent if one["PhoneNumbers"] == query["PhoneNumber"]]
        size = int(query["PageSize"])
        start = (int(query["CurrentPage"]) - 1) * size
        details = [
            {"OutId": one["OutId"], "PhoneNum": one["PhoneNumbers"], "SendStatus": 1, "Content": "…"}
            for one in found[start : start + size]
        ]
        return {"TotalCount": str(len(found)), "SmsSendDetailDTOs": {"SmsSendDetailDTO": details}}

    def _QuerySmsSignList(self, query: dict[str, str]) -> dict[str, Any]:  # noqa: N802
        signs = [{"SignName": name, "AuditStatus": state} for name, state in self.signs.items()]
        return {"SmsSignList": signs, "TotalCount": len(signs)}

    def _signed(self, asked: Asked) -> bool:
        scheme, _, rest = asked.headers["authorization"].partition(" ")
        parts = dict(item.split("=", 1) for item in rest.split(","))
        names = parts["SignedHeaders"].split(";")
        query = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(asked.query.items()))
        headers = "".join(f"{name}:{asked.headers[name].strip()}\n" for name in names)
        digest = hashlib.sha256(asked.body).hexdigest()
        canonical = "\n".join([asked.method, asked.path, query, headers, ";".join(names), digest])
        to_sign = f"{scheme}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        return parts["Signature"] == hmac.new(self._secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


class FakeTencent(Gateway):
    """Tencent Cloud's SMS: checks the signature (TC3-HMAC-SHA256); errors are HTTP 200 like the real ones."""

    def __init__(self, *, secret: str, tls: str | None = None) -> None:
        super().__init__(tls=tls)
        self.sent: list[dict[str, Any]] = []
        self.refuse: dict[str, str] = {}
        """From a number to the code with which it is refused, in a call that is accepted."""
        self.statuses: list[dict[str, Any]] = []
        """Receipts that wait to be pulled."""
        self.replies: list[dict[str, Any]] = []
        self.signs = {"云璟物业": 0}
        self._secret = secret

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if not self._signed(asked):
            return 200, _tencent_error("AuthFailure.SignatureFailure")
        action: Callable[[dict[str, Any]], dict[str, Any]] = getattr(self, f"_{asked.headers['x-tc-action']}")
        return 200, {"Response": {"RequestId": "R"} | action(json.loads(asked.body))}

    def _SendSms(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - the vendor's names
        statuses = []
        for number in asked["PhoneNumberSet"]:
            code = self.refuse.get(number, "Ok")
            if code == "Ok":
                self.sent.append(asked)
            serial = f"2028:{len(self.sent)}" if code == "Ok" else ""
            statuses.append({"Code": code, "SerialNo": serial, "PhoneNumber": number, "Message": f"{number}: {code}"})
        return {"SendStatusSet": statuses}

    def _PullSmsSendStatus(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        taken, self.statuses = self.statuses[: asked["Limit"]], self.statuses[asked["Limit"] :]
        return {"PullSmsSendStatusSet": taken}

    def _PullSmsReplyStatus(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        taken, self.replies = self.replies[: asked["Limit"]], self.replies[asked["Limit"] :]
        return {"PullSmsReplyStatusSet": taken}

    def _PullSmsSendStatusByPhoneNumber(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"PullSmsSendStatusSet": [one for one in self.statuses if one["PhoneNumber"] == asked["PhoneNumber"]]}

    def _DescribeSmsSignList(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {
            "DescribeSignListStatusSet": [{"SignName": name, "StatusCode": code} for name, code in self.signs.items()]
        }

    def _signed(self, asked: Asked) -> bool:
        _, _, rest = asked.headers["authorization"].partition(" ")
        parts = dict(item.strip().split("=", 1) for item in rest.split(","))
        _, date, service, _ = parts["Credential"].split("/")
        names = parts["SignedHeaders"].split(";")
        headers = "".join(f"{name}:{asked.headers[name].lower()}\n" for name in names)
        digest = hashlib.sha256(asked.body).hexdigest()
        canonical = "\n".join([asked.method, "/", "", headers, ";".join(names), digest])
        to_sign = "\n".join(
            [
                "TC3-HMAC-SHA256",
                asked.headers["x-tc-timestamp"],
                f"{date}/{service}/tc3_request",
                hashlib.sha256(canonical.encode()).hexdigest(),
            ]
        )
        key = f"TC3{self._secret}".encode()
        for part in (date, service, "tc3_request", to_sign):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return parts["Signature"] == key.hex()


def _tencent_error(code: str) -> dict[str, Any]:
    return {"Response": {"Error": {"Code": code, "Message": "…"}, "RequestId": "R"}}


class FakeTwilio(Gateway):
    """Twilio's REST interface: basic authentication, messages that can be created and listed."""

    def __init__(self, *, secret: str, tls: str | None = None, account: str = "AC1") -> None:
        super().__init__(tls=tls)
        self.sent: list[dict[str, str]] = []
        self.known: list[dict[str, Any]] = []
        self.refuse: tuple[int, int] | None = None
        """HTTP status and code with which messages are refused."""
        self.state = "active"
        self._account = account
        self._secret = secret

    def answer(self, asked: Asked) -> tuple[int, Any]:
        login = base64.b64encode(f"{self._account}:{self._secret}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {login}":
            return 401, {"code": 20003, "message": "Authenticate", "status": 401}
        if unquote(asked.path).endswith(f"/Accounts/{self._account}.json"):
            return 200, {"sid": self._account, "status": self.state}
        if asked.method == "GET":
            known = [one for one in self.known if one["to"] == asked.query["To"]]
            return 200, {"messages": known, "next_page_uri": None, "uri": "/m", "page": 0, "page_size": 200}
        if self.refuse:
            return self.refuse[0], {"code": self.refuse[1], "message": "To +8613800138000 …", "status": self.refuse[0]}
        form = asked.form()
        self.sent.append(form)
        now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
        message = {"sid": f"SM{len(self.sent)}", "body": form["Body"], "to": form["To"], "direction": "outbound-api"}
        self.known.append(message | {"date_created": now, "status": "queued"})
        return 201, self.known[-1]


class FakeRobot(Gateway):
    """The service behind a chat robot, which says OK and keeps what it was told."""

    def __init__(self, *, tls: str | None = None, good: Any = None) -> None:
        super().__init__(tls=tls)
        self.told: list[dict[str, Any]] = []
        self._good = {"errcode": 0, "errmsg": "ok", "code": 0} if good is None else good

    def answer(self, asked: Asked) -> tuple[int, Any]:
        self.told.append(json.loads(asked.body))
        return 200, self._good
