"""Flow tests: a file beside a workflow that says what goes in, what is mocked and what must come out; ours."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.contract.base import Audience, Command, Event, Outgoing, Role
from shared.contract.pin import MAX_PINS, PinnedOutputs
from shared.contract.run import NodeStatus, RunMode, RunStatus
from shared.contract.workflow import NodeId

MAX_CASES = 500
MAX_SECONDS = 600


class _Exact(BaseModel):
    """A part of a test file: a member that does not exist is a mistake, or a test would silently test nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NodeExpectation(_Exact):
    """What must be true of a node; what is not named is not looked at.

    ``data`` is compared with what the node gave at ``port`` (its first one without a name), ``error`` with the text
    of its failure. Both may hold matchers; see docs/workflows/flow-tests.md.
    """

    status: NodeStatus | None = None
    port: str | None = Field(default=None, max_length=80)
    data: Any = None
    error: Any = None


class Expectation(_Exact):
    """What must be true of a run."""

    status: RunStatus = RunStatus.SUCCEEDED
    error: Any = None
    nodes: dict[NodeId, NodeExpectation] = Field(default_factory=dict)


class FlowTestCase(_Exact):
    """One run and what must come of it.

    ``mocks`` fix results of nodes (as pins do). In SIMULATE, the default, no other node has an effect either.
    """

    name: str = Field(min_length=1, max_length=200)
    initial_payload: Any = Field(default_factory=dict)
    variables: dict[str, Any] = Field(default_factory=dict, max_length=1000)
    mocks: dict[NodeId, PinnedOutputs] = Field(default_factory=dict, max_length=MAX_PINS)
    mode: RunMode = RunMode.SIMULATE
    start_node_id: NodeId | None = None
    timeout_seconds: float = Field(default=30, gt=0, le=MAX_SECONDS)
    expect: Expectation = Field(default_factory=Expectation)


class FlowTestFile(_Exact):
    """A test file: ``workflow`` is the path of a workflow file, from the test file's folder, or the workflow itself."""

    workflow: str | dict[str, Any]
    cases: list[FlowTestCase] = Field(min_length=1, max_length=MAX_CASES)


class FlowTestJob(_Exact):
    """One test file as it is handed to the process that runs it: the workflow stands in it."""

    path: str
    workflow: dict[str, Any]
    cases: list[FlowTestCase]


class FlowTestJobs(_Exact):
    """All test files of one call."""

    files: list[FlowTestJob]


class Difference(Outgoing):
    """Something that is not as expected; without ``node_id`` it is about the whole run."""

    node_id: str | None = None
    path: str
    expected: str
    actual: str


class CaseReport(Outgoing):
    """How a case went; ``problem`` is why it could not be run at all."""

    case_name: str = Field(alias="name")
    passed: bool
    seconds: float = 0.0
    problem: str | None = None
    differences: list[Difference] = Field(default_factory=list)


class FileReport(Outgoing):
    """How the cases of a file went; ``problem`` is why none could be run."""

    path: str
    problem: str | None = None
    cases: list[CaseReport] = Field(default_factory=list)


class FlowTestReport(Outgoing):
    """How everything went."""

    files: list[FileReport]


class FlowTestMade(Event, name="flow_test_response", audience=Audience.CALLER):
    """A test file made from a run; secret values are masked."""

    type: str = "flow_test_response"
    flow_test: dict[str, Any]
    request_id: str | None = None


class MakeFlowTest(Command, name="make_flow_test", reply=FlowTestMade, role=Role.READER):
    """Make a test file from the run ``job_id``: what it was given, what came out, and mocks of its outside steps."""
