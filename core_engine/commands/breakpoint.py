"""Commands on breakpoints: where the data of a run stops, and letting it go on."""

from __future__ import annotations

from core_engine.commands.command import CommandContext, command
from core_engine.commands.seen import named_run, visible_run
from shared.contract.breakpoint import ContinueRun, SetBreakpoints, StepRun
from shared.contract.run import RunDetails


@command(SetBreakpoints)
async def set_breakpoints(context: CommandContext, message: SetBreakpoints) -> RunDetails:
    """Say where the data of a run stops."""
    run_id = visible_run(context, named_run(message))
    names, by = message.connections, context.address
    return await context.rooms.runs.debug(run_id, lambda run: run.set_breakpoints(names, by))


@command(ContinueRun)
async def continue_run(context: CommandContext, message: ContinueRun) -> RunDetails:
    """Let data go on."""
    run_id = visible_run(context, named_run(message))
    name, by = message.connection_id, context.address
    return await context.rooms.runs.debug(run_id, lambda run: run.let_pass(name, by, step=False))


@command(StepRun)
async def step_run(context: CommandContext, message: StepRun) -> RunDetails:
    """Let data go on to the next connections."""
    run_id, by = visible_run(context, named_run(message)), context.address
    return await context.rooms.runs.debug(run_id, lambda run: run.let_pass(None, by, step=True))
