"""The daemon's own log: set aside when it is full, and few of them kept."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.site import Site, until


def test_a_full_log_is_set_aside_while_the_daemon_works(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.config["log"] = {"file": "var/keguan.log", "level": "debug", "max_mb": 0.004, "keep": 2}
        site.write()
        log = site.folder / "var" / "keguan.log"
        daemon = site.run(wait=False)
        until(log.exists, "a log")
        site.sign(40)
        until(lambda: site.sent() == 40, "all letters")
        assert daemon.stop() == 0
        assert daemon.output == ""
        files = sorted(each.name for each in log.parent.glob("keguan.log*"))
        assert files == ["keguan.log", "keguan.log.1", "keguan.log.2"]
        assert all(each.stat().st_size <= 4_000 + 1_000 for each in log.parent.glob("keguan.log*"))
        lines = [json.loads(line) for each in log.parent.glob("keguan.log*") for line in each.read_text().splitlines()]
        assert any(line["event"] == "stopped" for line in lines)
        assert "周宁" not in json.dumps(lines, ensure_ascii=False)
        assert {each.stat().st_mode & 0o077 for each in log.parent.glob("keguan.log*")} <= {0, 0o040}
