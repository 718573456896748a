"""Saved workflows over REST."""

from __future__ import annotations

from typing import Any

from core_engine.presets import PresetService
from core_engine.rest.exchange import RestAnswer, RestCaller
from core_engine.rest.router import answers
from shared.contract.preset import PresetItem
from shared.contract.proxied import (
    DELETE_PRESET,
    GET_PRESET,
    LIST_PRESETS,
    PRESET_EXISTS,
    PRESET_VERSION,
    PRESET_VERSIONS,
    SAVE_PRESET,
)
from shared.contract.proxy import Done, PresetExists, PresetVersionItem, SavePresetBody
from shared.errors import ErrorCode, FloworkError


class PresetResource:
    """Answers what the presets are. A save carries its author's signature, so nobody else can invent a workflow."""

    def __init__(self, presets: PresetService) -> None:
        self._presets = presets

    @answers(LIST_PRESETS)
    async def listing(self) -> list[PresetItem]:
        """List them, by name."""
        return await self._presets.listing()

    @answers(SAVE_PRESET)
    async def save(self, caller: RestCaller, body: SavePresetBody) -> Done:
        """Append a version."""
        await self._presets.save(
            body.preset, body.workflow_data, body.signature, by=caller.address, based_on=body.based_on
        )
        return Done(message=f"Preset {body.preset} was saved.")

    @answers(GET_PRESET)
    async def load(self, preset: str) -> dict[str, Any]:
        """Return the newest version's workflow."""
        return (await self._presets.load(preset)).workflow_data

    @answers(DELETE_PRESET)
    async def delete(self, preset: str) -> RestAnswer:
        """Delete a preset that no unfinished run uses."""
        await self._presets.delete(preset)
        return RestAnswer(204)

    @answers(PRESET_EXISTS)
    async def exists(self, preset: str) -> PresetExists:
        """Tell whether there is one of that name."""
        try:
            await self._presets.versions(preset)
        except FloworkError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            return PresetExists(exists=False)
        return PresetExists(exists=True)

    @answers(PRESET_VERSIONS)
    async def versions(self, preset: str) -> list[PresetVersionItem]:
        """List the versions, newest first."""
        found = await self._presets.versions(preset)
        return [
            PresetVersionItem(id=str(item.version), version=f"v{item.version}", timestamp=item.timestamp)
            for item in found.versions
        ]

    @answers(PRESET_VERSION)
    async def version(self, preset: str, version: str) -> dict[str, Any]:
        """Return one version's workflow; ``version`` is its number, with or without a ``v``."""
        number = version.removeprefix("v")
        if not (number.isascii() and number.isdecimal()) or len(number) > 9:
            raise FloworkError(ErrorCode.NOT_FOUND, f"The preset {preset!r} has no version {version[:40]!r}.")
        return (await self._presets.load(preset, int(number))).workflow_data
