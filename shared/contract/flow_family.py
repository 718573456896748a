"""Runs inside runs: the typed inputs of a workflow, and how far a loop is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shared.contract.base import Audience, Event, Incoming, JobId

MAX_INPUTS = 200
InputType = Literal["string", "number", "integer", "boolean", "object", "array", "any"]


class WorkflowInput(Incoming):
    """One member of ``workflow_data.inputs``: what a run of the workflow must be given in its payload's data.

    ``default`` stands in for a member that is missing; with one, the input is never missing.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    type: InputType = "any"
    required: bool = False
    default: Any = None
    description: str = Field(default="", max_length=2000)


class LoopProgress(Event, name="LOOP_PROGRESS", audience=Audience.RUN):
    """How far a node's runs are: ``done`` have ended, ``failed`` of them badly. At most about 100 for each loop.

    ``total`` is null while it is not known, because the items are still being read.
    """

    type: str = "LOOP_PROGRESS"
    job_id: JobId
    seq: int
    node_id: str
    done: int
    failed: int
    total: int | None
    running: int
