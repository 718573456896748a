"""Everything that a gateway tells Prometheus, at ``/metrics``, for those who have the key."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator
from importlib import metadata

from flask import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from gateway.auth.service_key import ServiceKey
from gateway.telemetry import shared_files
from gateway.telemetry.counts import Counts

PATH = "/metrics"


class StateCollector(Collector):
    """Shows what is looked up at the scrape."""

    def __init__(self, database_answers: Callable[[], bool]) -> None:
        self._database_answers = database_answers

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield one gauge per figure."""
        info = GaugeMetricFamily("flowork_gateway_info", "Always 1", labels=["version"])
        info.add_metric([metadata.version("flowork")], 1)
        yield info
        answers = float(self._database_answers())
        yield GaugeMetricFamily("flowork_gateway_database_up", "1 while the database answers", value=answers)


class Metrics:
    """The figures of one gateway, of all its processes where it has several."""

    def __init__(self, service_key: ServiceKey, token: str, database_answers: Callable[[], bool]) -> None:
        self._service_key = service_key
        self._token = token.encode()
        self._state = StateCollector(database_answers)
        self._registry = CollectorRegistry()
        self.counts = Counts(self._registry)
        self._registry.register(self._state)
        ProcessCollector(registry=self._registry)

    def answer(self, request: Request) -> Response | None:
        """Answer a request for the metrics; None for any other path.

        The metrics' own token as ``Authorization: Bearer`` opens them, and the service secret as ``X-API-Key``.
        """
        if request.path != PATH or request.method not in {"GET", "HEAD"}:
            return None
        if not self._admits(request):
            body = json.dumps({"error": "The metrics want FLOWORK_METRICS_TOKEN as a bearer token."})
            refusal = Response(body, status=401, content_type="application/json")
            refusal.headers["WWW-Authenticate"] = "Bearer"
            return refusal
        return Response(self._exposition(), content_type=CONTENT_TYPE_LATEST)

    def _admits(self, request: Request) -> bool:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if self._token and kind.lower() == "bearer":
            return hmac.compare_digest(self._token, given.strip().encode(errors="replace"))
        return self._service_key.is_set and self._service_key.admits(request.headers.get("X-API-Key", ""))

    def _exposition(self) -> bytes:
        shared = shared_files.collector()
        if shared is None:
            return generate_latest(self._registry)
        joined = CollectorRegistry()
        joined.register(shared)
        joined.register(self._state)
        return generate_latest(joined)
