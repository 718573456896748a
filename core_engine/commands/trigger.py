"""Commands on trigger rules: list, change and fire them, and look ahead at the schedule."""

from __future__ import annotations

from core_engine.commands.command import CommandContext, command
from shared.contract.trigger import (
    DeleteTrigger,
    DisableTrigger,
    EnableTrigger,
    FireTrigger,
    ListTriggers,
    SaveTrigger,
    SchedulePreview,
    SchedulePreviewed,
    TriggerFired,
    TriggerSaved,
    TriggersList,
)


@command(ListTriggers)
async def list_triggers(context: CommandContext, message: ListTriggers) -> TriggersList:
    """List the rules."""
    return TriggersList(rules=context.rooms.triggers.listing(message.preset_name))


@command(SaveTrigger)
async def save_trigger(context: CommandContext, message: SaveTrigger) -> TriggerSaved:
    """Make or replace a rule."""
    return TriggerSaved(rule=await context.rooms.triggers.save(message, context.address))


@command(DeleteTrigger)
async def delete_trigger(context: CommandContext, message: DeleteTrigger) -> TriggersList:
    """Delete a rule."""
    await context.rooms.triggers.delete(message.rule_id)
    return TriggersList(rules=context.rooms.triggers.listing())


@command(EnableTrigger)
async def enable_trigger(context: CommandContext, message: EnableTrigger) -> TriggerSaved:
    """Switch a rule on."""
    return TriggerSaved(rule=await context.rooms.triggers.switch(message.rule_id, on=True))


@command(DisableTrigger)
async def disable_trigger(context: CommandContext, message: DisableTrigger) -> TriggerSaved:
    """Switch a rule off."""
    return TriggerSaved(rule=await context.rooms.triggers.switch(message.rule_id, on=False))


@command(FireTrigger)
async def fire_trigger(context: CommandContext, message: FireTrigger) -> TriggerFired:
    """Fire a rule by hand."""
    verdict = await context.rooms.triggers.fire_by_hand(message.rule_id, message.event, context.address)
    return TriggerFired(rule_id=message.rule_id, outcome=verdict.outcome.value, run_id=verdict.run_id)


@command(SchedulePreview)
async def schedule_preview(context: CommandContext, message: SchedulePreview) -> SchedulePreviewed:
    """Tell what starts next by time."""
    starts = context.rooms.triggers.preview(message.from_ms, message.until_ms, message.limit)
    return SchedulePreviewed(starts=starts)
