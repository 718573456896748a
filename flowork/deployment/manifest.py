"""The list of contents at the end of a backup, by which it is checked."""

from __future__ import annotations

from pathlib import PurePosixPath

import msgspec

from shared.errors import ErrorCode, FloworkError
from shared.signing.strict_json import check_depth

NAME = "manifest.json"
FORMAT = 1
MAX_BYTES = 256 * 1024 * 1024
_MAX_DEPTH = 8


class Entry(msgspec.Struct, frozen=True):
    """One file: its path under the data folder, its size in bytes, the SHA-256 of its content as hex."""

    path: str
    size: int
    sha256: str
    database: bool


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds; ``created_at`` in ISO 8601, UTC."""

    format: int
    created_at: str
    version: str
    entries: tuple[Entry, ...]

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(entry.size for entry in self.entries)


def read(raw: bytes) -> Manifest:
    """Decode a manifest; raises INVALID_REQUEST for one that is none of ours."""
    try:
        check_depth(raw, _MAX_DEPTH)
        found = msgspec.json.decode(raw, type=Manifest)
    except (ValueError, FloworkError) as error:
        raise damaged("its list of contents cannot be read") from error
    if found.format != FORMAT:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST,
            f"The backup has format {found.format}, this version reads {FORMAT}; use the version that made it.",
        )
    return found


def is_safe(name: str) -> bool:
    """Tell whether a member's name stays inside the folder it is unpacked into."""
    path = PurePosixPath(name)
    plain = str(path) == name and "\\" not in name and "\0" not in name
    return plain and not path.is_absolute() and ".." not in path.parts and bool(path.parts)


def damaged(what: str) -> FloworkError:
    """Return the error of a backup that must not be trusted."""
    return FloworkError(ErrorCode.INVALID_REQUEST, f"The backup is damaged: {what}.")
