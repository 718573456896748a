"""Checks a backup, and puts it back into an empty folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from flowork.deployment import manifest
from flowork.deployment.manifest import Entry, Manifest, damaged
from flowork.deployment.snapshot import CHUNK, fault_of
from shared.errors import ErrorCode, FloworkError

_LOCKS = ("up.lock", "engine/engine.lock")
Place = Callable[[str], Path | None]


def verify(archive: Path) -> Manifest:
    """Read a backup to its end and check every hash and every database.

    Raises NOT_FOUND, or INVALID_REQUEST naming what is damaged.
    """
    beside = archive.parent if os.access(archive.parent, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=beside, prefix=".verify-") as work:
        scratch = Path(work) / "database"

        def looked_at(_: str) -> Path:
            scratch.unlink(missing_ok=True)
            return scratch

        return _read(archive, looked_at)


def restore(archive: Path, data_dir: Path) -> Manifest:
    """Check a backup and unpack it into a folder that holds no file; what fails half-way is taken back.

    Raises CONFLICT for a folder that is in use or not empty, else as `verify`.
    """
    require_unused(data_dir)
    verify(archive)
    written: list[Path] = []

    def placed(name: str) -> Path:
        path = data_dir / name
        _make_folders(data_dir, path.parent)
        written.append(path)
        return path

    try:
        return _read(archive, placed)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def require_unused(data_dir: Path) -> None:
    """Raise CONFLICT where a service runs on the folder or where a file is in it."""
    for name in _LOCKS:
        if _is_held(data_dir / name):
            raise FloworkError(ErrorCode.CONFLICT, f"Flowork is running on {data_dir}; stop it first.")
    if any(names for _, _, names in os.walk(data_dir)):
        raise FloworkError(
            ErrorCode.CONFLICT, f"{data_dir} is not empty. Restore into a new folder, or move this one away."
        )


def _read(archive: Path, place: Place) -> Manifest:
    seen: dict[str, Entry] = {}
    with _opened(archive) as tar:
        for member in tar:
            if not member.isreg() or not manifest.is_safe(member.name) or member.name in seen:
                raise damaged(f"it holds {member.name!r}, which no backup has")
            content = tar.extractfile(member)
            if content is None:
                raise damaged(f"{member.name} has no content")
            if member.name == manifest.NAME:
                return _compared(_list_of(content, member.size), seen, tar)
            seen[member.name] = _unpacked(member, content, place(member.name))
    raise damaged("its end with the list of contents is missing")


def _unpacked(member: tarfile.TarInfo, content: IO[bytes], path: Path | None) -> Entry:
    sha256, size, head = hashlib.sha256(), 0, b""
    target = _create(path, member.mode) if path else None
    try:
        while chunk := content.read(CHUNK):
            head = head or chunk[:16]
            sha256.update(chunk)
            size += len(chunk)
            if target is not None:
                target.write(chunk)
        if target is not None:
            target.flush()
            os.fsync(target.fileno())
    finally:
        if target is not None:
            target.close()
    database = head == b"SQLite format 3\0"
    if database and path is not None and (reason := fault_of(path)):
        raise damaged(f"the database {member.name} is not whole ({reason})")
    return Entry(member.name, size, sha256.hexdigest(), database)


def _compared(listed: Manifest, seen: dict[str, Entry], tar: tarfile.TarFile) -> Manifest:
    for entry in listed.entries:
        if seen.pop(entry.path, None) != entry:
            raise damaged(f"{entry.path} is missing or has another content")
    if seen or tar.next() is not None:
        raise damaged("it holds more than its list of contents says")
    return listed


def _list_of(content: IO[bytes], size: int) -> Manifest:
    if size > manifest.MAX_BYTES:
        raise damaged("its list of contents is too long")
    return manifest.read(content.read(size))


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, mode="r|gz") as tar:
            yield tar
    except FileNotFoundError as error:
        raise FloworkError(ErrorCode.NOT_FOUND, f"There is no file {error.filename}.") from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise damaged(f"it cannot be read to its end ({error})") from error
    except OSError as error:
        raise FloworkError(ErrorCode.CONFIGURATION, f"Cannot read or unpack {archive}: {error}.") from error


def _create(path: Path, mode: int) -> IO[bytes]:
    handle = os.open(
        path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode & 0o700 | 0o600
    )
    return os.fdopen(handle, "wb")


def _make_folders(data_dir: Path, folder: Path) -> None:
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        if folder == data_dir:
            break
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(mode=0o700, parents=each == data_dir)


def _is_held(lock: Path) -> bool:
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
