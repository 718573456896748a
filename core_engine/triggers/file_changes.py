"""Notices changes of files inside the folders that workflows may use."""

from __future__ import annotations

import asyncio
import fnmatch
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from core_engine.components.builtin.file_system_trigger.component import FileSystemConfig
from core_engine.components.files import RootedFiles

MOST_KNOWN = 100_000
MOST_CHANGES = 1000
_POLL_MS = 2000


async def watch_files(config: FileSystemConfig, files: RootedFiles) -> AsyncIterator[dict[str, Any]]:
    """Yield an event for each changed file; raises FORBIDDEN or NOT_FOUND for a path that cannot be watched.

    Changes close to each other are one: a file that is made and written at once was created.
    """
    from watchfiles import awatch  # noqa: PLC0415 - heavy, only where used

    watched = await asyncio.to_thread(_watched, config, files)
    folder = watched if watched.is_dir() else watched.parent
    known = await asyncio.to_thread(_inodes, folder, recursive=config.recursive)
    step = round(config.debounce_seconds * 1000)
    async for batch in awatch(
        folder,
        watch_filter=None,
        debounce=step * 4,
        step=step,
        rust_timeout=_POLL_MS,
        recursive=config.recursive and watched.is_dir(),
        ignore_permission_denied=True,
    ):
        touched = {Path(path) for _, path in batch}
        if watched != folder:
            touched &= {watched}
        for event in await asyncio.to_thread(_changes, touched, known, files):
            name = Path(str(event["path"])).name
            fits = not config.pattern or fnmatch.fnmatch(name, config.pattern)
            if fits and config.wants(str(event["event"])):
                yield event
        if not folder.is_dir():
            return


def _watched(config: FileSystemConfig, files: RootedFiles) -> Path:
    path = files.resolved(config.path_to_watch)
    return path if path.is_file() else files.folder(config.path_to_watch)


def _inodes(folder: Path, *, recursive: bool) -> dict[Path, int]:
    """Return the files below a folder with their inodes; of very many only some, then moves look like new files."""
    known: dict[Path, int] = {}
    for parent, folders, names in os.walk(folder):
        if not recursive:
            folders.clear()
        for name in (*names, *folders):
            inode = _inode(Path(parent, name))
            if inode is not None:
                known[Path(parent, name)] = inode
        if len(known) > MOST_KNOWN:
            break
    return known


def _changes(touched: Iterable[Path], known: dict[Path, int], files: RootedFiles) -> list[dict[str, Any]]:
    """Return what became of the touched files, and take it over into what is known."""
    allowed = sorted(path for path in touched if files.allows(path))[:MOST_CHANGES]
    now = {path: _inode(path) for path in allowed}
    gone = {known[path]: path for path, inode in now.items() if inode is None and path in known}
    events: list[dict[str, Any]] = []
    for path, inode in now.items():
        if inode is None:
            continue
        origin = gone.pop(inode, None) if path not in known else None
        if origin:
            events.append({"event": "moved", "path": str(path), "from_path": str(origin)})
        else:
            events.append({"event": "modified" if path in known else "created", "path": str(path)})
    events += [{"event": "deleted", "path": str(path)} for path in gone.values()]
    for path, inode in now.items():
        if inode is None:
            known.pop(path, None)
        else:
            known[path] = inode
    return events


def _inode(path: Path) -> int | None:
    try:
        return path.lstat().st_ino
    except OSError:
        return None
