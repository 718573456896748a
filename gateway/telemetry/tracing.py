"""The trace of what passes through the gateway: which one, and a span where there is a collector."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from gateway.settings import Telemetry
from gateway.telemetry.counts import DONE
from shared import otlp
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError
from shared.ids import is_job_id
from shared.otlp import Collector, Service, Span
from shared.settings import reveal
from shared.tracing import TraceContext, new_span_id, new_trace, read_traceparent


class Sink(Protocol):
    """Someone who takes spans."""

    def add(self, span: Span) -> None:
        """Take a span; must not block."""
        ...

    def stop(self) -> None:
        """Take no more."""
        ...


class Passing:
    """Something that is passed on to an engine; ``traceparent`` goes along."""

    def __init__(self, traceparent: str | None) -> None:
        self.traceparent = traceparent
        self.engine = ""
        self.run = ""

    def note_run(self, job_id: object) -> None:
        """Note the run that is meant, where a client names one."""
        if isinstance(job_id, str) and is_job_id(job_id):
            self.run = job_id

    @property
    def facts(self) -> dict[str, str]:
        """What is known of it."""
        known = {"flowork.engine": self.engine, "flowork.run": self.run}
        return {name: value for name, value in known.items() if value}


class Tracing:
    """Without a ``sink`` no span is made; a trace that the caller named is passed on all the same."""

    def __init__(self, clock: Clock, sink: Sink | None = None) -> None:
        self._clock = clock
        self._sink = sink

    @contextmanager
    def passing(self, name: str, given: object) -> Iterator[Passing]:
        """Accompany what is passed on; ``given`` is what the caller says of its trace and proves nothing."""
        caller = read_traceparent(given)
        if self._sink is None:
            yield Passing(caller.traceparent if caller else None)
            return
        place = caller.below(new_span_id()) if caller else new_trace()
        passing, begun, outcome = Passing(place.traceparent), self._clock.now_ms(), ErrorCode.INTERNAL.value
        try:
            yield passing
            outcome = DONE
        except FloworkError as error:
            outcome = error.code.value
            raise
        finally:
            self._sink.add(self._span(name, place, caller, passing, begun, outcome))

    def close(self) -> None:
        """Send what waits, if that is quick."""
        if self._sink is not None:
            self._sink.stop()

    def _span(  # noqa: PLR0913, PLR0917 - what a span consists of
        self,
        name: str,
        place: TraceContext,
        caller: TraceContext | None,
        passing: Passing,
        begun: int,
        outcome: str,
    ) -> Span:
        return otlp.span(
            name,
            place,
            parent=caller.span_id if caller else None,
            begun=begun,
            ended=self._clock.now_ms(),
            ok=outcome == DONE,
            facts=passing.facts | {"flowork.outcome": outcome},
            kind=otlp.SERVER,
        )


def open_tracing(settings: Telemetry, clock: Clock, *, instance: str, version: str) -> Tracing:
    """Return what the settings ask for; nothing is loaded or started without a collector."""
    if not settings.collector:
        return Tracing(clock)
    from gateway.telemetry.outflow import Outflow  # noqa: PLC0415 - only with a collector

    collector = Collector.of(settings.collector, reveal(settings.collector_headers))
    outflow = Outflow(collector, Service("flowork-gateway", instance, version))
    outflow.start()
    return Tracing(clock, outflow)
