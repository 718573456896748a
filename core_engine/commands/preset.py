"""Commands on presets: saved workflows and their versions."""

from __future__ import annotations

from core_engine.commands.command import CommandContext, command
from core_engine.presets.names import clean_name
from shared.contract.preset import (
    DeletePreset,
    DiffPresetVersions,
    ListPresetVersions,
    LoadedPreset,
    LoadPreset,
    PresetDiff,
    PresetsList,
    PresetVersions,
    RequestPresetsList,
    RestorePresetVersion,
    SavePreset,
)


@command(RequestPresetsList)
async def request_presets_list(context: CommandContext, message: RequestPresetsList) -> PresetsList:  # noqa: ARG001
    """List the saved workflows."""
    return await _listed(context)


@command(LoadPreset)
async def load_preset(context: CommandContext, message: LoadPreset) -> LoadedPreset:
    """Read one version of a preset."""
    return await context.rooms.presets.load(message.preset, message.version, message.owner_id)


@command(SavePreset)
async def save_preset(context: CommandContext, message: SavePreset) -> PresetsList:
    """Append a version that the caller has signed."""
    await context.rooms.presets.save(
        message.preset,
        message.workflow_data,
        message.signature,
        by=context.address,
        based_on=message.based_on,
    )
    return await _listed(context)


@command(DeletePreset)
async def delete_preset(context: CommandContext, message: DeletePreset) -> PresetsList:
    """Delete a preset that no unfinished run uses."""
    await context.rooms.presets.delete(message.preset)
    await context.rooms.pins.clear(clean_name(message.preset))
    return await _listed(context)


@command(ListPresetVersions)
async def list_preset_versions(context: CommandContext, message: ListPresetVersions) -> PresetVersions:
    """List a preset's versions."""
    return await context.rooms.presets.versions(message.preset)


@command(DiffPresetVersions)
async def diff_preset_versions(context: CommandContext, message: DiffPresetVersions) -> PresetDiff:
    """Compare two versions of a preset."""
    return await context.rooms.presets.diff(message.preset, message.from_version, message.to_version)


@command(RestorePresetVersion)
async def restore_preset_version(context: CommandContext, message: RestorePresetVersion) -> LoadedPreset:
    """Append an old version as the newest."""
    return await context.rooms.presets.restore(message.preset, message.version, by=context.address)


async def _listed(context: CommandContext) -> PresetsList:
    presets = await context.rooms.presets.listing()
    if context.visit is not None:
        presets = [item for item in presets if item.name == context.visit.preset]
    return PresetsList(presets=presets)
