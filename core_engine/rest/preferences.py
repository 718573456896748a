"""The engine's preferences over REST."""

from __future__ import annotations

from typing import Any

from core_engine.preferences import PreferenceService
from core_engine.rest.router import answers
from shared.contract.proxied import GET_SETTINGS, PATCH_SETTINGS
from shared.contract.proxy import PreferencesBody


class PreferenceResource:
    """Answers what the preferences are."""

    def __init__(self, preferences: PreferenceService) -> None:
        self._preferences = preferences

    @answers(GET_SETTINGS)
    async def all(self) -> dict[str, Any]:
        """Return all of them."""
        return self._preferences.all()

    @answers(PATCH_SETTINGS)
    async def merge(self, body: PreferencesBody) -> dict[str, Any]:
        """Merge changes; return all."""
        await self._preferences.save(body.model_extra or {})
        return self._preferences.all()
