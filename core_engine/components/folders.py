"""Looks into the folders that workflows may use: nothing hidden, nothing secret-looking, no way out by a link."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from core_engine.components.files import RootedFiles, open_folder
from shared.errors import ErrorCode, FloworkError

MOST_ITEMS = 2000
MOST_SEEN = 100_000
_SECRET_NAME = re.compile(
    r"\.(?:pem|key|p12|pfx|jks|keystore|kdbx?|ppk|gpg|asc|env|wallet)$|^id_(?:rsa|dsa|ecdsa|ed25519)"
    r"|credential|passw(?:or)?d|mnemonic|seed[_ -]?phrase|private[_ -]?key|secret|token|\.env\.",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FolderItem:
    """A file or folder; ``size`` in bytes (files only), ``modified`` in Unix milliseconds."""

    name: str
    path: Path
    is_dir: bool
    size: int | None
    modified: int


@dataclass(frozen=True, slots=True)
class Folder:
    """The items of a folder, folders first, by name; ``truncated`` when there are more."""

    path: Path
    items: tuple[FolderItem, ...]
    truncated: bool


class _Name(NamedTuple):
    is_file: bool
    folded: str
    name: str


def looks_secret(name: str) -> bool:
    """Tell whether a name is hidden or suggests a key, password or token."""
    return name.startswith(".") or _SECRET_NAME.search(name) is not None


class FolderBrowser:
    """Lists folders inside the roots. Its methods block for the disk."""

    def __init__(self, files: RootedFiles) -> None:
        self._files = files

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders that may be looked into."""
        return self._files.roots

    def list(self, path: str) -> Folder:
        """List a folder; raises FloworkError FORBIDDEN or NOT_FOUND."""
        folder = self._files.folder(path)
        descriptor = open_folder(folder)
        try:
            return self._read(folder, descriptor)
        except OSError as error:
            message = f"{path!r} cannot be read: {error.strerror}."
            raise FloworkError(ErrorCode.FORBIDDEN, message) from error
        finally:
            os.close(descriptor)

    def _read(self, folder: Path, descriptor: int) -> Folder:
        names: list[_Name] = []
        truncated = False
        with os.scandir(descriptor) as entries:
            for count, entry in enumerate(entries):
                if count >= MOST_SEEN:
                    truncated = True
                    break
                if not looks_secret(entry.name) and _is_text(entry.name):
                    names.append(_Name(not _is_folder(entry), entry.name.casefold(), entry.name))
        items: list[FolderItem] = []
        for place in sorted(names):
            if len(items) >= MOST_ITEMS:
                truncated = True
                break
            item = self._describe(folder / place.name, descriptor)
            if item:
                items.append(item)
        return Folder(folder, tuple(items), truncated)

    def _describe(self, path: Path, descriptor: int) -> FolderItem | None:
        """Return an item, or None for a link that leads outside, the engine's own things, pipes and devices."""
        if not self._files.allows(path):
            return None
        try:
            facts = os.stat(path.name, dir_fd=descriptor)
        except OSError:  # it went meanwhile, or is a link to nothing
            return None
        is_dir = stat.S_ISDIR(facts.st_mode)
        if not is_dir and not stat.S_ISREG(facts.st_mode):
            return None
        size = None if is_dir else facts.st_size
        return FolderItem(path.name, path, is_dir, size, facts.st_mtime_ns // 1_000_000)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links
        return False


def _is_text(name: str) -> bool:
    """Tell whether a name can be said in a message: on disk it may be any bytes, which are no printable signs."""
    return name.isprintable()
