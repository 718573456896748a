"""Large payloads as files named by their content; the journal keeps only the name."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from shared.errors import ErrorCode, FloworkError

_NAME = re.compile(r"[0-9a-f]{64}")


def blob_name(content: bytes) -> str:
    """Return the name of a content: its SHA-256 in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


class Blobs(Protocol):
    """Where large payloads are, by their names."""

    def write(self, name: str, content: bytes) -> None:
        """Store a content under its name; the caller is the writer of the journal."""

    def read(self, name: str) -> bytes:
        """Return a content; raises JOURNAL_CORRUPT when it is missing or damaged."""

    def size(self) -> int:
        """Return how many bytes they take outside the database."""


class BlobFiles:
    """The folder ``blobs/<first two digits>/<sha256>``. A file that has its final name is whole and synced."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, name: str, content: bytes) -> None:
        """Store a content durably under its name; a content that is there already costs nothing."""
        path = self._path(name)
        if path.exists():
            return
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = path.with_suffix(".new")
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(file, view) :]
            os.fsync(file)
        finally:
            os.close(file)
        draft.rename(path)
        for folder in (path.parent, self._root):
            _sync_folder(folder)

    def read(self, name: str) -> bytes:
        """Return a content; raises JOURNAL_CORRUPT when the file is missing or is not what its name says."""
        try:
            content = self._path(name).read_bytes()
        except FileNotFoundError:
            content = None
        if content is None or blob_name(content) != name:
            state = "missing" if content is None else "damaged"
            raise FloworkError(ErrorCode.JOURNAL_CORRUPT, f"The payload file {name} is {state}.")
        return content

    def remove(self, name: str) -> None:
        """Delete a content that nothing names any more."""
        self._path(name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """Yield every stored name; drafts that a crash left behind are deleted on the way."""
        for path in sorted(self._root.glob("??/*")):
            if _NAME.fullmatch(path.name):
                yield path.name
            elif path.suffix == ".new":
                path.unlink(missing_ok=True)

    def size(self) -> int:
        """Return how many bytes the stored contents take."""
        total = 0
        for path in self._root.glob("??/*"):
            with suppress(FileNotFoundError):  # deleted meanwhile
                total += path.stat().st_size
        return total

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise FloworkError(ErrorCode.JOURNAL_CORRUPT, "A payload reference in the journal is malformed.")
        return self._root / name[:2] / name


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
