"""Files that steps read or replace as a whole: within a limit, and never half written."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from core_engine.components.files import open_folder, open_regular
from core_engine.kernel.context import Context
from shared.errors import ErrorCode, FloworkError

MIB = 1024 * 1024
_DEFAULT_MODE, _PERMISSIONS = 0o644, 0o777


def read_whole(context: Context, path: str, max_mib: float) -> bytes:
    """Return a file's content; raises FORBIDDEN, NOT_FOUND, or TOO_LARGE beyond the limit."""
    real = context.files.readable(path)
    limit = int(max_mib * MIB)
    with open_regular(real) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise FloworkError(ErrorCode.TOO_LARGE, f"{real.name} is larger than {max_mib:g} MiB.")
    return content


def write_whole(context: Context, path: str, content: bytes) -> dict[str, Any]:
    """Replace a file and return what `receipt` does; repeating it with the same content changes nothing."""
    real = context.files.writable(path)
    replace_file(real, content, context.idempotency_key)
    return receipt(str(real), content)


def receipt(path: str, content: bytes) -> dict[str, Any]:
    """Return ``path``, ``size_bytes`` and ``sha256``."""
    return {"path": path, "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def replace_file(path: Path, content: bytes, key: str) -> None:
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
    """Return the permissions of the file that is replaced; the rights of its owner are not for another content."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return _DEFAULT_MODE
    return mode & _PERMISSIONS if stat.S_ISREG(mode) else _DEFAULT_MODE
