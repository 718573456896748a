"""What went along the connections of runs."""

from __future__ import annotations

from core_engine.commands.command import CommandContext, command
from core_engine.commands.seen import named_run, visible_run
from core_engine.workflow.failures import mask_value
from shared.contract.history import ConnectionHistory, PassedPayload, RequestConnectionHistory


@command(RequestConnectionHistory)
async def request_connection_history(
    context: CommandContext, message: RequestConnectionHistory
) -> ConnectionHistory:
    """Read the payloads of a connection; who may read the run may read them."""
    run_id = visible_run(context, named_run(message))
    payloads = await context.rooms.runs.connection_history(run_id, message.connection_id)
    hidden = context.rooms.variables.secrets()
    history = [PassedPayload(**mask_value(payload, hidden)) for payload in payloads]
    return ConnectionHistory(job_id=run_id, connection_id=message.connection_id, history=history)
