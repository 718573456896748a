"""A backup: all data of a platform in one archive, with a list of contents at its end that proves it whole."""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import IO

import msgspec

from flowork.deployment import manifest
from flowork.deployment.manifest import Entry, Manifest
from flowork.deployment.snapshot import CHUNK, copy_database, copy_file, is_database, kept_files
from shared.clock import SystemClock, iso
from shared.errors import ErrorCode, FloworkError


def create(data_dir: Path, target: Path) -> Manifest:
    """Write a backup of the data folder to a new file, readable by its owner only; services may be running.

    Raises NOT_FOUND for a folder without data, CONFLICT for a file that exists or would lie in the folder,
    CONFIGURATION for what cannot be read or written or for a database that is not whole.
    """
    if not data_dir.is_dir():
        raise FloworkError(ErrorCode.NOT_FOUND, f"There is no data folder {data_dir}; see FLOWORK_DATA_DIR.")
    if target.exists() or target.absolute().is_relative_to(data_dir.absolute()):
        raise FloworkError(
            ErrorCode.CONFLICT, f"{target} exists already, or lies in the data folder; name another file."
        )
    try:
        with (
            _new_file(target) as file,
            tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as work,
        ):
            return _fill(file, data_dir, Path(work) / "copy")
    except OSError as error:
        raise FloworkError(ErrorCode.CONFIGURATION, f"Cannot write {target}: {error.strerror}.") from error


def _fill(file: IO[bytes], data_dir: Path, copy: Path) -> Manifest:
    entries = []
    with (
        gzip.GzipFile(fileobj=file, mode="wb", filename="", compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in kept_files(data_dir):
            database = is_database(path)
            copy.unlink(missing_ok=True)
            if database:
                copy_database(path, copy)
            elif not copy_file(path, copy):
                continue
            name = path.relative_to(data_dir).as_posix()
            entries.append(_add(tar, name, copy, mode=_mode(path), database=database))
        if not entries:
            raise FloworkError(ErrorCode.NOT_FOUND, f"There is nothing in {data_dir} yet.")
        now = iso(SystemClock().now_ms())
        found = Manifest(manifest.FORMAT, now, metadata.version("flowork"), tuple(entries))
        raw = msgspec.json.encode(found)
        tar.addfile(_member(manifest.NAME, len(raw), 0o600), BytesIO(raw))
    return found


def _add(tar: tarfile.TarFile, name: str, copy: Path, *, mode: int, database: bool) -> Entry:
    size = copy.stat().st_size
    with copy.open("rb") as content:
        tar.addfile(_member(name, size, mode), content)
        content.seek(0)
        return Entry(name, size, digest(content), database)


def digest(content: IO[bytes]) -> str:
    """Return the SHA-256 of what is left of a stream, as hex."""
    sha256 = hashlib.sha256()
    while chunk := content.read(CHUNK):
        sha256.update(chunk)
    return sha256.hexdigest()


def _member(name: str, size: int, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, mode, SystemClock().now_ms() // 1000
    return member


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o700 | 0o600
    except FileNotFoundError:
        return 0o600


@contextmanager
def _new_file(target: Path) -> Iterator[IO[bytes]]:
    """Give a file that gets its name only when it is whole and on the disk."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".backup-")  # mode 0600
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, target)  # unlike a rename it replaces nothing
    except FileExistsError:
        raise FloworkError(ErrorCode.CONFLICT, f"{target} exists already; name another file.") from None
    finally:
        draft.unlink(missing_ok=True)
