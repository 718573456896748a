"""Which run a command means, and whether its caller may see that run."""

from __future__ import annotations

from core_engine.commands.command import CommandContext
from shared.contract.base import Command, Role
from shared.errors import ErrorCode, FloworkError
from shared.ids import same_address


def named_run(message: Command) -> str:
    """Return the job id that a command must carry; raises INVALID_REQUEST without one."""
    if message.job_id is None:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST,
            f"{message.name} needs a job_id.",
            details=[{"field": "job_id", "problem": "Field required"}],
        )
    return message.job_id


def visible_run(context: CommandContext, run_id: str) -> str:
    """Return the id of a run the caller may see; one of somebody else's does not exist for the others."""
    starter = context.rooms.runs.starter(run_id)
    if starter and (context.role >= Role.ADMIN or same_address(starter, context.address)):
        return run_id
    raise FloworkError(ErrorCode.NOT_FOUND, f"There is no run {run_id}.")
