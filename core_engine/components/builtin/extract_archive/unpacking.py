"""Reading archives of others: every member is judged before the first is written, and counted while it is."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from core_engine.components.drafts import Draft
from core_engine.components.files import open_regular
from shared.errors import ErrorCode, FloworkError

_CHUNK_BYTES = 1024 * 1024
_MOST_HEADER_BYTES = 4 * 1024 * 1024
_DEEPEST = 32
_COMPRESSED: tuple[tuple[bytes, Callable[[BinaryIO], Any]], ...] = (
    (b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ", lzma.open),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is too much: files, bytes of content, and content per byte of the archive."""

    files: int
    size: int
    ratio: float


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive; ``size`` is what the archive says."""

    name: str
    size: int
    file: BinaryIO


class Unpacker:
    """One archive file. Its methods raise FloworkError FORBIDDEN, TOO_LARGE or COMPONENT_FAILED, and block."""

    def __init__(self, archive: Path, bounds: Bounds) -> None:
        self._archive = archive
        self._bounds = bounds

    def check(self) -> None:
        """Judge every name, kind and size, and that the content is as large as it says."""
        seen: set[str] = set()
        with self._members() as members:
            left = self._most()
            for member in members:
                check_name(member.name)
                if member.name in seen:
                    raise FloworkError(ErrorCode.FORBIDDEN, f"{member.name!r} is in the archive twice.")
                seen.add(member.name)
                if len(seen) > self._bounds.files:
                    raise FloworkError(
                        ErrorCode.TOO_LARGE, f"The archive holds more than {self._bounds.files} files."
                    )
                for chunk in _chunks(member):
                    left -= len(chunk)
                    self._refuse_below(left)

    def extract(self, place: Callable[[str], Path], key: str, *, overwrite: bool) -> list[dict[str, Any]]:
        """Write every file to where ``place`` says; each appears whole. Raises also CONFLICT."""
        written: list[dict[str, Any]] = []
        with self._members() as members:
            left = self._most()
            for member in members:
                check_name(member.name)  # the archive may have been changed since it was checked
                path = place(member.name)
                with Draft(path, key) as draft:
                    for chunk in _chunks(member):
                        left -= len(chunk)
                        self._refuse_below(left)
                        draft.write(chunk)
                    draft.commit(overwrite=overwrite)
                written.append({"path": str(path), "name": member.name, "size_bytes": draft.size})
        return written

    def _most(self) -> int:
        packed = max(self._archive.stat().st_size, 1)
        return min(self._bounds.size, int(packed * self._bounds.ratio))

    def _refuse_below(self, left: int) -> None:
        if left < 0:
            raise FloworkError(
                ErrorCode.TOO_LARGE,
                "The archive's content is larger than allowed, or far larger than the archive.",
            )

    @contextmanager
    def _members(self) -> Iterator[Iterator[Member]]:
        try:
            with open_regular(self._archive) as file:
                if file.read(4)[:2] == b"PK":
                    file.seek(0)
                    with zipfile.ZipFile(file) as archive:
                        yield _zip_members(archive, self._bounds.files)
                else:
                    file.seek(0)
                    with _decompressed(file) as plain:
                        metered = _Metered(
                            plain, self._most() + self._bounds.files * 4096 + _MOST_HEADER_BYTES
                        )
                        with tarfile.open(fileobj=cast("BinaryIO", metered), mode="r|") as packed:
                            yield _tar_members(packed)
        except (zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
            raise self._broken(error) from error
        except (NotImplementedError, RuntimeError, LookupError, OverflowError, struct.error) as error:
            # an encrypted zip, an unknown way of packing, or headers that Python's own reader stumbles over
            raise self._broken(error) from error

    def _broken(self, error: Exception) -> FloworkError:
        return FloworkError(ErrorCode.COMPONENT_FAILED, f"{self._archive.name} cannot be unpacked: {error}.")


def check_name(name: str) -> None:
    """Raise FloworkError FORBIDDEN for a name that leads out of the folder, is hidden or cannot be said."""
    parts = name.split("/")
    bad = (
        not name or len(name) > 1024 or len(parts) > _DEEPEST or "\\" in name or ":" in parts[0]
        or any(not part or part.startswith(".") or part != part.strip() for part in parts)
        or any(ord(sign) < 32 or ord(sign) == 127 or 0xD800 <= ord(sign) <= 0xDFFF for sign in name)
    )  # fmt: skip
    if bad:
        raise FloworkError(ErrorCode.FORBIDDEN, f"The archive holds a file with a bad name: {name[:200]!r}.")


def _zip_members(archive: zipfile.ZipFile, most: int) -> Iterator[Member]:
    infos = archive.infolist()
    if len(infos) > most * 2 + 1000:
        raise FloworkError(ErrorCode.TOO_LARGE, f"The archive holds more than {most} files.")
    for info in infos:
        if info.is_dir():
            continue
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in {0, stat.S_IFREG}:
            raise FloworkError(
                ErrorCode.FORBIDDEN, f"{info.filename!r} is a link or a device; it is not taken out."
            )
        with archive.open(info) as file:
            yield Member(info.filename, info.file_size, cast("BinaryIO", file))


def _tar_members(archive: tarfile.TarFile) -> Iterator[Member]:
    """Give the regular files in order; nothing of the library's own extraction is used, so no link is ever made."""
    for info in archive:
        if info.isdir():
            continue
        if not info.isreg() or info.issparse():
            raise FloworkError(
                ErrorCode.FORBIDDEN, f"{info.name!r} is a link or a device; it is not taken out."
            )
        file = archive.extractfile(info)
        if file is not None:
            yield Member(info.name.removeprefix("./"), info.size, cast("BinaryIO", file))
        archive.members = []  # type: ignore[attr-defined] # the library would keep every header


def _chunks(member: Member) -> Iterator[bytes]:
    while chunk := member.file.read(_CHUNK_BYTES):
        yield chunk


@contextmanager
def _decompressed(file: BinaryIO) -> Iterator[Any]:
    start = file.read(6)
    file.seek(0)
    opener = next((opener for mark, opener in _COMPRESSED if start.startswith(mark)), None)
    if opener is None:
        yield file
    else:
        with opener(file) as plain:
            yield plain


class _Metered:
    """A file that ends with an error after so many bytes: a bomb in the headers is no way around the bounds."""

    def __init__(self, file: Any, most: int) -> None:
        self._file = file
        self._left = most

    def read(self, size: int = -1) -> bytes:
        content: bytes = self._file.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise FloworkError(ErrorCode.TOO_LARGE, "The archive's content is larger than allowed.")
        return content
