"""Opens what users keep on the engine: presets, variables, preferences, and the folders they may look into."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from core_engine.components.files import RootedFiles
from core_engine.components.folders import FolderBrowser
from core_engine.preferences import PreferenceService
from core_engine.presets import PresetService
from core_engine.presets.attestation import EngineKey
from core_engine.presets.pins import PinService
from core_engine.presets.service import Pin
from core_engine.settings import EngineSettings
from core_engine.storage import EngineStore
from core_engine.storage.keyfile import read_or_make_key
from core_engine.storage.presets import PresetTable
from core_engine.storage.variables import VariableTable
from core_engine.variables import ValueCipher, VariableService, master_key
from shared.clock import Clock
from shared.settings import reveal

ENGINE_KEY_FILE = "engine.key"


@dataclass(frozen=True, slots=True)
class Documents:
    """They, opened, and what secrets are sealed with."""

    presets: PresetService
    variables: VariableService
    preferences: PreferenceService
    folders: FolderBrowser
    pins: PinService
    cipher: ValueCipher


def open_documents(  # noqa: PLR0913 - one thing each
    settings: EngineSettings,
    store: EngineStore,
    files: RootedFiles,
    *,
    clock: Clock,
    owner: Callable[[], str | None],
    pin: Pin,
) -> Documents:
    """Open them; keys are made at the first start. Raises FloworkError CONFIGURATION for an unusable key."""
    folder = settings.data.engine_dir
    cipher = ValueCipher(master_key(reveal(settings.identity.master_key), folder))
    rng = random.Random()  # noqa: S311 - which of a variable's values comes next is no secret
    engine_key = EngineKey(read_or_make_key(folder / ENGINE_KEY_FILE))
    return Documents(
        presets=PresetService(PresetTable(store), engine_key, clock, owner, pin),
        variables=VariableService(VariableTable(store), cipher, owner, rng),
        preferences=PreferenceService(store),
        folders=FolderBrowser(files),
        pins=PinService(store, clock),
        cipher=cipher,
    )
