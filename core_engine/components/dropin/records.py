"""What the engine wrote down about each component it installed: by whom, when, and the hash its files must keep."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec


class InstallRecord(msgspec.Struct, frozen=True):
    """One installed version; ``installed_at`` is in Unix ms, ``author`` the address whose signature was checked."""

    id: str
    version: str
    hash: str
    installed_at: int
    installed_by: str
    author: str | None
    permissions: list[str]


class InstallRecords:
    """The records, one file each, in a folder of the engine's own. All methods block for the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, component_id: str, version: str) -> InstallRecord | None:
        """Return the record of a version, or None."""
        try:
            data = self._file(component_id, version).read_bytes()
            return msgspec.json.decode(data, type=InstallRecord)
        except (OSError, msgspec.DecodeError, UnicodeError):
            return None

    def versions(self, component_id: str) -> list[str]:
        """Return the installed versions of a component, sorted as texts."""
        return sorted(file.stem for file in (self._folder / component_id).glob("*.json"))

    def write(self, record: InstallRecord) -> None:
        """Keep a record; it is on the disk when the call returns."""
        file = self._file(record.id, record.version)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        with part.open("wb") as opened:
            opened.write(msgspec.json.encode(record))
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(file)

    def remove(self, component_id: str, version: str) -> None:
        """Forget a version."""
        self._file(component_id, version).unlink(missing_ok=True)

    def _file(self, component_id: str, version: str) -> Path:
        return self._folder / component_id / f"{version}.json"
