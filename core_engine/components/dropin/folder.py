"""The files of a component's folder: listed within limits, no links, and named by one hash."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from core_engine.components.dropin.problem import UnusableError

SIGNATURE = "signature.json"
MOST_FILES = 2000
MOST_BYTES = 64 * 1024 * 1024
MOST_DEPTH = 12
LONGEST_NAME = 120
_CHUNK = 1024 * 1024
IGNORED = frozenset({"__pycache__", ".git", ".installed", ".requirements_hash", ".DS_Store"})
"""What is in the folder of a person who works on it, and no part of the component."""


def list_files(folder: Path, *, strict: bool = False) -> list[str]:
    """Return the files of a folder as relative paths with ``/``, sorted; raises UnusableError for what has no place.

    Caches and the published state files do not count, or are refused where the folder is to be ``strict``ly what was
    installed; links, pipes and devices are always refused.
    """
    found: list[str] = []
    total = 0
    for path, facts in _walk(folder, folder, 0, strict=strict):
        found.append(path)
        total += facts.st_size
        if len(found) > MOST_FILES or total > MOST_BYTES:
            raise UnusableError(
                f"it has more than {MOST_FILES} files or {MOST_BYTES // 1024 // 1024} MiB; that is too much"
            )
    check_names(found)
    return sorted(found)


def folder_hash(folder: Path, *, strict: bool = False) -> str:
    """Return SHA-256, in hex, over the names and contents of a component's files, the signature's left out."""
    whole = hashlib.sha256(b"flowork component 1\n")
    for name in list_files(folder, strict=strict):
        if name == SIGNATURE:
            continue
        content = hashlib.sha256()
        with (folder / name).open("rb") as file:
            while data := file.read(_CHUNK):
                content.update(data)
        whole.update(f"{content.hexdigest()} {name}\n".encode())
    return whole.hexdigest()


def check_names(names: Iterable[str]) -> None:
    """Raise UnusableError for names that another system would refuse or mix up."""
    seen: dict[str, str] = {}
    for name in names:
        parts = name.split("/")
        if len(parts) > MOST_DEPTH or any(not _is_plain(part) for part in parts):
            raise UnusableError(f"it holds a file with a name that is not accepted: {name[:200]!r}")
        folded = unicodedata.normalize("NFC", name).casefold()
        if seen.setdefault(folded, name) != name:
            raise UnusableError(f"it holds two files whose names differ only in case: {name[:200]!r}")


def _is_plain(part: str) -> bool:
    if not part or part in {".", ".."} or len(part) > LONGEST_NAME or part[-1] in " .":
        return False
    return part.isprintable() and not any(sign in part for sign in '\\:*?"<>|')


def _walk(top: Path, folder: Path, depth: int, *, strict: bool) -> Iterator[tuple[str, os.stat_result]]:
    if depth > MOST_DEPTH:
        raise UnusableError(f"its folders are nested more than {MOST_DEPTH} deep")
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name in IGNORED:
                    if strict:
                        raise UnusableError(
                            f"it holds {entry.name}, which was not there when it was installed"
                        )
                    continue
                facts = entry.stat(follow_symlinks=False)
                path = Path(entry.path)
                if stat.S_ISDIR(facts.st_mode):
                    yield from _walk(top, path, depth + 1, strict=strict)
                elif stat.S_ISREG(facts.st_mode):
                    yield path.relative_to(top).as_posix(), facts
                else:
                    raise UnusableError(
                        f"{entry.name!r} is a link or a device, which a component cannot hold"
                    )
    except OSError as error:
        raise UnusableError(f"its folder cannot be read: {error.strerror}") from error
