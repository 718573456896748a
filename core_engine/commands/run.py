"""Commands on runs: start, stop, pause, resume, read, list and follow them."""

from __future__ import annotations

from typing import Any

import msgspec

from core_engine.commands.command import CommandContext, command
from core_engine.commands.pin import wanted_aids
from core_engine.commands.seen import named_run, visible_run
from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import Frame, StartRun
from core_engine.presets import SavedWorkflow
from core_engine.workflow.graph import canonical, workflow_hash
from shared.contract.base import Command, Role
from shared.contract.run import (
    ExecuteWorkflow,
    GetRun,
    ListRuns,
    PauseWorkflow,
    ResumeWorkflow,
    RunDetails,
    RunList,
    RunStatus,
    RunSubscribed,
    StopWorkflow,
    SubscribeRun,
)
from shared.contract.standalone import ExecuteStandaloneNode
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id

STANDALONE_NODE = "node"


@command(ExecuteWorkflow)
async def execute_workflow(context: CommandContext, message: ExecuteWorkflow) -> Frame:
    """Start a run; its events follow on the same connection."""
    saved = await _saved(context, message)
    workflow_data = saved.workflow_data if saved else message.workflow_data or {}
    preset_name = saved.name if saved else message.preset_name
    request = StartRun(
        run_id=message.job_id or new_id(),
        workflow_data=workflow_data,
        started_by=context.address,
        initial_payload=Payload.from_value(message.initial_payload),
        mode=message.mode,
        preset_name=preset_name,
        start_node_id=message.start_node_id or None,
        options=wanted_aids(context, message, preset_name, workflow_data),
        trace=context.traceparent,
        workflow_json=saved.workflow_json if saved else None,
    )
    context.hold(request.run_id)
    runs, follows = context.rooms.runs, context.caller.follows
    try:
        return await runs.start(request, follows)
    except FloworkError:
        earlier = await _workflow_of_earlier(context, request) if saved and message.job_id else None
        if earlier is None:
            raise
        return await runs.start(
            msgspec.structs.replace(request, workflow_data=earlier, workflow_json=None), follows
        )


@command(ExecuteStandaloneNode)
async def execute_standalone_node(context: CommandContext, message: ExecuteStandaloneNode) -> Frame:
    """Run one component by itself."""
    node = message.node_data
    step = {
        "id": STANDALONE_NODE,
        "name": node.module_id,
        "module_id": node.module_id,
        "config_values": node.config_values,
    }
    request = StartRun(
        run_id=message.job_id or new_id(),
        workflow_data={"nodes": [step], "connections": []},
        started_by=context.address,
        initial_payload=Payload.from_value(message.initial_payload),
        mode=message.mode,
        trace=context.traceparent,
    )
    context.hold(request.run_id)
    return await context.rooms.runs.start(request, context.caller.follows)


@command(StopWorkflow)
async def stop_workflow(context: CommandContext, message: StopWorkflow) -> Frame:
    """Stop a run."""
    run_id = await _steered(context, message, (RunStatus.RUNNING, RunStatus.PAUSED))
    context.hold(run_id)
    return await context.rooms.runs.stop(run_id, context.address)


@command(PauseWorkflow)
async def pause_workflow(context: CommandContext, message: PauseWorkflow) -> Frame:
    """Pause a run."""
    run_id = await _steered(context, message, (RunStatus.RUNNING, RunStatus.PAUSED))
    context.hold(run_id)
    return await context.rooms.runs.pause(run_id, context.address)


@command(ResumeWorkflow)
async def resume_workflow(context: CommandContext, message: ResumeWorkflow) -> Frame:
    """Let a paused run go on."""
    run_id = await _steered(context, message, (RunStatus.PAUSED, RunStatus.RUNNING))
    context.hold(run_id)
    return await context.rooms.runs.resume(run_id, context.address)


@command(GetRun, at_once=True)
async def get_run(context: CommandContext, message: GetRun) -> RunDetails:
    """Read one run."""
    return await context.rooms.runs.details(visible_run(context, named_run(message)), message.round)


@command(ListRuns)
async def list_runs(context: CommandContext, message: ListRuns) -> RunList:
    """List the runs the caller may see."""
    parent = message.parent_job_id
    runs = await context.rooms.runs.listing(
        started_by=None if context.role >= Role.ADMIN else context.address,
        status=message.status,
        before=message.before,
        limit=message.limit,
        parent=parent and visible_run(context, parent),
        preset=message.preset_name,
        after_item=message.after_item if parent else None,
    )
    return RunList(runs=runs)


@command(SubscribeRun)
async def subscribe_run(context: CommandContext, message: SubscribeRun) -> None:
    """Follow a run from just after an event; the answer stands before the events."""
    run_id = visible_run(context, named_run(message))
    follows = context.caller.follows
    follows.restart(run_id, message.after_seq)
    context.answer(RunSubscribed(job_id=run_id, from_seq=message.after_seq + 1))
    pace, children = context.caller.pace, message.include_children
    unsubscribe = await context.rooms.runs.subscribe(
        run_id, follows, message.after_seq, pace, include_children=children
    )
    follows.ends_with(run_id, unsubscribe)


async def _saved(context: CommandContext, message: ExecuteWorkflow) -> SavedWorkflow | None:
    """Return the saved workflow that is meant; None where the message has one in it."""
    if message.workflow_data is not None:
        if context.role < Role.ADMIN:
            raise FloworkError(
                ErrorCode.FORBIDDEN,
                "A runner may only run workflows that were saved; workflow_data needs the role admin or owner.",
                details={"required_role": "admin"},
            )
        return None
    if not message.preset_name:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST,
            "execute_workflow needs workflow_data, or the preset_name of a saved workflow.",
            details=[{"field": "workflow_data", "problem": "Field required"}],
        )
    return await context.rooms.presets.runnable(message.preset_name)


async def _workflow_of_earlier(context: CommandContext, refused: StartRun) -> dict[str, Any] | None:
    """Return the version that a run of this id was started with: sent again, a start means that one."""
    try:
        run = context.rooms.runs.summary(refused.run_id)
    except FloworkError as error:
        if error.code is not ErrorCode.NOT_FOUND:
            raise
        return None
    if refused.preset_name is None or run.preset_name != refused.preset_name:
        return None
    workflows = await context.rooms.presets.workflows(refused.preset_name)
    same = (data for data in workflows if workflow_hash(canonical(data)) == run.workflow_hash)
    return next(same, None)


async def _steered(context: CommandContext, message: Command, statuses: tuple[RunStatus, ...]) -> str:
    """Return the run that is meant: the named one, else the caller's newest in the first status that fits."""
    if message.job_id is not None:
        return visible_run(context, message.job_id)
    for status in statuses:
        newest = await context.rooms.runs.listing(
            started_by=context.address, status=status, before=None, limit=1
        )
        if newest:
            return newest[0].job_id
    raise FloworkError(ErrorCode.NOT_FOUND, "You have no unfinished run.")
