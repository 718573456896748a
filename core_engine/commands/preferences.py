"""Commands on the preferences, which the protocol calls settings."""

from __future__ import annotations

from core_engine.commands.command import CommandContext, command
from shared.contract.preferences import RequestSettings, SaveSettings, SettingsResponse


@command(RequestSettings)
async def request_settings(context: CommandContext, message: RequestSettings) -> SettingsResponse:  # noqa: ARG001
    """Read the preferences."""
    return SettingsResponse(settings=context.rooms.preferences.all())


@command(SaveSettings)
async def save_settings(context: CommandContext, message: SaveSettings) -> SettingsResponse:
    """Merge changes into the preferences."""
    await context.rooms.preferences.save(message.settings)
    return SettingsResponse(settings=context.rooms.preferences.all())
