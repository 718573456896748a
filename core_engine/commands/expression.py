"""What an expression gives, for whoever edits a step."""

from __future__ import annotations

from typing import Any

from core_engine.commands.command import CommandContext, command
from core_engine.commands.seen import visible_run
from core_engine.kernel.preview import GivenResult, PreviewWish
from shared.contract.expression import ExpressionPreview, PreviewExpression
from shared.contract.variable import Variable
from shared.redact import MASK


@command(PreviewExpression)
async def preview_expression(context: CommandContext, message: PreviewExpression) -> ExpressionPreview:
    """Work a text out with the data of a run that the caller may see."""
    component = context.rooms.registry.find(message.module_id or "")
    if component is not None and message.field in component.raw_fields:
        return ExpressionPreview(kind="own")
    variables = context.rooms.variables
    wish = PreviewWish(
        text=message.text,
        run_id=visible_run(context, message.job_id) if message.job_id else None,
        node_id=message.node_id,
        inputs=[(item.node_id, item.port) for item in message.inputs],
        results=[GivenResult(item.node_id, item.name, item.outputs) for item in message.results],
        variables={item.name: _value(item) for item in variables.listing() if item.is_enabled},
        hidden=variables.secrets(),
    )
    return await context.rooms.runs.preview(wish)


def _value(variable: Variable) -> Any:
    """Return what a variable stands for; one with several values shows its first and hands out none."""
    if variable.is_secret:
        return MASK
    several = variable.mode != "single" and isinstance(variable.value, list) and variable.value
    return variable.value[0] if several else variable.value
