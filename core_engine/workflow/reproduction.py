"""A past run as a test case: which of its steps are mocked, and what is expected of the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core_engine.kernel.component import Component, StepPolicy
from core_engine.workflow import records as r
from core_engine.workflow.archive import ArchivedRun, node_states
from core_engine.workflow.graph import Node
from core_engine.workflow.state import RunState
from shared.contract.run import NodeState, NodeStatus, RunMode

_OUTSIDE = frozenset({"Files", "Network"})
_NOT_REACHED = frozenset({NodeStatus.SKIPPED, NodeStatus.CANCELLED, NodeStatus.PENDING})


def describe_case(
    run: ArchivedRun, state: RunState, results: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the case, without its initial payload.

    Mocked is every step that touches or waits for something outside: it may have an effect, does something else
    in a simulation, reads files, or was put aside.
    """
    waited = {record.node for record in run.records if isinstance(record, r.StepSuspended)}
    mocks: dict[str, Any] = {}
    nodes: dict[str, Any] = {}
    for node, seen in zip(state.graph.nodes, node_states(run, state), strict=True):
        given = results[node.id]
        mocked = (node.index in waited or _is_outside(node)) and seen.status not in _NOT_REACHED
        if mocked and (given or seen.error):
            failed = seen.status is not NodeStatus.SUCCESS
            mocks[node.id] = {"error": seen.error or "It failed."} if failed else dict(given)
        nodes[node.id] = _expected(seen, given, mocked=mocked)
    end: dict[str, Any] = {"status": state.status.value, "nodes": nodes}
    if state.error:
        end["error"] = state.error
    return {"name": f"as in run {state.accepted.run_id}", "mode": "SIMULATE", "mocks": mocks, "expect": end}


def _is_outside(node: Node) -> bool:
    component = node.component
    return (
        node.policy(RunMode.EXECUTE) is not StepPolicy.REPEATABLE
        or type(component).simulate is not Component.simulate
        or component.category in _OUTSIDE
    ) and not node.disabled


def _expected(seen: NodeState, given: Mapping[str, Any], *, mocked: bool) -> dict[str, Any]:
    unknown = seen.status is NodeStatus.OUTCOME_UNKNOWN
    expected: dict[str, Any] = {"status": NodeStatus.ERROR.value if unknown else seen.status.value}
    if given and not mocked and seen.status is NodeStatus.SUCCESS:
        port = next(iter(given))
        expected |= {"port": port, "data": given[port]["data"]}
    return expected
