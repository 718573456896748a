"""Traces for OpenTelemetry (OTLP over HTTP, as JSON), off unless a collector is named: a span per run and per attempt.

A run's trace id is made of its id alone, so whatever is told of it later, or after a crash, lands in the same trace.
Nothing of a workflow's data is in a span, nor its names: ids, components, outcomes and times.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from core_engine.workflow import records as r
from core_engine.workflow.run import LiveRun
from shared.contract.run import RunStatus

MAX_WAITING = 20_000
BATCH = 500
PERIOD_SECONDS = 2.0
SEND_SECONDS = 10.0
LAST_SECONDS = 1.0
_INTERNAL, _OK, _ERROR = 1, 1, 2
_NS = 1_000_000
_log = logging.getLogger(__name__)
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


class Traces:
    """Makes spans of what the journal took, and sends them; what the collector does not take is dropped and counted."""

    def __init__(self, collector: Collector, engine_id: str, version: str) -> None:
        self._collector = collector
        self._resource = _attributes(
            {"service.name": "flowork-engine", "service.instance.id": engine_id, "service.version": version}
        )
        self._spans: deque[Span] = deque(maxlen=MAX_WAITING)
        self._failing = False
        self.dropped = 0

    def see(self, run: LiveRun, records: Sequence[r.Record]) -> None:
        """Make spans of what ended."""
        for record in records:
            match record:
                case r.StepRan():
                    self._add(_step(run, record, record.at, "ok"))
                case r.StepFinished() | r.StepLooped():
                    self._add(_step(run, record, record.at - record.ms, "ok"))
                case r.StepFailed():
                    self._add(_step(run, record, record.at - record.ms, record.code))
                case r.RunFinished():
                    self._add(_run(run, record))

    async def send(self) -> None:
        """Send what there is, every few seconds until cancelled, and then once more."""
        timeout = aiohttp.ClientTimeout(total=SEND_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as http:
            try:
                while True:
                    await asyncio.sleep(PERIOD_SECONDS)
                    await self.flush(http)
            finally:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LAST_SECONDS):
                        await self.flush(http)

    async def flush(self, http: aiohttp.ClientSession) -> None:
        """Send what waits now."""
        while self._spans:
            batch = [self._spans.popleft() for _ in range(min(BATCH, len(self._spans)))]
            if not await self._post(http, batch):
                self.dropped += len(batch)
                return

    async def _post(self, http: aiohttp.ClientSession, spans: list[Span]) -> bool:
        scope = {"scope": {"name": "flowork"}, "spans": spans}
        body = {"resourceSpans": [{"resource": {"attributes": self._resource}, "scopeSpans": [scope]}]}
        headers = {**self._collector.headers, "Content-Type": "application/json"}
        reason = ""
        try:
            url = f"{self._collector.endpoint}/v1/traces"
            async with http.post(url, data=json.dumps(body), headers=headers) as answer:
                taken = answer.ok
                reason = f"status {answer.status}"
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            taken, reason = False, type(error).__name__
        if not taken and not self._failing:
            _log.warning("the collector of traces does not take them", extra={"reason": reason})
        self._failing = not taken
        return taken

    def _add(self, span: Span) -> None:
        self.dropped += len(self._spans) == MAX_WAITING
        self._spans.append(span)


def trace_id(run_id: str) -> str:
    """Return the id of a run's trace: 32 hex digits."""
    return hashlib.sha256(f"flowork run {run_id}".encode()).hexdigest()[:32]


def _span_id(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, ("flowork span", *parts))).encode()).hexdigest()[:16]


def _step(
    run: LiveRun, record: r.StepRan | r.StepFinished | r.StepLooped | r.StepFailed, begun: float, outcome: str
) -> Span:
    node = run.state.graph.nodes[record.node]
    return {
        "traceId": trace_id(run.id),
        "spanId": _span_id(run.id, record.seq),
        "parentSpanId": _span_id(run.id),
        "name": node.module_id,
        "kind": _INTERNAL,
        "startTimeUnixNano": _nanoseconds(begun),
        "endTimeUnixNano": _nanoseconds(begun + record.ms),
        "attributes": _attributes(
            {
                "flowork.run": run.id,
                "flowork.node": node.id,
                "flowork.attempt": record.attempt,
                "flowork.outcome": outcome,
            }
        ),
        "status": {"code": _OK if outcome == "ok" else _ERROR},
    }


def _run(run: LiveRun, record: r.RunFinished) -> Span:
    accepted = run.state.accepted
    facts: dict[str, str | int] = {
        "flowork.run": run.id,
        "flowork.mode": accepted.mode,
        "flowork.status": record.status,
        "flowork.nodes": accepted.nodes,
    }
    if accepted.parent:
        facts["flowork.parent_run"] = accepted.parent[0]
    return {
        "traceId": trace_id(run.id),
        "spanId": _span_id(run.id),
        "name": "run",
        "kind": _INTERNAL,
        "startTimeUnixNano": _nanoseconds(accepted.at),
        "endTimeUnixNano": _nanoseconds(max(record.at, accepted.at)),
        "attributes": _attributes(facts),
        "status": {"code": _ERROR if record.status == RunStatus.FAILED else _OK},
    }


def _nanoseconds(milliseconds: float) -> str:
    return str(round(milliseconds * 1000) * (_NS // 1000))


def _attributes(facts: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for name, value in facts.items()
    ]
