"""Presets: saved workflows as a chain of signed versions (protocol §4.1, §7.1)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shared.contract.base import Address, Audience, Command, Event, Outgoing, Role

PresetName = Annotated[str, StringConstraints(min_length=1, max_length=120)]


class PresetItem(Outgoing):
    """A preset in a list; ``updated_at`` is ISO 8601 in UTC."""

    id: str
    name: str
    version: int
    updated_at: str
    author_id: str
    intact: bool


class PresetsList(
    Event, name="presets_list_response", relay="response_presets_list", audience=Audience.CALLER
):
    """The presets the caller may use, by name."""

    type: str = "presets_list_response"
    presets: list[PresetItem]
    request_id: str | None = None


class RequestPresetsList(Command, name="request_presets_list", reply=PresetsList, role=Role.READER):
    """List the saved workflows."""


class LoadedPreset(
    Event, name="load_preset_response", relay="response_load_preset", audience=Audience.CALLER
):
    """One version of a preset. ``signature`` is the author's, over the canonical JSON of the workflow."""

    type: str = "load_preset_response"
    preset: str = Field(alias="name")
    workflow_data: dict[str, Any]
    version: int
    author_id: str
    timestamp: str
    version_hash: str
    signature: str | None
    request_id: str | None = None


class LoadPreset(Command, name="load_preset", reply=LoadedPreset, role=Role.READER):
    """Read a preset, its newest version or the given one. ``owner_id`` may name the owner of a shared engine."""

    preset: PresetName = Field(alias="name")
    owner_id: Address | None = None
    version: int | None = Field(default=None, ge=1)


class SavePreset(Command, name="save_preset", reply=PresetsList, role=Role.ADMIN):
    """Append a version. ``signature`` signs the canonical JSON of ``{"workflow_data": …}`` (protocol §2.6).

    ``based_on`` is the version the edit started from; when another was saved since, the answer is CONFLICT.
    """

    preset: PresetName = Field(alias="name")
    workflow_data: dict[str, Any]
    signature: str = Field(max_length=132)
    based_on: int | None = Field(default=None, ge=0)


class DeletePreset(Command, name="delete_preset", reply=PresetsList, role=Role.ADMIN):
    """Delete a preset with its versions; refused while an unfinished run uses one of them."""

    preset: PresetName = Field(alias="name")


class PresetVersion(Outgoing):
    """One link of a preset's chain."""

    version: int
    timestamp: str
    author_id: str
    version_hash: str
    previous_hash: str | None
    signed: bool
    restored_from: int | None = None


class PresetVersions(Event, name="preset_versions_response", audience=Audience.CALLER):
    """A preset's versions, newest first; ``intact`` tells whether the chain verifies."""

    type: str = "preset_versions_response"
    preset: str = Field(alias="name")
    versions: list[PresetVersion]
    intact: bool
    problem: str | None = None
    request_id: str | None = None


class ListPresetVersions(Command, name="list_preset_versions", reply=PresetVersions, role=Role.READER):
    """List a preset's versions."""

    preset: PresetName = Field(alias="name")


class PresetChange(Outgoing):
    """One difference: what changed, where (a JSON pointer), and both values."""

    kind: Literal["added", "removed", "changed"]
    subject: Literal["node", "connection", "setting"]
    id: str
    path: str
    before: Any = None
    after: Any = None


class PresetDiff(Event, name="preset_diff_response", audience=Audience.CALLER):
    """What changed between two versions."""

    type: str = "preset_diff_response"
    preset: str = Field(alias="name")
    from_version: int
    to_version: int
    changes: list[PresetChange]
    request_id: str | None = None


class DiffPresetVersions(Command, name="diff_preset_versions", reply=PresetDiff, role=Role.READER):
    """Compare two versions of a preset node by node and field by field."""

    preset: PresetName = Field(alias="name")
    from_version: int = Field(ge=1)
    to_version: int = Field(ge=1)


class RestorePresetVersion(Command, name="restore_preset_version", reply=LoadedPreset, role=Role.ADMIN):
    """Append an old version as the newest; its author's signature goes with it."""

    preset: PresetName = Field(alias="name")
    version: int = Field(ge=1)
