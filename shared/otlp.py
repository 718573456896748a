"""Spans as OTLP over HTTP wants them in JSON, and where they are sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.tracing import TraceContext

INTERNAL, SERVER, CONSUMER = 1, 2, 5
"""Kinds of spans."""
MAX_WAITING = 20_000
BATCH = 500
PERIOD_SECONDS = 2.0
SEND_SECONDS = 10.0
_OK, _ERROR = 1, 2
_NS = 1_000_000
Span = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Collector:
    """Where the spans go: the base address of OTLP over HTTP, and headers such as a token."""

    endpoint: str
    headers: dict[str, str]

    @classmethod
    def of(cls, endpoint: str, headers: str) -> Collector:
        """Read the standard settings; headers are ``name=value`` pairs joined by commas."""
        pairs = (pair.partition("=") for pair in headers.split(",") if "=" in pair)
        return cls(endpoint.rstrip("/"), {name.strip(): value.strip() for name, _, value in pairs})

    @property
    def url(self) -> str:
        """Where traces are sent."""
        return f"{self.endpoint}/v1/traces"

    @property
    def sent_headers(self) -> dict[str, str]:
        """The headers of a request."""
        return {**self.headers, "Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Service:
    """Who makes the spans: ``name`` such as flowork-engine, ``instance`` what tells it from others of that name."""

    name: str
    instance: str
    version: str

    def body(self, spans: Sequence[Span]) -> str:
        """Return a request with these spans."""
        resource = attributes(
            {"service.name": self.name, "service.instance.id": self.instance, "service.version": self.version}
        )
        scope = {"scope": {"name": "flowork"}, "spans": list(spans)}
        return json.dumps({"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [scope]}]})


def span(  # noqa: PLR0913 - what a span consists of
    name: str,
    place: TraceContext,
    *,
    parent: str | None,
    begun: float,
    ended: float,
    ok: bool,
    facts: Mapping[str, str | int],
    kind: int = INTERNAL,
) -> Span:
    """Return a span; times are Unix milliseconds, ``parent`` is the id of the span above it."""
    made: Span = {
        "traceId": place.trace_id,
        "spanId": place.span_id,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": _nanoseconds(begun),
        "endTimeUnixNano": _nanoseconds(max(begun, ended)),
        "attributes": attributes(facts),
        "status": {"code": _OK if ok else _ERROR},
    }
    return made | ({"parentSpanId": parent} if parent else {})


def attributes(facts: Mapping[str, str | int]) -> list[dict[str, Any]]:
    """Return facts as OTLP writes them."""
    return [
        {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for name, value in facts.items()
    ]


def _nanoseconds(milliseconds: float) -> str:
    return str(round(milliseconds * 1000) * (_NS // 1000))
