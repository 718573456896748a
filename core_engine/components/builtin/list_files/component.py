"""Lists the files of a folder."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.components.files import open_folder
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context, Files
from core_engine.kernel.payload import Payload, Result
from shared.errors import FloworkError

_MOST_SEEN = 200_000


class ListFilesConfig(Config):
    """Which files, and in which order."""

    folder: str = Field(
        ".", min_length=1, max_length=4096,
        description="The folder, inside the folders that workflows may use; . is the first of them.",
        json_schema_extra=form(placeholder="reports"),
    )  # fmt: skip
    pattern: str = Field(
        "*", min_length=1, max_length=1000,
        description="Names that are listed: * is any signs, ? one sign. With / it means the path below the folder.",
        json_schema_extra=form(placeholder="*.csv"),
    )  # fmt: skip
    recursive: bool = Field(False, description="Look into the folders below, too.")
    kind: Literal["files", "folders", "both"] = Field("files", description="What is listed.")
    order: Literal["name", "size", "modified"] = Field("name", description="What the list is sorted by.")
    descending: bool = Field(False, description="The largest or newest first.")
    newer_than_seconds: float = Field(
        0, ge=0, description="Only what was changed in the last so many seconds; 0 for all."
    )
    limit: int = Field(1000, ge=1, le=10_000, description="Most items in the list; the rest is left out.")


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    below: str
    is_folder: bool
    size: int
    modified: float

    def to_wire(self) -> dict[str, Any]:
        return {
            "path": str(self.path), "name": self.path.name, "relative_path": self.below,
            "kind": "folder" if self.is_folder else "file", "size_bytes": 0 if self.is_folder else self.size,
            "modified": datetime.fromtimestamp(self.modified, UTC).isoformat(timespec="milliseconds"),
        }  # fmt: skip


class ListFiles(Component[ListFilesConfig]):
    """Lists files."""

    id = "list_files"
    name = "List files"
    description = "Lists the files of a folder that workflows may use, with size and time, sorted."
    category = "Files"
    execution = Execution.THREAD
    config_model = ListFilesConfig

    @override
    def execute(self, context: Context, config: ListFilesConfig, payload: Payload) -> Result:
        """Return ``items`` (path, name, relative_path, kind, size_bytes, modified), ``count`` and ``truncated``.

        Hidden files and links that lead outside are left out. ``truncated``: there were more.
        """
        folder = context.files.folder(config.folder)
        since = (
            datetime.now(UTC).timestamp() - config.newer_than_seconds if config.newer_than_seconds else 0.0
        )
        walk = _Walk(context.files, folder, recursive=config.recursive)
        found = [item for item in walk.items() if item.modified >= since and _wanted(item, config)]
        keys = {
            "name": lambda item: item.below,
            "size": lambda item: item.size,
            "modified": lambda item: item.modified,
        }
        found.sort(key=lambda item: item.below)
        found.sort(key=keys[config.order], reverse=config.descending)
        truncated = walk.truncated or len(found) > config.limit
        if truncated:
            context.log(f"There are more than the {min(len(found), config.limit)} items listed.", "WARN")
        items = [item.to_wire() for item in found[: config.limit]]
        data = {"folder": str(folder), "items": items, "count": len(items), "truncated": truncated}
        return Result.on("success", data, payload.history)


class _Walk:
    """Looks at everything below a folder, breadth first, up to a bound; links are not walked into."""

    def __init__(self, files: Files, folder: Path, *, recursive: bool) -> None:
        self._files = files
        self._folder = folder
        self._recursive = recursive
        self.truncated = False

    def items(self) -> Iterator[_Found]:
        waiting = deque([self._folder])
        seen = 0
        while waiting:
            folder = waiting.popleft()
            for entry in self._entries(folder):
                seen += 1
                if seen > _MOST_SEEN:
                    self.truncated = True
                    return
                item = self._describe(folder / entry)
                if item is None:
                    continue
                yield item
                if self._recursive and item.is_folder and not item.path.is_symlink():
                    waiting.append(item.path)

    def _entries(self, folder: Path) -> list[str]:
        try:
            descriptor = open_folder(folder)
        except FloworkError:  # it went or was changed meanwhile
            return []
        try:
            with os.scandir(descriptor) as entries:
                names = [entry.name for entry, _ in zip(entries, range(_MOST_SEEN + 1), strict=False)]
        except OSError:  # it may not be read
            return []
        finally:
            os.close(descriptor)
        return sorted(name for name in names if not name.startswith(".") and _is_text(name))

    def _describe(self, path: Path) -> _Found | None:
        if not self._files.allows(path):
            return None
        try:
            facts = path.stat()
        except OSError:  # it went meanwhile, or is a link to nothing
            return None
        is_folder = stat.S_ISDIR(facts.st_mode)
        if not is_folder and not stat.S_ISREG(facts.st_mode):
            return None
        below = path.relative_to(self._folder).as_posix()
        return _Found(path, below, is_folder, facts.st_size, facts.st_mtime)


def _wanted(item: _Found, config: ListFilesConfig) -> bool:
    if config.kind != "both" and item.is_folder != (config.kind == "folders"):
        return False
    return fnmatchcase(item.below if "/" in config.pattern else item.path.name, config.pattern)


def _is_text(name: str) -> bool:
    """Tell whether a name can be said in JSON: on disk it may be any bytes."""
    return not any(ord(sign) < 32 or 0xD800 <= ord(sign) <= 0xDFFF for sign in name)
