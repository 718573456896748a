"""Commands of people who work on one saved workflow at the same time."""

from __future__ import annotations

from core_engine.commands.command import CommandContext, command
from core_engine.company import Guest
from core_engine.presets.names import clean_name
from shared.contract.base import Role
from shared.contract.company import LeavePreset, PresetCompany, PresetLeft, WatchPreset
from shared.contract.share_link import ShareLevel


@command(WatchPreset)
async def watch_preset(context: CommandContext, message: WatchPreset) -> PresetCompany:
    """Have a preset open, seen by the others who have."""
    caller, visit = context.caller, context.visit
    edits = context.role >= Role.ADMIN if visit is None else visit.grant.level is ShareLevel.EDIT
    guest = Guest(
        line=caller,
        deliver=caller.deliver,
        address=context.address,
        visitor=visit is not None,
        edits=edits,
        selected=tuple(message.selected),
        seat=message.seat,
    )
    return await context.rooms.company.watch(clean_name(message.preset), guest, lambda: not caller.gone)


@command(LeavePreset)
async def leave_preset(context: CommandContext, message: LeavePreset) -> PresetLeft:
    """Close a preset."""
    preset = clean_name(message.preset)
    context.rooms.company.leave(preset, context.caller)
    return PresetLeft(preset=preset)
