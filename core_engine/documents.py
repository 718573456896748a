"""Opens what users keep on the engine: presets, variables, preferences, and the folders they may look into."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass

from core_engine.company import Company
from core_engine.components.files import RootedFiles
from core_engine.components.folders import FolderBrowser
from core_engine.preferences import PreferenceService
from core_engine.presets import PresetService
from core_engine.presets.attestation import EngineKey
from core_engine.presets.pins import PinService
from core_engine.presets.service import Pin
from core_engine.settings import EngineSettings
from core_engine.storage import EngineStore, Write
from core_engine.storage.keyfile import given_key
from core_engine.storage.presets import PresetTable
from core_engine.storage.variables import VariableTable
from core_engine.variables import ValueCipher, VariableService, master_key
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError
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
    company: Company
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
    cipher = ValueCipher(_master_key(settings))
    rng = random.Random()  # noqa: S311 - which of a variable's values comes next is no secret
    engine_key = EngineKey(signing_key(settings))
    check_keys(settings, store)
    presets = PresetService(PresetTable(store), engine_key, clock, owner, pin)
    company = Company(presets.newest)
    presets.subscribe(company.preset_changed)
    return Documents(
        presets=presets,
        variables=VariableService(VariableTable(store), cipher, owner, rng),
        preferences=PreferenceService(store),
        folders=FolderBrowser(files),
        pins=PinService(store, clock),
        company=company,
        cipher=cipher,
    )


def signing_key(settings: EngineSettings) -> bytes:
    """Return the key by which the engine's processes know what is theirs; raises CONFIGURATION for an unusable one."""
    path = settings.data.engine_dir / ENGINE_KEY_FILE
    return given_key(reveal(settings.identity.signing_key), "ENGINE_SIGNING_KEY", path)


def check_keys(settings: EngineSettings, store: EngineStore) -> None:
    """Note what the keys of a shared database are; raises CONFIGURATION where this process has others.

    Only a process that leads notes them.
    """
    if not store.shared:
        return
    keys = {"ENGINE_MASTER_KEY": _master_key(settings), "ENGINE_SIGNING_KEY": signing_key(settings)}
    for name, key in keys.items():
        mark = hashlib.sha256(f"flowork {name}|".encode() + key).hexdigest()[:32].encode("ascii")
        known = store.get(f"keys.{name}")
        if known is None and store.leads:
            store.submit([Write(values=((f"keys.{name}", mark),), refusable=True)], _ignore)
        elif known not in {None, mark}:
            message = (
                f"Another key belongs to what the database holds. Give every process of this engine the same {name},"
                " or the same key files in its data folder."
            )
            raise FloworkError(ErrorCode.CONFIGURATION, message)


def _master_key(settings: EngineSettings) -> bytes:
    return master_key(reveal(settings.identity.master_key), settings.data.engine_dir)


def _ignore(_writes: object, _error: object) -> None:
    pass
