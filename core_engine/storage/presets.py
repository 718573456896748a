"""Saved workflows on disk: names, and the versions of each as sealed bytes."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from core_engine.storage.link import Link
from core_engine.storage.store import EngineStore

_NEWEST = (
    "SELECT id, name, version, body, attestation FROM preset JOIN preset_version ON preset = id"
    " WHERE name = ? ORDER BY version DESC LIMIT 1"
)


class PresetRow(NamedTuple):
    """A preset; its id stays, whatever becomes of its versions."""

    id: str
    name: str


class VersionRow(NamedTuple):
    """One version: its canonical JSON, and what the engine's key says about it."""

    version: int
    body: bytes
    attestation: bytes


class PresetTable:
    """The presets of an engine. Reading methods block for the disk and may be called on any thread."""

    def __init__(self, store: EngineStore) -> None:
        self._store = store
        self._query = store.archive.query

    def all(self) -> list[PresetRow]:
        """Return every preset, by name."""
        return [PresetRow(*row) for row in self._query("SELECT id, name FROM preset ORDER BY name")]

    def find(self, name: str) -> PresetRow | None:
        """Return the preset of that name."""
        rows = self._query("SELECT id, name FROM preset WHERE name = ?", (name,))
        return PresetRow(*rows[0]) if rows else None

    def newest_now(self, name: str) -> tuple[PresetRow, VersionRow] | None:
        """Return a preset with its newest version, on the event loop's own connection: one quick read."""
        rows = self._store.reads.query(_NEWEST, (name,))
        return (PresetRow(*rows[0][:2]), _version(*rows[0][2:])) if rows else None

    def versions(self, preset_id: str) -> list[VersionRow]:
        """Return a preset's versions, oldest first."""
        sql = "SELECT version, body, attestation FROM preset_version WHERE preset = ? ORDER BY version"
        return [_version(*row) for row in self._query(sql, (preset_id,))]

    def newest(self, preset_id: str) -> VersionRow | None:
        """Return a preset's newest version."""
        sql = "SELECT version, body, attestation FROM preset_version WHERE preset = ? ORDER BY version DESC LIMIT 1"
        rows = self._query(sql, (preset_id,))
        return _version(*rows[0]) if rows else None

    def unfinished_run(self, name: str) -> str | None:
        """Return the id of an unfinished run that was started from the preset of that name."""
        sql = "SELECT id FROM run WHERE finished_at IS NULL AND preset = ? LIMIT 1"
        rows = self._query(sql, (name,))
        return str(rows[0][0]) if rows else None

    async def append(self, preset: PresetRow, row: VersionRow) -> None:
        """Store a version, and the preset with its first one; synced on return. Raises STORAGE_FULL or INTERNAL."""
        await self._store.perform(partial(_append, preset=preset, row=row))

    async def delete(self, preset_id: str) -> None:
        """Delete a preset with its versions; synced on return."""
        await self._store.perform(partial(_delete, preset_id=preset_id))


def _version(number: int, body: bytes | str, attestation: bytes | str) -> VersionRow:
    """Return a row; somebody who edits the database by hand easily turns bytes into text."""
    return VersionRow(
        number, *(item if isinstance(item, bytes) else str(item).encode() for item in (body, attestation))
    )


def _append(connection: Link, *, preset: PresetRow, row: VersionRow) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO preset VALUES (?, ?) ON CONFLICT DO NOTHING", preset)
    connection.execute("INSERT INTO preset_version VALUES (?, ?, ?, ?)", (preset.id, *row))
    connection.execute("COMMIT")


def _delete(connection: Link, *, preset_id: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM preset_version WHERE preset = ?", (preset_id,))
    connection.execute("DELETE FROM preset WHERE id = ?", (preset_id,))
    connection.execute("COMMIT")
