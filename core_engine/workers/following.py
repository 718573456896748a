"""One step that was sent away, as the engine knows it."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from core_engine.workers.placement import Place
from core_engine.workflow.steps import Attempt, Host, StepContext
from shared.tracing import run_context, step_span_id


class Follow:
    """A claim that an attempt of a live run waits for; ``ended`` gets how it ended.

    ``offered`` once it is in the database, ``sent_at`` (monotonic) when its ticket was sent last, ``told`` the number
    of the last thing it told that the run knows.
    """

    __slots__ = (
        "attempt", "began", "context", "ended", "host", "id", "offered", "place", "sent_at", "since", "told", "warned",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917 - one thing each
        self, claim: str, host: Host, attempt: Attempt, context: StepContext, place: Place, since: float
    ) -> None:
        self.id = claim
        self.host = host
        self.attempt = attempt
        self.context = context
        self.place = place
        self.since = since
        self.told = 0
        self.offered = self.began = self.warned = False
        self.sent_at: float | None = None
        self.ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def silent_since(self, now: float, seconds: float) -> bool:
        """Tell whether nobody has taken the step for so long since it was sent last."""
        return self.offered and not self.began and (self.sent_at is None or now - self.sent_at >= seconds)

    def settle(self, outcome: Any) -> None:
        """Say how the step ended; only the first time counts."""
        if not self.ended.done():
            self.ended.set_result(outcome)


def step_name(host: Host, context: StepContext) -> str:
    """Name one execution of a step: the same after a restart of the engine, another one after a loss or a retry."""
    crashes = host.state.planner.crashes.get(context.node.index, 0)
    parts = (context.run_id, context.idempotency_key, str(context.attempt), str(crashes))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def trace_of(follow: Follow) -> str:
    """Return the ``traceparent`` of the engine's span of this attempt, or of its run where the engine was restarted."""
    accepted, started = follow.host.state.accepted, follow.attempt.started
    run = run_context(accepted.run_id, accepted.trace)
    return (run.below(step_span_id(accepted.run_id, started)) if started else run).traceparent
