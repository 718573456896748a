"""The rules that a saved workflow's trigger nodes amount to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from core_engine.triggers.rules import MODULES, Rule, id_from
from core_engine.workflow.trigger_settings import key_problem
from shared.contract.flow_trigger import TriggerPolicy
from shared.contract.workflow import MAX_NODES, WorkflowNode


def node_rules(preset: str, workflow_data: dict[str, Any], owner: str, now_ms: int) -> Iterator[Rule]:
    """Yield the rule of each trigger node, its secret still readable; nodes that cannot be read are left out.

    The rule of a node keeps its id as long as preset and node keep their names.
    """
    nodes = workflow_data.get("nodes")
    seen: set[str] = set()
    for raw in nodes[:MAX_NODES] if isinstance(nodes, list) else ():
        try:
            node = WorkflowNode.model_validate(raw)
        except ValidationError:
            continue
        if node.module_id in MODULES and node.id not in seen:
            seen.add(node.id)
            yield _rule(preset, node, owner, now_ms)


def _rule(preset: str, node: WorkflowNode, owner: str, now_ms: int) -> Rule:
    config = dict(node.config_values)
    policy, problem = _policy(config.pop("policy", None))
    return Rule(
        id=id_from("trigger node", preset, node.id),
        preset=preset,
        kind=MODULES[node.module_id],
        name=node.name or node.id,
        owner=owner,
        created_at=now_ms,
        node_on=not node.disabled,
        config=config,
        policy=policy.model_dump() if policy else None,
        node=node.id,
        start_node=node.id,
        problem=problem,
    )


def _policy(given: Any) -> tuple[TriggerPolicy | None, str | None]:
    """Return the policy a node asks for, and why it cannot be used."""
    if given is None:
        return None, None
    try:
        policy = TriggerPolicy.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return None, f"policy.{'.'.join(map(str, first['loc']))}: {first['msg']}"
    problem = key_problem(policy)
    return (None, problem) if problem else (policy, None)
