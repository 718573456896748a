"""Commands on the variables of workflows."""

from __future__ import annotations

from core_engine.commands.command import CommandContext, command
from shared.contract.variable import DeleteVariable, RequestVariables, UpdateVariable, VariablesList


@command(RequestVariables)
async def request_variables(context: CommandContext, message: RequestVariables) -> VariablesList:  # noqa: ARG001
    """List the variables, secret values left out."""
    return _listed(context)


@command(UpdateVariable)
async def update_variable(context: CommandContext, message: UpdateVariable) -> VariablesList:
    """Create or change a variable."""
    await context.rooms.variables.update(message.variable, message.data)
    return _listed(context)


@command(DeleteVariable)
async def delete_variable(context: CommandContext, message: DeleteVariable) -> VariablesList:
    """Delete a variable."""
    await context.rooms.variables.delete(message.variable)
    return _listed(context)


def _listed(context: CommandContext) -> VariablesList:
    return VariablesList(variables=context.rooms.variables.listing())
