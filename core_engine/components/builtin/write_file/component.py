"""Writes a text file, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.components.files import open_folder
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

_DEFAULT_MODE = 0o644


class WriteFileConfig(Config):
    """Where and what."""

    path: str = Field(
        min_length=1, description="The file, inside the folders that workflows may use; missing folders are made.",
        json_schema_extra=form(placeholder="reports/today.md"),
    )  # fmt: skip
    content: Any = Field(
        None, description="What to write; empty writes the data's text, or the whole data as JSON.",
        json_schema_extra=form(widget="textarea", placeholder="{{ data.text }}", rows=6),
    )  # fmt: skip


class WriteFile(Component[WriteFileConfig]):
    """Writes a file."""

    id = "write_file"
    name = "Write file"
    description = "Writes a text file into the folders that workflows may use; an existing one is replaced."
    category = "Files"
    policy = StepPolicy.KEYED
    execution = Execution.THREAD
    config_model = WriteFileConfig

    @override
    def execute(self, context: Context, config: WriteFileConfig, payload: Payload) -> Result:
        """Write and return ``path``, ``size_bytes`` and ``sha256``.

        Repeating it leaves the same content, so a crash in the middle does no harm: readers see the old file or
        the new one, never a part.
        """
        content = _content(config.content, payload.data).encode("utf-8", "replace")
        path = context.files.writable(config.path)
        _replace(path, content, context.idempotency_key)
        return Result.on("success", _receipt(str(path), content), payload.history)

    @override
    def simulate(self, context: Context, config: WriteFileConfig, payload: Payload) -> Result:
        """Return what `execute` would, without touching the file system."""
        content = _content(config.content, payload.data).encode("utf-8", "replace")
        context.log(f"Simulated: would write {len(content)} bytes to {config.path}.")
        return Result.on("success", {**_receipt(config.path, content), "simulated": True}, payload.history)


def _content(given: Any, data: Any) -> str:
    if given in (None, ""):
        given = data["text"] if isinstance(data, dict) and "text" in data else data
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, indent=2) + "\n"


def _receipt(path: str, content: bytes) -> dict[str, Any]:
    return {"path": path, "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _replace(path: Path, content: bytes, key: str) -> None:
    """Write beside the target and rename; the key in the temporary name lets a repeated attempt clear it away."""
    mark = hashlib.sha256(f"{path}\n{key}".encode()).hexdigest()[:24]
    temporary = f".{mark}.tmp"
    folder = open_folder(path.parent)
    try:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        try:
            _write(temporary, folder, content, _mode(path.name, folder))
            os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(name: str, folder: int, content: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, mode, dir_fd=folder), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _mode(name: str, folder: int) -> int:
    """Return the permissions of the file that is replaced."""
    try:
        return stat.S_IMODE(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return _DEFAULT_MODE
