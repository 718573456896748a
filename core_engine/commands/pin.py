"""Commands on pins, and the aids that a start asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core_engine.commands.command import CommandContext, command
from core_engine.commands.seen import visible_run
from core_engine.presets.pins import check_size
from core_engine.workflow.aids import Pin, aids_option
from core_engine.workflow.failures import mask_value
from shared.contract.base import Role
from shared.contract.pin import ListPins, PinData, PinsList, StoredPin
from shared.contract.run import ExecuteWorkflow
from shared.errors import ErrorCode, FloworkError


@command(PinData)
async def pin_data(context: CommandContext, message: PinData) -> PinsList:
    """Store or take away a node's result for test runs."""
    saved = await context.rooms.presets.runnable(message.preset)
    pins = context.rooms.pins
    if message.clear:
        await pins.clear(saved.name, message.node_id)
        return _listed(context, saved.name)
    node_id = message.node_id or ""
    if node_id not in _node_ids(saved.workflow_data):
        raise FloworkError(ErrorCode.NOT_FOUND, f"The preset {saved.name!r} has no node {node_id}.")
    outputs: Mapping[str, Any] | None = message.outputs
    if outputs is None:
        source = visible_run(context, message.from_job_id or "")
        outputs = await context.rooms.runs.recorded(source, node_id)
    await pins.put(saved.name, node_id, outputs, by=context.address, source=message.from_job_id)
    return _listed(context, saved.name)


@command(ListPins)
async def list_pins(context: CommandContext, message: ListPins) -> PinsList:
    """List the pins of a preset."""
    return _listed(context, (await context.rooms.presets.runnable(message.preset)).name)


def wanted_aids(
    context: CommandContext, message: ExecuteWorkflow, preset_name: str | None, workflow_data: dict[str, Any]
) -> dict[str, Any] | None:
    """Return the options for the pins and breakpoints of a start; FORBIDDEN for those who may not have them.

    A pin stands in for a step, an approval included, so it takes the right to run any workflow.
    """
    if not (message.pins or message.use_pins or message.breakpoints):
        return None
    if context.role < Role.ADMIN:
        raise FloworkError(
            ErrorCode.FORBIDDEN,
            "Pins and breakpoints at the start of a run need the role admin or owner.",
            details={"required_role": "admin"},
        )
    outputs: dict[str, Mapping[str, Any]] = {}
    if message.use_pins and preset_name:
        there = _node_ids(workflow_data)
        stored = context.rooms.pins.of(preset_name)
        outputs |= {node: pin.outputs for node, pin in stored.items() if node in there}
    outputs |= message.pins
    check_size(len(outputs), len(msgspec.json.encode(outputs)))
    return aids_option({node: Pin.read(given) for node, given in outputs.items()}, message.breakpoints)


def _node_ids(workflow_data: dict[str, Any]) -> set[Any]:
    nodes = workflow_data.get("nodes")
    items = nodes if isinstance(nodes, list) else []
    return {node["id"] for node in items if isinstance(node, dict) and isinstance(node.get("id"), str)}


def _listed(context: CommandContext, preset: str) -> PinsList:
    hidden = context.rooms.variables.secrets()
    pins = [
        StoredPin(
            node_id=node_id,
            outputs=mask_value(pin.outputs, hidden),
            from_job_id=pin.source,
            pinned_by=pin.by,
            pinned_at=pin.at,
        )
        for node_id, pin in sorted(context.rooms.pins.of(preset).items())
    ]
    return PinsList(preset=preset, pins=pins)
