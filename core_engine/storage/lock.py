"""The lock that keeps a second engine away from the same data."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from shared.errors import ErrorCode, FloworkError


class DataLock:
    """Holds ``engine.lock`` of a data folder; the kernel lets go of it when the process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        """Take the lock at once; raises FloworkError CONFIGURATION while another engine holds it."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            message = f"Another engine (process {holder}) already runs on {path.parent}."
            raise FloworkError(ErrorCode.CONFIGURATION, message) from error
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode("ascii"), 0)
        except OSError:  # a full disk
            os.close(self._file)
            raise

    def release(self) -> None:
        """Let another engine have the data."""
        os.close(self._file)
