"""Commands that do runs again."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from msgspec.structs import replace

from core_engine.commands.command import CommandContext, command
from core_engine.commands.seen import named_run, visible_run
from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import Frame, Rerun, StartRun
from core_engine.workflow.graph import canonical, workflow_hash
from shared.contract.base import Role
from shared.contract.rerun import ReplayedRun, ReplayRuns, RerunWorkflow, RunReplay, WhichVersion
from shared.contract.run import RunSummary
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id

AT_ONCE = 8
LONGEST_CHAIN = 1000
_Versions = dict[str | None, dict[str, Any] | None]
"""The workflow that is meant by preset, so that a replay checks each preset once."""


@command(RerunWorkflow)
async def rerun(context: CommandContext, message: RerunWorkflow) -> Frame:
    """Do a run again; the new run's events follow on the same connection."""
    run_id = visible_run(context, named_run(message))
    run = context.rooms.runs.summary(run_id)
    workflow_data = await _workflow(context, run, message.version)
    given = message.initial_payload
    wish = Rerun(
        run_id=run_id,
        new_run_id=message.new_job_id or new_id(),
        by=context.address,
        workflow_data=workflow_data,
        from_nodes=(message.from_node_id,) if message.from_node_id else (),
        rerun_changed=message.rerun_changed,
        of_unfinished=message.of_unfinished,
        initial_payload=None if given is None else Payload.from_value(given),
        mode=message.mode,
    )
    request = replace(await context.rooms.runs.rerun_request(wish), trace=context.traceparent)
    context.hold(request.run_id)
    return await context.rooms.runs.start(request, context.caller.follows)


@command(ReplayRuns)
async def replay_runs(context: CommandContext, message: ReplayRuns) -> RunReplay:
    """Do many runs again, or say what that would do."""
    found = await context.rooms.runs.listing(
        started_by=None,
        status=message.status,
        before=message.before,
        limit=message.limit,
        preset=message.preset_name,
        after=message.after,
        error=message.error_contains,
    )
    reruns = await asyncio.to_thread(context.rooms.runs.reruns)
    turns = asyncio.Semaphore(AT_ONCE)
    versions: _Versions = {}

    async def take(run: RunSummary) -> ReplayedRun:
        async with turns:
            return await _replay(context, message, run, reruns, versions)

    runs = await asyncio.gather(*(take(run) for run in found))
    return RunReplay(
        dry_run=message.dry_run,
        matched=len(runs),
        startable=sum(run.outcome in {"would_start", "started"} for run in runs),
        refused=sum(run.outcome == "refused" for run in runs),
        runs=runs,
    )


async def _replay(
    context: CommandContext,
    message: ReplayRuns,
    run: RunSummary,
    reruns: dict[str, list[RunSummary]],
    versions: _Versions,
) -> ReplayedRun:
    reason = _why_left(run, reruns)
    if reason:
        return ReplayedRun(job_id=run.job_id, outcome="refused", reason=reason)
    runs = context.rooms.runs
    try:
        request = await _replay_request(context, message, run, versions)
        known = {item.job_id for item in reruns.get(run.job_id, ())}
        facts = {"job_id": run.job_id, "new_job_id": request.run_id, "kept_nodes": len(request.seeds)}
        if request.run_id in known:
            return ReplayedRun(outcome="exists", **facts)
        if message.dry_run:
            return ReplayedRun(outcome="would_start", **facts)
        await runs.start(request)
    except FloworkError as error:
        return ReplayedRun(job_id=run.job_id, outcome="refused", reason=error.message)
    return ReplayedRun(outcome="started", **facts)


async def _replay_request(
    context: CommandContext, message: ReplayRuns, run: RunSummary, versions: _Versions
) -> StartRun:
    if run.preset_name not in versions:
        versions[run.preset_name] = await _workflow(context, run, message.version)
    data = versions[run.preset_name]
    target = run.workflow_hash if data is None else workflow_hash(canonical(data))
    words = f"replay\n{run.job_id}\n{target}\n{message.start_from}"
    wish = Rerun(
        run_id=run.job_id,
        new_run_id=f"replay-{hashlib.sha256(words.encode()).hexdigest()[:32]}",
        by=context.address,
        workflow_data=data,
        from_failed=message.start_from == "failed",
        rerun_changed=message.rerun_changed,
    )
    request = await context.rooms.runs.rerun_request(wish)
    problems = context.rooms.runs.validate(request.workflow_data)
    if problems:
        raise FloworkError(ErrorCode.INVALID_WORKFLOW, f"The workflow cannot run: {problems[0].problem}")
    return request


def _why_left(run: RunSummary, reruns: dict[str, list[RunSummary]]) -> str | None:
    """Return why a run is not replayed, whatever its workflow is."""
    if run.origin.startswith("rerun:"):
        return "It is a rerun itself; the run it does again is replayed instead."
    later, seen = list(reruns.get(run.job_id, ())), {run.job_id}
    while later and len(seen) < LONGEST_CHAIN:
        again = later.pop()
        if again.status.value == "SUCCEEDED":
            return f"Its rerun {again.job_id} succeeded."
        if not again.status.final:
            return f"Its rerun {again.job_id} has not ended."
        if again.job_id not in seen:
            seen.add(again.job_id)
            later += reruns.get(again.job_id, ())
    return None


async def _workflow(context: CommandContext, run: RunSummary, version: WhichVersion) -> dict[str, Any] | None:
    """Return the workflow that is meant, None for the one that the run ran; refuses what may not be started."""
    presets, name = context.rooms.presets, run.preset_name
    if version == "same":
        if context.role < Role.ADMIN and not (name and await _is_saved(context, name, run.workflow_hash)):
            raise FloworkError(
                ErrorCode.FORBIDDEN,
                "A runner may only do runs of saved workflows again; others need the role admin or owner.",
                details={"required_role": "admin"},
            )
        return None
    if name is None:
        message = f"Run {run.job_id} was started from no preset: only the version it ran can be done again."
        raise FloworkError(ErrorCode.INVALID_REQUEST, message)
    if version == "newest":
        return (await presets.runnable(name)).workflow_data
    return (await presets.load(name, version)).workflow_data


async def _is_saved(context: CommandContext, name: str, wanted: str) -> bool:
    try:
        workflows = await context.rooms.presets.workflows(name)
    except FloworkError as error:
        if error.code is not ErrorCode.NOT_FOUND:
            raise
        return False
    return any(workflow_hash(canonical(data)) == wanted for data in workflows)
