"""W3C trace context: what a caller says of its trace, read strictly, and the ids of spans of our own.

Whoever sends it is not believed for anything but which trace to join: it proves nothing and opens nothing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

TRACEPARENT = "traceparent"
"""The name of the header, and of the member of frames, that carries a context."""
LENGTH = 55
"""Characters of a ``traceparent``."""
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A place in a trace: ``trace_id`` has 32 hex digits, ``span_id`` (what comes next is below it) 16."""

    trace_id: str
    span_id: str

    @property
    def traceparent(self) -> str:
        """The context as it travels; always marked as recorded, because whoever sends it records it."""
        return f"00-{self.trace_id}-{self.span_id}-01"

    def below(self, span_id: str) -> TraceContext:
        """Return another place in the same trace."""
        return TraceContext(self.trace_id, span_id)


def read_traceparent(given: object) -> TraceContext | None:
    """Return the context that was sent along; None for anything that is not exactly a ``traceparent`` of version 00."""
    if not isinstance(given, str) or len(given) != LENGTH:
        return None
    match = _TRACEPARENT.fullmatch(given)
    if match is None or match[1] == _NO_TRACE or match[2] == _NO_SPAN:
        return None
    return TraceContext(match[1], match[2])


def new_trace() -> TraceContext:
    """Return a fresh trace with a span of ours in it."""
    return TraceContext(secrets.token_hex(16), new_span_id())


def new_span_id() -> str:
    """Return a fresh span id."""
    return secrets.token_hex(8)


def trace_id_of_run(run_id: str) -> str:
    """Return the trace of a run that nobody asked to join another one: made of its id alone."""
    return hashlib.sha256(f"flowork run {run_id}".encode()).hexdigest()[:32]


def span_id_of(*parts: object) -> str:
    """Return the span id of something that has a name of its own, such as a run: always the same one."""
    return hashlib.sha256("|".join(map(str, ("flowork span", *parts))).encode()).hexdigest()[:16]


def run_context(run_id: str, trace: str | None) -> TraceContext:
    """Return where a run's own span stands; ``trace`` is the ``traceparent`` it was started with, if any."""
    given = read_traceparent(trace)
    return TraceContext(given.trace_id if given else trace_id_of_run(run_id), span_id_of(run_id))


def step_span_id(run_id: str, started_seq: int) -> str:
    """Return the span id of an attempt at a step, by the number of the record that it started with."""
    return span_id_of(run_id, started_seq)
