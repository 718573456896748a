"""One preset's chain: how a version is sealed, and what is checked before any of it is believed (protocol §7.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from core_engine.presets.attestation import EngineKey
from core_engine.storage.presets import PresetRow, VersionRow
from shared.errors import FloworkError
from shared.ids import same_address
from shared.signing.presets import canonical_json, recover_preset

_MOST_KNOWN = 50_000


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version as it is stored: the documented object, as canonical JSON."""

    version: int
    author_id: str
    timestamp: str
    previous_hash: str | None
    workflow_data: dict[str, Any]
    signature: str


read_document = msgspec.json.Decoder(Document).decode
"""Reads a version's bytes; raises msgspec.DecodeError for what is no version."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version that was read; ``document`` is None where its bytes are no version at all."""

    number: int
    hash: str
    document: Document | None
    signed: bool
    restored_from: int | None


@dataclass(frozen=True, slots=True)
class Chain:
    """A preset's versions, oldest first; ``problem`` says what is wrong with them, None when they are intact."""

    preset: PresetRow
    versions: tuple[Version, ...]
    problem: str | None

    @property
    def newest(self) -> Version | None:
        """The last version."""
        return self.versions[-1] if self.versions else None

    def find(self, number: int) -> Version | None:
        """Return one version."""
        return next((version for version in self.versions if version.number == number), None)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who saved a version, when (ISO 8601), and the version it restores."""

    by: str
    at: str
    restored_from: int | None = None


def version_hash(body: bytes) -> str:
    """Return the name of a version's bytes: SHA-256 in lower-case hex."""
    return hashlib.sha256(body).hexdigest()


class ChainKeeper:
    """Seals and checks chains. What was found good once, byte for byte, is remembered."""

    def __init__(self, key: EngineKey) -> None:
        self._key = key
        self._known: set[bytes] = set()

    def seal(self, preset: PresetRow, document: Document, origin: Origin) -> VersionRow:
        """Return a version ready to be stored, attested by the engine."""
        body = canonical_json(msgspec.to_builtins(document)).encode()
        statement = {
            **_facts(preset, document.version, version_hash(body), document.previous_hash),
            "saved_by": origin.by,
            "saved_at": origin.at,
            "restored_from": origin.restored_from,
        }
        return VersionRow(document.version, body, self._key.attest(statement))

    def check(self, preset: PresetRow, rows: Sequence[VersionRow]) -> Chain:
        """Read a chain; the problem names the first version that cannot be believed."""
        versions: list[Version] = []
        problem = None if rows else "The preset has no version."
        previous: str | None = None
        for place, row in enumerate(rows, start=1):
            found, wrong = self._check_version(preset, row, place, previous)
            versions.append(found)
            previous = found.hash
            problem = problem or wrong
        return Chain(preset, tuple(versions), problem)

    def _check_version(
        self, preset: PresetRow, row: VersionRow, place: int, previous: str | None
    ) -> tuple[Version, str | None]:
        name = version_hash(row.body)
        stated = self._key.statement(row.attestation)
        try:
            document: Document | None = read_document(row.body)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            document = None
        restored = (stated or {}).get("restored_from")
        signed = document is not None and self._is_signed(document, row)
        version = Version(
            row.version, name, document, signed, restored if isinstance(restored, int) else None
        )
        if row.version != place:
            return version, f"Version {place} is missing."
        if document is None or document.version != row.version:
            return version, f"Version {place} is not what was saved."
        if document.previous_hash != previous:
            return version, f"Version {place} does not follow the stored version before it."
        facts = _facts(preset, place, name, previous)
        if stated is None or any(stated.get(key) != value for key, value in facts.items()):
            return version, f"Version {place} does not carry this engine's attestation."
        if not signed:
            return version, f"The author's signature of version {place} is not valid."
        return version, None

    def _is_signed(self, document: Document, row: VersionRow) -> bool:
        seen = hashlib.sha256(row.body).digest()
        if seen in self._known:
            return True
        try:
            good = same_address(
                recover_preset(document.workflow_data, document.signature), document.author_id
            )
        except FloworkError:
            return False
        if good:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known.add(seen)
        return good


def _facts(preset: PresetRow, number: int, name: str, previous: str | None) -> dict[str, Any]:
    return {
        "preset_id": preset.id,
        "name": preset.name,
        "version": number,
        "version_hash": name,
        "previous_hash": previous,
    }
