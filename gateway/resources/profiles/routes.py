"""The REST shape of profiles and of what pages keep (protocol §1.2)."""

from __future__ import annotations

from typing import Any

from gateway.context import Context
from gateway.resources.profiles.documents import PREFERENCES, Documents
from gateway.resources.profiles.removal import Removal
from gateway.resources.profiles.service import Profiles
from gateway.web.routing import route
from shared.contract import profile as p
from shared.contract.proxy import Done, PreferencesBody


class Routes:
    """Answers the operations about a user's own things."""

    def __init__(self, context: Context) -> None:
        self._profiles = Profiles(context.database, context.clock, context.names)
        self._documents = Documents(context.database, context.clock)
        self._removal = Removal(context)

    @route(p.PUT_PROFILE)
    def put_profile(self, caller: str, body: p.ProfileBody) -> p.ProfileChanged:
        """Change the profile."""
        return self._changed(caller, body)

    @route(p.PATCH_PROFILE)
    def patch_profile(self, caller: str, body: p.ProfileBody) -> p.ProfileChanged:
        """Change the profile."""
        return self._changed(caller, body)

    @route(p.PUBLIC_PROFILE)
    def public_profile(self, identifier: str) -> p.PublicProfile:
        """Show a profile to anybody."""
        return self._profiles.public(identifier)

    @route(p.DELETE_ACCOUNT)
    def delete_account(self, caller: str, body: p.DeleteAccountBody) -> p.AccountDeleted:
        """Delete the account."""
        return self._removal.remove(caller, body.confirm, forfeit=body.forfeit)

    @route(p.GET_PREFERENCES)
    def get_preferences(self, caller: str) -> dict[str, Any]:
        """Return the preferences."""
        return self._documents.get(caller, PREFERENCES) or {}

    @route(p.PATCH_PREFERENCES)
    def patch_preferences(self, caller: str, body: PreferencesBody) -> p.PreferencesChanged:
        """Merge preferences."""
        merged = self._documents.merge_preferences(caller, body.model_extra or {})
        return p.PreferencesChanged(message="The preferences were saved.", preferences=merged)

    @route(p.GET_FAVORITE_PRESETS)
    def get_favorite_presets(self, caller: str) -> list[str]:
        """Return the favourite workflows."""
        return self._documents.get(caller, "favorite_presets") or []

    @route(p.PUT_FAVORITE_PRESETS)
    def put_favorite_presets(self, caller: str, body: p.FavoritesBody) -> Done:
        """Replace the favourite workflows."""
        return self._saved(caller, "favorite_presets", body.root)

    @route(p.GET_FAVORITE_COMPONENTS)
    def get_favorite_components(self, caller: str) -> list[str]:
        """Return the favourite components."""
        return self._documents.get(caller, "favorite_components") or []

    @route(p.PUT_FAVORITE_COMPONENTS)
    def put_favorite_components(self, caller: str, body: p.FavoritesBody) -> Done:
        """Replace the favourite components."""
        return self._saved(caller, "favorite_components", body.root)

    @route(p.GET_ACTIVE_WIDGETS)
    def get_active_widgets(self, caller: str) -> list[dict[str, Any]]:
        """Return the widgets."""
        return self._documents.get(caller, "active_widgets") or []

    @route(p.PUT_ACTIVE_WIDGETS)
    def put_active_widgets(self, caller: str, body: p.WidgetsBody) -> Done:
        """Replace the widgets."""
        return self._saved(caller, "active_widgets", body.root)

    def _changed(self, caller: str, body: p.ProfileBody) -> p.ProfileChanged:
        return p.ProfileChanged(message="The profile was saved.", user=self._profiles.change(caller, body))

    def _saved(self, caller: str, kind: str, value: Any) -> Done:
        self._documents.put(caller, kind, value)
        return Done(message="Saved.")
