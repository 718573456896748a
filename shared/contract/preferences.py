"""The engine's preferences, called settings on the wire (protocol §4.1, §7.2)."""

from __future__ import annotations

from typing import Any

from shared.contract.base import Audience, Command, Event, Role


class SettingsResponse(Event, name="settings_response", relay="settings_response", audience=Audience.CALLER):
    """All preferences."""

    type: str = "settings_response"
    settings: dict[str, Any]
    request_id: str | None = None


class RequestSettings(Command, name="request_settings", reply=SettingsResponse, role=Role.READER):
    """Read the preferences."""


class SaveSettings(Command, name="save_settings", reply=SettingsResponse, role=Role.ADMIN):
    """Merge the given preferences into the stored ones."""

    settings: dict[str, Any]
