"""Commands on workflows as such: checking one without running it."""

from __future__ import annotations

from core_engine.commands.command import CommandContext, command
from shared.contract.workflow import ValidateWorkflow, WorkflowValidation


@command(ValidateWorkflow)
async def validate_workflow(context: CommandContext, message: ValidateWorkflow) -> WorkflowValidation:
    """List every problem of a workflow; of one without, what keeps it from running on this machine as things are."""
    runs = context.rooms.runs
    problems = runs.validate(message.workflow_data) or runs.unready(message.workflow_data)
    return WorkflowValidation(valid=not problems, problems=problems)
