"""Test files made from past runs."""

from __future__ import annotations

import json
import re
from typing import Any

from core_engine.commands.command import CommandContext, command
from core_engine.commands.seen import named_run, visible_run
from core_engine.workflow.failures import mask_value
from shared.contract.flow_test import FlowTestMade, MakeFlowTest
from shared.redact import MASK

_VARIABLE = re.compile(r"vars\.([A-Z0-9_]+)")


@command(MakeFlowTest)
async def make_flow_test(context: CommandContext, message: MakeFlowTest) -> FlowTestMade:
    """Make a test file from a run; who may read the run may have it."""
    made = await context.rooms.runs.flow_test(visible_run(context, named_run(message)))
    variables = _variables(context, made["workflow"])
    if variables:
        made["cases"][0]["variables"] = variables
    return FlowTestMade(flow_test=mask_value(made, context.rooms.variables.secrets()))


def _variables(context: CommandContext, workflow_data: dict[str, Any]) -> dict[str, Any]:
    """Return the variables that a workflow names; a secret one is masked, as it is in what came out."""
    names = sorted(set(_VARIABLE.findall(json.dumps(workflow_data))))
    found = {name: context.rooms.variables.get(name, context.address) for name in names}
    return {name: MASK if item.secret else item.value for name, item in found.items() if item}
