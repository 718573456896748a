"""Which steps go to worker processes, and to which queue."""

from __future__ import annotations

from typing import NamedTuple

from core_engine.kernel.component import Component, Execution
from core_engine.workflow.graph import Node
from shared.contract.flow_rules import FlowSettings

ENGINE = "engine"
_OWN = "core_engine.components.builtin."


class Place(NamedTuple):
    """Where a step goes: a queue, and the label that a worker must have, if any."""

    queue: str
    label: str


def can_leave(node: Node) -> bool:
    """Tell whether a node's steps can be carried out in another process than the engine's.

    Short steps are not worth the way. Those that wait, and those that use what only the engine has (its state, its
    events), stay; so do components that were added to this engine, because a worker may not have them.
    """
    component = node.component
    return (
        component.execution is not Execution.INLINE
        and component.queue != ENGINE
        and type(component).resume is Component.resume
        and type(component).__module__.startswith(_OWN)
    )


def place_of(node: Node, flow: FlowSettings) -> Place | None:
    """Return where a node's steps go; None: they stay in the engine. A node's own choice wins over the workflow's."""
    queue = node.queue or (flow.queue if node.component.queue == "default" else None) or node.component.queue
    if queue == ENGINE or not can_leave(node):
        return None
    return Place(queue, node.worker or flow.worker or "")
