"""Running one component by itself, without a workflow around it (protocol §3.1)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.contract.base import Command, Incoming, Role
from shared.contract.run import RunMode, WorkflowStatusUpdate


class NodeData(Incoming):
    """Which component, and its settings."""

    module_id: str = Field(min_length=1, max_length=120)
    config_values: dict[str, Any] = Field(default_factory=dict)


class ExecuteStandaloneNode(
    Command, name="execute_standalone_node", reply=WorkflowStatusUpdate, role=Role.ADMIN
):
    """Run a single node. It is a run like any other, with one node that is called ``node``."""

    node_data: NodeData
    mode: RunMode = RunMode.EXECUTE
    initial_payload: Any = Field(default_factory=dict)
