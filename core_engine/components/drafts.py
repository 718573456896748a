"""A file that is written beside its place and appears there whole, or not at all."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from core_engine.components.files import open_folder
from shared.errors import ErrorCode, FloworkError

_DEFAULT_MODE = 0o644


class Draft:
    """A context manager; what was not committed when it is left is removed. Its methods block for the disk.

    ``path`` is one that `Files.writable` gave. ``key`` is the step's idempotency key: it names the draft, so a
    repeated attempt clears away what a crashed one left.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._name = f".{hashlib.sha256(f'{path}{chr(10)}{key}'.encode()).hexdigest()[:24]}.tmp"
        self._hash = hashlib.sha256()
        self._committed = False
        self.size = 0

    def __enter__(self) -> Self:
        self._folder = open_folder(self._path.parent)
        try:
            with suppress(FileNotFoundError):
                os.unlink(self._name, dir_fd=self._folder)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            opened = os.open(self._name, flags, _DEFAULT_MODE, dir_fd=self._folder)
        except OSError:
            os.close(self._folder)
            raise
        self._file: BinaryIO = os.fdopen(opened, "w+b")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if not self._committed:
            with suppress(OSError):
                os.unlink(self._name, dir_fd=self._folder)
        os.close(self._folder)

    @property
    def file(self) -> BinaryIO:
        """The open draft, for libraries that write by themselves; ``size`` and ``sha256`` do not count that."""
        return self._file

    @property
    def sha256(self) -> str:
        """The checksum of what `write` was given, as hexadecimal digits."""
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        self._file.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    def commit(self, *, overwrite: bool) -> None:
        """Put the draft in its place; raises FloworkError CONFLICT when a file is there and shall stay."""
        self._file.flush()
        os.fsync(self._file.fileno())
        name = self._path.name
        if overwrite:
            os.replace(self._name, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        else:
            try:
                os.link(self._name, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            except FileExistsError:
                raise FloworkError(ErrorCode.CONFLICT, f"There is a file {name!r} already.") from None
            os.unlink(self._name, dir_fd=self._folder)
        self._committed = True
        os.fsync(self._folder)
