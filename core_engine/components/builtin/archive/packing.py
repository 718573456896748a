"""What goes into an archive, and writing it."""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal

from core_engine.components.files import open_regular
from core_engine.kernel.context import Files
from shared.errors import ErrorCode, FloworkError

_CHUNK_BYTES = 1024 * 1024
_FIRST_ZIP_YEAR = 1980
_MODE = 0o644


@dataclass(frozen=True, slots=True)
class Entry:
    """A file and its name in the archive."""

    name: str
    path: Path


def find_entries(files: Files, sources: Sequence[str], *, most: int) -> list[Entry]:
    """Return what the sources stand for, sorted by name.

    Raises FloworkError FORBIDDEN, NOT_FOUND, TOO_LARGE (more than ``most``), CONFLICT (two of the same name).
    """
    found: dict[str, Path] = {}
    for source in sources:
        for entry in _below(files, source):
            if found.setdefault(entry.name, entry.path) != entry.path:
                raise FloworkError(
                    ErrorCode.CONFLICT, f"Two files would be called {entry.name!r} in the archive."
                )
            if len(found) > most:
                raise FloworkError(ErrorCode.TOO_LARGE, f"More than {most} files would go into the archive.")
    return [Entry(name, found[name]) for name in sorted(found)]


def pack(
    entries: Sequence[Entry], target: BinaryIO, kind: Literal["zip", "tar.gz"], *, most_bytes: int
) -> None:
    """Write an archive; raises FloworkError TOO_LARGE when the content is more than ``most_bytes``."""
    if kind == "zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, file, size in _opened(entries, most_bytes):
                _add_zip(archive, entry, file, size)
    else:
        with tarfile.open(fileobj=target, mode="w:gz", format=tarfile.PAX_FORMAT) as packed:
            for entry, file, size in _opened(entries, most_bytes):
                info = tarfile.TarInfo(entry.name)
                info.size, info.mode = size, _MODE
                info.mtime = int(os.fstat(file.fileno()).st_mtime)
                packed.addfile(info, file)


def _below(files: Files, source: str) -> Iterator[Entry]:
    try:
        folder = files.folder(source)
    except FloworkError as error:
        if error.code is not ErrorCode.NOT_FOUND:
            raise
        path = files.readable(source)
        yield Entry(path.name, path)
        return
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place) / name
            if path.is_symlink() or not path.is_file() or not files.allows(path):
                continue
            yield Entry(f"{folder.name}/{path.relative_to(folder).as_posix()}", path)


def _opened(entries: Sequence[Entry], most_bytes: int) -> Iterator[tuple[Entry, BinaryIO, int]]:
    left = most_bytes
    for entry in entries:
        with open_regular(entry.path) as file:
            size = os.fstat(file.fileno()).st_size
            left -= size
            if left < 0:
                raise FloworkError(
                    ErrorCode.TOO_LARGE, "The content is larger than allowed for this archive."
                )
            yield entry, file, size


def _add_zip(archive: zipfile.ZipFile, entry: Entry, file: BinaryIO, size: int) -> None:
    changed = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    year = max(changed.year, _FIRST_ZIP_YEAR)
    info = zipfile.ZipInfo(
        entry.name, (year, changed.month, changed.day, changed.hour, changed.minute, changed.second)
    )
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (stat.S_IFREG | _MODE) << 16
    with archive.open(info, "w", force_zip64=size > 2**31) as target:
        left = size
        while left > 0 and (chunk := file.read(min(_CHUNK_BYTES, left))):
            target.write(chunk)
            left -= len(chunk)
