"""What a component sees of its step in a worker: the request, and a line to the engine for what it tells."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from core_engine.kernel.context import Files, LogLevel, Spent
from core_engine.kernel.family import CalledWorkflow
from core_engine.kernel.payload import DeadInput, Input
from core_engine.workers.wire import Request, Told
from core_engine.workflow.steps import LONGEST_LOG, MOST_LOG_CHARS, MOST_LOG_LINES
from core_engine.workflow.usage import MOST_SPENDINGS, Spending
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError

Tell = Callable[[bytes], None]


class WorkerContext:
    """The `Context` of a step that is carried out outside of the engine.

    ``tell`` takes each thing the step tells; it may block. What a step may tell is bounded here too, so that it
    cannot fill the database between it and the engine.
    """

    def __init__(self, request: Request, files: Files, tell: Tell) -> None:
        self._request = request
        self._tell = tell
        self._lines = self._chars = self._spendings = 0
        self._tokens_in, self._tokens_out = request.tokens_in, request.tokens_out
        self._cost = {currency: Decimal(cost) for currency, cost in request.cost.items()}
        self.files = files
        self.run_id = request.run_id
        self.workflow = request.workflow
        self.node_id = request.node_id
        self.node_name = request.node_name
        self.attempt = request.attempt
        self.mode = RunMode(request.mode)
        self.idempotency_key = request.idempotency_key
        self.iteration = request.iteration
        self.round = request.round

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Every live incoming connection and what came along it."""
        return tuple(self._request.inputs)

    @property
    def dead_inputs(self) -> tuple[DeadInput, ...]:
        """Every incoming connection that brought nothing, and why."""
        return tuple(self._request.dead_inputs)

    def saved_workflow(self, preset: str) -> CalledWorkflow:
        """Refuse: steps that call saved workflows stay in the engine."""
        raise FloworkError(
            ErrorCode.NOT_IMPLEMENTED, f"A worker cannot look up the saved workflow {preset!r}."
        )

    def log(self, message: str, level: LogLevel = "INFO") -> None:
        """Write a line to the run's log."""
        text = str(message)[: 2 * LONGEST_LOG]
        if self._room(len(text)):
            self._send("log", message=text.encode("utf-8", "replace").decode(), level=str(level))

    def popup(self, title: str, content: Any, config: dict[str, Any] | None = None) -> None:
        """Show something; raises TypeError or ValueError when it is no JSON value."""
        size = len(msgspec.json.encode(content))
        if self._room(size):
            self._send("popup", title=str(title), content=content, config=config or {})

    def spend(self, kind: str, *, cost: Decimal | float | str = 0, **more: Any) -> None:
        """Tell what the step used; see `Context.spend`."""
        if self._spendings >= MOST_SPENDINGS:
            message = f"A step can tell {MOST_SPENDINGS} times what it used, not more often."
            raise FloworkError(ErrorCode.TOO_LARGE, message)
        self._spendings += 1
        spending = Spending.of(kind, cost=cost, **more)
        self._tokens_in += spending.tokens_in
        self._tokens_out += spending.tokens_out
        self._cost[spending.currency] = self._cost.get(spending.currency, Decimal(0)) + Decimal(spending.cost)
        self._send("spend", kind=kind, cost=str(cost), **more)

    def spent(self) -> Spent:
        """Return what the run had used when the step was sent, and what the step has used since."""
        return Spent(self._tokens_in, self._tokens_out, dict(self._cost))

    def _room(self, size: int) -> bool:
        self._lines += 1
        self._chars += size
        return self._lines <= MOST_LOG_LINES and self._chars <= MOST_LOG_CHARS

    def _send(self, call: str, **values: Any) -> None:
        self._tell(msgspec.json.encode(Told(call, values)))
