"""What of a workflow cannot run on this machine as things are, although nothing is wrong with the workflow."""

from __future__ import annotations

from typing import Any

from core_engine.kernel.ports import Registry
from shared.contract.workflow import WorkflowData, WorkflowProblem

_HERE = "engine"


def unready_nodes(workflow_data: dict[str, Any], registry: Registry, *, alone: bool) -> list[WorkflowProblem]:
    """Return a problem for each node whose component is not ready; the workflow is one that was checked.

    Unless the engine is ``alone``, only nodes that are kept in it are looked at: of workers it knows nothing.
    """
    problems = []
    for node in WorkflowData.model_validate(workflow_data).nodes:
        component = None if node.disabled else registry.find(node.module_id)
        if component is None or not (alone or _HERE in {node.queue, component.queue}):
            continue
        if refusal := component.unready(node.config_values):
            problems.append(WorkflowProblem(problem=refusal, node_id=node.id))
    return problems
