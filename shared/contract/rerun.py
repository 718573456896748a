"""Doing runs again: one (`rerun`), or many failed ones (`replay_runs`); ours, not of the published protocol."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from shared.contract.base import Audience, Command, Event, JobId, Outgoing, Role
from shared.contract.run import RunMode, RunStatus, WorkflowStatusUpdate

WhichVersion = Literal["same", "newest"] | Annotated[int, Field(ge=1)]
"""The workflow that the run ran, the newest version of its preset, or the version of that number."""


class RerunWorkflow(Command, name="rerun", reply=WorkflowStatusUpdate, role=Role.RUNNER):
    """Do the run ``job_id`` again as a new run, named ``new_job_id`` or by the engine.

    With ``from_node_id`` only that node and what comes after it are done again; all other nodes keep their recorded
    results. Nodes of another version are matched by their ids. A kept node that is missing or was changed is a
    CONFLICT whose details list it; with ``rerun_changed`` it is done again as well. Without ``initial_payload``
    the run gets what the old one got. A runner may do again what he may start: versions of saved presets.
    """

    from_node_id: str | None = Field(default=None, min_length=1, max_length=80)
    version: WhichVersion = "same"
    initial_payload: Any = None
    mode: RunMode | None = None
    rerun_changed: bool = False
    of_unfinished: bool = False
    new_job_id: JobId | None = None


class ReplayedRun(Outgoing):
    """What becomes of one run: ``would_start``, ``started``, ``exists`` (it was done before) or ``refused``."""

    job_id: JobId
    outcome: Literal["would_start", "started", "exists", "refused"]
    new_job_id: JobId | None = None
    kept_nodes: int = 0
    reason: str | None = None


class RunReplay(Event, name="run_replay_response", audience=Audience.CALLER):
    """What a replay did, or would do; newest run first."""

    type: str = "run_replay_response"
    dry_run: bool
    matched: int
    startable: int
    refused: int
    runs: list[ReplayedRun]
    request_id: str | None = None


class ReplayRuns(Command, name="replay_runs", reply=RunReplay, role=Role.ADMIN):
    """Do many runs again. Without ``dry_run: false`` it only says what it would do.

    ``after`` and ``before`` bound the start time (Unix ms). The new runs' ids follow from the old run, the version
    and ``start_from``, so the same command again starts nothing twice. Reruns are not replayed themselves, and
    neither are runs of which a rerun succeeded or is still going.
    """

    status: Literal[RunStatus.FAILED, RunStatus.STOPPED, RunStatus.SUCCEEDED] = RunStatus.FAILED
    preset_name: str | None = Field(default=None, max_length=200)
    after: int | None = None
    before: int | None = None
    error_contains: str | None = Field(default=None, min_length=1, max_length=500)
    limit: int = Field(default=100, ge=1, le=500)
    version: WhichVersion = "newest"
    start_from: Literal["start", "failed"] = "start"
    rerun_changed: bool = False
    dry_run: bool = True
