"""What an engine keeps for its users, as the client reads and changes it: saved workflows and variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from shared.contract.base import Command, Outgoing
from shared.contract.preset import (
    DeletePreset,
    DiffPresetVersions,
    ListPresetVersions,
    LoadedPreset,
    LoadPreset,
    PresetDiff,
    PresetItem,
    PresetsList,
    PresetVersions,
    RequestPresetsList,
    RestorePresetVersion,
    SavePreset,
)
from shared.contract.variable import (
    DeleteVariable,
    RequestVariables,
    UpdateVariable,
    Variable,
    VariableData,
    VariableMode,
    VariableName,
    VariablesList,
)
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import Signer
from shared.signing.presets import sign_preset

Reply = TypeVar("Reply", bound=Outgoing)
_NAME: TypeAdapter[str] = TypeAdapter(VariableName)


class Ask(Protocol):
    """How a command is sent; see `EngineSession.ask`."""

    def __call__(self, command: Command, kind: type[Reply], /) -> Reply:
        """Send a command and return its reply."""
        ...


class PresetCalls:
    """Saved workflows: every version is signed by whoever saves it."""

    def __init__(self, ask: Ask, identity: Signer) -> None:
        self._ask = ask
        self._identity = identity

    def all(self) -> list[PresetItem]:
        """Return them, by name."""
        return self._ask(RequestPresetsList(), PresetsList).presets

    def load(self, name: str, version: int | None = None) -> LoadedPreset:
        """Return a version, the newest by default; raises NOT_FOUND, or JOURNAL_CORRUPT for a damaged chain."""
        return self._ask(LoadPreset(name=name, version=version), LoadedPreset)

    def save(
        self, name: str, workflow_data: Mapping[str, Any], *, based_on: int | None = None
    ) -> list[PresetItem]:
        """Sign and append a version; raises CONFLICT when another than ``based_on`` is the newest."""
        data = dict(workflow_data)
        signature = sign_preset(self._identity, data)
        command = SavePreset(name=name, workflow_data=data, signature=signature, based_on=based_on)
        return self._ask(command, PresetsList).presets

    def delete(self, name: str) -> None:
        """Delete one with all its versions; raises CONFLICT while an unfinished run uses it."""
        self._ask(DeletePreset(name=name), PresetsList)

    def versions(self, name: str) -> PresetVersions:
        """Return its versions, newest first."""
        return self._ask(ListPresetVersions(name=name), PresetVersions)

    def diff(self, name: str, from_version: int, to_version: int) -> PresetDiff:
        """Compare two versions."""
        command = DiffPresetVersions(name=name, from_version=from_version, to_version=to_version)
        return self._ask(command, PresetDiff)

    def restore(self, name: str, version: int) -> LoadedPreset:
        """Append an old version as the newest."""
        return self._ask(RestorePresetVersion(name=name, version=version), LoadedPreset)


class VariableCalls:
    """Variables of workflows; values of secrets can be written, never read."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def all(self) -> list[Variable]:
        """Return them, by name."""
        return self._ask(RequestVariables(), VariablesList).variables

    def set(
        self,
        name: str,
        value: Any,
        *,
        secret: bool = False,
        enabled: bool = True,
        mode: VariableMode = "single",
    ) -> None:
        """Create or change one; an empty value keeps an existing secret. Raises INVALID_REQUEST for a bad name."""
        data = VariableData(value=value, is_secret=secret, is_enabled=enabled, mode=mode)
        self._ask(UpdateVariable(name=_named(name), data=data), VariablesList)

    def delete(self, name: str) -> None:
        """Delete one; raises NOT_FOUND."""
        self._ask(DeleteVariable(name=_named(name)), VariablesList)


def _named(name: str) -> str:
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        message = "A variable's name has capital letters, digits and underscores, and begins with a letter."
        raise FloworkError(ErrorCode.INVALID_REQUEST, message) from error
