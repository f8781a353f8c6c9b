"""For whoever watches: is the process alive, can it work, how much waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import JSONResponse, Response

from keguan.errors import KeguanError
from keguan.queries.status import read_status
from keguan.runner.health import read_health
from keguan.store.migrate import require_current
from keguan.web.site import Site, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["healthz", "metrics", "readyz"]

_OLDEST = timedelta(seconds=60)
_SLOWEST = timedelta(minutes=15)
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def healthz(request: Request) -> Response:
    """Answer 200 while the daemon's heart beats and due work does not wait too long, else 503."""
    site = site_of(request)
    health = read_health(site.health_file)
    problem = "health.absent" if health is None else health.problem(site.now(), _OLDEST, _SLOWEST)
    lag = health.lag_seconds if health is not None else None
    document = {"healthy": problem is None, "problem": problem and problem.removeprefix("health."), "lag_seconds": lag}
    return JSONResponse(document, status_code=503 if problem else 200)


def readyz(request: Request) -> Response:
    """Answer 200 when the database can be read and is of this version, else 503."""
    try:
        require_current(site_of(request).store)
    except KeguanError as wrong:
        return JSONResponse({"ready": False, "problem": wrong.key}, status_code=503)
    return JSONResponse({"ready": True, "problem": None})


def metrics(request: Request) -> Response:
    """Answer the counts of ``keguan status`` in the form of Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Status(site_of(request)))
    return Response(generate_latest(registry), media_type=_PROMETHEUS)


class _Status(Collector):
    """The numbers of one look at the database."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering asks nothing of the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield a gauge for each count, and whether all is well."""
        status = read_status(self._site.reader())
        yield from _gauges(status)
        health = read_health(self._site.health_file)
        if health is not None:
            yield GaugeMetricFamily("keguan_lag_seconds", "How long due work has waited", value=health.lag_seconds)
            beat = health.at.timestamp()
            yield GaugeMetricFamily("keguan_heartbeat_timestamp_seconds", "Last beat of the daemon", value=beat)


def _gauges(status: dict[str, Any]) -> Iterator[Metric]:
    counts = {name: number for name, number in status.items() if type(number) is int}
    for name, number in counts.items():
        yield GaugeMetricFamily(f"keguan_{name}", f"The count {name} of keguan status", value=number)
    yield GaugeMetricFamily("keguan_healthy", "1 when keguan status finds nothing ill", value=int(status["healthy"]))
