"""The runs of a waiting step as the journal keeps them: what was asked for, their names, and their outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from core_engine.kernel.family import CalledWorkflow, ChildRuns, FailedRun, OnError, RunsOutcome
from core_engine.kernel.payload import Payload
from core_engine.workflow.journal import encode_payload
from shared.contract.run import NodeStatus

if TYPE_CHECKING:
    from core_engine.workflow.state import RunState

SPEC = "spec"
LARGEST_INPUT = 64 * 1024
"""Bytes of JSON up to which every run of a loop is handed the loop's own input."""
DEPTH = "depth"
DETACHED = "detached"


@dataclass(frozen=True, slots=True)
class Spec:
    """What a step's wait for runs is about; ``digest`` tells one list of items from another."""

    items: list[Any] | None
    source: dict[str, Any] | None
    workflow: dict[str, Any] | None
    preset: str | None
    version: int | None
    first: int
    parallel: int
    on_error: OnError
    wrapped: bool
    detached: bool
    digest: str

    @property
    def total(self) -> int | None:
        """How many items there are, None while only reading them would tell."""
        return None if self.items is None else len(self.items)


def encode_spec(runs: ChildRuns) -> bytes:
    """Return the journal's words for a request; raises TypeError or ValueError for what is no JSON value."""
    called = runs.workflow or CalledWorkflow("", 0, {})
    members: dict[str, Any] = {
        "items": None if runs.items is None else list(runs.items),
        "source": None if runs.source is None else dict(runs.source),
        "workflow": dict(called.workflow_data) if runs.workflow else None,
        "preset": called.preset or None,
        "version": called.version or None,
        "first": runs.first,
        "wrapped": runs.wrapped,
    }
    members["digest"] = hashlib.sha256(msgspec.json.encode(members, order="sorted")).hexdigest()
    members |= {"parallel": runs.parallel, "on_error": runs.on_error, "detached": runs.detached}
    return encode_payload(Payload(members))


def decode_spec(payload: Payload) -> Spec:
    """Return the request that `encode_spec` wrote."""
    return msgspec.convert(payload.data, Spec)


@dataclass(frozen=True, slots=True)
class Naming:
    """Gives the runs of one step their ids: the same after every crash, others for other items or attempts.

    ``turn`` tells the rounds of the workflow and the iterations of the step apart; it is empty in the first.
    """

    parent: str
    node: str
    digest: str
    turn: str = ""

    def run_id(self, attempt: int, item: int) -> str:
        """Return the id of an item's run in an attempt of the step."""
        text = f"{self.parent}\n{self.node}\n{self.digest}\n{attempt}\n{item}{self.turn}"
        found = hashlib.sha256(text.encode()).hexdigest()
        return "-".join((found[:8], found[8:12], found[12:16], found[16:20], found[20:32]))

    def earlier(self, attempt: int, item: int) -> set[str]:
        """Return the ids of an item's runs up to an attempt."""
        return {self.run_id(number, item) for number in range(1, attempt + 1)}


def turn_of(state: RunState, node: int) -> str:
    """Return what tells this pass of a node from others of the same run: its round and iteration."""
    planner = state.planner
    iteration = planner.iterations.get(node, 0)
    return f"\nturn {planner.round}.{iteration}" if planner.round or iteration else ""


def effect_key(base: str, node_id: str, item: int, turn: str) -> str:
    """Return what an item's idempotency keys are made from: the same in every attempt of the step."""
    return hashlib.sha256(f"{base}\n{node_id}\n{item}{turn}".encode()).hexdigest()


def item_data(spec: Spec, number: int, item: Any, given: Any) -> Any:
    """Return the data that an item's run begins with."""
    if not spec.wrapped:
        return item
    total = None if spec.first else spec.total
    return {"item": item, "index": number, "count": total, "input": given}


def asks_for_end(state: RunState) -> bool:
    """Tell whether a step of a run that ends loops has ended well."""
    status = state.planner.status
    return any(
        node.component.ends_loop and status[node.index] is NodeStatus.SUCCESS for node in state.graph.nodes
    )


def outcome_record(outcome: RunsOutcome, digest: str) -> dict[str, Any]:
    """Return an outcome as the journal keeps it."""
    return {
        "first": outcome.first,
        "count": outcome.count,
        "succeeded": outcome.succeeded,
        "failed": outcome.failed,
        "broken": outcome.broken,
        "error": outcome.error,
        "errors": [asdict(error) for error in outcome.errors],
        "job_ids": list(outcome.job_ids),
        "digest": digest,
    }


def recorded_outcome(
    kept: Mapping[str, Any], results: Callable[[], Iterator[tuple[int, Any]]]
) -> RunsOutcome:
    """Return the outcome that a record keeps."""
    errors = tuple(FailedRun(**error) for error in kept["errors"])
    return RunsOutcome(
        first=kept["first"],
        count=kept["count"],
        succeeded=kept["succeeded"],
        failed=kept["failed"],
        broken=kept["broken"],
        error=kept["error"],
        errors=errors,
        job_ids=tuple(kept["job_ids"]),
        results=results,
    )
