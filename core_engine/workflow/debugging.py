"""A run that can be looked into: steps with given results, and data that stops at breakpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import Seed
from core_engine.workflow import records as r
from core_engine.workflow.aids import Pin
from core_engine.workflow.failures import mask, mask_value
from core_engine.workflow.flowing import FlowingRun
from core_engine.workflow.journal import encode_payload
from core_engine.workflow.outcomes import Known
from core_engine.workflow.steps import clean_text
from shared.contract.run import NodeStatus
from shared.errors import ErrorCode, FloworkError

LONGEST_PREVIEW = 2000
MOST_SEEDED_BYTES = 256 * 1024 * 1024


class DebuggedRun(FlowingRun):
    """A run with seeds, pins and breakpoints."""

    __slots__ = ()

    def seed(self, seeds: Sequence[Seed]) -> None:
        """Record the results of steps that are not done again; they leave in one write with the acceptance.

        The seeds stand in an order in which each comes after those before it in the workflow.
        """
        state = self.state
        if sum(len(content) for seed in seeds for content in seed.outputs.values()) > MOST_SEEDED_BYTES:
            raise FloworkError(ErrorCode.TOO_LARGE, "The results that would be taken over are too large.")
        for seed in seeds:
            node = state.graph.by_id[seed.node_id]
            taken = self._route(node, seed)
            stored = state.store(seed.outputs)
            self.record(
                r.StepSeeded(
                    state.next_seq,
                    self.now(),
                    node,
                    seed.status.value,
                    stored,
                    taken,
                    seed.source,
                    seed.pinned,
                    seed.error,
                )
            )

    def _route(self, node: int, seed: Seed) -> tuple[int, ...]:
        graph = self.state.graph
        if seed.status is NodeStatus.SKIPPED:
            return ()
        return graph.error_route(node) if seed.raised else graph.route(node, seed.outputs)

    def use_pin(self, node: int, pin: Pin) -> None:
        """Record a node's fixed result in place of running it."""
        state = self.state
        if pin.error is None:
            outputs = {port: encode_payload(Payload.from_value(value)) for port, value in pin.outputs.items()}
            status, error, taken = NodeStatus.SUCCESS, None, state.graph.route(node, outputs)
            stored = state.store(outputs)
        else:
            given = Known(state.given(node).payload, ())
            status, error = NodeStatus.ERROR, pin.error
            stored, taken = self._error_route(node, ErrorCode.COMPONENT_FAILED.value, pin.error, given)
        self.record(
            r.StepSeeded(state.next_seq, self.now(), node, status.value, stored, taken, None, True, error)
        )

    def note_hits(self) -> None:
        """Record where data has come to a stop."""
        planner = self.state.planner
        held = planner.halts.held
        for edge in planner.at_breakpoints() if held else ():
            if not held[edge]:
                self.record(r.BreakpointHit(self.state.next_seq, self.now(), edge, self._preview(edge)))

    def set_breakpoints(self, connections: Sequence[str], by: str) -> None:
        """Have data stop at these connections and at no others; raises NOT_FOUND for an unknown one."""
        edges = tuple(dict.fromkeys(self._edge(name) for name in connections))
        self.record(r.BreakpointsSet(self.state.next_seq, self.now(), edges, by))

    def let_pass(self, connection: str | None, by: str, *, step: bool) -> None:
        """Let data go on: along one connection, or along all at which it waits; see `BreakpointsPassed`.

        Raises CONFLICT when nothing waits there; a step may also begin while nothing waits.
        """
        waiting = self.state.planner.at_breakpoints()
        if connection is not None:
            edge = self._edge(connection)
            if edge not in waiting:
                raise FloworkError(ErrorCode.CONFLICT, f"Nothing waits at connection {connection}.")
            waiting = [edge]
        elif not waiting and not step and not self.state.planner.halts.stepping:
            raise FloworkError(ErrorCode.CONFLICT, f"Run {self.id} waits at no breakpoint.")
        self.record(r.BreakpointsPassed(self.state.next_seq, self.now(), tuple(waiting), step, by))
        self.env.wake(self)

    def _edge(self, connection: str) -> int:
        found = next((edge.index for edge in self.state.graph.edges if edge.id == connection), None)
        if found is None:
            raise FloworkError(ErrorCode.NOT_FOUND, f"Run {self.id} has no connection {connection}.")
        return found

    def _preview(self, edge: int) -> str:
        return preview(self.state.carried(edge), self.env.secrets)


def preview(payload: Payload, secrets: Callable[[], Sequence[str]]) -> str:
    """Return the beginning of a payload's data as JSON text, without secret values."""
    hidden = secrets()
    text = msgspec.json.encode(mask_value(payload.data, hidden)).decode()
    return clean_text(mask(text, hidden)[:LONGEST_PREVIEW])
