"""A long queue and a gateway that errs: what the daemon's memory comes to while nothing leaves.

The gateway answers each request with an error, so that requests, answers and retries all take part. How often it
really erred is counted where it errs, and beside the peak stands by how much memory grew over the second half.
"""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.processes import keguan_words, memory_mb
from benchmarks.world import NOW, contracts_without_events, installation_in
from keguan.store.types import to_stored

__all__ = ["measure"]

_PEOPLE = 10_000
_RATE = 30
"""Messages a second at most. A slot that a busy machine misses is lost, so it is more than the twenty to be met."""
_CONFIG = """
[adapters.broken]
type = "http"
url = "http://127.0.0.1:{port}/send"
rate = {rate}
body = {{ to = "{{phone}}", content = "{{text}}" }}
answer = {{ code = "code", success = [0] }}
errors = {{ "5" = "temporary" }}
[channels]
sms = ["broken"]
[cities.shenzhen]
name = "深圳"
quiet_hours = "00:00-00:00"
[company]
name = "云璟地产"
"""
_QUEUE = text(
    """
    WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)
    INSERT INTO messages (key, plugin, action, clause, project_id, city, channel, message_class, urgent, late,
                          person_id, title, body, status, due_at, next_at, created_at)
    SELECT 'bench/' || n, 'sixplustwo', 'sms', '6+2', 1, 'shenzhen', 'sms', 'service', 0, 0,
           1 + n % :people, '', '恭喜您成为云璟一期业主，请携合同和身份证到签约中心办理后续手续。',
           'queued', :at, :at, :at
    FROM numbers
    """
)


def measure(folder: Path, *, queued: int, seconds: float) -> dict[str, float]:
    """Let a daemon err for ``seconds`` with ``queued`` messages before it; return its memory and its errors."""
    installation = installation_in(folder)
    contracts_without_events(installation, _PEOPLE)
    for first in range(1, queued + 1, 10_000):
        span = {"first": first, "last": min(first + 9_999, queued), "people": _PEOPLE, "at": to_stored(NOW)}
        with installation.store.write() as connection:
            connection.execute(_QUEUE, span)
    with _Broken() as gateway:
        config = _CONFIG.format(port=gateway.port, rate=_RATE)
        (folder / "config" / "keguan.toml").write_text(config, encoding="utf-8")
        peak, growth, erred = _watch(folder, gateway, seconds)
    with installation.store.read() as connection:
        tried = connection.execute(text("SELECT count(*) FROM messages WHERE attempts > 0")).scalar_one()
    installation.close()
    assert tried, "nothing was tried"
    return {"queue_memory_mb": peak, "queue_growth_mb": growth, "queue_errors_per_s": erred}


def _watch(folder: Path, gateway: _Broken, seconds: float) -> tuple[float, float, float]:
    """Run the daemon for ``seconds`` from the first error on; return peak and growth in MB, and errors a second."""
    daemon = subprocess.Popen([*keguan_words(folder), "run"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert gateway.first.wait(60), "the gateway was not asked"
        began, before = time.monotonic(), gateway.answers
        time.sleep(seconds / 2)
        half = memory_mb(daemon.pid, "VmRSS")
        time.sleep(seconds / 2)
        erred = (gateway.answers - before) / (time.monotonic() - began)
        assert daemon.poll() is None, "the daemon ended"
        return memory_mb(daemon.pid, "VmHWM"), memory_mb(daemon.pid, "VmRSS") - half, erred
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(timeout=60)


class _Broken:
    """A gateway that refuses everything for now."""

    def __init__(self) -> None:
        self.answers = 0
        self.first = threading.Event()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                answer = b'{"code":5,"msg":"try again later"}'
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                gateway.answers += 1
                gateway.first.set()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> _Broken:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
