"""Workflows as they travel and as they are stored (protocol §5.1): nodes, connections, loop settings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, StringConstraints

from shared.contract.base import Audience, Command, Event, Incoming, Outgoing, Role
from shared.contract.flow_family import MAX_INPUTS, WorkflowInput
from shared.contract.flow_rules import JoinRule, StepQueue, WorkerLabel

NodeId = Annotated[str, StringConstraints(min_length=1, max_length=80)]
PortName = Annotated[str, StringConstraints(max_length=80)]

MAX_NODES = 10_000
MAX_CONNECTIONS = 50_000


class RetryPolicy(Incoming):
    """How often and how patiently a failed node is tried again.

    The n-th wait is ``delay_seconds * backoff**(n-1)``, at most ``max_delay_seconds``, plus or minus
    ``jitter`` (a fraction).
    """

    attempts: int = Field(default=1, ge=1, le=100)
    delay_seconds: float = Field(default=5.0, ge=0, le=86_400)
    backoff: float = Field(default=2.0, ge=1, le=10)
    max_delay_seconds: float = Field(default=300.0, ge=0, le=86_400)
    jitter: float = Field(default=0.1, ge=0, le=1)


class WorkflowNode(Incoming):
    """One step: which component runs, with which settings, and how failures are met.

    A node marked ``finally`` runs after all others have ended, however they did.
    ``parent_id`` (also ``parentId``) names the loop node in whose body the node stands.
    ``component_version`` (ours) names one of several installed versions; without it the newest runs.
    ``queue`` and ``worker`` (ours) say which worker processes carry the step out, where the engine uses them:
    those of a queue (``engine``: the engine itself), with a label such as ``gpu``.
    """

    id: NodeId
    name: str = Field(default="", max_length=200)
    module_id: str = Field(min_length=1, max_length=120)
    x: float = 0
    y: float = 0
    config_values: dict[str, Any] = Field(default_factory=dict)
    data: dict[str, Any] = Field(default_factory=dict)
    join: Literal["all", "any"] | JoinRule = "all"
    last: bool = Field(default=False, validation_alias="finally")
    component_version: str | None = Field(default=None, max_length=80)
    disabled: bool = False
    retry: RetryPolicy | None = None
    timeout_seconds: float | None = Field(default=None, gt=0, le=7 * 86_400)
    parent_id: NodeId | None = Field(default=None, validation_alias=AliasChoices("parent_id", "parentId"))
    queue: StepQueue | None = None
    worker: WorkerLabel | None = None


class WorkflowConnection(Incoming):
    """A directed edge from an output port to an input port; legacy member names are accepted."""

    id: str | None = Field(default=None, min_length=1, max_length=120)
    source: NodeId = Field(validation_alias=AliasChoices("source", "from"))
    target: NodeId = Field(validation_alias=AliasChoices("target", "to"))
    source_port_name: PortName | None = Field(
        default=None, validation_alias=AliasChoices("source_port_name", "sourceHandle")
    )
    target_port_name: PortName | None = Field(
        default=None, validation_alias=AliasChoices("target_port_name", "targetHandle")
    )


class WorkflowData(Incoming):
    """A whole workflow graph."""

    nodes: list[WorkflowNode] = Field(max_length=MAX_NODES)
    connections: list[WorkflowConnection] = Field(default_factory=list, max_length=MAX_CONNECTIONS)
    global_loop_config: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)
    inputs: list[WorkflowInput] = Field(default_factory=list, max_length=MAX_INPUTS)


class WorkflowProblem(Outgoing):
    """One thing that is wrong with a workflow, and where."""

    problem: str
    node_id: str | None = None
    connection_id: str | None = None
    field: str | None = None


class WorkflowValidation(Event, name="workflow_validation_response", audience=Audience.CALLER):
    """Every problem of a workflow; none means that it can run."""

    type: str = "workflow_validation_response"
    valid: bool
    problems: list[WorkflowProblem]
    request_id: str | None = None


class ValidateWorkflow(Command, name="validate_workflow", reply=WorkflowValidation, role=Role.READER):
    """Check a workflow without running it."""

    workflow_data: dict[str, Any]
